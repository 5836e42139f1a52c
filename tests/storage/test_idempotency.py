import dataclasses
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.calls.journal import Begun, JournalUnavailable, Once
from callwright.calls.plan import SessionId
from callwright.directory.model import AccountId
from callwright.storage.history.idempotency import StoredKeys
from callwright.storage.history.journal import StoredJournal
from callwright.storage.tables import call_sessions, idempotency_keys
from tests.storage.stories import BEGAN, CAPTION, at, started

pytestmark = pytest.mark.anyio

HOUSE, OTHER = AccountId(1), AccountId(2)
ONCE = Once("order-1", "a" * 64)


async def count(database: AsyncEngine) -> tuple[int, int]:
    """Sessions and keys there are."""
    async with database.connect() as connection:
        sessions = await connection.scalar(select(func.count()).select_from(call_sessions))
        keys = await connection.scalar(select(func.count()).select_from(idempotency_keys))
    return sessions or 0, keys or 0


async def test_a_key_stands_beside_its_session_for_a_day(database: AsyncEngine) -> None:
    await StoredJournal(database).begin(started(1), ONCE)
    keys = StoredKeys(database)
    begun = Begun(SessionId(1), "a" * 64)
    assert await keys.begun_with(HOUSE, "order-1", BEGAN) == begun
    day = timedelta(hours=24)
    assert await keys.begun_with(HOUSE, "order-1", BEGAN + day - timedelta(seconds=1)) == begun
    assert await keys.begun_with(HOUSE, "order-1", BEGAN + day) is None
    assert await keys.begun_with(HOUSE, "order-2", BEGAN) is None
    assert await keys.begun_with(OTHER, "order-1", BEGAN) is None


async def test_a_session_without_a_key_leaves_none(database: AsyncEngine) -> None:
    await StoredJournal(database).begin(started(1))
    assert await count(database) == (1, 0)


async def test_a_key_that_is_there_lets_no_second_session_begin(database: AsyncEngine) -> None:
    """One transaction: the session goes on record with its key or not at all."""
    journal = StoredJournal(database)
    await journal.begin(started(1), ONCE)
    with pytest.raises(JournalUnavailable):
        await journal.begin(started(2), ONCE)
    assert await count(database) == (1, 1)


async def test_expired_keys_go_and_may_be_used_again(database: AsyncEngine) -> None:
    journal = StoredJournal(database)
    await journal.begin(started(1), ONCE)
    other = dataclasses.replace(started(2), caption=dataclasses.replace(CAPTION, account=2))
    await journal.begin(other, Once("order-2", "b" * 64))
    tomorrow = at(25 * 3600)
    await journal.begin(dataclasses.replace(started(3), time=tomorrow), Once("order-1", "c" * 64))
    assert await count(database) == (3, 1)
    begun = await StoredKeys(database).begun_with(HOUSE, "order-1", tomorrow)
    assert begun == Begun(SessionId(3), "c" * 64)
