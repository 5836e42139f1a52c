"""What is looked for in arrays by the database, and that it finds what jsquery does."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Table,
    Text,
    create_engine,
    insert,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import TypedDict

from callwright.methods.data import jsquery, list_memory
from callwright.methods.data.list_fields import (
    COMPUTED,
    SEARCHED,
    Always,
    Listing,
    Moment,
    Stored,
)
from callwright.methods.data.list_request import ListRequest, query_of
from callwright.query import ITSELF, Filter, Search
from callwright.storage.lists.filters import Clauses
from callwright.storage.lists.source import Array, Source, StoredList
from callwright.storage.tables.columns import UtcDateTime

UTC_ZONE = ZoneInfo("UTC")
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Mark(TypedDict):
    mark_id: Annotated[int, Stored("id")]
    name: str | None
    good: bool | None
    at: Moment
    kind: Annotated[str, Always("plain")]
    sum: Annotated[bool, COMPUTED]


class Thing(TypedDict):
    id: int
    marks: Annotated[list[Mark], SEARCHED]
    words: Annotated[list[str], SEARCHED]
    other: list[str]


LISTING = Listing.of(Thing)
TABLES = MetaData()
THINGS = Table("things", TABLES, Column("id", Integer, primary_key=True))
MARKS = Table(
    "marks",
    TABLES,
    Column("thing", Integer),
    Column("id", Integer),
    Column("name", Text),
    Column("good", Boolean),
    Column("at", UtcDateTime),
)
WORDS = Table(
    "words", TABLES, Column("thing", Integer), Column("word", Text), Column("old", Boolean)
)


async def far(_connection: AsyncConnection, _keys: Any) -> dict[int, object]:
    return {}


def source(**changes: Any) -> Source:
    of_marks = {"id": MARKS.c.id, "name": MARKS.c.name, "good": MARKS.c.good, "at": MARKS.c.at}
    facts: dict[str, Any] = {
        "account": THINGS.c.id,
        "details": {"marks": far, "words": far, "other": far},
        "arrays": {
            "marks": Array(MARKS.c.thing, of_marks),
            "words": Array(WORDS.c.thing, {ITSELF: WORDS.c.word}, WORDS.c.old.is_(False)),
        },
    }
    return Source(THINGS, **(facts | changes))


LISTED = StoredList.of(source(), LISTING.fields.values())
ROWS: list[dict[str, Any]] = [
    {"id": 1, "marks": [], "words": []},
    {"id": 2, "marks": [(5, "a", True)], "words": ["one"]},
    {"id": 3, "marks": [(5, None, False), (7, "b", None)], "words": ["one", "two"]},
    {"id": 4, "marks": [(7, "7", True), (8, "x", False)], "words": ["7"]},
    {"id": 5, "marks": [(5, "b", False)], "words": ["two"]},
]


@pytest.fixture(scope="module")
def things() -> Iterator[Connection]:
    engine: Engine = create_engine("sqlite://")
    with engine.connect() as connection:
        TABLES.create_all(connection)
        for row in ROWS:
            connection.execute(insert(THINGS), {"id": row["id"]})
            for id, name, good in row["marks"]:
                mark = {"thing": row["id"], "id": id, "name": name, "good": good, "at": NOON}
                connection.execute(insert(MARKS), mark)
            for word in row["words"]:
                for told, old in ((word, False), ("old", True)):
                    connection.execute(
                        insert(WORDS), {"thing": row["id"], "word": told, "old": old}
                    )
        yield connection
    engine.dispose()


def asked(field: str, operator: str, value: object) -> Filter:
    tree = {"field": field, "operator": operator, "value": value}
    params = ListRequest.model_validate_json(json.dumps({"filter": tree}))
    found = query_of(params, LISTING, UTC_ZONE).filter
    assert found is not None
    return found


def shown(row: dict[str, Any], field: str) -> list[Any]:
    if field == "words":
        return list(row["words"])
    return [
        {
            "mark_id": id,
            "name": name,
            "good": good,
            "at": "2026-05-01 12:00:00",
            "kind": "plain",
            "sum": True,
        }
        for id, name, good in row["marks"]
    ]


SEARCHES = [
    ("marks", "#.mark_id = 5"),
    ("marks", "mark_id = 5"),
    ("marks", '#.mark_id = "7"'),
    ("marks", '#.mark_id = "07"'),
    ("marks", "#.mark_id != 5"),
    ("marks", '#.mark_id != "x"'),
    ("marks", "#.mark_id IN (8, 9)"),
    ("marks", "#.mark_id > 6"),
    ("marks", '#.mark_id > "6"'),
    ("marks", "#.mark_id = true"),
    ("marks", "#.mark_id = *"),
    ("marks", "# = *"),
    ("marks", '#.name = "b"'),
    ("marks", "#.name = 7"),
    ("marks", '#.name != "b"'),
    ("marks", '#.name >= "b"'),
    ("marks", "#.name >= 1"),
    ("marks", "#.name = null"),
    ("marks", "#.name != null"),
    ("marks", "#.good = true"),
    ("marks", "#.good != true"),
    ("marks", '#.good = "true"'),
    ("marks", '#(mark_id = 5 & name = "b")'),
    ("marks", '#.mark_id = 5 & #.name = "b"'),
    ("marks", '#(mark_id = 8 | name = "a")'),
    ("marks", '#(not name = "b")'),
    ("marks", 'not #.name = "b"'),
    ("marks", "! (#.mark_id = 5 | #.mark_id = 8)"),
    ("words", '# = "one"'),
    ("words", "# = 7"),
    ("words", '# IN ("two", "three")'),
    ("words", '# = "old"'),
    ("words", 'not # = "one"'),
]


@pytest.mark.parametrize(("field", "query"), SEARCHES)
def test_the_database_finds_what_jsquery_does(things: Connection, field: str, query: str) -> None:
    found = asked(field, "jsquery", query)
    assert isinstance(found, Search), "it is not left to memory"
    wanted = select(THINGS.c.id).where(Clauses(LISTED.columns, "sqlite", LISTED).of(found))
    holds = jsquery.read(query)
    expected = [row["id"] for row in ROWS if holds(shown(row, field))]
    assert sorted(things.scalars(wanted)) == expected


@pytest.mark.parametrize(("operator", "ids"), [("=", [1]), ("!=", [2, 3, 4, 5])])
def test_it_finds_those_with_elements_and_without(
    things: Connection, operator: str, ids: list[int]
) -> None:
    for field in ("marks", "words"):
        found = asked(field, operator, None)
        wanted = select(THINGS.c.id).where(Clauses(LISTED.columns, "sqlite", LISTED).of(found))
        assert sorted(things.scalars(wanted)) == ids


@pytest.mark.parametrize(
    ("field", "query"),
    [
        ("marks", '#.at = "2026-05-01 12:00:00"'),
        ("marks", '#.kind = "plain"'),
        ("marks", "#.sum = true"),
        ("marks", "#.nothing = 1"),
        ("marks", "*.mark_id = 5"),
        ("marks", "#.% = 5"),
        ("other", '# = "x"'),
    ],
)
def test_what_it_cannot_say_is_left_to_memory(field: str, query: str) -> None:
    params = ListRequest.model_validate_json(
        json.dumps({"filter": {"field": field, "operator": "jsquery", "value": query}})
    )
    assert list_memory.is_needed(query_of(params, LISTING, UTC_ZONE), LISTING)


def test_what_cannot_be_searched_is_not_promised() -> None:
    none: dict[str, Array] = {}
    for arrays in (none, {"marks": Array(MARKS.c.thing, {})}):
        with pytest.raises(ValueError, match="marks"):
            StoredList.of(source(arrays=arrays), LISTING.fields.values())
