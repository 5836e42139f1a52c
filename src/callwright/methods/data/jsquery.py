"""jsquery: conditions on arrays and objects, in the language of PostgreSQL's extension.

The part of it that clients of lists use: ``#.tag_id = 5 & #.tag_type = "manual"``,
``extension_phone_number = "101"``, ``#.employee_id IN (25, 28)``, ``#(tag_id = 5 AND ...)``,
``tags = *``. In a path ``#`` is any element, ``%`` any key, ``*`` either, however deep, and ``$``
the value itself; a name looks into an array by itself. Numbers and texts that spell them are equal.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Condition: TypeAlias = Callable[[object], bool]
Scalar: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: Sequence[Condition]

    def __call__(self, value: object) -> bool:
        return any(part(value) for part in self.parts)


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: Sequence[Condition]

    def __call__(self, value: object) -> bool:
        return all(part(value) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Denied:
    part: Condition

    def __call__(self, value: object) -> bool:
        return not self.part(value)


@dataclass(frozen=True, slots=True)
class At:
    """Something that a path leads to fulfils a condition."""

    path: tuple[str, ...]
    "Names with ``=`` before them, and signs."
    holds: Condition

    def __call__(self, value: object) -> bool:
        return any(self.holds(one) for one in _found(value, self.path))


@dataclass(frozen=True, slots=True)
class OneOf:
    choices: Sequence[Scalar]

    def __call__(self, value: object) -> bool:
        return any(_equal(value, choice) for choice in self.choices)


@dataclass(frozen=True, slots=True)
class Compared:
    operator: str
    wanted: Scalar

    def __call__(self, value: object) -> bool:
        if self.operator in ("=", "!="):
            return _equal(value, self.wanted) is (self.operator == "=")
        return _ordered(value, self.operator, self.wanted)


@dataclass(frozen=True, slots=True)
class Anything:
    def __call__(self, value: object) -> bool:
        return True


DEEPEST = 32

_TOKEN = re.compile(
    r'\s*("(?:[^"\\]|\\.)*"|-?[0-9]+(?:\.[0-9]+)?(?![\w])|\w+|<=|>=|!=|[-=<>#%*$.,()&|!])'
)
_WORDS: dict[str, Scalar] = {"true": True, "false": False, "null": None}
_OPERATORS = frozenset({"=", "!=", "<", ">", "<=", ">="})


class NoQuery(ValueError):
    """It is no query that is known here."""


def read(text: str) -> Condition:
    """Read a query; what is returned tells of a JSON value whether it holds. Raises `NoQuery`."""
    return _QueryReader([*_tokens(text)]).whole()


def _tokens(text: str) -> Iterator[str]:
    at, end = 0, len(text.rstrip())
    while at < end:
        if not (found := _TOKEN.match(text, at)):
            raise NoQuery(f"cannot be read from {text[at : at + 20]!r} on")
        yield found[1]
        at = found.end()


class _QueryReader:
    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Condition:
        condition = self._either()
        if self._at < len(self._tokens):
            raise NoQuery(f"nothing may follow at {self._tokens[self._at]!r}")
        return condition

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, *tokens: str) -> str:
        """The next token if it is one of these, in any case; else nothing is taken."""
        token = self._next()
        if token.lower() not in tokens:
            return ""
        self._at += 1
        return token

    def _need(self, token: str) -> None:
        if not self._take(token):
            raise NoQuery(f"{token!r} is missing before {self._next()!r}")

    def _either(self) -> Condition:
        parts = [self._both()]
        while self._take("|", "or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else AnyOf(parts)

    def _both(self) -> Condition:
        parts = [self._one()]
        while self._take("&", "and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else AllOf(parts)

    def _one(self) -> Condition:
        if self._take("!", "not"):
            return Denied(self._nested(self._one))
        if self._take("("):
            return self._in_brackets()
        return self._of_path()

    def _in_brackets(self) -> Condition:
        inner = self._nested(self._either)
        self._need(")")
        return inner

    def _nested(self, read: Callable[[], Condition]) -> Condition:
        self._depth += 1
        if self._depth > DEEPEST:
            raise NoQuery("too deep")
        condition = read()
        self._depth -= 1
        return condition

    def _of_path(self) -> Condition:
        path = self._path()
        holds = self._in_brackets() if self._take("(") else self._comparison()
        return At(path, holds)

    def _path(self) -> tuple[str, ...]:
        path = [self._step()]
        while self._next() != "(" and self._take("."):
            if self._next() == "(":
                break
            path.append(self._step())
        return tuple(path)

    def _step(self) -> str:
        token = self._next()
        if not re.fullmatch(r'[#%*$]|\w+|".*"', token, re.DOTALL):
            raise NoQuery(f"a path is missing before {token!r}")
        self._at += 1
        return f"={_unquoted(token)}" if token not in {"#", "%", "*", "$"} else token

    def _comparison(self) -> Condition:
        if self._take("in"):
            self._need("(")
            choices = [self._literal()]
            while self._take(","):
                choices.append(self._literal())
            self._need(")")
            return OneOf(choices)
        operator = self._take(*_OPERATORS)
        if not operator:
            raise NoQuery(f"an operator is missing before {self._next()!r}")
        if operator == "=" and self._take("*"):
            return Anything()
        return Compared(operator, self._literal())

    def _literal(self) -> Scalar:
        token = self._next()
        self._at += 1
        if token.lower() in _WORDS:
            return _WORDS[token.lower()]
        if re.fullmatch(r"-?[0-9]+", token):
            return int(token)
        if re.fullmatch(r"-?[0-9]+\.[0-9]+", token):
            return float(token)
        if re.fullmatch(r'\w+|".*"', token, re.DOTALL):
            return _unquoted(token)
        raise NoQuery(f"a value is missing before {token!r}")


def _unquoted(token: str) -> str:
    if not token.startswith('"'):
        return token
    try:
        return str(json.loads(token, strict=False))
    except ValueError:
        raise NoQuery(f"{token} is no text") from None


def _found(value: object, path: tuple[str, ...]) -> Iterator[object]:
    """The values that a path leads to."""
    if not path:
        yield value
        return
    step, rest = path[0], path[1:]
    if step == "$":
        yield from _found(value, rest)
    elif step == "*":
        for one in _within(value):
            yield from _found(one, rest)
    elif step == "#":
        for one in value if isinstance(value, list) else ():
            yield from _found(one, rest)
    elif step == "%":
        for one in value.values() if isinstance(value, dict) else ():
            yield from _found(one, rest)
    elif isinstance(value, list):
        for one in value:
            yield from _found(one, path)
    elif isinstance(value, dict) and step[1:] in value:
        yield from _found(value[step[1:]], rest)


def _within(value: object) -> Iterator[object]:
    """A value and all that is in it."""
    yield value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        yield from _within(part)


def _equal(value: object, wanted: Scalar) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool) or value is None or wanted is None:
        return value is wanted
    if isinstance(value, str) is not isinstance(wanted, str):
        return isinstance(value, str | int | float) and str(value) == str(wanted)
    return value == wanted


def _ordered(value: object, operator: str, wanted: Scalar) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool):
        return False
    if isinstance(value, int | float) and isinstance(wanted, int | float):
        return (value > wanted) - (value < wanted) in _ORDERS[operator]
    if isinstance(value, str) and isinstance(wanted, str):
        return (value > wanted) - (value < wanted) in _ORDERS[operator]
    return False


_ORDERS = {"<": (-1,), ">": (1,), "<=": (-1, 0), ">=": (1, 0)}
