"""What is wrong with a settings file, and where: in words of somebody who writes the file."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from callwright.toml_lines import Place, TomlLines


def told(text: str, values: Mapping[str, Any], fault: ValidationError) -> list[tuple[int, str]]:
    """Return line and reason of everything wrong in ``text``, in its order; each setting once.

    ``values``: what `tomllib` has read from the text.
    """
    reasons: dict[Place, dict[str, None]] = {}
    for error in fault.errors(include_url=False, include_input=False):
        reasons.setdefault(_written(error["loc"], values), {})[_reason(error)] = None
    lines = TomlLines(text)
    # One value may fail in several ways where it may be of several kinds.
    found = [(lines.of(at), f"{_dotted(at)}: {_joined(said)}") for at, said in reasons.items()]
    return sorted(found)


def _written(place: Place, values: Any) -> Place:
    """Leave out of pydantic's place what nobody has written: names of kinds, missing elements."""
    return tuple(_while_there(place, values))


def _while_there(place: Place, values: Any) -> Iterator[str | int]:
    for part in place:
        try:
            values = values[part]
        except (KeyError, IndexError, TypeError):
            return
        yield part


_NEEDED = {
    "string_type": 'a text in quotes ("…")',
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list ([ … ])",
    "tuple_type": "a list ([ … ])",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "path_type": 'a path in quotes ("…")',
    "ip_v4_address": "an IPv4 address",
    "ip_v6_address": "an IPv6 address",
    "ip_v4_network": "an IPv4 network",
    "ip_v6_network": "an IPv6 network",
    "missing": "a longer list",
}
_NEEDED_BY_LIMIT: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "literal_error": lambda limit: str(limit["expected"]),
    "greater_than": lambda limit: f"more than {limit['gt']:.15g}",
    "greater_than_equal": lambda limit: f"at least {limit['ge']:.15g}",
    "less_than": lambda limit: f"less than {limit['lt']:.15g}",
    "less_than_equal": lambda limit: f"at most {limit['le']:.15g}",
    "too_short": lambda limit: f"a list of at least {limit['min_length']}",
    "too_long": lambda limit: f"a list of at most {limit['max_length']}",
    "string_too_short": lambda limit: "a longer text",
    "string_too_long": lambda limit: f"a text of at most {limit['max_length']} characters",
    "string_pattern_mismatch": lambda limit: f"a text of the form {limit['pattern']}",
}


def _reason(error: ErrorDetails) -> str:
    match error["type"]:
        case "extra_forbidden":
            return "there is no such setting"
        case "value_error":
            return error["msg"].removeprefix("Value error, ")
        case kind if kind in _NEEDED_BY_LIMIT:
            return f"{_NEEDED_BY_LIMIT[kind](error['ctx'])}{_IS_NEEDED}"
        case kind if kind in _NEEDED:
            return f"{_NEEDED[kind]}{_IS_NEEDED}"
    return error["msg"]


_IS_NEEDED = " is needed"


def _joined(reasons: Iterable[str]) -> str:
    """Tell in one phrase what a value may be that may be of several kinds."""
    said = " or ".join(reason.removesuffix(_IS_NEEDED) for reason in reasons)
    return said + _IS_NEEDED if all(one.endswith(_IS_NEEDED) for one in reasons) else said


def _dotted(place: Place) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".")
