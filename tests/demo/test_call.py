"""What a phone heard, as the spans of a timeline tell it."""

from collections.abc import Callable

from callwright.drawing.call import Call, Sound, Who, spans

Recorded = Callable[[str], Call]


def heard(call: Call, who: Who) -> list[tuple[Sound, float, float, str]]:
    return [(s.sound, s.start, s.end, s.label) for s in spans(call, who)]


def test_the_employee_hears_message_music_and_talk_without_a_gap(recorded: Recorded) -> None:
    assert heard(recorded("seed"), Who.EMPLOYEE) == [
        (Sound.RINGING, 0.0, 1.5, ""),
        (Sound.MESSAGE, 1.5, 4.34, "media 2561"),
        (Sound.MUSIC, 4.34, 6.66, "media 2701"),
        (Sound.TALK, 6.66, 16.04, ""),
    ]


def test_the_contact_hears_the_text_and_then_the_employee(recorded: Recorded) -> None:
    assert heard(recorded("seed"), Who.CONTACT) == [
        (Sound.RINGING, 4.34, 6.04, ""),
        (Sound.MESSAGE, 6.04, 6.66, "tts"),
        (Sound.TALK, 6.66, 16.04, ""),
    ]


def test_a_phone_that_is_busy_only_rings(recorded: Recorded) -> None:
    assert [s.sound for s in spans(recorded("contact_busy"), Who.CONTACT)] == [Sound.RINGING]


def test_a_span_that_still_lasts_is_open_and_reaches_to_now(recorded: Recorded) -> None:
    whole = recorded("seed")
    until_the_first_key = [e for e in whole.timeline if e.offset < 7.1]
    live = whole.model_copy(update={"timeline": tuple(until_the_first_key)})
    last = spans(live, Who.EMPLOYEE)[-1]
    assert (last.sound, last.open, last.end) == (Sound.TALK, True, live.duration)


def test_events_of_a_kind_not_yet_known_are_read_and_passed_over(recorded: Recorded) -> None:
    whole = recorded("seed").model_dump(mode="json")
    whole["timeline"].append({**whole["timeline"][-1], "event": "aliens_landed", "craft": 7})
    call = Call.model_validate(whole)
    assert heard(call, Who.CONTACT) == heard(recorded("seed"), Who.CONTACT)
