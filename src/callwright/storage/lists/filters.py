"""Filters: how a query's comparisons are said in SQL, with the same outcome on either database."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, assert_never

from sqlalchemy import ColumnElement, and_, collate, false, func, or_, true

from callwright.query import Comparison, Every, FieldKind, Filter, Operator, Some
from callwright.storage.postgresql.regular_expression import posix_pattern

Columns = Mapping[str, ColumnElement[Any]]

_SECOND = timedelta(seconds=1)


def clause(found: Filter, columns: Columns, dialect: str) -> ColumnElement[bool]:
    """Return the condition a filter is.

    ``columns``: what each field is, by name. ``dialect``: ``sqlite`` or ``postgresql``. Raises
    `PatternRefused`.
    """
    match found:
        case Every(filters):
            return and_(true(), *(clause(one, columns, dialect) for one in filters))
        case Some(filters):
            return or_(false(), *(clause(one, columns, dialect) for one in filters))
        case Comparison(kind=FieldKind.MOMENT):
            return _moment(found, columns[found.field])
        case Comparison(kind=FieldKind.TEXT):
            return _text(found, columns[found.field], dialect)
        case Comparison():
            return _plain(found, columns[found.field])
        case _:
            assert_never(found)


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
