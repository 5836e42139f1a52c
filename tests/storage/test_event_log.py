import itertools
from typing import Any

import anyio
import pytest
from sqlalchemy import event, update
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.calls.plan import SessionId
from callwright.directory.model import AccountId
from callwright.storage.database import writing
from callwright.storage.history.event_log import StoredEventLog, Written
from callwright.storage.history.journal import StoredJournal
from callwright.storage.history.sessions import write_events
from callwright.storage.tables import call_events
from tests.storage.stories import later, started

pytestmark = pytest.mark.anyio

US = AccountId(1)
BEGIN = 1 << 32


@pytest.fixture
def log(database: AsyncEngine) -> StoredEventLog:
    return StoredEventLog(database)


@pytest.fixture
async def told(database: AsyncEngine) -> list[Written]:
    """What a journal has told of two sessions of ours."""
    journal = StoredJournal(
        database, next_position=itertools.count(BEGIN, 7).__next__, gathered_for=0.0
    )
    told: list[Written] = []
    journal.readers.append(told.extend)
    for session in (1, 2):
        await journal.begin(started(session))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(journal.run)
        for one, other in zip(later(1), later(2), strict=True):
            journal.hear(one)
            journal.hear(other)
        await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    return told


async def test_what_is_told_is_what_is_in_the_log(log: StoredEventLog, told: list[Written]) -> None:
    positions = [one.position for one in told]
    assert positions == sorted(set(positions))
    assert len(told) == 24
    assert await log.last() == positions[-1]
    page = await log.page(US, 0, positions[-1], None, at_most=100)
    assert list(page.events) == told
    assert page.until == positions[-1]


async def test_pages(log: StoredEventLog, told: list[Written]) -> None:
    last = told[-1].position
    first = await log.page(US, told[2].position, last, None, at_most=10)
    assert list(first.events) == told[3:13]
    second = await log.page(US, first.until, last, None, at_most=100)
    assert list(second.events) == told[13:]
    some = await log.page(US, 0, told[5].position, SessionId(2), at_most=100)
    assert list(some.events) == [one for one in told[:6] if one.event.session == 2]


async def test_another_account_has_nothing_of_it(log: StoredEventLog, told: list[Written]) -> None:
    page = await log.page(AccountId(2), 0, told[-1].position, None, at_most=100)
    assert (page.events, page.until) == ([], told[-1].position)
    named = await log.page(AccountId(2), 0, told[-1].position, SessionId(1), at_most=100)
    assert named.events == []


async def test_places(log: StoredEventLog, told: list[Written]) -> None:
    assert await log.knows(told[4].position)
    assert not await log.knows(told[4].position + 1)
    assert await log.far_behind(told[4].position, at_most=19) is None
    assert await log.far_behind(told[4].position, at_most=18) == told[5].position
    story = await log.story(SessionId(1), 4)
    assert [one.sequence for one in story] == [1, 2, 3]


async def test_events_of_versions_without_places_are_noticed(
    log: StoredEventLog, told: list[Written], database: AsyncEngine
) -> None:
    assert not await log.has_unplaced(US)
    async with writing(database) as connection:
        await connection.execute(update(call_events).values(position=None))
    assert await log.has_unplaced(US)
    assert not await log.has_unplaced(AccountId(2))


async def test_an_empty_log_begins_at_nought(log: StoredEventLog) -> None:
    assert await log.last() == 0


async def test_what_is_written_again_moves_to_the_end(
    log: StoredEventLog, told: list[Written], database: AsyncEngine
) -> None:
    """After a commit whose success was not heard of, what follows must not hide the event."""
    again = told[3].event
    last = told[-1].position
    async with writing(database) as connection:
        await connection.run_sync(write_events, [again], [last + 5])
    page = await log.page(US, last, last + 5, None, at_most=10)
    assert list(page.events) == [Written(last + 5, again)]
    assert not await log.knows(told[3].position)


@pytest.mark.sqlite
async def test_the_log_is_read_along_its_index(log: StoredEventLog, database: AsyncEngine) -> None:
    """Not by looking through all sessions of an account."""
    asked: list[tuple[str, Any]] = []
    event.listen(
        database.sync_engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, values, *_: asked.append((statement, values)),
    )
    await log.page(US, 0, BEGIN, None, at_most=100)
    [(statement, values)] = asked
    async with database.connect() as connection:
        plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        steps = [row.detail for row in plan]
    assert any("ix_call_events_position" in step for step in steps), steps
    assert not any("B-TREE" in step for step in steps), steps
