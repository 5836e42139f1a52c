"""Queries: what a client asks of a list, once it has been checked; and the fields of a list.

What may be compared with what is decided before a query is made; whoever answers one need not doubt
it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias


class FieldKind(StrEnum):
    """What the values of a field are."""

    INTEGER = "integer"
    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"
    MOMENT = "moment"
    "Compared by whole seconds, which is what clients are shown of it."
    STRUCTURE = "structure"
    "An array or an object: not sorted by, and compared with null, or by jsquery."


class Operator(StrEnum):
    EQUAL = "="
    NOT_EQUAL = "!="
    LESS = "<"
    GREATER = ">"
    AT_MOST = "<="
    AT_LEAST = ">="
    LIKE = "like"
    "`%` stands for any characters, `_` for one; a backslash takes that from the next."
    REGEXP = "regexp"
    "Found anywhere in the text, unless anchored."
    IN = "in"
    JSQUERY = "jsquery"
    "A condition on what is in an array or an object: `#.tag_id = 5`."


_PLAIN = frozenset({Operator.EQUAL, Operator.NOT_EQUAL, Operator.IN})
_ORDERED = _PLAIN | {Operator.LESS, Operator.GREATER, Operator.AT_MOST, Operator.AT_LEAST}
OPERATORS: Mapping[FieldKind, frozenset[Operator]] = {
    FieldKind.INTEGER: _ORDERED,
    FieldKind.NUMBER: _ORDERED,
    FieldKind.TEXT: _ORDERED | {Operator.LIKE, Operator.REGEXP},
    FieldKind.BOOLEAN: _PLAIN,
    FieldKind.MOMENT: _ORDERED,
    FieldKind.STRUCTURE: frozenset({Operator.EQUAL, Operator.NOT_EQUAL, Operator.JSQUERY}),
}
"Which operators there are for which kind."


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a list, as far as whoever has the rows must know it."""

    name: str
    "What clients call it, and so do queries."
    kind: FieldKind
    "What clients are shown; what is stored is made that, if it is something else."
    fact: str | None
    "The stored fact it shows; None: none, it is shown and compared as ``constant``."
    words: Mapping[Any, str] | None = None
    "What clients read for each stored value, if not that value."
    constant: object = None
    raw: bool = False
    "The fact is given as it is stored: what is shown is yet to be made of it."
    sortable: bool = True
    filterable: bool = True
    computed: bool = False
    "Compared as it is shown, by whoever asks: the database cannot."
    searched: bool = False
    "Of an array: whoever has the rows can tell which elements there are."
    as_text: "Field | None" = None
    "Of an object: the field by whose text it is compared."
    members: Mapping[str, "Field"] = field(default_factory=dict)
    "What an object, or each of an array of objects, is made of."


Value: TypeAlias = bool | int | float | str | datetime
"Of the field's kind; a datetime is UTC, aware, and without a fraction of a second."


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field compared with a value.

    None is compared by ``=`` and ``!=`` only. A field that is null is equal to null alone: it
    differs from every value, and fulfils none of the other operators.
    """

    field: str
    kind: FieldKind
    operator: Operator
    value: Value | tuple[Value, ...] | None
    "A tuple for ``in``, and only for it; a text for ``jsquery``."


@dataclass(frozen=True, slots=True)
class Every:
    """All of the filters hold."""

    filters: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of the filters holds."""

    filters: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class Not:
    filter: "Filter"


@dataclass(frozen=True, slots=True)
class Element:
    """At least one element of an array fulfils a filter."""

    field: str
    "The array."
    filter: "Filter"
    "By the names of the members; the element itself, if it has none, is ``ITSELF``."


@dataclass(frozen=True, slots=True)
class Search:
    """A comparison of an array, and what it says of the elements."""

    asked: Comparison
    "For whoever has the array."
    found: "Filter"
    "For whoever has the elements: of `Element`."


ITSELF = ""
Filter: TypeAlias = Comparison | Every | Some | Not | Element | Search
ALL, NONE = Every(()), Some(())
"Filters that every row fulfils, and that no row does."


@dataclass(frozen=True, slots=True)
class Order:
    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """What a report is about: rows of which a moment is in these seconds, both ends included."""

    field: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Query:
    fields: Sequence[str]
    "In the order they are shown in."
    filter: Filter | None = None
    sort: Sequence[Order] = ()
    "What leaves open which row comes first is ordered as the list itself is."
    limit: int = 1000
    offset: int = 0
    window: Window | None = None


class TooCostly(Exception):
    """A query has taken longer than it may."""


class PatternRefused(Exception):
    """The database cannot search for a regular expression, which is sound. The pattern itself."""


Row: TypeAlias = Mapping[str, object]
"""The fields that were asked for: JSON values, and datetimes (UTC, aware), also in what is nested.

A moment may be None, as any field."""


def fields_of(found: Filter) -> Iterator[str]:
    """The names of the fields that a filter compares."""
    match found:
        case Comparison(field=field) | Element(field=field):
            yield field
        case Every(filters) | Some(filters):
            for one in filters:
                yield from fields_of(one)
        case Not(inner) | Search(asked=inner):
            yield from fields_of(inner)
