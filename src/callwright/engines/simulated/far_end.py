"""Simulated far ends: what the phone at the other end of a leg does, act by act."""

from collections.abc import Sequence
from dataclasses import dataclass

from callwright.engines.port import Cause


@dataclass(frozen=True, slots=True)
class Rings:
    """The phone rings (180)."""


@dataclass(frozen=True, slots=True)
class SendsEarlyMedia:
    """It is heard before it answers: a ringback, a voicemail's prompt (183)."""


@dataclass(frozen=True, slots=True)
class Answers:
    pass


@dataclass(frozen=True, slots=True)
class Rejects:
    cause: Cause
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Presses:
    key: str
    by_tone: bool = False
    "The phone has no other way than to sound it."


@dataclass(frozen=True, slots=True)
class Holds:
    """It puts us on hold."""


@dataclass(frozen=True, slots=True)
class Resumes:
    """It takes us back from hold."""


@dataclass(frozen=True, slots=True)
class Transfers:
    """It asks that whoever it talks with be handed over."""

    to: str
    attended: bool = False
    "To whom it talks with on its newest other leg."


@dataclass(frozen=True, slots=True)
class HangsUp:
    cause: Cause = Cause.HUNG_UP
    "`Cause.MEDIA_LOST` for a phone that vanishes."


Act = Rings | SendsEarlyMedia | Answers | Rejects | Presses | Holds | Resumes | Transfers | HangsUp
Acts = Sequence[tuple[float, Act]]
"Acts, each so many seconds after the one before."


@dataclass(frozen=True, slots=True)
class FarEnd:
    """What a phone does when it is rung."""

    acts: Acts = ((0.1, Rings()), (1.0, Answers()))


def answers(*, after: float = 1.0, then: Sequence[tuple[float, Act]] = ()) -> FarEnd:
    """A phone that rings and answers ``after`` seconds of ringing."""
    return FarEnd(((0.1, Rings()), (after, Answers()), *then))


def never_answers() -> FarEnd:
    return FarEnd(((0.1, Rings()),))


def busy() -> FarEnd:
    return FarEnd(((0.1, Rejects(Cause.BUSY, "486 Busy Here")),))
