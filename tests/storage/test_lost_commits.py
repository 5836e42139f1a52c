"""Commits whose success nobody hears of, as the connection is lost: all is written once."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import anyio
import anyio.lowlevel
import pytest
from sqlalchemy import Connection, Engine, event, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.api_requests import AnsweredRequest
from callwright.calls.journal import Begun, JournalUnavailable, Once
from callwright.calls.plan import SessionId
from callwright.directory.model import AccountId, UserId
from callwright.storage.history.idempotency import StoredKeys
from callwright.storage.history.journal import StoredJournal
from callwright.storage.history.request_log import StoredRequests
from callwright.storage.tables import api_requests, call_events, call_sessions
from callwright.storage.writer import Writer
from tests.storage.stories import later, started
from tests.waiting import WITHIN

pytestmark = [pytest.mark.anyio, pytest.mark.postgresql]

OURS = AccountId(1)
KEY = Once("key", "fingerprint")


@contextmanager
def commits_unheard(twin: Engine) -> Iterator[None]:
    """In the block every commit succeeds, and its connection is lost before that is heard."""

    is_on = True

    def commit_and_lose(connection: Connection) -> None:
        if not is_on:
            return
        driver = connection.connection.driver_connection
        assert driver
        driver.commit()
        driver.pgconn.finish()

    event.listen(twin, "commit", commit_and_lose)
    try:
        yield
    finally:
        # Not removed: a thread may be going through the listeners.
        is_on = False


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    with anyio.fail_after(WITHIN):
        while not await is_so():
            await anyio.lowlevel.checkpoint()


async def ids(database: AsyncEngine) -> list[int]:
    async with database.connect() as connection:
        return list(await connection.scalars(select(call_sessions.c.id)))


async def test_a_session_that_was_refused_is_not_on_record(
    database: AsyncEngine, twin: Engine
) -> None:
    journal = StoredJournal(database, Writer(database, twin))
    keys = StoredKeys(database, journal.is_void)
    with commits_unheard(twin), pytest.raises(JournalUnavailable):
        await journal.begin(started(1), KEY)
    assert await ids(database) == [1]
    assert await keys.begun_with(OURS, KEY.key, datetime.now(UTC)) is None
    async with anyio.create_task_group() as group:
        group.start_soon(journal.run)

        async def is_struck_out() -> bool:
            return not await ids(database) and not journal.is_void(SessionId(1))

        await until(is_struck_out)
        group.cancel_scope.cancel()


async def test_its_key_begins_another_at_once(database: AsyncEngine, twin: Engine) -> None:
    journal = StoredJournal(database, Writer(database, twin))
    keys = StoredKeys(database, journal.is_void)
    with commits_unheard(twin), pytest.raises(JournalUnavailable):
        await journal.begin(started(1), KEY)
    await journal.begin(started(2), KEY)
    assert await ids(database) == [2]
    before = started(2).time
    assert await keys.begun_with(OURS, KEY.key, before) == Begun(SessionId(2), KEY.fingerprint)


async def test_events_are_written_once(database: AsyncEngine, twin: Engine) -> None:
    journal = StoredJournal(database, Writer(database, twin), gathered_for=0.0)
    await journal.begin(started(1))
    async with anyio.create_task_group() as group:
        with commits_unheard(twin):
            group.start_soon(journal.run)
            for fact in later(1):
                journal.hear(fact)

            async def are_there() -> bool:
                return await count(database) == 1 + len(later(1))

            await until(are_there)

        async def is_heard() -> bool:
            return not journal.queued

        await until(is_heard)
        group.cancel_scope.cancel()
    assert await journal.events_of(SessionId(1), 1) == [started(1), *later(1)]


async def count(database: AsyncEngine) -> int:
    async with database.connect() as connection:
        return int(await connection.scalar(select(func.count()).select_from(call_events)) or 0)


async def test_requests_are_logged_once(database: AsyncEngine, twin: Engine) -> None:
    log = StoredRequests(Writer(database, twin), anyio.Lock())

    def hear(method: str) -> None:
        log.hear(
            AnsweredRequest(
                account=OURS,
                time=datetime.now(UTC),
                api="v4.0",
                method=method,
                ip="192.0.2.1",
                user=UserId(1),
                login="crm",
                mnemonic=None,
                duration=0.01,
                session=None,
            )
        )

    hear("one")
    hear("two")
    with commits_unheard(twin):
        assert not await log.write_all()
    hear("three")
    assert await log.write_all()
    async with database.connect() as connection:
        methods = select(api_requests.c.method).order_by(api_requests.c.id)
        assert list(await connection.scalars(methods)) == ["one", "two", "three"]
