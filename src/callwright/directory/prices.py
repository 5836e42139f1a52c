"""Prices: what a minute with a number costs, by the operator's list."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from callwright.directory.destinations import destination_of, same_country
from callwright.directory.directions import Destination
from callwright.numbering import fault_of

Direction = Literal["in", "out"]


@dataclass(frozen=True, slots=True)
class Price:
    """What a minute costs, and how it is counted."""

    per_minute: float
    step: int
    "Seconds a talk is rounded up to."


class PriceList:
    """Prices by direction and the digits that a number begins with; the longest holds."""

    def __init__(self, prices: Iterable[tuple[Direction, str, Price]] = ()) -> None:
        self._prices = {(direction, prefix): price for direction, prefix, price in prices}
        lengths = {len(prefix) for _, prefix in self._prices}
        self._lengths = sorted(lengths, reverse=True)

    def price_of(self, direction: Direction, number: str) -> Price | None:
        """The price of calls to a number, or from it (``in``); None: they are free."""
        for length in self._lengths:
            if price := self._prices.get((direction, number[:length])):
                return price
        return None


def direction_type(number: str, home: str) -> str | None:
    """Say what kind of call it is between two numbers, in the words of the published Data API.

    None: ``number`` is a phone of the house's, or of a PBX.
    """
    if fault_of(number) is not None:
        return None
    match destination_of(number, home):
        case Destination.LOCAL | Destination.MOBILE | Destination.INTERNATIONAL as kind:
            return kind.value
        case Destination.PREMIUM if not same_country(number, home):
            return Destination.INTERNATIONAL.value
    return "national"
