"""Sections of the directory: how the entries of the file are told as rows, and rows are read."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callwright.directory.entries import DirectoryContent
from callwright.directory.media import StoredMedia
from callwright.directory.scenario import BRANCHES, START
from callwright.directory.schedule import PERIODS
from callwright.provisioning.diff import Row
from callwright.provisioning.list_tables import ListTable, stored_lists
from callwright.storage.tables import (
    Origin,
    blacklist,
    contact_groups,
    contact_memberships,
    contact_numbers,
    contact_organizations,
    contacts,
    employee_groups,
    employee_phones,
    employees,
    media_files,
    scenarios,
    schedules,
    tags,
    talk_options,
    tokens,
    trunks,
    users,
    virtual_numbers,
    webhooks,
)

Key = str | int
Rows = Mapping[Key, Row]
Audio = Mapping[int, StoredMedia]
"The stored audio of the file's media files, by their ids."
Entries = Callable[[DirectoryContent, Audio], Iterable[tuple[BaseModel, Row]]]
"""Entries of the file, each with those columns of its row that do not simply bear the name and the
value of one of its fields."""

_ORIGINS = frozenset({"origin", "number_origin", "scenario_origin", "active_origin"})


@dataclass(frozen=True, slots=True)
class DirectorySection:
    """One kind of thing an account owns: its table, and what of it the directory file says."""

    title: str
    table: Table
    key: str
    "Column that tells the things of an account apart."
    columns: tuple[str, ...]
    entries: Entries
    secret: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    "Columns that stay as they are where the file says nothing of them."
    called: str | None = None
    "Column that names a thing to people, where the key is not fit for that."
    beside: Mapping[str, ListTable] = field(default_factory=dict)
    "Those of the columns that are lists kept elsewhere."

    def wanted(self, content: DirectoryContent, audio: Audio) -> Rows:
        """What the file says, as rows by their key."""
        return {
            getattr(entry, self.key): {
                column: own[column] if column in own else _stored(entry, column)
                for column in self.columns
            }
            for entry, own in self.entries(content, audio)
        }


def _stored(entry: BaseModel, column: str) -> Any:
    """The value of a column that is told by the field of its name, or by standing in the file."""
    if column in _ORIGINS:
        return Origin.FILE.value
    match getattr(entry, column):
        case Enum() as word:
            return word.value
        case value:
            return value


def _trunks(content: DirectoryContent, _: Audio) -> Iterator[tuple[BaseModel, Row]]:
    for position, trunk in enumerate(content.trunks):
        own = {"position": position, "port": trunk.port or 0, "register": trunk.registers}
        yield trunk, own


def _users(content: DirectoryContent, _: Audio) -> Iterator[tuple[BaseModel, Row]]:
    for user in content.users:
        parts = [part.value for part in user.disabled_components]
        yield user, {"networks": list(user.networks), "disabled_components": parts}


def _phones(content: DirectoryContent, _: Audio) -> Iterator[tuple[BaseModel, Row]]:
    for employee in content.employees:
        for priority, phone in enumerate(employee.phones):
            # What the file switches off it trusts nobody to call, whoever may switch it on.
            trusted = employee.active and phone.active
            own: Row = {
                "employee_id": employee.id,
                "priority": priority,
                "number_origin": (Origin.FILE if trusted else Origin.API).value,
            }
            yield phone, own


def _scenarios(content: DirectoryContent, _: Audio) -> Iterator[tuple[BaseModel, Row]]:
    for scenario in content.scenarios:
        branches = {START: scenario.operations, **scenario.branches}
        yield scenario, {"branches": BRANCHES.dump_python(branches, mode="json")}


def _schedules(content: DirectoryContent, _: Audio) -> Iterator[tuple[BaseModel, Row]]:
    for schedule in content.schedules:
        yield schedule, {"periods": PERIODS.dump_python(schedule.periods, mode="json")}


def _media_files(content: DirectoryContent, audio: Audio) -> Iterator[tuple[BaseModel, Row]]:
    for file in content.media_files:
        stored = audio[file.id]
        yield (
            file,
            {
                "duration": stored.duration,
                "size": stored.size,
                "sha256": stored.sha256,
                "file_name": stored.file_name,
            },
        )


def _talk_options(content: DirectoryContent, _: Audio) -> Iterator[tuple[BaseModel, Row]]:
    for position, option in enumerate(content.talk_options):
        yield option, {"position": position}


def _webhooks(content: DirectoryContent, _: Audio) -> Iterator[tuple[BaseModel, Row]]:
    for webhook in content.webhooks:
        # In one order, so that another one in the file is no change.
        yield webhook, {"event_types": sorted(set(webhook.event_types))}


def _contacts(content: DirectoryContent, _: Audio) -> Iterator[tuple[BaseModel, Row]]:
    for contact in content.contacts:
        # What is twice there is there once; groups are in one order, so that another is no change.
        own: Row = {
            "phone_numbers": list(dict.fromkeys(contact.phone_numbers)),
            "groups": sorted(set(contact.groups)),
        }
        yield contact, own


TRUNKS = DirectorySection(
    "trunk",
    trunks,
    "name",
    (
        "position",
        "host",
        "port",
        "transport",
        "tls_verify",
        "tls_ca",
        "user",
        "password",
        "from_user",
        "from_domain",
        "country",
        "national_prefix",
        "caller_id_header",
        "active",
        "register",
        "expires",
        "options_ping",
        "srtp",
        "symmetric_rtp",
    ),
    _trunks,
    secret=("password",),
)
USERS = DirectorySection(
    "user",
    users,
    "login",
    ("password_hash", "networks", "disabled_components", "active", "origin"),
    _users,
    secret=("password_hash",),
    kept=("password_hash",),
)
TOKENS = DirectorySection(
    "token",
    tokens,
    "sha256",
    ("user", "hint", "expires_at", "origin"),
    lambda content, _: [(token, {"expires_at": token.expires}) for token in content.tokens],
    called="hint",
)
EMPLOYEES = DirectorySection(
    "employee",
    employees,
    "id",
    ("full_name", "active", "status", "coach", "schedule", "call_recording", "calls_out", "origin"),
    lambda content, _: [(employee, {}) for employee in content.employees],
    kept=("status",),
)
PHONES = DirectorySection(
    "phone",
    employee_phones,
    "number",
    (
        "employee_id",
        "kind",
        "contact",
        "password",
        "priority",
        "dial_time",
        "active",
        "srtp",
        "channels",
        "origin",
        "number_origin",
    ),
    _phones,
    secret=("password",),
)
VIRTUAL_NUMBERS = DirectorySection(
    "virtual number",
    virtual_numbers,
    "number",
    (
        "trunk",
        "scenario",
        "scenario_origin",
        "active",
        "active_origin",
        "locked",
        "name",
        "comment",
    ),
    lambda content, _: [(number, {}) for number in content.virtual_numbers],
)
GROUPS = DirectorySection(
    "group",
    employee_groups,
    "name",
    ("employees", "number", "queue", "channels", "origin"),
    lambda content, _: [(group, {}) for group in content.groups],
)
SCENARIOS = DirectorySection(
    "scenario", scenarios, "id", ("name", "branches", "origin"), _scenarios
)
SCHEDULES = DirectorySection("schedule", schedules, "id", ("name", "periods", "origin"), _schedules)
MEDIA_FILES = DirectorySection(
    "media file",
    media_files,
    "id",
    ("name", "duration", "size", "sha256", "file_name", "origin"),
    _media_files,
)
BLACKLIST = DirectorySection(
    "blacklisted number",
    blacklist,
    "number",
    ("comment", "origin"),
    lambda content, _: [(number, {}) for number in content.blacklist],
)
TAGS = DirectorySection(
    "tag", tags, "id", ("name", "origin"), lambda content, _: [(tag, {}) for tag in content.tags]
)
TALK_OPTIONS = DirectorySection(
    "talk option",
    talk_options,
    "button",
    ("position", "mnemonic", "name", "value"),
    _talk_options,
)

WEBHOOKS = DirectorySection(
    "webhook",
    webhooks,
    "name",
    ("url", "method", "event_types", "template", "active", "secret", "origin"),
    _webhooks,
    secret=("secret",),
    kept=("secret",),
)

CONTACT_GROUPS = DirectorySection(
    "contact group",
    contact_groups,
    "id",
    ("name", "origin"),
    lambda content, _: [(group, {}) for group in content.contact_groups],
)
CONTACT_ORGANIZATIONS = DirectorySection(
    "contact organization",
    contact_organizations,
    "id",
    ("name", "origin"),
    lambda content, _: [(one, {}) for one in content.contact_organizations],
)
CONTACTS = DirectorySection(
    "contact",
    contacts,
    "id",
    (
        "last_name",
        "first_name",
        "patronymic",
        "full_name",
        "phone_numbers",
        "emails",
        "personal_manager",
        "organization",
        "groups",
        "origin",
    ),
    _contacts,
    beside={
        "phone_numbers": ListTable(
            contact_numbers, "contact_id", "number", "position", account="account_id"
        ),
        "groups": ListTable(contact_memberships, "contact_id", "group_id"),
    },
)

# What refers to something stands after it: rows are put in this order and removed in the other.
SECTIONS = (
    TRUNKS,
    USERS,
    TOKENS,
    EMPLOYEES,
    PHONES,
    GROUPS,
    SCHEDULES,
    SCENARIOS,
    VIRTUAL_NUMBERS,
    MEDIA_FILES,
    BLACKLIST,
    TAGS,
    TALK_OPTIONS,
    WEBHOOKS,
    CONTACT_GROUPS,
    CONTACT_ORGANIZATIONS,
    CONTACTS,
)


def wanted_rows(content: DirectoryContent, audio: Audio) -> dict[str, Rows]:
    """Return what the file says, as rows by their key, for each section's title."""
    return {section.title: section.wanted(content, audio) for section in SECTIONS}


async def stored_rows(
    connection: AsyncConnection, section: DirectorySection, account: int
) -> tuple[Rows, dict[Key, int]]:
    """Return an account's rows by their key, and the id of each. Session tokens are left out."""
    table = section.table
    query = select(table.c.id, table.c[section.key].label("key"))
    if section is TOKENS:
        # Rows name a token's user by login: an id would tell the reader of a diff nothing.
        query = (
            query.add_columns(
                users.c.login.label("user"),
                *(table.c[name] for name in section.columns if name != "user"),
            )
            .join_from(tokens, users)
            .where(users.c.account_id == account, tokens.c.origin != Origin.LOGIN.value)
        )
    else:
        query = query.add_columns(
            *(table.c[name] for name in section.columns if name not in section.beside)
        ).where(table.c.account_id == account)
    lists = {
        name: await stored_lists(connection, section.table, one, account)
        for name, one in section.beside.items()
    }
    rows: dict[Key, Row] = {}
    ids: dict[Key, int] = {}
    for row in (await connection.execute(query.order_by(table.c.id))).mappings():
        rows[row["key"]] = {
            name: lists[name].get(row["id"], []) if name in lists else row[name]
            for name in section.columns
        }
        ids[row["key"]] = row["id"]
    return rows, ids
