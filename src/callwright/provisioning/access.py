"""Access: users and their tokens, changed by commands, beside the directory file.

What is made here bears `Origin.COMMAND`, so that applying a directory file leaves it alone. All of
it works in a transaction that has been begun.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from callwright.directory.tokens import hash_of_token, hint_of_token, new_token
from callwright.storage.database import begin_at_once
from callwright.storage.tables import Origin, accounts, tokens, users

PERMANENT = "permanent"
"Kind of the tokens that are not given by login.user: `callwright.directory.model.TokenKind`."


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
class ListedUser:
    login: str
    origin: Origin
    networks: list[str]
    has_password: bool
    tokens: int
    "Permanent ones that are not blocked."
    active: bool


def add_user(connection: Connection, login: str, networks: list[str]) -> None:
    """Add a user, who has no password yet, to the first account. Raises `AdministrationFault`."""
    begin_at_once(connection)
    try:
        put_user(connection, first_account(connection), login, networks)
    except IntegrityError as fault:
        raise AdministrationFault(f"there is a user {login} already") from fault


def set_password(connection: Connection, login: str, password_hash: str) -> None:
    """Set a user's password (argon2id). Raises `AdministrationFault` if there is no such user."""
    begin_at_once(connection)
    result = connection.execute(
        update(users).where(users.c.login == login).values(password_hash=password_hash)
    )
    if not result.rowcount:
        raise AdministrationFault(f"there is no user {login}")


def create_token(
    connection: Connection, login: str | None, expires_at: datetime | None
) -> NewToken:
    """Make a permanent token for a user; with ``login`` None for the only user there is.

    Raises `AdministrationFault`.
    """
    begin_at_once(connection)
    found = connection.execute(select(users.c.id, users.c.login)).all()
    chosen = [row for row in found if login in (None, row.login)]
    if not chosen:
        raise AdministrationFault(f"there is no user {login}" if login else "there is no user")
    if len(chosen) > 1:
        raise AdministrationFault(
            f"there are several users, say whose: {', '.join(row.login for row in chosen)}"
        )
    return put_token(connection, chosen[0].id, chosen[0].login, expires_at)


def list_tokens(connection: Connection) -> list[ListedToken]:
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
        .where(tokens.c.kind == PERMANENT)
        .order_by(tokens.c.id)
    )
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
        for row in connection.execute(query)
    ]


def block_token(connection: Connection, token: int) -> None:
    """Make a token unusable, for good. Raises `AdministrationFault` if there is none."""
    begin_at_once(connection)
    result = connection.execute(update(tokens).where(tokens.c.id == token).values(blocked=True))
    if not result.rowcount:
        raise AdministrationFault(f"there is no token {token}; see `callwright token list`")


def list_users(connection: Connection) -> list[ListedUser]:
    """Return all users, in the order they were made."""
    usable = (
        select(func.count())
        .where(
            tokens.c.user_id == users.c.id,
            tokens.c.kind == PERMANENT,
            tokens.c.blocked.is_(False),
        )
        .scalar_subquery()
    )
    return [
        ListedUser(
            row.login,
            Origin(row.origin),
            row.networks,
            row.password_hash is not None,
            row.usable,
            row.active,
        )
        for row in connection.execute(select(users, usable.label("usable")).order_by(users.c.id))
    ]


def remove_user(connection: Connection, login: str) -> int:
    """Remove a user with all its tokens; return how many permanent ones those were.

    Raises `AdministrationFault` if there is none, or the directory file says it.
    """
    begin_at_once(connection)
    found = connection.execute(
        select(users.c.id, users.c.origin).where(users.c.login == login)
    ).first()
    if found is None:
        raise AdministrationFault(f"there is no user {login}; see `callwright user list`")
    if found.origin == Origin.FILE.value:
        raise AdministrationFault(
            f"user {login} stands in the directory file: take it out there and apply it"
        )
    owned = tokens.c.user_id == found.id
    permanent = select(func.count()).where(owned, tokens.c.kind == PERMANENT)
    count = connection.execute(permanent).scalar_one()
    connection.execute(delete(tokens).where(owned))
    connection.execute(delete(users).where(users.c.id == found.id))
    return int(count)


def first_account(connection: Connection) -> int:
    """Return the account that commands mean. Raises `AdministrationFault` if there is none."""
    first = connection.execute(select(func.min(accounts.c.id))).scalar()
    if first is None:
        raise AdministrationFault("there is no account yet: apply a directory file")
    return int(first)


def put_user(connection: Connection, account: int, login: str, networks: list[str]) -> int:
    """Put in a user, who has no password yet; return its id."""
    row = insert(users).values(
        account_id=account,
        login=login,
        networks=networks,
        disabled_components=[],
        active=True,
        origin=Origin.COMMAND.value,
    )
    return int((connection.execute(row.returning(users.c.id))).scalar_one())


def put_token(
    connection: Connection, user: int, login: str, expires_at: datetime | None
) -> NewToken:
    """Put in a new permanent token of a user's."""
    text = new_token()
    row = insert(tokens).values(
        user_id=user,
        kind=PERMANENT,
        sha256=hash_of_token(text),
        hint=hint_of_token(text),
        expires_at=expires_at,
        blocked=False,
        origin=Origin.COMMAND.value,
        created_at=datetime.now(UTC),
    )
    number = (connection.execute(row.returning(tokens.c.id))).scalar_one()
    return NewToken(text, number, login)
