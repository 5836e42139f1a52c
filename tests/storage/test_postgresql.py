"""What PostgreSQL is relied upon for, and where it differs: orders, indexes, locks, servers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from sqlalchemy import event, literal, make_url, select, text, update
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.methods.data.calls_report import GET_CALLS_REPORT
from callwright.query import (
    Comparison,
    Every,
    FieldKind,
    Operator,
    Order,
    PatternRefused,
    Query,
    Window,
)
from callwright.storage.database import reason, writing
from callwright.storage.lists.rows import StoredRows, Totals
from callwright.storage.lists.source import StoredList, Whole
from callwright.storage.postgresql.connections import allow, driver_options
from callwright.storage.postgresql.regular_expression import posix_pattern
from callwright.storage.synchronous_reads import PreparedStatement, rows_at_hand
from callwright.storage.tables import accounts
from callwright.wiring.data_api import SOURCES

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 5, 20, 12, 30, tzinfo=UTC)
WINDOW = Window("start_time", NOW - timedelta(days=60), NOW)
FINISHED = Comparison("finish_reason", FieldKind.TEXT, Operator.NOT_EQUAL, None)
CALLS = StoredList.of(SOURCES["call_sessions"], GET_CALLS_REPORT.listing.fields.values())
SESSIONS = """
INSERT INTO call_sessions (id, account_id, method, direction, virtual_number, contact_number,
    external_id, started_at, finished_at, finish_reason, talk_duration)
SELECT n, 1, 'inbound', 'in', '7', '7926' || n, 'order-' || n, :now - n * interval '1 minute',
    :now, 'no_operation', n % 600
