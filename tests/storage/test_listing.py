"""Lists of the database: what is counted once, and which index answers a report."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest
from sqlalchemy import event, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.methods.data.call_legs_report import GET_CALL_LEGS_REPORT
from callwright.methods.data.calls_report import GET_CALLS_REPORT
from callwright.methods.data.financial_report import GET_FINANCIAL_CALL_LEGS_REPORT
from callwright.methods.data.list_method import ListDeclaration
from callwright.methods.data.request_log import GET_REQUEST_LOG
from callwright.query import (
    Comparison,
    Element,
    Every,
    FieldKind,
    Operator,
    Order,
    Query,
    Some,
    TooCostly,
    Value,
    Window,
)
from callwright.storage.lists.rows import KEPT_FOR, SETTLED_AFTER, WALKED_FROM, StoredRows, Totals
from callwright.storage.lists.source import StoredList
from callwright.storage.tables import call_sessions
from callwright.wiring.data_api import SOURCES

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 5, 20, 12, 30, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=60)
FINISHED = Comparison("finish_reason", FieldKind.TEXT, Operator.NOT_EQUAL, None)


def stored(declared: ListDeclaration[Any]) -> StoredList:
    assert declared.table
    return StoredList.of(SOURCES[declared.table], declared.listing.fields.values())


CALLS, LEGS = stored(GET_CALLS_REPORT), stored(GET_CALL_LEGS_REPORT)
REQUESTS, COSTS = stored(GET_REQUEST_LOG), stored(GET_FINANCIAL_CALL_LEGS_REPORT)


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


def rows(database: AsyncEngine, listed: StoredList, clock: Clock | None = None) -> StoredRows:
    return StoredRows(database, listed, anyio.CapacityLimiter(2), Totals(clock or Clock()))


def window(field: str = "start_time", start: datetime = LONG_AGO, end: datetime = NOW) -> Window:
    return Window(field, start, end)


async def add(database: AsyncEngine, *began: datetime) -> None:
    async with database.begin() as connection:
        last = (await connection.execute(select(func.max(call_sessions.c.id)))).scalar() or 0
        await connection.execute(
            insert(call_sessions),
            [
                {
                    "id": number,
                    "account_id": 1,
                    "method": "inbound",
                    "direction": "in",
                    "virtual_number": "7",
                    "contact_number": "7",
                    "started_at": moment,
                    "finished_at": moment,
                    "finish_reason": "no_operation",
                }
                for number, moment in enumerate(began, start=last + 1)
            ],
        )


async def test_a_window_is_counted_to_the_second_whatever_is_settled(database: AsyncEngine) -> None:
    border = (NOW - SETTLED_AFTER).replace(minute=0)
    tick = timedelta(microseconds=1)
    await add(database, LONG_AGO, border - tick, border, NOW + timedelta(seconds=1) - tick)
    found = rows(database, CALLS)
    second = timedelta(seconds=1)
    for start, end, there in [
        (LONG_AGO, NOW, 4),
        (LONG_AGO, border - second, 2),
        (LONG_AGO, border, 3),
        (border, NOW, 2),
        (border, border, 1),
        (LONG_AGO + second, NOW - second, 2),
        (NOW, NOW, 1),
        (NOW + second, NOW + second, 0),
    ]:
        query = Query(["id"], window=window(start=start, end=end))
        assert await found.count(1, query) == there
        assert await found.count(1, query) == there
        assert await found.count(2, query) == 0


async def test_what_is_settled_is_counted_once(database: AsyncEngine) -> None:
    clock = Clock()
    found = rows(database, CALLS, clock)
    counted: list[str] = []

    def note(_a: object, _b: object, statement: str, *_: object) -> None:
        if "count(" in statement:
            counted.append(statement)

    event.listen(database.sync_engine, "before_cursor_execute", note)
    query = Query(["id"], Every((FINISHED,)), window=window())
    await add(database, LONG_AGO)
    assert await found.count(1, query) == 1
    assert len(counted) == 2
    await add(database, NOW)  # what is new is seen at once
    assert await found.count(1, query) == 2
    assert len(counted) == 3
    other = Query(["id"], None, window=window())
    assert await found.count(1, other) == 2
    assert len(counted) == 5
    clock.now = NOW + KEPT_FOR
    await add(database, LONG_AGO)
    assert await found.count(1, query) == 3
    assert len(counted) == 7


async def plans(database: AsyncEngine, listed: StoredList, query: Query) -> Sequence[str]:
    """How SQLite goes about a page, and about its count."""
    asked: list[tuple[str, tuple[object, ...]]] = []

    def note(
        _a: object, _b: object, statement: str, parameters: tuple[object, ...], *_: object
    ) -> None:
        asked.append((statement, parameters))

    event.listen(database.sync_engine, "before_cursor_execute", note)
    found = rows(database, listed)
    await found.count(1, query)
    async for _ in found.read(1, query):
        pass
    event.remove(database.sync_engine, "before_cursor_execute", note)
    told = []
    async with database.connect() as connection:
        for statement, parameters in asked:
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            told.append(" / ".join(row.detail for row in plan))
    assert len(told) >= 2
    return told


EQUAL: list[tuple[str, FieldKind, Value]] = [
    ("direction", FieldKind.TEXT, "in"),
    ("is_lost", FieldKind.BOOLEAN, True),
    ("is_transfer", FieldKind.BOOLEAN, True),
    ("employee_id", FieldKind.INTEGER, 5),
    ("source", FieldKind.TEXT, "va"),
    ("virtual_phone_number", FieldKind.TEXT, "7"),
    ("wait_duration", FieldKind.INTEGER, 5),
    ("total_duration", FieldKind.INTEGER, 5),
]


RARE = [
    *(
        Comparison(f"{which}_{what}_employee_{fact}", kind, operator, value)
        for what in ("answered", "talked")
        for which in ("first", "last")
        for fact, kind, operator, value in (
            ("id", FieldKind.INTEGER, Operator.EQUAL, 5),
            ("full_name", FieldKind.TEXT, Operator.LIKE, "%Anna%"),
        )
    ),
    Comparison("operator_phone_number", FieldKind.TEXT, Operator.EQUAL, "101"),
    Comparison("sale_cost", FieldKind.NUMBER, Operator.GREATER, 5),
    Comparison("call_api_external_id", FieldKind.TEXT, Operator.LIKE, "%7"),
    Comparison("contact_full_name", FieldKind.TEXT, Operator.LIKE, "%Anna%"),
    Comparison("employee_full_name", FieldKind.TEXT, Operator.LIKE, "%Anna%"),
    Comparison("ended_by", FieldKind.TEXT, Operator.EQUAL, "contact"),
]
CHARGED = [
    Comparison("total_charge", FieldKind.NUMBER, Operator.GREATER, 5),
    Comparison("chargeable_duration", FieldKind.INTEGER, Operator.EQUAL, 60),
    Comparison("cost_per_minute", FieldKind.NUMBER, Operator.GREATER, 5),
    Comparison("direction_type", FieldKind.TEXT, Operator.EQUAL, "mobile"),
]


def calls(*filters: Comparison, sort: Sequence[Order] = ()) -> Query:
    fields = ["id", "employee_full_name"]
    return Query(fields, Every((FINISHED, *filters)), sort, window=window())


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("listed", "query"),
    [
        (CALLS, calls()),
        (CALLS, calls(sort=[Order("start_time", descending=True)])),
        (CALLS, calls(sort=[Order("talk_duration", descending=True)])),
        *(
            (CALLS, calls(Comparison(field, kind, Operator.EQUAL, value)))
            for field, kind, value in EQUAL
        ),
        *((CALLS, calls(rare)) for rare in RARE),
        *((CALLS, calls(sort=[Order(rare.field, descending=True)])) for rare in RARE),
        (CALLS, calls(*RARE, Comparison("is_lost", FieldKind.BOOLEAN, Operator.EQUAL, True))),
        (LEGS, Query(["id", "virtual_phone_number"], window=window())),
        *((COSTS, Query(["leg_id"], found, window=window())) for found in CHARGED),
        *(
            (COSTS, Query(["leg_id"], None, [Order(found.field)], window=window()))
            for found in CHARGED
        ),
        (REQUESTS, Query(["id", "method"], window=window("date_time"))),
    ],
)
async def test_an_index_finds_what_a_report_shows(
    database: AsyncEngine, listed: StoredList, query: Query
) -> None:
    """Looking at the rows themselves, of which there may be a million, takes half a second."""
    for plan in await plans(database, listed, query):
        # Rows are looked at by their keys alone, once a page of these is known.
        assert "COVERING INDEX" in plan
        searches = [step for step in plan.split(" / ") if "SEARCH" in step or "SCAN" in step]
        for step in searches[1:]:
            of_live_sessions = step.startswith("SEARCH rung USING INDEX")
            assert of_live_sessions or "PRIMARY KEY" in step or step.startswith("SCAN anon"), plan


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("field", "index"),
    [
        ("contact_phone_number", "ix_call_sessions_account_id_contact_number_started_at"),
        ("call_api_external_id", "ix_call_sessions_account_id_external_id"),
    ],
)
async def test_what_is_rare_has_an_index_of_its_own(
    database: AsyncEngine, field: str, index: str
) -> None:
    rare = Comparison(field, FieldKind.TEXT, Operator.EQUAL, "7")
    for plan in await plans(database, CALLS, calls(rare)):
        assert index in plan


@pytest.mark.sqlite
async def test_the_dearest_legs_come_first_along_an_index(database: AsyncEngine) -> None:
    dearest = Query(["leg_id"], None, [Order("total_charge", descending=True)], window=window())
    *_, page = await plans(database, COSTS, dearest)
    assert "ix_call_legs_total_charge" in page
    assert page.count("TEMP B-TREE") == 1, "of the page alone"


@pytest.mark.sqlite
@pytest.mark.parametrize("field", ["talk_duration", "finish_time"])
async def test_a_sorted_report_walks_along_an_index(database: AsyncEngine, field: str) -> None:
    """And not where few rows of it may be wanted: then it would walk a long way for nothing."""
    *_, page = await plans(database, CALLS, calls(sort=[Order(field, descending=True)]))
    index = {"finish_time": "finished_at"}.get(field, field)
    assert f"ix_call_sessions_{index}" in page
    narrow = calls(Comparison("employee_id", FieldKind.INTEGER, Operator.EQUAL, 5))
    ordered = replace(narrow, sort=[Order(field)])
    *_, page = await plans(database, CALLS, ordered)
    assert f"ix_call_sessions_{index}" not in page
    short = window(start=NOW - WALKED_FROM + timedelta(seconds=1))
    *_, page = await plans(database, CALLS, replace(calls(sort=[Order(field)]), window=short))
    assert f"ix_call_sessions_{index}" not in page


async def test_whoever_walks_along_finds_the_same(database: AsyncEngine) -> None:
    began = [LONG_AGO + timedelta(hours=7 * n, milliseconds=250 * n) for n in range(40)]
    await add(database, *began)
    async with database.begin() as connection:
        talked = call_sessions.c.id * 7 % 11
        await connection.execute(update(call_sessions).values(talk_duration=talked))
        later = call_sessions.c.id > 30
        await connection.execute(update(call_sessions).where(later).values(finish_reason=None))

    async def ids(end: datetime, *sort: Order, filters: Sequence[Comparison] = ()) -> list[object]:
        query = replace(
            calls(*filters, sort=sort), window=window(start=began[3], end=end), fields=["id"]
        )
        return [row["id"] async for some in rows(database, CALLS).read(1, query) for row in some]

    last = began[20].replace(microsecond=0)
    expected = sorted(range(4, 22), key=lambda id: (-(id * 7 % 11), id))
    order = Order("talk_duration", descending=True)
    assert await ids(last, order) == expected
    anybody = Comparison("direction", FieldKind.TEXT, Operator.EQUAL, "in")
    assert await ids(last, order, filters=[anybody]) == expected, "not walking"
    assert set(await ids(NOW, order)) == {*range(4, 31)}


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("found", "index"),
    [
        (Element("tags", Comparison("tag_id", FieldKind.INTEGER, Operator.EQUAL, 7)), "call_tags"),
        (
            Element("employees", Comparison("employee_id", FieldKind.INTEGER, Operator.EQUAL, 5)),
            "ix_call_legs_employee",
        ),
    ],
)
async def test_elements_are_found_by_an_index(
    database: AsyncEngine, found: Element, index: str
) -> None:
    for plan in await plans(database, CALLS, replace(calls(), filter=found)):
        [step] = [step for step in plan.split(" / ") if index in step or "rung" in step]
        assert "COVERING INDEX" in step or "PRIMARY KEY" in step, plan


async def test_what_would_take_minutes_is_ended(database: AsyncEngine) -> None:
    await add(database, *(LONG_AGO + timedelta(seconds=number) for number in range(5000)))
    # Half a million searches: seconds.
    expressions = tuple(
        Comparison("contact_phone_number", FieldKind.TEXT, Operator.REGEXP, f"[0-6]{number}")
        for number in range(100)
    )
    query = Query(["id"], Every((FINISHED, Some(expressions))), window=window())
    found = replace(rows(database, CALLS), within=0.05)
    with pytest.raises(TooCostly):
        await found.count(1, query)
    with pytest.raises(TooCostly):
        async for _ in found.read(1, query):
            pass
    # The connections are as good as before.
    assert await found.count(1, calls()) == 5000
