from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlalchemy import bindparam, create_engine, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.storage.database import writing
from callwright.storage.synchronous_reads import PreparedStatement, RowsAtHand, rows_at_hand
from callwright.storage.tables import accounts, tokens, users

pytestmark = pytest.mark.anyio

NAMES = PreparedStatement(select(accounts.c.name).where(accounts.c.id == 1))


async def test_it_shows_what_is_committed_by_now(database: AsyncEngine) -> None:
    async with rows_at_hand(database) as rows:
        assert [row.name for row in await rows.read(NAMES, {})] == ["Horns and Hooves"]
        async with writing(database) as connection:
            await connection.execute(update(accounts).values(name="Hooves"))
            assert [row.name for row in await rows.read(NAMES, {})] == ["Horns and Hooves"]
        assert [row.name for row in await rows.read(NAMES, {})] == ["Hooves"]


@pytest.mark.sqlite
async def test_what_the_twin_cannot_read_is_read_the_long_way(database: AsyncEngine) -> None:
    """A lock is why in life; here it is a twin without tables."""
    twin = create_engine("sqlite://")
    with closing(RowsAtHand(database, twin)) as rows:
        assert [row.name for row in await rows.read(NAMES, {})] == ["Horns and Hooves"]
    twin.dispose()


async def test_both_ways_read_the_same(database: AsyncEngine) -> None:
    """JSON, booleans, moments, columns that are null, and a value that is the statement's own."""
    question = PreparedStatement(
        select(users.c.networks, users.c.active, users.c.password_hash, tokens.c.expires_at)
        .join_from(users, tokens)
        .where(users.c.login == bindparam("login"))
        .order_by(tokens.c.id)
        .limit(2)
    )
    ends = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    async with writing(database) as connection:
        await connection.execute(
            insert(users).values(
                id=7,
                account_id=1,
                login="anna",
                networks=["192.0.2.0/24"],
                disabled_components=[],
                active=True,
                origin="file",
            )
        )
        for sha256, expires_at in (("a", ends), ("b", None), ("c", ends)):
            await connection.execute(
                insert(tokens).values(
                    user_id=7,
                    kind="permanent",
                    sha256=sha256,
                    hint="",
                    expires_at=expires_at,
                    blocked=False,
                    origin="file",
                    created_at=ends,
                )
            )
    async with rows_at_hand(database) as rows:
        for reads in (rows, RowsAtHand(database)):
            found = [
                (row.networks, row.active, row.password_hash, row.expires_at)
                for row in await reads.read(question, {"login": "anna"})
            ]
            assert found == [
                (["192.0.2.0/24"], True, None, ends),
                (["192.0.2.0/24"], True, None, None),
            ]
            assert found[0][1] is True
