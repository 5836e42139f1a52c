"""Sources: where the rows of a list are, and what is known of each, by names of storage's own.

What clients call these facts and how they are shown them, the declaration of a list says
(`callwright.query.Field`); here that is put into SQL, the same for every list.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from sqlalchemy import (
    ColumnElement,
    Float,
    FromClause,
    Integer,
    Select,
    String,
    Table,
    case,
    cast,
    literal,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from callwright.query import Field, FieldKind


class Whole(FunctionElement[float]):
    """The whole number nearest to one that is not negative; of two, the greater one.

    PostgreSQL's own function would take the even one.
    """

    type = Float()
    inherit_cache = True


@compiles(Whole)
def _round(element: Whole, compiler: SQLCompiler, **words: Any) -> str:
    return f"round({compiler.process(element.clauses, **words)})"


@compiles(Whole, "postgresql")
def _floor(element: Whole, compiler: SQLCompiler, **words: Any) -> str:
    return f"floor({compiler.process(element.clauses, **words)} + 0.5)"


Detail = Callable[[AsyncConnection, Sequence[int]], Awaitable[Mapping[int, object]]]
"""Brings what belongs to rows but stands in other tables, by the rows' keys. A row whose key it
brings nothing for has an empty array there."""

Parts = Callable[[AsyncConnection, Sequence[int]], Awaitable[Mapping[int, Mapping[str, object]]]]
"""Brings several facts of each row, by their names; something for every key."""


@dataclass(frozen=True, slots=True)
class Part:
    """A fact that is brought together with others, by one query for all of them."""

    of: Parts
    name: str


@dataclass(frozen=True, slots=True)
class Array:
    """Where the elements of an array of each row are, to look for them."""

    owner: ColumnElement[int]
    "The key of the row that an element belongs to; never null."
    facts: Mapping[str, ColumnElement[Any]]
    "What is known of an element; of one that is no object, itself, as `ITSELF`."
    condition: ColumnElement[bool] | None = None
    "What holds for every element."

    def owners(self, holds: ColumnElement[bool]) -> Select[int]:
        """The keys of rows with such an element. Not by EXISTS: SQLite would ask row by row."""
        found = select(self.owner).where(holds)
        return found if self.condition is None else found.where(self.condition)


@dataclass(frozen=True, slots=True)
class Implied:
    """A fact that is a value of one of an array's elements: whoever looks for it looks there."""

    array: Array
    fact: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where the rows of a list are. Every column of the table is a fact, by its name."""

    table: Table
    facts: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)
    "What follows from the columns; a name that is a column's stands for this."
    details: Mapping[str, Detail | Part] = field(default_factory=dict)
    "Facts that are shown, and neither sorted nor filtered by, unless they are `facts`, too."
    arrays: Mapping[str, Array] = field(default_factory=dict)
    "Details that are searched, and columns of JSON."
    implied: Mapping[str, Implied] = field(default_factory=dict)
    account: ColumnElement[int] | None = None
    "Whose a row is, if not the column ``account_id`` says so."
    condition: ColumnElement[bool] | None = None
    "What holds for every row of the list."
    shared: ColumnElement[bool] | None = None
    "What holds for rows that every account has."
    order: Sequence[ColumnElement[Any]] = ()
    "What the list is ordered by before its key."
    joined: FromClause | None = None
    "The table with others, of which each row has one at most: for facts that are there."
    borrowed: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)
    "The facts that need ``joined``."
    ordered: frozenset[str] = frozenset()
    "Columns an index is ordered by: rows are, too, where they are shown rounded."
    walked: frozenset[str] = frozenset()
    "Columns that have an index each, in their order, of the rows where ``walks_over`` is not null."
    walks_over: str | None = None
    "None: of all rows of the list."
    costly: frozenset[str] = frozenset()
    "Details of which few are brought at once, since each takes its time."
    name: str | None = None
    "What the declarations of lists call it, where its table has another source."
    is_large: bool = False
    "There may be a million rows: they are counted while a page of them is read."

    @property
    def key(self) -> ColumnElement[int]:
        """What tells rows apart; the list is ordered by it where a query leaves that open."""
        key: ColumnElement[int] = self.table.c.id
        return key

    @property
    def columns(self) -> dict[str, ColumnElement[Any]]:
        """What rows can be sorted and filtered by, by the facts' names."""
        return {**self.table.c, **self.facts, **self.borrowed}


