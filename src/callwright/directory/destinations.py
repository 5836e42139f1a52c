"""Destinations: what kind of call a call to a number is, seen from one's own number.

By the numbering plans in `phonenumbers`. A number of its own plan that no list knows yet counts by
its area; one that belongs to no country at all counts as international.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType

from callwright.directory.directions import Destination
from callwright.numbering import COUNTRIES, REMEMBERED, parsed

_PREMIUM = frozenset(
    {
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.PERSONAL_NUMBER,
        PhoneNumberType.PAGER,
        PhoneNumberType.VOICEMAIL,
        PhoneNumberType.UAN,
    }
)
"Types of number whose owner has, or may have, part of what the caller pays."
_COMPANIES_AT_USUAL_RATES = ("4037", "4151", "4158", "443", "4610")
"Of the companies' numbers (UAN) those that cost what an area's numbers cost, by their plans."
_WITHIN_ANOTHER = {"7840": "+7840", "7940": "+7840", "7850": "+7850"}
"Countries that no plan knows apart from the one whose code they have: Abkhazia, South Ossetia."


def destination_of(number: str, home: str) -> Destination:
    """Tell what a call from ``home`` to ``number`` is; both are E.164 digits without ``+``.

    Countries that share a calling code are told apart: from Moscow, Kazakhstan is international.
    """
    called, caller = _place_of(number), _place_of(home)
    if called is None:
        return Destination.INTERNATIONAL
    usual = called.kind == PhoneNumberType.UAN and number.startswith(_COMPANIES_AT_USUAL_RATES)
    if called.kind in _PREMIUM and not usual:
        return Destination.PREMIUM
    if caller is None or called.country != caller.country:
        return Destination.INTERNATIONAL
    if called.kind == PhoneNumberType.MOBILE:
        return Destination.MOBILE
    if called.kind == PhoneNumberType.TOLL_FREE or called.area == caller.area:
        return Destination.LOCAL
    return Destination.LONG_DISTANCE


def read_plans(numbers: Iterable[str]) -> None:
    """Read the numbering plans of the countries that numbers belong to; for a thread.

    Whoever asks for a country first would wait 2 to 5 ms for that.
    """
    for number in numbers:
        _place_of(number)


def same_region(number: str, other: str) -> bool:
    """Whether two numbers have the same country and the same area or network code."""
    one, two = _place_of(number), _place_of(other)
    return one is not None and two is not None and one.region == two.region


def country_of(number: str) -> str | None:
    """ISO 3166 letters of the country a number belongs to; None: to none."""
    place = _place_of(number)
    return place.country if place and place.country in COUNTRIES else None


def same_country(number: str, other: str) -> bool:
    one, two = _place_of(number), _place_of(other)
    return one is not None and two is not None and one.country == two.country


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a number belongs in the numbering plans."""

    country: str
    "ISO 3166 letters, or ``+881`` and the like for what belongs to no country."
    area: str
    "Area code, or the network's code for numbers that have none: the national destination code."
    kind: int
    "One of `PhoneNumberType`."

    @property
    def region(self) -> tuple[str, str]:
        return self.country, self.area


@lru_cache(maxsize=REMEMBERED)
def _place_of(number: str) -> _Place | None:
    read = parsed(number)
    if read is None:
        return None
    code = read.country_code or 0
    # What no plan knows yet counts to the first of the countries with the code.
    country = (
        _WITHIN_ANOTHER.get(number[:4])
        or phonenumbers.region_code_for_number(read)
        or phonenumbers.region_code_for_country_code(code)
    )
    digits = phonenumbers.national_significant_number(read)
    return _Place(
        country=f"+{code}" if country == "001" else country,
        area=digits[: phonenumbers.length_of_national_destination_code(read)],
        kind=phonenumbers.number_type(read),
    )
