"""Numbering: which digits can be a number, and which one, by the plans in `phonenumbers`.

Here a number is E.164 digits without ``+``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber, ValidationResult

E164 = re.compile(r"[1-9][0-9]{6,14}")

REMEMBERED = 4096
"Numbers of which it is remembered how they are read; an account's own are read again and again."

COUNTRIES: frozenset[str] = frozenset(phonenumbers.SUPPORTED_REGIONS)
"ISO 3166 letters of the countries whose numbering plans are known."

_WRITTEN = "a number is 7 to 15 digits, the country's code first, as in 79261234567"
_LENGTHS = {
    ValidationResult.TOO_SHORT: "too few digits for a number of +{code}",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "too few digits for a number of +{code}",
    ValidationResult.TOO_LONG: "too many digits for a number of +{code}",
    ValidationResult.INVALID_LENGTH: "no number of +{code} has so many digits",
}


@lru_cache(maxsize=REMEMBERED)
def parsed(number: str) -> PhoneNumber | None:
    """Read a number by the plans; None: it begins with the code of no country."""
    try:
        return phonenumbers.parse(f"+{number}")
    except NumberParseException:
        return None


@lru_cache(maxsize=REMEMBERED)
def fault_of(number: str) -> str | None:
    """Say why digits can never be an E.164 number; None: they can, whether or not anybody has it.

    By the lengths of its country's numbers alone: what a plan gives out next year is no fault.
    """
    if not E164.fullmatch(number):
        return f"{_WRITTEN}; 00, 810 and the like are left out" if number[:1] == "0" else _WRITTEN
    read = parsed(number)
    if read is None:
        return f"no country's code begins like this; {_WRITTEN}"
    code = read.country_code
    national = phonenumbers.national_significant_number(read)
    if len(f"{code}{national}") != len(number):
        return f"behind +{code} is a prefix that is dialled inside the country only"
    length = _LENGTHS.get(phonenumbers.is_possible_number_with_reason(read))
    return None if length is None else length.format(code=code)


@dataclass(frozen=True, slots=True)
class HomePlan:
    """How numbers are dialled, and callers told, in one country."""

    country: str
    "ISO 3166 letters, such as ``RU``."
    national_prefix: str | None = None
    "What is dialled before a number inside the country; None: what the plan says; may be empty."

    def e164(self, digits: str, *, international: bool = False) -> str:
        """The E.164 form of digits; what is no number of the telephone network's stays as it is.

        ``international``: a ``+`` stood before them.
        """
        if international and fault_of(digits) is None:
            return digits
        return next((number for number in self._readings(digits) if number), digits)

    def _readings(self, digits: str) -> Iterator[str | None]:
        """What digits may mean; the likelier the earlier."""
        plan = PhoneMetadata.metadata_for_region(self.country)
        assert plan
        code = str(phonenumbers.country_code_for_region(self.country))
        abroad = re.match(f"00|(?:{plan.international_prefix or '00'})", digits)
        if abroad:
            yield _possible(digits[abroad.end() :])
        prefix = plan.national_prefix if self.national_prefix is None else self.national_prefix
        if prefix and digits.startswith(prefix):
            yield _possible(code + digits.removeprefix(prefix))
        if digits.startswith(code):
            yield _possible(digits)
        # Nothing says that it is a number of this country but that there is such a one.
        at_home = code + digits
        if (read := parsed(at_home)) and phonenumbers.is_valid_number(read):
            yield _possible(at_home)


def _possible(number: str) -> str | None:
    return number if fault_of(number) is None else None
