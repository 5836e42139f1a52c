"""Behaviour: what a phone is told to do by ``sandbox.script``, in place of what its number says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from callwright.bounded_table import BoundedTable
from callwright.engines.port import Cause
from callwright.engines.simulated.far_end import (
    Act,
    Answers,
    FarEnd,
    HangsUp,
    Holds,
    Presses,
    Rejects,
    Resumes,
    Rings,
    SendsEarlyMedia,
)
from callwright.methods.errors import InvalidParameterValue, RequiredParameterMissed
from callwright.methods.method import Params
from callwright.sandbox.numbers import far_end_of

NUMBERS_AT_MOST = 10_000
"Numbers whose calls are counted, and that may have scripts."

Do = Literal[
    "ring", "early_media", "answer", "press", "hold", "resume", "hang_up", "drop", "reject"
]
Reason = Literal["busy", "rejected", "no_answer", "wrong_number", "unreachable"]

_REFUSALS: dict[Reason, Rejects] = {
    "busy": Rejects(Cause.BUSY, "486 Busy Here"),
    "rejected": Rejects(Cause.REJECTED, "603 Decline"),
    "no_answer": Rejects(Cause.NO_ANSWER, "480 Temporarily Unavailable"),
    "wrong_number": Rejects(Cause.WRONG_NUMBER, "404 Not Found"),
    "unreachable": Rejects(Cause.UNREACHABLE, "503 Service Unavailable"),
}


class PhoneStep(Params):
    """One thing a phone does."""

    do: Do
    """`ring`, `early_media` (183: it is heard before it answers), `answer`, `press` (a key), `hold`
    (it puts us on hold), `resume`, `hang_up` (after the answer; of a caller, before it too), `drop`
    (it vanishes), `reject` (before the answer)."""
    after: Annotated[float, Field(ge=0, le=86_400)] = 0.0
    """Seconds after the step before; of the first, after it is rung. Of one who calls in, the steps
    before `answer` count from the call, and those after it from our answer."""
    key: Annotated[str, Field(pattern=r"^[0-9*#]$")] | None = None
    "The key, of `press`."
    reason: Reason = "busy"
    "Why, of `reject`."


def far_end(steps: Sequence[PhoneStep], field: str) -> FarEnd:
    """Make a phone that does these steps. Raises `ApiError`, with the step's field."""
    answered = over = False
    acts: list[tuple[float, Act]] = []
    for place, step in enumerate(steps):
        here = f"{field}.{place}"
        if over:
            raise InvalidParameterValue(field=f"{here}.do", value=step.do)
        if step.do in _ONCE_ANSWERED and not answered:
            raise InvalidParameterValue(field=f"{here}.do", value=step.do)
        if step.do in _BEFORE_ANSWER and answered:
            raise InvalidParameterValue(field=f"{here}.do", value=step.do)
        if step.do == "press" and step.key is None:
            raise RequiredParameterMissed(field=f"{here}.key")
        if step.do != "press" and step.key is not None:
            raise InvalidParameterValue(field=f"{here}.key", value=step.key)
        answered |= step.do == "answer"
        over = step.do in _LAST
        acts.append((step.after, _act(step)))
    return FarEnd(acts)


_BEFORE_ANSWER = frozenset({"ring", "early_media", "answer", "reject"})
_ONCE_ANSWERED = frozenset({"press", "hold", "resume", "drop"})
_LAST = frozenset({"hang_up", "drop", "reject"})


def _act(step: PhoneStep) -> Act:
    match step.do:
        case "ring":
            return Rings()
        case "early_media":
            return SendsEarlyMedia()
        case "answer":
            return Answers()
        case "press":
            return Presses(step.key or "")
        case "hold":
            return Holds()
        case "resume":
            return Resumes()
        case "hang_up":
            return HangsUp()
        case "drop":
            return HangsUp(Cause.MEDIA_LOST)
        case "reject":
            return _REFUSALS[step.reason]


@dataclass(slots=True)
class _Script:
    far_end: FarEnd
    left: int | None
    "Calls it still holds for; None: all."


class Phones:
    """What the phone of each number does, call after call."""

    def __init__(self) -> None:
        self._scripts: dict[str, list[_Script]] = {}
        self._calls: BoundedTable[str, int] = BoundedTable(NUMBERS_AT_MOST)

    def script(self, number: str, phone: FarEnd, times: int | None) -> None:
        """Let a number do something else, for the next ``times`` calls, or from now on.

        What it was told before for a number of calls comes first. Raises `TooManyNumbers`.
        """
        if number not in self._scripts and len(self._scripts) >= NUMBERS_AT_MOST:
            raise TooManyNumbers
        waiting = [one for one in self._scripts.get(number, ()) if one.left is not None]
        self._scripts[number] = [*waiting, _Script(phone, times)]

    def forget(self, number: str) -> None:
        """Let a number do again what it says."""
        self._scripts.pop(number, None)

    def next_call(self, number: str) -> FarEnd:
        """What the phone does in a call that begins now."""
        before = self._calls.get(number) or 0
        self._calls.set(number, before + 1)
        while scripts := self._scripts.get(number):
            script = scripts[0]
            if script.left is None:
                return script.far_end
            if script.left > 0:
                script.left -= 1
                return script.far_end
            scripts.pop(0)
        return far_end_of(number, before)


class TooManyNumbers(Exception):
    """As many numbers have scripts as may have."""
