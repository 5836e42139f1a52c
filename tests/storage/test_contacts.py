import dataclasses

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.storage.history.contacts import StoredHistory
from callwright.storage.history.journal import StoredJournal
from tests.storage.stories import CAPTION, at, started

pytestmark = pytest.mark.anyio

CONTACT = CAPTION.contact_number


async def remember(
    database: AsyncEngine, session: int, number: str, hours: float, *, account: int = 1
) -> None:
    caption = dataclasses.replace(CAPTION, virtual_number=number, account=account)
    event = dataclasses.replace(started(session, caption), time=at(hours * 3600))
    await StoredJournal(database).begin(event)


async def test_numbers_used_with_a_contact_the_latest_first(database: AsyncEngine) -> None:
    await remember(database, 1, "74990000001", 1)
    await remember(database, 2, "74990000002", 2)
    await remember(database, 3, "74990000001", 3)
    await remember(database, 4, "74990000003", 4, account=2)
    history = StoredHistory(database)
    assert await history.numbers_used_with(1, CONTACT) == ["74990000001", "74990000002"]
    assert await history.numbers_used_with(2, CONTACT) == ["74990000003"]
    assert await history.numbers_used_with(1, "79269999999") == []


@pytest.mark.sqlite
async def test_an_index_answers(database: AsyncEngine) -> None:
    """Not by reading all the account's sessions: there may be millions."""
    query = (
        "EXPLAIN QUERY PLAN SELECT virtual_number FROM call_sessions "
        "WHERE account_id = 1 AND contact_number = '7' "
        "GROUP BY virtual_number ORDER BY max(started_at) DESC LIMIT 100"
    )
    async with database.connect() as connection:
        plan = " ".join(str(row) for row in (await connection.execute(text(query))).all())
    assert "ix_call_sessions_account_id_contact_number_started_at" in plan
