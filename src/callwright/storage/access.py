"""Credentials in the database: who a token or a login belongs to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_network
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.clock import utc_now
from callwright.directory.directions import Destination
from callwright.directory.model import (
    Account,
    AccountId,
    Component,
    Token,
    TokenKind,
    User,
    UserId,
)
from callwright.storage.database import writing
from callwright.storage.synchronous_reads import PreparedStatement, ReadRow, RowsAtHand
from callwright.storage.tables import Origin, accounts, tokens, users

_OWNER = (
    users.c.id.label("user_id"),
    users.c.login,
    users.c.password_hash,
    users.c.networks,
    users.c.disabled_components,
    users.c.active.label("user_active"),
    accounts.c.id.label("account_id"),
    accounts.c.name.label("account_name"),
    accounts.c.active.label("account_active"),
    accounts.c.directions,
    accounts.c.allowed_numbers,
    accounts.c.timezone,
)

_BY_TOKEN = PreparedStatement(
    select(
        tokens.c.id.label("token_id"),
        tokens.c.kind,
        tokens.c.expires_at,
        tokens.c.blocked,
        tokens.c.hint,
        *_OWNER,
    )
    .join_from(tokens, users)
    .join(accounts)
    .where(tokens.c.sha256 == bindparam("sha256"))
)

_BY_LOGIN = PreparedStatement(
    select(*_OWNER).join_from(users, accounts).where(users.c.login == bindparam("login"))
)


@dataclass(frozen=True, slots=True)
class StoredAccess:
    """Answers `callwright.directory.lookup.Access` from the database, anew each time."""

    database: AsyncEngine
    now: Callable[[], datetime] = utc_now
    rows: RowsAtHand | None = None
    "By what is read; without it, by a thread."

    async def token(self, token_hash: str) -> tuple[Token, User, Account] | None:
        rows = await self._read(_BY_TOKEN, sha256=token_hash)
        if not rows:
            return None
        row = rows[0]
        token = Token(
            id=row.token_id,
            user=UserId(row.user_id),
            kind=TokenKind(row.kind),
            expires_at=row.expires_at,
            blocked=row.blocked,
            hint=row.hint,
        )
        return token, *_owner(row)

    async def user_by_login(self, login: str) -> tuple[User, Account] | None:
        rows = await self._read(_BY_LOGIN, login=login)
        return _owner(rows[0]) if rows else None

    async def _read(self, question: PreparedStatement, **values: str) -> Sequence[ReadRow]:
        return await (self.rows or RowsAtHand(self.database)).read(question, values)

    async def add_session_token(
        self, user: UserId, token_hash: str, hint: str, expires_at: datetime
    ) -> None:
        """Keep a token of ``login.user``; the expired ones of its user go at the same time."""
        now = self.now()
        async with writing(self.database) as connection:
            await connection.execute(
                delete(tokens).where(
                    tokens.c.user_id == user,
                    tokens.c.kind == TokenKind.SESSION.value,
                    tokens.c.expires_at < now,
                )
            )
            await connection.execute(
                insert(tokens).values(
                    user_id=user,
                    kind=TokenKind.SESSION.value,
                    sha256=token_hash,
                    hint=hint,
                    expires_at=expires_at,
                    blocked=False,
                    origin=Origin.LOGIN.value,
                    created_at=now,
                )
            )

    async def remove_token(self, token_hash: str) -> None:
        async with writing(self.database) as connection:
            await connection.execute(delete(tokens).where(tokens.c.sha256 == token_hash))


# The same few rows are read with every request.
_network = lru_cache(maxsize=1024)(ip_network)


def _owner(row: ReadRow) -> tuple[User, Account]:
    account = AccountId(row.account_id)
    user = User(
        id=UserId(row.user_id),
        account=account,
        login=row.login,
        password_hash=row.password_hash,
        networks=tuple(_network(network) for network in row.networks),
        disabled_components=frozenset(Component(name) for name in row.disabled_components),
        active=row.user_active,
    )
    return user, Account(
        id=account,
        name=row.account_name,
        active=row.account_active,
        directions=frozenset(Destination(name) for name in row.directions),
        allowed_numbers=tuple(row.allowed_numbers),
        timezone=ZoneInfo(row.timezone),
    )
