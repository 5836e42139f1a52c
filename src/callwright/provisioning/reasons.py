"""Reasons: what pydantic refuses in an entry, in words of somebody who writes the file."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from callwright.directory.entries import PHONE_NUMBER_PATTERN
from callwright.directory.scenario import KEY_PATTERN, KINDS, LABEL_PATTERN, NUMBER_PATTERN

_TABLE = "a table is needed"
_LIST = "a list is needed: [ … ], or [[ … ]] before each table"
_NUMBER = "a number is needed, without quotes"
_WHOLE_NUMBER = "a whole number is needed, without quotes"
_MOMENT = "a moment is needed, without quotes: 2027-01-01T00:00:00Z"
_NO_SUCH_SETTING = "there is no such setting here"
_MISSING = "missing"

_REASONS = {
    "bool_type": "true or false is needed, without quotes",
    "dataclass_type": _TABLE,
    "datetime_from_date_parsing": _MOMENT,
    "datetime_parsing": _MOMENT,
    "datetime_type": _MOMENT,
    "dict_type": _TABLE,
    "extra_forbidden": _NO_SUCH_SETTING,
    "finite_number": _NUMBER,
    "float_parsing": _NUMBER,
    "float_type": _NUMBER,
    "int_from_float": _WHOLE_NUMBER,
    "int_type": _WHOLE_NUMBER,
    "list_type": _LIST,
    "mapping_type": _TABLE,
    "missing": _MISSING,
    "missing_argument": _MISSING,
    "missing_keyword_only_argument": _MISSING,
    "model_attributes_type": _TABLE,
    "model_type": _TABLE,
    "string_type": 'a text is needed, in quotes: "…"',
    "timezone_aware": "the offset is missing: write it like 2027-01-01T00:00:00Z",
    "tuple_type": _LIST,
    "unexpected_keyword_argument": _NO_SUCH_SETTING,
    "union_tag_invalid": f"do is one of {', '.join(KINDS)}",
    "union_tag_not_found": f"do is missing: one of {', '.join(KINDS)}",
}
_BY_LIMIT: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "enum": lambda limit: _one_of(limit["expected"]),
    "literal_error": lambda limit: _one_of(limit["expected"]),
    "greater_than_equal": lambda limit: f"at least {limit['ge']:.15g} is needed",
    "less_than": lambda limit: f"less than {limit['lt']} is needed",
    "less_than_equal": lambda limit: f"at most {limit['le']:.15g} is allowed",
    "string_too_short": lambda limit: _at_least(limit["min_length"], "character"),
    "string_too_long": lambda limit: f"at most {limit['max_length']} characters are allowed",
    "too_short": lambda limit: _at_least(limit["min_length"], "entry", "entries"),
    "too_long": lambda limit: f"at most {limit['max_length']} entries are allowed",
}
_BY_PATTERN = {
    LABEL_PATTERN: "a label is small letters, digits, _ and -, and begins with a letter",
    KEY_PATTERN: "a key is one of 0-9 * #",
    NUMBER_PATTERN: "a number is digits, in quotes and without +",
    PHONE_NUMBER_PATTERN: "a phone's number is 1 to 32 letters, digits and . _ -, without +",
}
_BY_FIELD = {
    "sha256": "the SHA-256 of the token is needed, as 64 hexadecimal digits in lower case",
    "hint": "the token's last characters are needed, at most four letters and digits",
    "button": "one to four of 0-9 * # are needed",
}


def reason_of(error: ErrorDetails) -> str:
    """Say what is wrong; what of it was written is not told, for it may be secret."""
    kind = error["type"]
    if kind == "value_error":
        # Our own validators; they say it in words of their own.
        return error["msg"].removeprefix("Value error, ")
    if kind == "string_pattern_mismatch":
        if reason := _BY_PATTERN.get(error["ctx"]["pattern"]):
            return reason
        name = error["loc"][-1] if error["loc"] else ""
        return _BY_FIELD.get(str(name), "letters, digits and . _ @ - are allowed, 64 at most")
    if kind in _BY_LIMIT:
        return _BY_LIMIT[kind](error["ctx"])
    return _REASONS.get(kind, "what stands here cannot be used")


def _one_of(expected: str) -> str:
    return "one of these is needed: " + expected.replace("'", '"').replace(" or ", ", ")


def _at_least(count: int, one: str, many: str | None = None) -> str:
    if count == 1:
        return f"at least one {one} is needed"
    return f"at least {count} {many or one + 's'} are needed"
