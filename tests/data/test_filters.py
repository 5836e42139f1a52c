"""Filters find the very rows that a model of them in plain Python finds."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
    insert,
    make_url,
    select,
)
from typing_extensions import TypedDict

from callwright.methods.data import list_memory
from callwright.methods.data.list_fields import ON_REQUEST, Listing, Moment
from callwright.methods.data.list_request import ListRequest, query_of
from callwright.methods.errors import InvalidParameterValue
from callwright.pattern import is_found
from callwright.query import OPERATORS, FieldKind, Filter, Operator
from callwright.storage.lists.filters import Clauses
from callwright.storage.tables import UtcDateTime
from tests.databases import StoredIn
from tests.postgresql import name_for

MOSCOW = ZoneInfo("Europe/Moscow")
NOON = datetime(2026, 5, 1, 9, 0, tzinfo=UTC)
"In Moscow."


class Shape(TypedDict):
    id: int
    whole: int | None
    number: float | None
    text: str | None
    yes: bool | None
    at: Moment | None
    parts: Annotated[list[int], ON_REQUEST]


LISTING = Listing.of(Shape)
KINDS = {name: field.kind for name, field in LISTING.fields.items()}
TEXTS = [
    "",
    "a",
    "A",
    "ab",
    "100%",
    "a_b",
    "a*b",
    "[x]",
    "a?b",
    "a\\b",
    "Иван",
    "иван",
    "7926",
    "]",
]
ROWS: list[dict[str, Any]] = [
    {
        "id": number,
        "whole": None if number % 7 == 0 else number % 5 - 2,
        "number": None if number % 6 == 0 else (number % 9) / 2 - 2,
        "text": None if number % 8 == 0 else TEXTS[number % len(TEXTS)],
        "yes": None if number % 5 == 0 else number % 2 == 0,
        # Two within a second, and some further off.
        "at": None if number % 9 == 0 else NOON + timedelta(seconds=number % 4 + number / 100),
        "parts": [],
    }
    for number in range(60)
]

TABLE = Table(
    "things",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("whole", Integer),
    Column("number", Float),
    Column("text", Text),
    Column("yes", Boolean),
    Column("at", UtcDateTime),
    Column("parts", JSON),
)


def _engine(stored_in: StoredIn, folder: Path) -> Engine:
    if server := stored_in.postgresql:
        url = make_url(server.server.create(name_for(folder)))
        return create_engine(url.set(drivername="postgresql+psycopg"))
    engine = create_engine("sqlite://")

    def prepare(connection: Any, _record: object) -> None:
        connection.create_function("pattern_is_found", 2, is_found, deterministic=True)

    event.listen(engine, "connect", prepare)
    return engine


@pytest.fixture(scope="module")
def things(stored_in: StoredIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    engine = _engine(stored_in, tmp_path_factory.mktemp("things"))
    with engine.connect() as connection:
        TABLE.create(connection)
        connection.execute(insert(TABLE), ROWS)
        yield connection
    engine.dispose()


def asked_for(tree: dict[str, Any]) -> Filter:
    query = query_of(ListRequest.model_validate_json(json.dumps({"filter": tree})), LISTING, MOSCOW)
    assert query.filter is not None
    return query.filter


def found(things: Connection, tree: dict[str, Any]) -> list[int]:
    wanted = Clauses(dict(TABLE.c), things.dialect.name).of(asked_for(tree))
    return list(things.scalars(select(TABLE.c.id).where(wanted).order_by(TABLE.c.id)))


# The model.


def holds(tree: dict[str, Any], row: dict[str, Any]) -> bool:
    if "filters" in tree:
        parts = [holds(one, row) for one in tree["filters"]]
        return any(parts) if tree.get("condition") == "or" else all(parts)
    kind = KINDS[tree["field"]]
    return compares(tree["operator"], seen(kind, row[tree["field"]]), tree["value"])


def seen(kind: FieldKind, value: Any) -> Any:
    """A stored value as clients see it; moments as texts, whose order is that of time."""
    if kind is FieldKind.MOMENT and value is not None:
        return value.astimezone(MOSCOW).strftime("%Y-%m-%d %H:%M:%S")
    return value


def compares(operator: str, stored: Any, value: Any) -> bool:
    if operator == "=":
        return bool(stored == value)
    if operator == "!=":
        return bool(stored != value)
    if stored is None:
        return False
    match operator:
        case "<":
            return bool(stored < value)
        case ">":
            return bool(stored > value)
        case "<=":
            return bool(stored <= value)
        case ">=":
            return bool(stored >= value)
        case "in":
            return stored in value
        case "regexp":
            return re.search(value, stored) is not None
        case "like":
            return re.fullmatch(regular(value), stored, re.DOTALL) is not None
    raise AssertionError(operator)


def regular(like: str) -> str:
    """A pattern of ``like`` as a regular expression."""
    parts = re.findall(r"\\?.|\\\Z", like, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return "".join(wild.get(part) or re.escape(part.removeprefix("\\") or "\\") for part in parts)


# What is asked.

LIKES = [
    "%",
    "_",
    "a%",
    "%b",
    "a_b",
    "a\\_b",
    "%\\%",
    "a*b",
    "[x]",
    "a\\\\b",
    "%И%",
    "",
    "a\\",
    "A%",
]
EXPRESSIONS = ["a", "^a", "b$", "[0-9]+", "^$", "(a|И)", "%", "\\*", "^[^a]*$"]

MOMENTS = st.integers(-2, 6).map(
    lambda seconds: (
        (NOON + timedelta(seconds=seconds)).astimezone(MOSCOW).strftime("%Y-%m-%d %H:%M:%S")
    )
)
VALUES: dict[FieldKind, st.SearchStrategy[Any]] = {
    FieldKind.INTEGER: st.integers(-4, 60),
    FieldKind.NUMBER: st.one_of(st.integers(-3, 3), st.sampled_from([-2.0, -0.5, 0.5, 1.5, 2.25])),
    FieldKind.TEXT: st.one_of(
        st.sampled_from(TEXTS), st.text(max_size=3).filter(lambda t: "\0" not in t)
    ),
    FieldKind.BOOLEAN: st.booleans(),
    FieldKind.MOMENT: MOMENTS,
}


@st.composite
def comparisons(draw: st.DrawFn) -> dict[str, Any]:
    field = draw(st.sampled_from([name for name in KINDS if name != "parts"]))
    kind = KINDS[field]
    operator = draw(st.sampled_from(sorted(OPERATORS[kind])))
    values = VALUES[kind]
    if operator is Operator.LIKE:
        values = st.sampled_from(LIKES)
    elif operator is Operator.REGEXP:
        values = st.sampled_from(EXPRESSIONS)
    elif operator is Operator.IN:
        values = st.lists(values, min_size=1, max_size=4)
    elif operator in (Operator.EQUAL, Operator.NOT_EQUAL):
        values = st.one_of(st.none(), values)
    return {"field": field, "operator": operator.value, "value": draw(values)}


TREES = st.recursive(
    comparisons(),
    lambda inner: st.builds(
        lambda filters, condition: {"filters": filters, "condition": condition},
        st.lists(inner, min_size=1, max_size=4),
        st.sampled_from(["and", "or"]),
    ),
    max_leaves=12,
)


@given(TREES)
@settings(max_examples=400, deadline=None)
def test_a_tree_finds_what_the_model_finds(things: Connection, tree: dict[str, Any]) -> None:
    expected = [row["id"] for row in ROWS if holds(tree, row)]
    assert found(things, tree) == expected
    # What the database cannot compare is compared by ourselves.
    asked = asked_for(tree)
    assert [row["id"] for row in ROWS if list_memory.holds(asked, row.get)] == expected


@pytest.mark.parametrize(
    ("field", "operator"),
    [
        (field, operator)
        for field, kind in KINDS.items()
        for operator in sorted(OPERATORS[kind])
        if kind is not FieldKind.STRUCTURE
    ],
)
def test_every_operator_of_every_type_tells_rows_apart(
    things: Connection, field: str, operator: Operator
) -> None:
    """At least once with some rows found and some not, or the test above might compare nothing."""
    kind = KINDS[field]
    samples: dict[FieldKind, Any] = {
        FieldKind.INTEGER: 1,
        FieldKind.NUMBER: 0.5,
        FieldKind.TEXT: "a",
        FieldKind.BOOLEAN: True,
        FieldKind.MOMENT: "2026-05-01 12:00:01",
    }
    sample = "a%" if operator is Operator.LIKE else samples[kind]
    tree = {
        "field": field,
        "operator": operator.value,
        "value": [sample] if operator is Operator.IN else sample,
    }
    ids = found(things, tree)
    assert ids == [row["id"] for row in ROWS if holds(tree, row)]
    assert 0 < len(ids) < len(ROWS)


@pytest.mark.parametrize("pattern", LIKES)
@pytest.mark.parametrize("text", TEXTS)
def test_a_pattern_matches_the_whole_text(things: Connection, pattern: str, text: str) -> None:
    tree = {"field": "text", "operator": "like", "value": pattern}
    matched = {row["text"] for row in ROWS if row["id"] in found(things, tree)}
    assert (text in matched) == compares("like", text, pattern)


def test_a_pattern_made_to_run_for_ever_does_not(things: Connection) -> None:
    # Python's own engine would take longer than anybody lives.
    assert not is_found("(a+)+$", "a" * 5000 + "b")
    assert not is_found("(x+x+)+y", "x" * 5000)


def test_nobody_lives_in_two_hours_at_once(things: Connection) -> None:
    """In Berlin, 2026-10-25 02:30 was twice; it is taken for the first."""
    berlin = ZoneInfo("Europe/Berlin")
    tree = {"field": "at", "operator": "=", "value": "2026-10-25 02:30:00"}
    query = query_of(ListRequest.model_validate_json(json.dumps({"filter": tree})), LISTING, berlin)
    assert getattr(query.filter, "value", None) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2026-5-1 12:00:00",
        "2026-02-30 12:00:00",
        "2026-05-01 24:00:00",
        "2026-05-01 12",
        "2026-05-01Z",
        "2026-05-01 12:00:00+25:00",
        "0001-01-01 00:00:00",
        "9999-12-31 23:59:59",
        "２０２６-05-01 12:00:00",
    ],
)
def test_other_moments_are_none(value: str) -> None:
    tree = {"field": "at", "operator": "=", "value": value}
    with pytest.raises(InvalidParameterValue) as refused:
        query_of(ListRequest.model_validate_json(json.dumps({"filter": tree})), LISTING, MOSCOW)
    assert (refused.value.field, refused.value.value) == ("filter.value", value)
