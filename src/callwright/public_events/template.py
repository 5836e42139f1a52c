"""Templates: the text of a webhook's own, in which parameters of an event are put.

``{{parameter}}`` is replaced by its value. A template is either JSON, in which values are JSON, or
pairs (``name=value&…``), for a query or a form, in which they are percent-encoded texts. It is read
once, when the webhook is set up, and whatever is wrong with it is told then: what it renders to is
always well formed.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from pydantic import JsonValue

from callwright.directory.webhook import TEMPLATE_AT_MOST

NESTED_AT_MOST = 32
"Objects and lists within each other, in a template of JSON; those of values come on top."

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_JSON_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|\{\{\s*[^{}]*?\s*\}\}', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
_PAIR_TEXT = re.compile(r"[!-~]*")
# What a test puts for every text: all that a value may hold and JSON may stumble over.
_AWKWARD = '"\\\n\u2028{{}}'


class TemplateFault(ValueError):
    """The template cannot be used. The text says why, for people."""


class Form(StrEnum):
    JSON = "application/json"
    PAIRS = "application/x-www-form-urlencoded"


class _Written(StrEnum):
    """How a value is written where it stands."""

    VALUE = "value"
    "As JSON."
    INSIDE = "inside"
    "As text inside a string of JSON; null as nothing."
    PAIR = "pair"
    "As text, percent-encoded; what is no text as JSON."


@dataclass(frozen=True, slots=True)
class _Slot:
    parameter: str
    written: _Written

    def render(self, value: JsonValue) -> str:
        match self.written:
            case _Written.VALUE:
                return _json(value)
            case _Written.INSIDE:
                return _json("" if value is None else _text(value))[1:-1]
            case _Written.PAIR:
                return quote(_text(value), safe="")


@dataclass(frozen=True, slots=True)
class Template:
    """A template that has been read, by `read_template`."""

    form: Form
    parts: tuple[str | _Slot, ...]

    def render(self, values: Mapping[str, JsonValue]) -> str:
        """Put the values; a parameter that is not among them is null."""
        return "".join(
            part if isinstance(part, str) else part.render(values.get(part.parameter))
            for part in self.parts
        )


def read_template(text: str, parameters: Collection[str], *, query: bool) -> Template:
    """Read a template; ``query``: it is to be pairs. Raises `TemplateFault`.

    ``parameters``: the names there are; any other is a fault.
    """
    if len(text) > TEMPLATE_AT_MOST:
        raise TemplateFault(f"it is longer than {TEMPLATE_AT_MOST} characters")
    _check_names(text, parameters)
    start = _PLACEHOLDER.sub("", text).lstrip()[:1]
    is_json = start in ("{", "[", '"', "") and not query
    return _read_json(text) if is_json else _read_pairs(text)


def _check_names(text: str, parameters: Collection[str]) -> None:
    named = dict.fromkeys(_PLACEHOLDER.findall(text))
    if unknown := [name for name in named if name not in parameters]:
        shown = ", ".join(f"{{{{{name[:64]}}}}}" for name in unknown[:10])
        raise TemplateFault(f"there is no parameter {shown}")


def _read_json(text: str) -> Template:
    _check_nesting(text)
    template = Template(Form.JSON, tuple(_json_parts(text)))
    names = {part.parameter for part in template.parts if isinstance(part, _Slot)}
    try:
        for value in (None, _AWKWARD):
            json.loads(template.render(dict.fromkeys(names, value)), parse_constant=_no_json)
    except json.JSONDecodeError as fault:
        shown = f"{fault.msg}, line {fault.lineno}"
        raise TemplateFault(f"it is no JSON once its parameters are put: {shown}") from fault
    return template


def _check_nesting(text: str) -> None:
    # Counted here, so that it is not left to the interpreter's stack which templates there are.
    depth = 0
    for bracket in _BRACKET.findall(_JSON_PIECE.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > NESTED_AT_MOST:
            raise TemplateFault(f"its JSON is nested more than {NESTED_AT_MOST} deep")


def _no_json(constant: str) -> None:
    raise TemplateFault(f"{constant} is no JSON")


def _json_parts(text: str) -> Iterator[str | _Slot]:
    at = 0
    for piece in _JSON_PIECE.finditer(text):
        yield text[at : piece.start()]
        at = piece.end()
        if not piece[0].startswith('"'):
            yield _Slot(_PLACEHOLDER.sub(r"\1", piece[0]), _Written.VALUE)
            continue
        alone = _PLACEHOLDER.fullmatch(piece[0][1:-1])
        is_name = text[at:].lstrip().startswith(":")
        if alone and not is_name:
            # Deployed templates have placeholders in quotes and without; both mean the value.
            yield _Slot(alone[1], _Written.VALUE)
        else:
            yield from _slots(piece[0], _Written.INSIDE)
    yield text[at:]


def _read_pairs(text: str) -> Template:
    parts: list[str | _Slot] = []
    for place, pair in enumerate(text.strip().split("&")):
        name, equals, value = pair.partition("=")
        plain = _PLACEHOLDER.sub("", value)
        if not name or not equals or _PLACEHOLDER.search(name):
            raise TemplateFault(
                f"neither JSON nor pairs name=value joined by &: pair {place + 1} is {pair[:64]!r}"
            )
        if "=" in plain:
            raise TemplateFault(
                f"a & is missing in {pair[:64]!r}; where a value holds = itself, write %3D"
            )
        if not _PAIR_TEXT.fullmatch(name + plain):
            raise TemplateFault(f"percent-encode what is not plain ASCII in {pair[:64]!r}")
        parts += ["&" if place else "", f"{name}=", *_slots(value, _Written.PAIR)]
    return Template(Form.PAIRS, tuple(part for part in parts if part))


def _slots(text: str, written: _Written) -> Iterator[str | _Slot]:
    """Cut a text at its placeholders."""
    for place, piece in enumerate(_PLACEHOLDER.split(text)):
        yield _Slot(piece, written) if place % 2 else piece


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else _json(value)


def _json(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
