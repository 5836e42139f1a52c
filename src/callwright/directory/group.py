"""A group of employees (hunt group): who is in it, and in which order its phones are rung."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from callwright.directory.model import EmployeeId

NUMBER_AT_MOST = 5
"Digits of a group's short number."
CHANNELS_AT_MOST = 199
"Calls that one group may be in at once."

PhoneOrder = Sequence[tuple[str, bool]]
"Numbers of phones in the order they are rung, and of each whether it is."


@dataclass(frozen=True, slots=True)
class Group:
    id: int
    name: str
    "What scenarios call it; unique in the account."
    employees: tuple[EmployeeId, ...]
    "Its members, the inactive ones too."
    order: PhoneOrder = ()
    "Of their phones, as far as somebody has said it."
    number: str | None = None
    "Its short number, at most five digits."
    queue: bool = False
    "Who is put through to it by a scenario waits until somebody is free."
    channels: int = CHANNELS_AT_MOST
    "Calls it may be in at once."


def ringing_order(order: PhoneOrder, numbers: Collection[str]) -> PhoneOrder:
    """The phones of the members, of these numbers, in the order a group rings them.

    What ``order`` does not name comes last, as it comes, and is rung; what is nobody's is left out.
    """
    named = [(number, rung) for number, rung in order if number in numbers]
    known = {number for number, _ in named}
    return [*named, *((number, True) for number in numbers if number not in known)]
