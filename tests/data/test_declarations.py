"""Every list is declared once, and storage knows whatever its fields show."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Boolean, Column, Float, Integer, MetaData, Table, Text, select
from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import TypedDict

from callwright.methods.data.list_fields import (
    ON_REQUEST,
    UNFILTERABLE,
    UNKNOWN,
    UNSORTABLE,
    Always,
    Listing,
    MadeOf,
    Moment,
    Stored,
    UnknownArray,
    UnknownInteger,
)
from callwright.methods.data.list_method import ListDeclaration
from callwright.methods.data.marketing_fields import shape_of
from callwright.methods.data.registry import LISTS
from callwright.storage.lists.source import Source, StoredList
from callwright.wiring.data_api import SOURCES

MOSCOW = ZoneInfo("Europe/Moscow")
NOON = datetime(2026, 5, 1, 9, 0, tzinfo=UTC)
"In Moscow."

TABLE = Table(
    "things",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("account_id", Integer),
    Column("lasted", Float),
    Column("on", Boolean),
    Column("name", Text),
)


STORED = [one for one in LISTS if one.table is not None]


def facts_of(declared: ListDeclaration[Any]) -> Iterator[str]:
    for field in declared.listing.fields.values():
        if field.fact is not None:
            yield field.fact


@pytest.mark.parametrize("declared", STORED, ids=[one.name for one in STORED])
def test_storage_knows_every_fact_that_a_list_shows(declared: ListDeclaration[Any]) -> None:
    """`StoredList.of` raises for what it does not know, or what cannot be compared as declared."""
    fields = declared.listing.fields
    assert declared.table
    stored = StoredList.of(SOURCES[declared.table], fields.values())
    known = {name for name, field in fields.items() if field.fact is not None}
    assert {*stored.read(fields), *stored.details} == known
    comparable = {
        name
        for name, field in fields.items()
        if field.known and not field.computed and (field.sortable or field.filterable)
    }
    assert comparable <= set(stored.columns)


def test_everything_that_storage_makes_for_lists_is_shown_by_one() -> None:
    shown = {(one.table, fact) for one in STORED for fact in facts_of(one)}
    made = {
        (table, fact)
        for table, source in SOURCES.items()
        for fact in (*source.facts, *source.details, *source.borrowed)
    }
    assert made <= shown
    assert {table for table, _ in shown} == set(SOURCES)


def shape(**hints: Any) -> type:
    return type("Shape", (), {"__annotations__": hints})


def listing(hint: Any) -> Listing:
    return Listing.of(shape(field=hint))


def in_sql(hint: Any) -> str:
    """What is read, sorted and filtered by for a field of such a declaration."""
    stored = StoredList.of(Source(TABLE), listing(hint).fields.values())
    compiled = select(stored.columns["field"].label("x")).compile(
        dialect=dialect(), compile_kwargs={"literal_binds": True}
    )
    return " ".join(str(compiled).split()).removeprefix("SELECT ").split(" AS x")[0]


@pytest.mark.parametrize(
    ("hint", "sql"),
    [
        (Annotated[str, Stored("name")], "things.name"),
        (Annotated[float, Stored("lasted")], "things.lasted"),
        (Annotated[int, Stored("lasted")], "CAST(round(things.lasted) AS INTEGER)"),
        (Annotated[str, Stored("id")], "CAST(things.id AS VARCHAR)"),
        (
            Annotated[Literal["yes", "no"], Stored("on", {True: "yes", False: "no"})],
            "CASE things.\"on\" WHEN 1 THEN 'yes' WHEN 0 THEN 'no' END",
        ),
        (Annotated[str, Always("usual")], "'usual'"),
        (Annotated[str, MadeOf("id")], "things.id"),
    ],
)
def test_the_declared_type_is_what_is_shown_and_compared(hint: Any, sql: str) -> None:
    assert in_sql(hint) == sql


@pytest.mark.parametrize(
    ("hint", "shown"),
    [
        (str, (True, True, True, False)),
        (str | None, (True, True, True, True)),
        (Annotated[str, UNSORTABLE], (False, True, True, False)),
        (Annotated[str | None, UNFILTERABLE, ON_REQUEST], (True, False, False, True)),
        (list[int], (False, True, True, False)),
        (Annotated[str, MadeOf("id")], (True, True, True, False)),
    ],
)
def test_a_field_says_what_may_be_done_with_it(
    hint: Any, shown: tuple[bool, bool, bool, bool]
) -> None:
    field = listing(hint).fields["field"]
    assert (field.sortable, field.filterable, field.default, field.nullable) == shown


class Part(TypedDict):
    part_id: Annotated[int, Stored("id")]
    at: Moment | None
    seconds: float
    whole: Annotated[int, Stored("seconds")]
    status: Annotated[Literal["on", "off"], Stored("active", {True: "on", False: "off"})]
    count: Annotated[int, Always(1)]


PART = {"id": 5, "at": NOON, "seconds": 60.0, "active": False}
SHOWN_PART = {
    "part_id": 5,
    "at": "2026-05-01 12:00:00",
    "seconds": 60,
    "whole": 60,
    "status": "off",
    "count": 1,
}


@pytest.mark.parametrize(
    ("hint", "stored", "shown"),
    [
        (int, 5, 5),
        (Moment, NOON, "2026-05-01 12:00:00"),
        (Moment | None, None, None),
        (Annotated[list[str], Always(["in"])], None, ["in"]),
        (list[Part], [PART], [SHOWN_PART]),
        (list[Part], None, []),
        (Part, PART, SHOWN_PART),
        (Part, None, {}),
        (
            Part,
            {**PART, "at": None, "seconds": 12.5},
            {**SHOWN_PART, "at": None, "seconds": 12.5, "whole": 13},
        ),
        (Annotated[str, MadeOf("id", lambda number: f"no. {number}")], 5, "no. 5"),
    ],
)
def test_a_row_is_shown_as_its_shape_says(hint: Any, stored: object, shown: object) -> None:
    show = listing(hint).shower(["field"], MOSCOW)
    assert show({"field": stored}) == {"field": shown}


def test_what_is_made_where_it_is_served_is_shown_as_declared() -> None:
    places = listing(Annotated[list[Part], MadeOf("id")])
    assert places.to_be_made == {"field"}
    show = places.shower(["field"], MOSCOW, {"field": lambda _: [PART]})
    assert show({"field": 5}) == {"field": [SHOWN_PART]}


def test_of_what_is_unknown_there_is_nothing() -> None:
    nothing = Listing.of(
        shape(
            id=int,
            a=UnknownInteger,
            b=Annotated[UnknownArray, ON_REQUEST],
            c=Annotated[dict[str, object], UNKNOWN],
        )
    )
    assert nothing.shower(["a", "b", "c"], MOSCOW)({}) == {"a": None, "b": [], "c": {}}
    assert nothing.defaults == ["id", "a", "c"]
    assert [name for name, field in nothing.fields.items() if not field.known] == ["a", "b", "c"]


async def far(_connection: AsyncConnection, _keys: Sequence[int]) -> Mapping[int, object]:
    return {}


@pytest.mark.parametrize(
    ("hint", "source"),
    [
        (Annotated[str, Stored("nothing")], Source(TABLE)),
        (Annotated[str, Stored("far")], Source(TABLE, details={"far": far})),
    ],
    ids=["unknown", "not comparable"],
)
def test_what_cannot_be_kept_is_not_promised(hint: Any, source: Source) -> None:
    with pytest.raises(ValueError, match="things"):
        StoredList.of(source, listing(hint).fields.values())


def test_a_maker_too_many_or_too_few_is_found_when_the_list_is_served() -> None:
    [files] = [one for one in LISTS if one.name == "get.media_files"]
    rows: Any = None
    with pytest.raises(ValueError, match="play_link"):
        files.served(rows)


@pytest.mark.parametrize("line", ["whole: id", "integer often: id", "integer: id id", "id"])
def test_a_field_of_what_is_always_empty_is_declared_in_known_words(line: str) -> None:
    with pytest.raises(ValueError, match="no kind of field|declared twice"):
        shape_of("Thing", line)
