"""Administration: what commands change in the directory by hand, beside the directory file.

What is made here bears `Origin.COMMAND`, so that applying a directory file leaves it alone.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from callwright.directory.entries import LOOPBACK
from callwright.directory.media import StoredMedia
from callwright.directory.model import DIALING_MUSIC, AccountId, MediaFileId, TokenKind, UserId
from callwright.directory.scenario import BRANCHES, Scenario, ScenarioId
from callwright.directory.tokens import hash_of_token, hint_of_token, new_token
from callwright.storage.database import writing
from callwright.storage.ids import BLOCK_BITS
from callwright.storage.revision import touch
from callwright.storage.tables import (
    Origin,
    accounts,
    media_files,
    scenarios,
    tokens,
    trunks,
    users,
    virtual_numbers,
)


class AdministrationFault(Exception):
    """What was asked for cannot be done. The message says why."""


@dataclass(frozen=True, slots=True)
class NewToken:
    text: str
    "The token itself: to be shown once, and stored nowhere."
    id: int
    login: str


@dataclass(frozen=True, slots=True)
class ListedToken:
    id: int
    login: str
    hint: str
    origin: Origin
    created_at: datetime
    expires_at: datetime | None
    blocked: bool


@dataclass(frozen=True, slots=True)
class ListedMedia:
    id: int
    name: str
    system: bool
    duration: float
    "Seconds."
    size: int
    "Bytes."


@dataclass(frozen=True, slots=True)
class ListedTrunk:
    name: str
    host: str
    port: int
    "0: found by SRV records."
    transport: str
    user: str | None
    active: bool


async def initialise(
    database: AsyncEngine, *, account: str, login: str, music: StoredMedia
) -> NewToken:
    """Make the first account, its user with a token, and the system's music; return the token.

    Raises `AdministrationFault` if there is an account already.
    """
    async with writing(database) as connection:
        if (await connection.execute(select(accounts.c.id))).first():
            raise AdministrationFault("the database has an account already")
        await connection.execute(insert(accounts).values(id=1, name=account, active=True))
        await connection.execute(
            insert(media_files).values(
                id=1, account_id=None, name=DIALING_MUSIC, **_columns_of(music)
            )
        )
        user = await _add_user(connection, AccountId(1), login, LOOPBACK)
        token = await _add_token(connection, user, login, None)
        await touch(connection)
    return token


async def add_user(database: AsyncEngine, login: str, networks: list[str]) -> None:
    """Add a user, who has no password yet, to the first account. Raises `AdministrationFault`."""
    async with writing(database) as connection:
        try:
            await _add_user(connection, await _first_account(connection), login, networks)
        except IntegrityError as fault:
            raise AdministrationFault(f"there is a user {login} already") from fault


async def set_password(database: AsyncEngine, login: str, password_hash: str) -> None:
    """Set a user's password (argon2id). Raises `AdministrationFault` if there is no such user."""
    async with writing(database) as connection:
        result = await connection.execute(
            update(users).where(users.c.login == login).values(password_hash=password_hash)
        )
        if not result.rowcount:
            raise AdministrationFault(f"there is no user {login}")


async def create_token(
    database: AsyncEngine, login: str | None, expires_at: datetime | None
) -> NewToken:
    """Make a permanent token for a user; with ``login`` None for the only user there is.

    Raises `AdministrationFault`.
    """
    async with writing(database) as connection:
        found = (await connection.execute(select(users.c.id, users.c.login))).all()
        chosen = [row for row in found if login in (None, row.login)]
        if not chosen:
            raise AdministrationFault(f"there is no user {login}" if login else "there is no user")
        if len(chosen) > 1:
            raise AdministrationFault(
                f"there are several users, say whose: {', '.join(row.login for row in chosen)}"
            )
        return await _add_token(connection, UserId(chosen[0].id), chosen[0].login, expires_at)


async def list_tokens(database: AsyncEngine) -> list[ListedToken]:
    """Return all permanent tokens."""
    query = (
        select(
            tokens.c.id,
            users.c.login,
            tokens.c.hint,
            tokens.c.origin,
            tokens.c.created_at,
            tokens.c.expires_at,
            tokens.c.blocked,
        )
        .join_from(tokens, users)
        .where(tokens.c.kind == TokenKind.PERMANENT.value)
        .order_by(tokens.c.id)
    )
    async with database.connect() as connection:
        return [
            ListedToken(
                row.id,
                row.login,
                row.hint,
                Origin(row.origin),
                row.created_at,
                row.expires_at,
                row.blocked,
            )
            for row in await connection.execute(query)
        ]


