from datetime import UTC, datetime, timedelta, timezone
from ipaddress import ip_network

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.directory.model import Account, AccountId, Component, TokenKind, User, UserId
from callwright.storage.access import StoredAccess
from callwright.storage.database import writing
from callwright.storage.tables import accounts, tokens, users

pytestmark = pytest.mark.anyio

IVAN = User(
    id=UserId(7),
    account=AccountId(1),
    login="ivan",
    password_hash="$argon2id$…",
    networks=(ip_network("127.0.0.0/8"), ip_network("2001:db8::/32")),
    disabled_components=frozenset({Component.INFORMER}),
)
NOW = datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
async def access(database: AsyncEngine) -> StoredAccess:
    async with writing(database) as connection:
        await connection.execute(
            insert(users).values(
                id=7,
                account_id=1,
                login="ivan",
                password_hash="$argon2id$…",
                networks=["127.0.0.0/8", "2001:db8::/32"],
                disabled_components=["Call API Informer calls"],
                active=True,
                origin="file",
            )
        )
    return StoredAccess(database)


async def test_a_login_gives_user_and_account(access: StoredAccess) -> None:
    account = Account(AccountId(1), "Horns and Hooves")
    assert await access.user_by_login("ivan") == (IVAN, account)
    assert await access.user_by_login("Ivan") is None


async def test_a_token_is_found_by_its_hash_until_it_is_removed(access: StoredAccess) -> None:
    moscow = timezone(timedelta(hours=3))
    expires = (datetime.now(UTC) + timedelta(hours=1)).astimezone(moscow)
    await access.add_session_token(IVAN.id, "a" * 64, "1f2e", expires)

    found = await access.token("a" * 64)
    assert found is not None
    token, user, account = found
    assert (token.user, token.kind, token.hint, token.blocked) == (7, TokenKind.SESSION, "1f2e", 0)
    assert token.expires_at == expires
    assert token.expires_at.tzinfo is UTC
    assert user == IVAN
    assert account.id == 1

    await access.remove_token("a" * 64)
    assert await access.token("a" * 64) is None


async def test_a_new_session_token_clears_away_the_expired_ones(
    access: StoredAccess, database: AsyncEngine
) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    await access.add_session_token(IVAN.id, "a" * 64, "aaaa", NOW)
    await access.add_session_token(IVAN.id, "b" * 64, "bbbb", later)
    await access.add_session_token(IVAN.id, "c" * 64, "cccc", later)
    async with database.connect() as connection:
        rows = await connection.execute(select(tokens.c.hint).order_by(tokens.c.hint))
        assert list(rows.scalars()) == ["bbbb", "cccc"]


async def test_an_expired_permanent_token_is_still_found(
    access: StoredAccess, database: AsyncEngine
) -> None:
    """The API says `access_token_expired` of it, not `access_token_invalid` (call-api 5)."""
    async with writing(database) as connection:
        await connection.execute(
            insert(tokens).values(
                user_id=7,
                kind="permanent",
                sha256="d" * 64,
                hint="dddd",
                expires_at=NOW,
                blocked=True,
                origin="command",
                created_at=NOW,
            )
        )
    await access.add_session_token(IVAN.id, "a" * 64, "aaaa", NOW)
    found = await access.token("d" * 64)
    assert found is not None
    assert (found[0].expires_at, found[0].blocked) == (NOW, True)


async def test_an_inactive_account_is_said_to_be_so(
    access: StoredAccess, database: AsyncEngine
) -> None:
    async with writing(database) as connection:
        await connection.execute(accounts.update().where(accounts.c.id == 1).values(active=False))
    found = await access.user_by_login("ivan")
    assert found is not None
    assert found[1].active is False
    async with database.connect() as connection:
        assert (await connection.execute(select(func.count(accounts.c.id)))).scalar_one() == 2
