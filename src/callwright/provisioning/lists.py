"""Lists of what an account owns, as commands show them."""

from dataclasses import dataclass

from callwright.provisioning.access import first_account
from callwright.storage.plain_statements import Asked, read_json


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


@dataclass(frozen=True, slots=True)
class ListedScenario:
    id: int
    name: str
    numbers: list[str]
    "Virtual numbers that run it."
    branches: str
    "As `callwright.directory.scenario.BRANCHES` writes them."


@dataclass(frozen=True, slots=True)
class ListedWebhook:
    id: int
    name: str
    method: str
    url: str
    event_types: list[str]
    active: bool
    waiting: int
    "Sessions of which something is still to be told."


def list_media_files(ask: Asked) -> list[ListedMedia]:
    """Return all media files, those of the system first."""
    return [
        ListedMedia(number, name, bool(system), duration, size)
        for number, name, system, duration, size in ask(
            """
            SELECT id, name, account_id IS NULL, duration, size FROM media_files
            ORDER BY account_id IS NOT NULL, id
            """
        )
    ]


def list_trunks(ask: Asked) -> list[ListedTrunk]:
    """Return all trunks in the order of the directory file, without their passwords."""
    return [
        ListedTrunk(name, host, port, transport, user, bool(active))
        for name, host, port, transport, user, active in ask(
            """
            SELECT name, host, port, transport, "user", active FROM trunks
            ORDER BY account_id, position
            """
        )
    ]


def list_scenarios(ask: Asked) -> list[ListedScenario]:
    """Return all scenarios, in the order of their ids."""
    runs = ask("SELECT number, scenario FROM virtual_numbers ORDER BY number")
    return [
        ListedScenario(number, name, [one for one, runs in runs if runs == number], branches)
        for number, name, branches in ask("SELECT id, name, branches FROM scenarios ORDER BY id")
    ]


def list_webhooks(ask: Asked) -> list[ListedWebhook]:
    """Return the webhooks of the account that commands mean, the oldest first.

    Raises `AdministrationFault` if there is none.
    """
    return [
        ListedWebhook(number, name, method, url, read_json(types), bool(active), waiting)
        for number, name, method, url, types, active, waiting in ask(
            """
            SELECT id, name, method, url, event_types, active, (
                SELECT count(*) FROM webhook_outbox WHERE webhook_id = webhooks.id
            ) FROM webhooks WHERE account_id = :account ORDER BY id
            """,
            account=first_account(ask),
        )
    ]
