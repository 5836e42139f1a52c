"""Rows compared as they are shown: filters and orders by fields that the database cannot compare.

Those are arrays, objects, and what is found out row by row. As much of a filter as it can, the
database does; what it then finds is read to its end, and the rest is done here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from callwright import pattern
from callwright.methods.data import jsquery
from callwright.methods.data.list_fields import Listing, Makers
from callwright.query import (
    Comparison,
    Every,
    FieldKind,
    Filter,
    Operator,
    Query,
    Row,
    Search,
    Some,
    fields_of,
)

Keys: TypeAlias = tuple[tuple[bool, Any], ...]
"What a row is ordered by: of each field whether there is a value, and which."
Values: TypeAlias = Callable[[str], Any]
"What a row has in a field, by the field's name, as it is compared."


def is_needed(query: Query, listing: Listing) -> bool:
    """Whether it asks for something that the database cannot compare."""
    sorts = any(listing.fields[one.field].computed for one in query.sort)
    return sorts or (query.filter is not None and _is_here(query.filter, listing))


def _is_here(found: Filter, listing: Listing) -> bool:
    """Whether a filter, or a part of it, is none that the database can carry out."""
    match found:
        case Comparison(field=name):
            return listing.fields[name].computed
        case Every(filters) | Some(filters):
            return any(_is_here(one, listing) for one in filters)
    return False


@dataclass(frozen=True, slots=True)
class Selection:
    """What the database is asked for in place of a query, and what is left to do of it here."""

    query: Query
    "The query, less what is done here."
    wide: Query
    "Of the database: with all fields that are compared here, and all rows."
    rest: Filter | None
    sorts: bool
    "Rows are put in order here, else they come so."

    @classmethod
    def of(cls, query: Query, listing: Listing, at_most: int) -> "Selection":
        """``at_most``: rows that are read of it."""
        pushed, rest = _split(query.filter, listing)
        sorts = any(listing.fields[one.field].computed for one in query.sort)
        here = [*(fields_of(rest) if rest else ()), *(one.field for one in query.sort)]
        wide = replace(
            query,
            fields=[*dict.fromkeys([*query.fields, *here])],
            filter=pushed,
            sort=() if sorts else query.sort,
            limit=at_most,
            offset=0,
        )
        return cls(query, wide, rest, sorts)

    def reader(self, listing: Listing, zone: ZoneInfo, makers: Makers | None) -> "Reader":
        computed = [name for name in self.wide.fields if listing.fields[name].computed]
        return Reader(self, listing.shower(computed, zone, makers), frozenset(computed))


@dataclass(frozen=True, slots=True)
class Reader:
    """Tells of rows whether they are wanted, and which comes first."""

    selection: Selection
    show: Callable[[Row], dict[str, object]]
    computed: frozenset[str]

    def values(self, row: Row) -> Values:
        shown = self.show(row)
        return lambda name: shown[name] if name in self.computed else row.get(name)

    def wanted(self, values: Values) -> bool:
        return self.selection.rest is None or holds(self.selection.rest, values)

    def keys(self, values: Values) -> Keys:
        """What a row is ordered by, a part for each field: null comes first."""
        found = (values(one.field) for one in self.selection.query.sort)
        return tuple((value is not None, 0 if value is None else value) for value in found)

    def in_order(self, rows: list[tuple[Keys, str]]) -> list[tuple[Keys, str]]:
        """Put rows in order, each with its `keys` before it; those alike stay as they stand."""
        for at, one in reversed([*enumerate(self.selection.query.sort)]):
            rows = sorted(rows, key=partial(_part, at), reverse=one.descending)
        return rows


def holds(found: Filter, values: Values) -> bool:
    """Whether a row fulfils a filter; the same as the database says of what it knows."""
    match found:
        case (Comparison() as asked) | Search(asked=asked):
            return _compares(asked, values(asked.field))
        case Every(filters):
            return all(holds(one, values) for one in filters)
        case Some(filters):
            return any(holds(one, values) for one in filters)
    raise ValueError(f"{found} is a search for elements")


def _part(at: int, row: tuple[Keys, str]) -> tuple[bool, Any]:
    return row[0][at]


def _split(found: Filter | None, listing: Listing) -> tuple[Filter | None, Filter | None]:
    """A filter in two, which both have to hold: for the database, and for here."""
    if found is None:
        return None, None
    parts = found.filters if isinstance(found, Every) else (found,)
    here = [one for one in parts if _is_here(one, listing)]
    there = [one for one in parts if one not in here]
    return Every(tuple(there)) if there else None, Every(tuple(here)) if here else None


def _compares(found: Comparison, value: Any) -> bool:
    wanted: Any = found.value
    if found.kind is FieldKind.STRUCTURE:
        if found.operator is Operator.JSQUERY:
            return _condition(wanted)(value)
        return bool(value) is (found.operator is Operator.NOT_EQUAL)
    if isinstance(value, datetime):
        value = value.replace(microsecond=0)
    if found.operator in (Operator.EQUAL, Operator.NOT_EQUAL):
        return bool(value == wanted) is (found.operator is Operator.EQUAL)
    if value is None:
        return False
    match found.operator:
        case Operator.LESS:
            return bool(value < wanted)
        case Operator.GREATER:
            return bool(value > wanted)
        case Operator.AT_MOST:
            return bool(value <= wanted)
        case Operator.AT_LEAST:
            return bool(value >= wanted)
        case Operator.IN:
            return value in wanted
        case Operator.LIKE:
            return pattern.is_found(_like(wanted), value)
    return pattern.is_found(wanted, value)


@lru_cache(64)
def _condition(query: str) -> jsquery.Condition:
    return jsquery.read(query)


@lru_cache(64)
def _like(like: str) -> str:
    """A pattern of ``like`` as a regular expression of the whole text."""
    parts = re.findall(r"\\?.|\\\Z", like, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    inner = "".join(wild.get(part) or re.escape(part.removeprefix("\\") or "\\") for part in parts)
    return f"(?s)\\A{inner}\\z"
