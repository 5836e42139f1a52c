"""Magic numbers: what the phones of the sandbox do, told by their numbers.

This table is the only one: the engine follows it, ``callwright sandbox --numbers`` shows it, and
docs/sandbox.md is made from it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from callwright.engines.port import Cause
from callwright.engines.simulated.far_end import (
    Acts,
    Answers,
    FarEnd,
    HangsUp,
    Presses,
    Rejects,
    Rings,
    SendsEarlyMedia,
)

PREFIX = "790000"
RINGS = (0.1, Rings())
ANSWERS_SOON = (RINGS, (1.9, Answers()))
"Answers 2 s after it is rung."


@dataclass(frozen=True, slots=True)
class Family:
    """Numbers ``790000FFPPP`` that do the same: ``FF`` is the family, ``PPP`` says how."""

    code: str
    does: str
    "What is done, with ``n`` for the number PPP."
    example: str
    "Its PPP."
    shows: str
    "What the example does."
    acts: Callable[[str, int], Acts]
    "Of PPP, and of how many calls the number has had before."

    @property
    def number(self) -> str:
        """The example as a whole number."""
        return f"{PREFIX}{self.code}{self.example}"


def _answers(digits: str, before: int) -> Acts:
    return (RINGS, (_seconds(digits), Answers()))


def _hangs_up(digits: str, before: int) -> Acts:
    return (*ANSWERS_SOON, (_seconds(digits), HangsUp()))


def _busy(digits: str, before: int) -> Acts:
    return ((_seconds(digits), Rejects(Cause.BUSY, "486 Busy Here")),)


def _no_answer(digits: str, before: int) -> Acts:
    return (RINGS,)


def _rejects(digits: str, before: int) -> Acts:
    return (RINGS, (_seconds(digits), Rejects(Cause.REJECTED, "603 Decline")))


def _switched_off(digits: str, before: int) -> Acts:
    return ((_seconds(digits), Rejects(Cause.NO_ANSWER, "480 Temporarily Unavailable")),)


def _wrong_number(digits: str, before: int) -> Acts:
    return ((_seconds(digits), Rejects(Cause.WRONG_NUMBER, "404 Not Found")),)


def _announced(digits: str, before: int) -> Acts:
    return ((0.1, SendsEarlyMedia()), *_switched_off(digits, before))


def _voicemail(digits: str, before: int) -> Acts:
    return (RINGS, (0.9, SendsEarlyMedia()), (_seconds(digits), Answers()), (30.0, HangsUp()))


def _presses(digits: str, before: int) -> Acts:
    return (*ANSWERS_SOON, (_seconds(digits[1:]), Presses(digits[0])))


def _drops(digits: str, before: int) -> Acts:
    return (*ANSWERS_SOON, (_seconds(digits), HangsUp(Cause.MEDIA_LOST)))


def _no_codec(digits: str, before: int) -> Acts:
    return ((_seconds(digits), Rejects(Cause.UNREACHABLE, "488 Not Acceptable Here")),)


def _carrier_fails(digits: str, before: int) -> Acts:
    return ((_seconds(digits), Rejects(Cause.UNREACHABLE, "503 Service Unavailable")),)


def _busy_at_first(digits: str, before: int) -> Acts:
    return _busy("000", before) if before < int(digits) else ANSWERS_SOON


FAMILIES: tuple[Family, ...] = (
    Family("10", "rings n s and answers; stays", "005", "answers after 5 s", _answers),
    Family("11", "answers after 2 s, hangs up n s later", "030", "hangs up after 30 s", _hangs_up),
    Family("12", "busy, after n s (486)", "000", "busy at once", _busy),
    Family("13", "rings and never answers", "000", "nobody answers", _no_answer),
    Family("14", "rings n s and rejects the call (603)", "004", "rejects after 4 s", _rejects),
    Family(
        "15",
        "switched off or out of reach: does not ring; after n s 480",
        "003",
        "switched off, told after 3 s",
        _switched_off,
    ),
    Family(
        "16",
        "there is no such number, told after n s (404)",
        "000",
        "no such number",
        _wrong_number,
    ),
    Family(
        "17",
        "an announcement is heard for n s before any answer (183), then 480",
        "010",
        "“the subscriber is switched off” for 10 s",
        _announced,
    ),
    Family(
        "18",
        "voicemail: heard after 1 s (183), answers n s later, hangs up after 30 s",
        "005",
        "a voicemail answers after 6 s",
        _voicemail,
    ),
    Family(
        "19",
        "answers after 2 s and presses a key: the first digit is the key, the others the seconds",
        "105",
        "presses 1, 5 s after the answer",
        _presses,
    ),
    Family(
        "20", "answers after 2 s; the line drops n s later", "030", "is lost after 30 s", _drops
    ),
    Family(
        "21", "no codec in common, told after n s (488)", "000", "no codec in common", _no_codec
    ),
    Family("22", "the carrier fails after n s (503)", "000", "the carrier fails", _carrier_fails),
    Family(
        "23",
        "busy for the first n calls, then answers after 2 s",
        "001",
        "busy once, then answers",
        _busy_at_first,
    ),
)
OTHERWISE = FarEnd((RINGS, (1.9, Answers())))
"What every other number does: it answers after 2 s, and stays."

_BY_CODE = {family.code: family for family in FAMILIES}
_MAGIC = re.compile(rf"(?:{PREFIX})?(?P<code>[0-9]{{2}})(?P<digits>[0-9]{{3}})")


def far_end_of(number: str, before: int) -> FarEnd:
    """What the phone of a number does when it is rung, ``before`` calls after its first."""
    found = _MAGIC.fullmatch(number)
    family = _BY_CODE.get(found["code"]) if found else None
    if found is None or family is None:
        return OTHERWISE
    return FarEnd(family.acts(found["digits"], before))


def _seconds(digits: str) -> float:
    """At least a tenth: nothing on a line happens at once."""
    return max(0.1, float(digits))