async def block_token(database: AsyncEngine, token: int) -> None:
    """Make a token unusable, for good. Raises `AdministrationFault` if there is none."""
    async with writing(database) as connection:
        result = await connection.execute(
            update(tokens).where(tokens.c.id == token).values(blocked=True)
        )
        if not result.rowcount:
            raise AdministrationFault(f"there is no token {token}; see `callwright token list`")


async def add_media(
    database: AsyncEngine, stored: StoredMedia, *, name: str, file: int | None
) -> MediaFileId:
    """Add a media file to the first account, under the id ``file`` or the next one that is free.

    Raises `AdministrationFault` if the id or the name is taken.
    """
    async with writing(database) as connection:
        account = await _first_account(connection)
        taken = await connection.execute(
            select(media_files.c.id).where(
                or_(
                    media_files.c.id == file,
                    (media_files.c.account_id == account) & (media_files.c.name == name),
                )
            )
        )
        if row := taken.first():
            raise AdministrationFault(
                f"there is a media file {file} already"
                if row.id == file
                else f"media file {row.id} has the name {name!r} already"
            )
        if file is None:
            # Higher ones are given by a service that runs.
            by_hand = select(func.max(media_files.c.id)).where(media_files.c.id < 1 << BLOCK_BITS)
            highest = (await connection.execute(by_hand)).scalar()
            file = (highest or 0) + 1
        await connection.execute(
            insert(media_files).values(
                id=file, account_id=account, name=name, **_columns_of(stored)
            )
        )
        await touch(connection)
    return MediaFileId(file)


async def list_media(database: AsyncEngine) -> list[ListedMedia]:
    """Return all media files, those of the system first."""
    query = select(media_files).order_by(media_files.c.account_id.is_not(None), media_files.c.id)
    async with database.connect() as connection:
        return [
            ListedMedia(row.id, row.name, row.account_id is None, row.duration, row.size)
            for row in await connection.execute(query)
        ]


async def list_trunks(database: AsyncEngine) -> list[ListedTrunk]:
    """Return all trunks in the order of the directory file, without their passwords."""
    query = select(
        trunks.c.name,
        trunks.c.host,
        trunks.c.port,
        trunks.c.transport,
        trunks.c.user,
        trunks.c.active,
    ).order_by(trunks.c.account_id, trunks.c.position)
    async with database.connect() as connection:
        return [
            ListedTrunk(row.name, row.host, row.port, row.transport, row.user, row.active)
            for row in await connection.execute(query)
        ]


async def list_scenarios(database: AsyncEngine) -> list[tuple[Scenario, list[str]]]:
    """Return all scenarios, each with the virtual numbers that run it."""
    numbers = select(virtual_numbers.c.number, virtual_numbers.c.scenario).order_by(
        virtual_numbers.c.number
    )
    async with database.connect() as connection:
        runs = (await connection.execute(numbers)).all()
        return [
            (
                Scenario(ScenarioId(row.id), row.name, BRANCHES.validate_python(row.branches)),
                [run.number for run in runs if run.scenario == row.id],
            )
            for row in await connection.execute(select(scenarios).order_by(scenarios.c.id))
        ]


async def _first_account(connection: AsyncConnection) -> AccountId:
    first = (await connection.execute(select(func.min(accounts.c.id)))).scalar()
    if first is None:
        raise AdministrationFault("there is no account yet: apply a directory file")
    return AccountId(first)


async def _add_user(
    connection: AsyncConnection, account: AccountId, login: str, networks: list[str]
) -> UserId:
    row = insert(users).values(
        account_id=account,
        login=login,
        networks=networks,
        disabled_components=[],
        active=True,
        origin=Origin.COMMAND.value,
    )
    return UserId((await connection.execute(row.returning(users.c.id))).scalar_one())


async def _add_token(
    connection: AsyncConnection, user: UserId, login: str, expires_at: datetime | None
) -> NewToken:
    text = new_token()
    row = insert(tokens).values(
        user_id=user,
        kind=TokenKind.PERMANENT.value,
        sha256=hash_of_token(text),
        hint=hint_of_token(text),
        expires_at=expires_at,
        blocked=False,
        origin=Origin.COMMAND.value,
        created_at=datetime.now(UTC),
    )
    number = (await connection.execute(row.returning(tokens.c.id))).scalar_one()
    return NewToken(text, number, login)


def _columns_of(stored: StoredMedia) -> dict[str, str | int | float]:
    return {
        "sha256": stored.sha256,
        "file_name": stored.file_name,
        "duration": stored.duration,
        "size": stored.size,
        "origin": Origin.COMMAND.value,
    }
