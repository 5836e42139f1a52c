"""The log of requests is written behind, in batches, and bounded."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest
from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.api_requests import AnsweredRequest
from callwright.directory.model import AccountId, UserId
from callwright.storage.history.request_log import StoredRequests
from callwright.storage.tables import api_requests
from callwright.storage.writer import Writer

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def request(
    method: str = "list.calls", *, mnemonic: str | None = None, session: int | None = None
) -> AnsweredRequest:
    return AnsweredRequest(
        account=AccountId(1),
        user=UserId(5),
        login="crm",
        time=NOON,
        api="v4.0",
        method=method,
        ip="192.0.2.1",
        mnemonic=mnemonic,
        duration=0.0125,
        session=session,
    )


def log(database: AsyncEngine, **bounds: int | float) -> StoredRequests:
    return StoredRequests(
        Writer(database),
        anyio.Lock(),
        queued_at_most=int(bounds.get("queued_at_most", 100)),
        gathered_for=bounds.get("gathered_for", 0.0),
    )


async def methods(database: AsyncEngine) -> list[str]:
    async with database.connect() as connection:
        found = await connection.scalars(select(api_requests.c.method).order_by(api_requests.c.id))
        return list(found)


async def test_a_request_is_kept_with_what_became_of_it(database: AsyncEngine) -> None:
    stored = log(database)
    stored.hear(request("start.employee_call", session=1 << 32))
    stored.hear(request("hold.call", mnemonic="invalid_state"))
    assert await stored.write_all()
    async with database.connect() as connection:
        query = select(api_requests).order_by(api_requests.c.id)
        one, other = (await connection.execute(query)).mappings().all()
    assert dict(one) == {
        "id": 1,
        "account_id": 1,
        "time": NOON,
        "api": "v4.0",
        "method": "start.employee_call",
        "ip": "192.0.2.1",
        "user_id": 5,
        "user_login": "crm",
        "mnemonic": None,
        "duration": 12.5,
        "session_id": 1 << 32,
    }
    assert (other["mnemonic"], other["session_id"]) == ("invalid_state", None)


async def test_what_waits_is_written_on_cancellation(database: AsyncEngine) -> None:
    stored = log(database, gathered_for=3600)
    async with anyio.create_task_group() as group:
        group.start_soon(stored.run)
        stored.hear(request("one"))
        stored.hear(request("two"))
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    assert await methods(database) == ["one", "two"]
    assert stored.queued == 0


async def test_requests_are_written_together(database: AsyncEngine) -> None:
    stored, commits = log(database, queued_at_most=2000), 0

    def count(_: object) -> None:
        nonlocal commits
        commits += 1

    event.listen(database.sync_engine, "commit", count)
    for number in range(1200):
        stored.hear(request(str(number)))
    assert await stored.write_all()
    assert commits == 3
    assert await methods(database) == [str(number) for number in range(1200)]


async def test_more_than_can_wait_is_counted_and_left_out(
    database: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    stored = log(database, queued_at_most=2)
    for method in ("one", "two", "three", "four"):
        stored.hear(request(method))
    assert (stored.queued, stored.left_out) == (2, 2)
    assert len(caplog.records) == 1
    await stored.write_all()
    stored.hear(request("five"))
    await stored.write_all()
    assert await methods(database) == ["one", "two", "five"]


async def test_a_locked_database_makes_them_wait(
    database: AsyncEngine, database_path: Path
) -> None:
    def impatient(connection: sqlite3.Connection, *_: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout = 20")
        cursor.close()

    event.listen(database.sync_engine, "checkout", impatient)
    stored = log(database)
    stored.hear(request("one"))
    with closing(sqlite3.connect(database_path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert not await stored.write_all()
        other.execute("ROLLBACK")
    assert stored.queued == 1
    assert await stored.write_all()
    assert await methods(database) == ["one"]
