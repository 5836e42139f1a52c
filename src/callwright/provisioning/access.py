"""Access: users and their tokens, changed by commands, beside the directory file.

What is made here bears `Origin.COMMAND`, so that applying a directory file leaves it alone. All of
it works in a transaction that has been begun.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from callwright.directory.origin import Origin
from callwright.directory.tokens import hash_of_token, hint_of_token, new_token
from callwright.storage.plain_statements import (
    Asked,
    PlainTransaction,
    read_json,
    read_moment,
)

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


def add_user(ask: PlainTransaction, login: str, networks: list[str]) -> None:
    """Add a user, who has no password yet, to the first account. Raises `AdministrationFault`."""
    ask.begin_at_once()
    if ask("SELECT 1 FROM users WHERE login = :login", login=login):
        raise AdministrationFault(f"there is a user {login} already")
    put_user(ask, first_account(ask), login, networks)


def set_password(ask: PlainTransaction, login: str, password_hash: str) -> None:
    """Set a user's password (argon2id). Raises `AdministrationFault` if there is no such user."""
    ask.begin_at_once()
    statement = "UPDATE users SET password_hash = :hash WHERE login = :login RETURNING id"
    if not ask(statement, hash=password_hash, login=login):
        raise AdministrationFault(f"there is no user {login}")


def create_token(ask: PlainTransaction, login: str | None, expires_at: datetime | None) -> NewToken:
    """Make a permanent token for a user; with ``login`` None for the only user there is.

    Raises `AdministrationFault`.
    """
    ask.begin_at_once()
    found = ask("SELECT id, login FROM users ORDER BY id")
    chosen = [(user, name) for user, name in found if login in (None, name)]
    if not chosen:
        raise AdministrationFault(f"there is no user {login}" if login else "there is no user")
    if len(chosen) > 1:
        raise AdministrationFault(
            f"there are several users, say whose: {', '.join(name for _, name in chosen)}"
        )
    return put_token(ask, *chosen[0], expires_at)


def list_tokens(ask: Asked) -> list[ListedToken]:
    """Return all permanent tokens."""
    return [
        ListedToken(
            number,
            login,
            hint,
            Origin(origin),
            read_moment(created_at),
            read_moment(expires_at) if expires_at else None,
            bool(blocked),
        )
        for number, login, hint, origin, created_at, expires_at, blocked in ask(
            """
            SELECT tokens.id, login, hint, tokens.origin, created_at, expires_at, blocked
            FROM tokens JOIN users ON users.id = user_id WHERE kind = :kind ORDER BY tokens.id
            """,
            kind=PERMANENT,
        )
    ]


def block_token(ask: PlainTransaction, token: int) -> None:
    """Make a token unusable, for good. Raises `AdministrationFault` if there is none."""
    ask.begin_at_once()
    if not ask("UPDATE tokens SET blocked = TRUE WHERE id = :token RETURNING id", token=token):
        raise AdministrationFault(f"there is no token {token}; see `callwright token list`")


def list_users(ask: Asked) -> list[ListedUser]:
    """Return all users, in the order they were made."""
    return [
        ListedUser(login, Origin(origin), read_json(networks), bool(has), usable, bool(active))
        for login, origin, networks, has, usable, active in ask(
            """
            SELECT login, origin, networks, password_hash IS NOT NULL, (
                SELECT count(*) FROM tokens
                WHERE user_id = users.id AND kind = :kind AND NOT blocked
            ), active FROM users ORDER BY id
            """,
            kind=PERMANENT,
        )
    ]


def remove_user(ask: PlainTransaction, login: str) -> int:
    """Remove a user with all its tokens; return how many permanent ones those were.

    Raises `AdministrationFault` if there is none, or the directory file says it.
    """
    ask.begin_at_once()
    found = ask("SELECT id, origin FROM users WHERE login = :login", login=login)
    if not found:
        raise AdministrationFault(f"there is no user {login}; see `callwright user list`")
    [(user, origin)] = found
    if origin == Origin.FILE.value:
        raise AdministrationFault(
            f"user {login} stands in the directory file: take it out there and apply it"
        )
    kinds = ask("DELETE FROM tokens WHERE user_id = :user RETURNING kind", user=user)
    ask("DELETE FROM users WHERE id = :user", user=user)
    return sum(kind == PERMANENT for (kind,) in kinds)


def first_account(ask: Asked) -> int:
    """Return the account that commands mean. Raises `AdministrationFault` if there is none."""
    [(first,)] = ask("SELECT min(id) FROM accounts")
    if first is None:
        raise AdministrationFault("there is no account yet: apply a directory file")
    return int(first)


def put_user(ask: Asked, account: int, login: str, networks: list[str]) -> int:
    """Put in a user, who has no password yet; return its id."""
    [(user,)] = ask(
        """
        INSERT INTO users (account_id, login, networks, disabled_components, active, origin)
        VALUES (:account, :login, :networks, '[]', TRUE, :origin) RETURNING id
        """,
        account=account,
        login=login,
        networks=json.dumps(networks),
        origin=Origin.COMMAND.value,
    )
    return int(user)


def put_token(ask: Asked, user: int, login: str, expires_at: datetime | None) -> NewToken:
    """Put in a new permanent token of a user's."""
    text = new_token()
    [(number,)] = ask(
        """
        INSERT INTO tokens (user_id, kind, sha256, hint, expires_at, blocked, origin, created_at)
        VALUES (:user, :kind, :sha256, :hint, :expires_at, FALSE, :origin, :created_at) RETURNING id
        """,
        user=user,
        kind=PERMANENT,
        sha256=hash_of_token(text),
        hint=hint_of_token(text),
        expires_at=expires_at,
        origin=Origin.COMMAND.value,
        created_at=datetime.now(UTC),
    )
    return NewToken(text, number, login)
