"""Number check: which numbers that are written into the directory can never be right."""

import re

from callwright.methods import errors
from callwright.numbering import fault_of

_LONG = re.compile(r"[0-9]{7,}")
"What is too long for an extension is meant to be a number of the telephone network's."


def check_number(field: str, number: str) -> None:
    """Raises `InvalidParameterValue`, with what is wrong, for digits that no country can have."""
    if _LONG.fullmatch(number) and (fault := fault_of(number)):
        raise errors.InvalidParameterValue(field=field, value=number, helper=fault)
