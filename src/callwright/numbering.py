"""Numbering: whether digits can be a number at all, by the numbering plans in `phonenumbers`.

Here a number is E.164 digits without ``+``.
"""

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, ValidationResult

E164 = re.compile(r"[1-9][0-9]{6,14}")

REMEMBERED = 4096
"Numbers of which it is remembered how they are read; an account's own are read again and again."

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
        return (
            f"behind +{code} is a prefix that is dialled inside the country only: "
            f"{code}{national} is without it"
        )
    length = _LENGTHS.get(phonenumbers.is_possible_number_with_reason(read))
    return None if length is None else length.format(code=code)
