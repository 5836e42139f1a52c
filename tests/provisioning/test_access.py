"""Users, tokens and lists of commands: the same on either database."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from callwright.directory.origin import Origin
from callwright.provisioning.access import (
    AdministrationFault,
    add_user,
    block_token,
    create_token,
    list_tokens,
    list_users,
    remove_user,
    set_password,
)
from callwright.provisioning.lists import (
    list_media_files,
    list_scenarios,
    list_trunks,
    list_webhooks,
)
from callwright.storage.database_faults import DatabaseFault
from callwright.storage.plain_statements import Asked, PlainTransaction, in_transaction

UNTIL = datetime(2030, 1, 1, 12, 0, 0, 250_000, tzinfo=timezone(timedelta(hours=3)))


def test_a_user_and_its_tokens_are_made_listed_blocked_and_removed(database_url: str) -> None:
    in_transaction(database_url, lambda ask: add_user(ask, "crm", ["10.0.0.0/8"]))
    in_transaction(database_url, lambda ask: set_password(ask, "crm", "$argon2id$"))
    made = in_transaction(database_url, lambda ask: create_token(ask, None, UNTIL))
    endless = in_transaction(database_url, lambda ask: create_token(ask, "crm", None))
    in_transaction(database_url, lambda ask: block_token(ask, endless.id))

    first, second = in_transaction(database_url, list_tokens)
    assert (first.id, first.login, first.origin) == (made.id, "crm", Origin.COMMAND)
    assert first.expires_at == UNTIL
    assert first.expires_at.tzinfo is UTC
    assert abs(datetime.now(UTC) - first.created_at) < timedelta(minutes=10)
    assert (first.blocked, second.blocked, second.expires_at) == (False, True, None)
    [user] = in_transaction(database_url, list_users)
    assert (user.networks, user.has_password, user.tokens) == (["10.0.0.0/8"], True, 1)
    assert user.active is True

    assert in_transaction(database_url, lambda ask: remove_user(ask, "crm")) == 2
    assert in_transaction(database_url, list_users) == []


def test_what_is_refused_leaves_nothing(database_url: str) -> None:
    def twice(ask: PlainTransaction) -> None:
        add_user(ask, "crm", [])
        raise AdministrationFault("no")

    with pytest.raises(AdministrationFault):
        in_transaction(database_url, twice)
    assert in_transaction(database_url, list_users) == []


def test_a_trunk_is_listed_with_its_user(database_url: str) -> None:
    """And not with that of the database, which is what ``user`` means to PostgreSQL."""

    def put(ask: PlainTransaction) -> None:
        ask.begin_at_once()
        ask(
            """
            INSERT INTO trunks (
                account_id, name, position, host, port, "user", caller_id_header, active
            ) VALUES (1, 'carrier', 1, 'sip.example', 5060, '7499', 'from', TRUE)
            """
        )

    in_transaction(database_url, put)
    [trunk] = in_transaction(database_url, list_trunks)
    assert (trunk.name, trunk.user, trunk.port, trunk.active) == ("carrier", "7499", 5060, True)


@pytest.mark.parametrize("listed", [list_media_files, list_scenarios, list_webhooks])
def test_what_is_not_there_is_not_listed(
    database_url: str, listed: Callable[[Asked], list[object]]
) -> None:
    assert in_transaction(database_url, listed) == []


@pytest.mark.parametrize("url", ["sqlite+aiosqlite:///:memory:", "postgresql://localhost:nine/x"])
def test_a_url_of_no_use_is_said_to_be(url: str) -> None:
    with pytest.raises(DatabaseFault):
        in_transaction(url, list_users)