FROM generate_series(1, 20000) AS n
"""


@pytest.mark.postgresql
async def test_every_text_is_ordered_by_code_points(database: AsyncEngine) -> None:
    """One column that is not has its index passed over; a migration that adds a text says so."""
    query = text(
        "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE "
        "table_schema = 'public' AND data_type IN ('text', 'character varying') "
        "AND table_name != 'alembic_version' AND collation_name IS DISTINCT FROM 'C'"
    )
    async with database.connect() as connection:
        assert list(await connection.scalars(query)) == []


async def plans(database: AsyncEngine, query: Query) -> list[str]:
    """How PostgreSQL goes about a page."""
    asked: list[tuple[str, Any]] = []

    def note(_a: object, _b: object, statement: str, values: object, *_: object) -> None:
        if statement.startswith("SELECT call_sessions"):
            asked.append((statement, values))

    event.listen(database.sync_engine, "before_cursor_execute", note)
    found = StoredRows(database, CALLS, anyio.CapacityLimiter(2), Totals(lambda: NOW))
    async for _ in found.read(1, query):
        pass
    event.remove(database.sync_engine, "before_cursor_execute", note)
    told = []
    async with database.connect() as connection:
        for statement, values in asked:
            plan = await connection.exec_driver_sql(f"EXPLAIN {statement}", values)
            told.append("\n".join(row[0] for row in plan))
    assert told
    return told


@pytest.mark.postgresql
async def test_an_index_finds_one_of_many_and_the_latest(database: AsyncEngine) -> None:
    async with database.connect() as connection:
        await connection.execute(text(SESSIONS), {"now": NOW})
        await connection.execute(text("ANALYZE call_sessions"))
    for field, value, index in (
        ("contact_phone_number", "79265", "ix_call_sessions_account_id_contact_number_started_at"),
        ("call_api_external_id", "order-5", "ix_call_sessions_account_id_external_id"),
    ):
        equal = Comparison(field, FieldKind.TEXT, Operator.EQUAL, value)
        [plan] = await plans(database, Query(["id"], Every((FINISHED, equal)), window=WINDOW))
        assert index in plan
    latest = [Order("start_time", descending=True)]
    [plan] = await plans(
        database, Query(["id"], Every((FINISHED,)), latest, limit=10, window=WINDOW)
    )
    assert "Scan Backward using ix_call_sessions_report" in plan


async def test_halves_are_rounded_up(database: AsyncEngine) -> None:
    async with database.connect() as connection:
        for stored, shown in ((0.4, 0), (0.5, 1), (1.5, 2), (2.5, 3), (2.49, 2)):
            assert await connection.scalar(select(Whole(literal(stored)))) == shown


async def test_writers_wait_for_each_other(database: AsyncEngine) -> None:
    """What is read before it is written is still so then: no change is lost."""

    async def add_a_letter() -> None:
        async with writing(database) as connection:
            query = select(accounts.c.name).where(accounts.c.id == 1)
            name = await connection.scalar(query)
            await anyio.lowlevel.checkpoint()
            change = update(accounts).where(accounts.c.id == 1).values(name=f"{name}x")
            await connection.execute(change)

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(add_a_letter)
    async with database.connect() as connection:
        name = await connection.scalar(select(accounts.c.name).where(accounts.c.id == 1))
    assert name == "Horns and Hoovesxxxxx"


@pytest.mark.postgresql
async def test_a_connection_that_was_closed_is_not_used_again(database: AsyncEngine) -> None:
    names = PreparedStatement(select(accounts.c.name).where(accounts.c.id == 1))
    others = text(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid != pg_backend_pid()"
    )
    async with rows_at_hand(database) as rows:
        await rows.read(names, {})
        async with database.connect() as one, database.connect() as other:
            await one.execute(select(accounts))
            await other.execute(select(accounts))
        async with database.connect() as connection:
            assert len((await connection.execute(others)).all()) == 2
        async with database.connect() as one, database.connect() as other:
            await one.execute(select(accounts))
            await other.execute(select(accounts))
        assert [row.name for row in await rows.read(names, {})] == ["Horns and Hooves"]


@pytest.mark.postgresql
async def test_a_statement_is_not_waited_for_for_ever(database: AsyncEngine) -> None:
    async with database.connect() as connection:
        await connection.run_sync(allow, 0.1)
        with pytest.raises(OperationalError) as raised:
            await connection.execute(text("SELECT pg_sleep(600)"))
    assert reason(raised.value) == "the server does not answer"
    async with database.connect() as connection:
        assert await connection.scalar(text("SELECT 1")) == 1


@pytest.mark.parametrize(
    ("sqlstate", "said"),
    [
        ("53100", "the disk is full"),
        ("53300", "it has no connection left for us"),
        ("57P01", "it is shutting down"),
        ("25006", "it is read-only: is it a standby?"),
        ("08006", "it cannot be reached"),
        ("28P01", "it does not let us in: wrong user or password"),
        ("55P03", "it is locked by another program"),
    ],
)
def test_what_it_complains_of_is_said_in_a_few_words(sqlstate: str, said: str) -> None:
    class Complaint(Exception):
        pass

    complaint = Complaint("something long, with hosts in it")
    complaint.__dict__["sqlstate"] = sqlstate
    assert reason(OperationalError("SELECT 1", None, complaint)) == said


@pytest.mark.parametrize(
    ("pattern", "theirs"),
    [
        (r"^79\d+$", r"^79\d+$"),
        (r"a.b", r"a[^\n]b"),
        (r"(?s)a.b", r"a.b"),
        (r"(?i)foo\b", r"(?i)foo\y"),
        (r"(?P<x>a|b)\Q.*\E", r"(a|b)\.\*"),
        (r"[[:digit:].]{3}", r"[[:digit:].]{3}"),
        (r"x{,3}", r"x\{,3}"),
        (r"\x41\x{1F600}", r"\U00000041\U0001f600"),
    ],
)
def test_a_pattern_is_said_in_its_words(pattern: str, theirs: str) -> None:
    assert posix_pattern(pattern) == theirs


@pytest.mark.parametrize("pattern", [r"\pL", r"a(?i)b", r"x{999}", r"[[:^alpha:]]", r"\C"])
def test_what_it_cannot_say_is_refused(pattern: str) -> None:
    with pytest.raises(PatternRefused):
        posix_pattern(pattern)


def test_a_url_says_what_the_driver_is_told() -> None:
    told = driver_options(make_url("postgresql://host/name?connect_timeout=9"))
    assert "connect_timeout" not in told
    assert (told["keepalives_idle"], told["prepare_threshold"]) == (5, 5)
    told = driver_options(make_url("postgresql://host/name?prepare_threshold=none"))
    assert told["prepare_threshold"] is None
    with pytest.raises(ArgumentError, match="prepare_threshold is a number"):
        driver_options(make_url("postgresql://host/name?prepare_threshold=much"))