@dataclass(frozen=True, slots=True)
class StoredList:
    """The fields of a list, by the names clients have for them, as the database knows them."""

    source: Source
    columns: Mapping[str, ColumnElement[Any]]
    details: Mapping[str, Detail | Part]
    finer: Mapping[str, ColumnElement[Any]]
    "What rows are ordered by in place of some fields, which these are made of."
    borrowed: frozenset[str]
    arrays: Mapping[str, "StoredArray"]
    implied: Mapping[str, Implied]
    walked: frozenset[str]
    "Fields whose order an index has, if no row is asked for but what it has."
    texts: Mapping[str, ColumnElement[Any]]
    "What objects are compared by."
    constant: frozenset[str]
    "Fields that are the same in every row: never read, though they can be filtered by."

    @classmethod
    def of(cls, source: Source, fields: Iterable[Field]) -> Self:
        """Find the fields of a list. Raises ValueError for a fact there is none of, or that cannot
        be sorted or filtered by though the field is."""
        there = source.columns
        columns: dict[str, ColumnElement[Any]] = {}
        details: dict[str, Detail | Part] = {}
        finer: dict[str, ColumnElement[Any]] = {}
        arrays: dict[str, StoredArray] = {}
        implied: dict[str, Implied] = {}
        fields = tuple(fields)
        for one in fields:
            if one.fact is None:
                if one.kind is not FieldKind.STRUCTURE:
                    columns[one.name] = literal(one.constant)
            elif one.fact in source.details:
                is_compared = not one.computed and (one.sortable or one.filterable)
                if one.words or (is_compared and one.fact not in there):
                    raise ValueError(f"{source.table}.{one.fact} cannot be compared: {one.name}")
                details[one.name] = source.details[one.fact]
                if one.fact in there:
                    columns[one.name] = shown(one, there[one.fact])
                if one.fact in source.implied:
                    implied[one.name] = source.implied[one.fact]
                if one.searched:
                    arrays[one.name] = StoredArray.of(source, one)
            elif one.fact in there:
                columns[one.name] = shown(one, there[one.fact])
                if one.searched:
                    arrays[one.name] = StoredArray.of(source, one)
                if one.fact in source.ordered and one.kind is FieldKind.INTEGER:
                    finer[one.name] = there[one.fact]
            else:
                raise ValueError(f"{source.table} has no {one.fact}: {one.name}")
        return cls(
            source,
            columns,
            details,
            finer,
            frozenset(one.name for one in fields if one.fact in source.borrowed),
            arrays,
            implied,
            frozenset(one.name for one in fields if one.fact in source.walked),
            {
                one.name: shown(one.as_text, there[one.as_text.fact])
                for one in fields
                if one.as_text and one.as_text.fact
            },
            frozenset(one.name for one in fields if one.fact is None),
        )

    def holding(self, names: Iterable[str]) -> FromClause:
        """The tables that have these fields; no others, which would only take time."""
        if self.source.joined is not None and not self.borrowed.isdisjoint(names):
            return self.source.joined
        return self.source.table

    def read(self, names: Iterable[str]) -> list[str]:
        """Those of the fields that are columns to be read."""
        return [
            name
            for name in names
            if name in self.columns and name not in self.constant and name not in self.details
        ]


@dataclass(frozen=True, slots=True)
class StoredArray:
    """An array of a list, by the names clients have for its members."""

    array: Array
    columns: Mapping[str, ColumnElement[Any]]

    @classmethod
    def of(cls, source: Source, field: Field) -> Self:
        """Raises ValueError for a member that there is no fact of."""
        if field.fact is None or field.fact not in source.arrays:
            raise ValueError(f"{source.table}.{field.fact} cannot be searched: {field.name}")
        array = source.arrays[field.fact]
        if not field.members:
            return cls(array, array.facts)
        members = [
            one for one in field.members.values() if one.fact is not None and not one.computed
        ]
        if unknown := [one.name for one in members if one.fact not in array.facts]:
            raise ValueError(f"{source.table}.{field.fact} has no {', '.join(unknown)}")
        return cls(array, {one.name: shown(one, array.facts[one.fact or ""]) for one in members})


def shown(field: Field, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """What clients are shown of a fact, and so compare and sort by."""
    if field.raw:
        return column
    if field.words is not None:
        return case(field.words, value=column)
    match field.kind, column.type:
        case FieldKind.INTEGER, Float():
            return cast(Whole(column), Integer)
        case FieldKind.TEXT, Integer():
            return cast(column, String)
    return column
