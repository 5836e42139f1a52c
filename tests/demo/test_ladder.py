"""The ladder of recorded calls, in words and as lines of a terminal."""

from collections.abc import Callable
from typing import get_args

from callwright.calls import events
from callwright.drawing.call import Call, Entry, Who
from callwright.drawing.steps import steps
from demo import ladder

Recorded = Callable[[str], Call]


def test_the_ladder_of_the_seeds_call(recorded: Recorded) -> None:
    assert [ladder.plainly(step) for step in steps(recorded("seed"))] == [
        "  0.00 s  callwright: request accepted",
        "  0.00 s  callwright --> employee: call from 79260000000",
        "  0.10 s  employee --> callwright: rings",
        "  1.50 s  employee --> callwright: answers",
        "  1.50 s  callwright --> employee: message: media 2561",
        "  4.34 s  callwright --> employee: message ends",
        "  4.34 s  callwright --> contact: call from 74993720692",
        "  4.34 s  callwright --> employee: music: media 2701",
        "  4.44 s  contact --> callwright: rings",
        "  6.04 s  contact --> callwright: answers",
        "  6.04 s  callwright --> contact: message: tts",
        "  6.66 s  callwright --> contact: message ends",
        "  6.66 s  callwright --> employee: music stops",
        "  6.66 s  employee <-> contact: they talk",
        "  7.04 s  callwright --> contact: key 1",
        "  8.04 s  callwright --> contact: key 2",
        "  9.04 s  callwright --> contact: key 3",
        " 16.04 s  contact --> callwright: hangs up",
        " 16.04 s  employee <-> contact: they talked 9.4 s",
        " 16.04 s  callwright --> employee: is hung up",
        " 16.04 s  callwright: subscriber_disconnects",
    ]


def test_a_busy_contact_is_told_so(recorded: Recorded) -> None:
    words = [ladder.plainly(step) for step in steps(recorded("contact_busy"))]
    assert "  5.44 s  contact --> callwright: is busy" in words
    assert words[-1] == "  5.44 s  callwright: subscriber_busy"


def test_every_kind_of_event_callwright_tells_has_a_step(recorded: Recorded) -> None:
    first = recorded("seed").timeline[0]
    silent: set[type[events.Event]] = {events.StateEntered, events.OptionRun}
    for kind in set(get_args(events.SessionEvent)) - silent:
        name = "".join(f"_{c.lower()}" if c.isupper() else c for c in kind.__name__).lstrip("_")
        entry = Entry(time=first.time, offset=0.0, event=name)
        call = recorded("seed").model_copy(update={"timeline": (entry,)})
        assert len(steps(call)) == 1, name


def test_a_line_is_as_wide_as_a_terminal_and_has_the_arrow_between_its_lifelines(
    recorded: Recorded,
) -> None:
    call = recorded("seed")
    lines = {step.text: ladder.line(call, step).plain for step in steps(call)}
    assert {len(line) for line in lines.values()} == {ladder.WIDTH}
    left, middle, right = (
        ladder.COLUMN[who] for who in (Who.EMPLOYEE, Who.CALLWRIGHT, Who.CONTACT)
    )
    assert lines["key 1"][middle + 1 : right].strip("─▶") == " key 1 "
    assert lines["key 1"][right - 1] == "▶"
    assert lines["they talk"][left + 1] == "◀"
    assert lines["they talk"][right - 1] == "▶"
    assert lines["message: media 2561"][left + 1] == "◀"


def test_the_lifeline_shows_what_the_phone_hears(recorded: Recorded) -> None:
    call = recorded("seed")
    key = next(step for step in steps(call) if step.text == "key 2")
    assert ladder.line(call, key).plain[ladder.COLUMN[Who.EMPLOYEE]] == "┃"
    end = steps(call)[-1]
    assert ladder.line(call, end).plain[ladder.COLUMN[Who.EMPLOYEE]] == "│"


def test_the_state_line_follows_the_call(recorded: Recorded) -> None:
    whole = recorded("seed")

    def at(offset: float) -> str:
        until = tuple(e for e in whole.timeline if e.offset <= offset)
        return ladder.state_line(whole.model_copy(update={"timeline": until}))

    assert at(0.2) == "employee: rings   contact: not yet called"
    assert at(2.0) == "employee: hears message   contact: not yet called"
    assert at(5.0) == "employee: hears music   contact: rings"
    assert at(9.0) == "employee: talks   contact: talks"
    assert at(99.0) == "employee: has left   contact: has left"
