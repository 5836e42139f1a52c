"""Did the call go as it must: the choreography's sentences, each held against what was seen."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from callwright.drawing.call import PHONES, Call, Entry, Sound, Who, spans
from demo.sound import SILENCE, Heard

KEY_TOLERANCE = 0.040
"Seconds a key may begin before or after its time (choreography 3)."

AT_ONCE = 0.5
"Seconds within which the second phone is hung up when the first has left."

EDGE = 0.3
"Seconds at both ends of a span that are not listened to: jitter buffers, and clocks of processes."


@dataclass(frozen=True, slots=True)
class Check:
    sentence: str
    "What must be so."
    passed: bool
    seen: str
    "What was."


@dataclass(frozen=True, slots=True)
class Phone:
    """What one phone of the demo says of the call."""

    number: str
    program: str
    "``baresip 1.0.0``, ``baresip-python 0.5.2a3``."
    says: str
    "What it says into the call, for people."
    tone: float
    "Hz of the tone it says it with."
    heard: Heard | None = None
    keys: Sequence[str] = field(default=())
    "Keys it was sent."
    shown: str = ""
    "The number it was shown while it rang."


def checks(
    call: Call, phones: Mapping[Who, Phone], keys: Sequence[tuple[str, float]]
) -> list[Check]:
    """Hold the seed's call, contact hanging up, against the choreography.

    ``keys``: each key and its time in seconds after the contact's answer.
    """
    return [
        *_who_rings_when(call),
        _what_is_shown(call, phones),
        *_who_hears_what(call, phones),
        *_keys(call, phones[Who.CONTACT], keys),
        *_talk(call, phones),
        _ending(call),
    ]


def _at(entry: Entry | None) -> str:
    return f"{entry.offset:.2f} s" if entry else "never"


def _who_rings_when(call: Call) -> Iterator[Check]:
    told = call.first("message_finished", Who.EMPLOYEE)
    dialled = call.first("leg_started", Who.CONTACT)
    yield Check(
        "The employee is rung first; the contact only when the employee has heard its message.",
        bool(told and told.whole and dialled and told.offset <= dialled.offset),
        f"message ended at {_at(told)}, contact dialled at {_at(dialled)}",
    )
    greeted = call.first("message_finished", Who.CONTACT)
    talk = call.first("talk_started")
    yield Check(
        "The contact hears the spoken text to its end, in spite of switch_at_once; then they talk.",
        bool(greeted and greeted.whole and talk and greeted.offset <= talk.offset),
        f"text ended at {_at(greeted)}, talk began at {_at(talk)}",
    )


def _what_is_shown(call: Call, phones: Mapping[Who, Phone]) -> Check:
    shown = {who: phones[who].shown for who in PHONES}
    return Check(
        "The employee's phone shows the contact's number, the contact's the virtual number.",
        shown[Who.EMPLOYEE] == call.contact_phone_number
        and shown[Who.CONTACT] == call.virtual_phone_number,
        ", ".join(f"{number or 'nothing'} at the {who}" for who, number in shown.items()),
    )


def _who_hears_what(call: Call, phones: Mapping[Who, Phone]) -> Iterator[Check]:
    expected = {
        Who.EMPLOYEE: (Sound.MESSAGE, Sound.MUSIC, Sound.TALK),
        Who.CONTACT: (Sound.MESSAGE, Sound.TALK),
    }
    for who, sounds in expected.items():
        audible = [s for s in spans(call, who) if s.sound is not Sound.RINGING]
        order = tuple(span.sound for span in audible)
        levels = [
            (span.sound, heard.level(span.start, span.end))
            for span in audible
            if (heard := phones[who].heard)
        ]
        yield Check(
            f"The {who} hears, one after the other: {', '.join(sounds)}.",
            order == sounds
            and len(levels) == len(sounds)
            and all(level > SILENCE for _, level in levels),
            ", ".join(f"{sound} at {level:.0f} dBFS" for sound, level in levels) or "nothing",
        )


def _keys(call: Call, phone: Phone, keys: Sequence[tuple[str, float]]) -> Iterator[Check]:
    answered = call.first("leg_answered", Who.CONTACT)
    begun = answered.offset if answered else 0.0
    sent = [(e.key, e.offset - begun) for e in call.timeline if e.event == "key_sent"]
    yield Check(
        f"Keys {' '.join(key for key, _ in keys)} are sent to the contact in their time, "
        f"within {KEY_TOLERANCE * 1000:.0f} ms.",
        [key for key, _ in sent] == [key for key, _ in keys]
        and all(abs(s - d) <= KEY_TOLERANCE for (_, s), (_, d) in zip(sent, keys, strict=True)),
        ", ".join(f"{key} at {at:.3f} s" for key, at in sent) or "no keys",
    )
    yield Check(
        "The contact's phone has received them.",
        list(phone.keys) == [key for key, _ in keys],
        " ".join(phone.keys) or "no keys",
    )


def _talk(call: Call, phones: Mapping[Who, Phone]) -> Iterator[Check]:
    for ear, mouth in ((Who.EMPLOYEE, Who.CONTACT), (Who.CONTACT, Who.EMPLOYEE)):
        heard, tone = phones[ear].heard, phones[mouth].tone
        talk = next((s for s in spans(call, ear) if s.sound is Sound.TALK), None)
        share = (
            heard.share_of_tone(tone, talk.start + EDGE, talk.end - EDGE) if heard and talk else 0.0
        )
        yield Check(
            f"In the talk the {ear} hears the {mouth}.",
            share > 0.5,
            f"{share:.0%} of what it hears is the {tone:.0f} Hz of the {mouth}'s phone",
        )


def _ending(call: Call) -> Check:
    ends = [call.first("leg_ended", who) for who in (Who.CONTACT, Who.EMPLOYEE)]
    apart = ends[1].offset - ends[0].offset if ends[0] and ends[1] else None
    return Check(
        "The contact hangs up, and the employee is hung up at once: subscriber_disconnects.",
        call.finish_reason == "subscriber_disconnects"
        and apart is not None
        and 0 <= apart <= AT_ONCE,
        f"{call.finish_reason or 'not finished'}"
        + (f", {apart * 1000:.0f} ms later" if apart is not None else ""),
    )
