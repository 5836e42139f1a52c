"""Filters: how a query's comparisons are said in SQL, with the same outcome on either database."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, collate, false, func, not_, or_, true

from callwright.query import (
    Comparison,
    Element,
    Every,
    FieldKind,
    Filter,
    Not,
    Operator,
    Search,
    Some,
)
from callwright.storage.lists.source import StoredList
from callwright.storage.postgresql.regular_expression import posix_pattern

Columns = Mapping[str, ColumnElement[Any]]

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Clauses:
    """Makes conditions of filters on one list, or on the elements of one of its arrays."""

    columns: Columns
    "What each field is, by name."
    dialect: str
    "``sqlite`` or ``postgresql``."
    listed: StoredList | None = None
    "The list; None: of elements, which hold no arrays."

    def of(self, found: Filter) -> ColumnElement[bool]:
        """Return the condition a filter is. Raises `PatternRefused`."""
        match found:
            case Every(filters):
                return and_(true(), *(self.of(one) for one in filters))
            case Some(filters):
                return or_(false(), *(self.of(one) for one in filters))
            case Not(inner):
                # What is compared with null is not so, and its opposite is.
                return not_(func.coalesce(self.of(inner), false()))
            case Search(found=inner):
                return self.of(inner)
            case Element(field, inner) if self.listed:
                there = self.listed.arrays[field]
                holds = Clauses(there.columns, self.dialect).of(inner)
                return self.listed.source.key.in_(there.array.owners(holds))
            case Comparison() as compared:
                return self._comparison(compared)
        raise ValueError(f"{found} is no filter of elements")

    def _comparison(self, found: Comparison) -> ColumnElement[bool]:
        column = self.columns.get(found.field)
        if found.kind is FieldKind.TEXT and self.listed:
            column = self.listed.texts.get(found.field, column)
        if column is None:
            raise ValueError(f"{found.field} cannot be compared")
        holds = self._compared(found, column)
        if self.listed and found.field in self.listed.implied and _tells_values(found):
            # Dear to compute: for those rows only that have such an element at all.
            implied = self.listed.implied[found.field]
            there = self._compared(found, implied.array.facts[implied.fact])
            return and_(self.listed.source.key.in_(implied.array.owners(there)), holds)
        return holds

    def _compared(self, found: Comparison, column: ColumnElement[Any]) -> ColumnElement[bool]:
        match found.kind:
            case FieldKind.MOMENT:
                return _moment(found, column)
            case FieldKind.TEXT:
                return _text(found, column, self.dialect)
        return _plain(found, column)


def _tells_values(found: Comparison) -> bool:
    """Whether only rows fulfil it that have some value."""
    if found.operator is Operator.EQUAL:
        return found.value is not None
    return found.operator is not Operator.NOT_EQUAL


def _plain(found: Comparison, column: ColumnElement[Any]) -> ColumnElement[bool]:
    value = found.value
    match found.operator:
        case Operator.EQUAL:
            return column.is_(None) if value is None else column == value
        case Operator.NOT_EQUAL:
            return column.is_not(None) if value is None else column.is_distinct_from(value)
        case Operator.LESS:
            return column < value
        case Operator.GREATER:
            return column > value
        case Operator.AT_MOST:
            return column <= value
        case Operator.AT_LEAST:
            return column >= value
        case Operator.IN if isinstance(value, tuple):
            if found.kind is FieldKind.NUMBER:
                # PostgreSQL would make whole numbers of all of them, where the first is one.
                return column.in_([float(one) for one in value if isinstance(one, int | float)])
            return column.in_(value)
    raise ValueError(f"{found.operator} of {found.kind}")


def _text(found: Comparison, column: ColumnElement[Any], dialect: str) -> ColumnElement[bool]:
    value = found.value
    if not isinstance(value, str):
        return _plain(found, column)
    match found.operator:
        case Operator.LIKE if dialect == "sqlite":
            # LIKE of SQLite takes lower case for upper case; GLOB does not.
            return column.op("GLOB", is_comparison=True)(_glob(value))
        case Operator.LIKE:
            return column.like(_escaped(value), escape="\\")
        case Operator.REGEXP if dialect == "sqlite":
            return func.pattern_is_found(value, column) == 1
        case Operator.REGEXP:
            return column.op("~", is_comparison=True)(posix_pattern(value))
        case Operator.LESS | Operator.GREATER | Operator.AT_MOST | Operator.AT_LEAST:
            return _plain(found, by_code_points(column, dialect))
    return _plain(found, column)


def by_code_points(column: ColumnElement[Any], dialect: str) -> ColumnElement[Any]:
    """Order a text as SQLite and clients' own languages do, not as a dictionary does.

    Stored texts are ordered so; what is made of them need not be.
    """
    return collate(column, "C") if dialect == "postgresql" else column


def _moment(found: Comparison, column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Compare by whole seconds, though fractions are stored; so that an index can be used."""
    match found.operator, found.value:
        case Operator.EQUAL, datetime() as second:
            return and_(column >= second, column < second + _SECOND)
        case Operator.NOT_EQUAL, datetime() as second:
            return or_(column.is_(None), column < second, column >= second + _SECOND)
        case Operator.GREATER, datetime() as second:
            return column >= second + _SECOND
        case Operator.AT_MOST, datetime() as second:
            return column < second + _SECOND
        case Operator.IN, tuple() as seconds:
            return or_(
                false(),
                *(
                    and_(column >= second, column < second + _SECOND)
                    for second in seconds
                    if isinstance(second, datetime)
                ),
            )
    return _plain(found, column)


def _literal(like: str) -> Iterator[tuple[str, bool]]:
    """The characters of a pattern of ``like``, and whether each stands for itself."""
    escaped = False
    for character in like:
        if character == "\\" and not escaped:
            escaped = True
            continue
        yield character, escaped or character not in "%_"
        escaped = False
    if escaped:
        yield "\\", True


def _glob(like: str) -> str:
    wild = {"%": "*", "_": "?"}
    return "".join(
        (f"[{character}]" if character in "*?[" else character) if itself else wild[character]
        for character, itself in _literal(like)
    )


def _escaped(like: str) -> str:
    return "".join(
        f"\\{character}" if itself and character in "\\%_" else character
        for character, itself in _literal(like)
    )
