"""Sections of the directory: how the entries of the file are told as rows, and rows are read."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callwright.directory.entries import DirectoryContent
from callwright.directory.media import StoredMedia
from callwright.directory.scenario import BRANCHES, START
from callwright.provisioning.diff import Row
from callwright.storage.tables import (
    Origin,
    blacklist,
    employee_groups,
    employee_phones,
    employees,
    media_files,
    scenarios,
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


@dataclass(frozen=True, slots=True)
class DirectorySection:
    """One kind of thing an account owns: its table, and what of it the directory file says."""

    title: str
    table: Table
    key: str
    "Column that tells the things of an account apart."
    columns: tuple[str, ...]
    secret: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    "Columns that stay as they are where the file says nothing of them."
    called: str | None = None
    "Column that names a thing to people, where the key is not fit for that."


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
        "caller_id_header",
        "active",
        "register",
        "expires",
        "options_ping",
        "srtp",
    ),
    secret=("password",),
)
USERS = DirectorySection(
    "user",
    users,
    "login",
    ("password_hash", "networks", "disabled_components", "active", "origin"),
    secret=("password_hash",),
    kept=("password_hash",),
)
TOKENS = DirectorySection(
    "token",
    tokens,
    "sha256",
    ("user", "hint", "expires_at", "origin"),
    called="hint",
)
EMPLOYEES = DirectorySection(
    "employee", employees, "id", ("full_name", "active", "coach", "call_recording", "origin")
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
        "origin",
    ),
    secret=("password",),
)
VIRTUAL_NUMBERS = DirectorySection(
    "virtual number",
    virtual_numbers,
    "number",
    ("trunk", "scenario", "scenario_origin", "name", "comment"),
)
GROUPS = DirectorySection("group", employee_groups, "name", ("employees", "origin"))
SCENARIOS = DirectorySection("scenario", scenarios, "id", ("name", "branches", "origin"))
MEDIA_FILES = DirectorySection(
    "media file",
    media_files,
    "id",
    ("name", "duration", "size", "sha256", "file_name", "origin"),
)
BLACKLIST = DirectorySection("blacklisted number", blacklist, "number", ("comment", "origin"))
TAGS = DirectorySection("tag", tags, "id", ("name", "origin"))
TALK_OPTIONS = DirectorySection(
    "talk option", talk_options, "button", ("position", "mnemonic", "name", "value")
)

WEBHOOKS = DirectorySection(
    "webhook",
    webhooks,
    "name",
    ("url", "method", "event_types", "template", "active", "secret", "origin"),
    secret=("secret",),
    kept=("secret",),
)

# What refers to something stands after it: rows are put in this order and removed in the other.
SECTIONS = (
    TRUNKS,
    USERS,
    TOKENS,
    EMPLOYEES,
    PHONES,
    GROUPS,
    SCENARIOS,
    VIRTUAL_NUMBERS,
    MEDIA_FILES,
    BLACKLIST,
    TAGS,
    TALK_OPTIONS,
    WEBHOOKS,
)


def wanted_rows(content: DirectoryContent, media: Mapping[int, StoredMedia]) -> dict[str, Rows]:
    """Return what the file says, as rows by their key, for each section's title."""
    return {
        TRUNKS.title: {
            trunk.name: {
                "position": position,
                "host": trunk.host,
                "port": trunk.port or 0,
                "transport": trunk.transport,
                "tls_verify": trunk.tls_verify,
                "tls_ca": trunk.tls_ca,
                "user": trunk.user,
                "password": trunk.password,
                "caller_id_header": trunk.caller_id_header,
                "active": trunk.active,
                "register": trunk.registers,
                "expires": trunk.expires,
                "options_ping": trunk.options_ping,
                "srtp": trunk.srtp,
            }
            for position, trunk in enumerate(content.trunks)
        },
        USERS.title: {
            user.login: {
                "password_hash": user.password_hash,
                "networks": list(user.networks),
                "disabled_components": [part.value for part in user.disabled_components],
                "active": user.active,
                "origin": Origin.FILE.value,
            }
            for user in content.users
        },
        TOKENS.title: {
            token.sha256: {
                "user": token.user,
                "hint": token.hint,
                "expires_at": token.expires,
                "origin": Origin.FILE.value,
            }
            for token in content.tokens
        },
        EMPLOYEES.title: {
            employee.id: {
                "full_name": employee.full_name,
                "active": employee.active,
                "coach": employee.coach,
                "call_recording": employee.call_recording.value,
                "origin": Origin.FILE.value,
            }
            for employee in content.employees
        },
        PHONES.title: {
            phone.number: {
                "employee_id": employee.id,
                "kind": phone.kind.value,
                "contact": phone.contact,
                "password": phone.password,
                "priority": priority,
                "dial_time": phone.dial_time,
                "active": phone.active,
                "srtp": phone.srtp,
                "origin": Origin.FILE.value,
            }
            for employee in content.employees
            for priority, phone in enumerate(employee.phones)
        },
        VIRTUAL_NUMBERS.title: {
            number.number: {
                "trunk": number.trunk,
                "scenario": number.scenario,
                "scenario_origin": Origin.FILE.value,
                "name": number.name,
                "comment": number.comment,
            }
            for number in content.virtual_numbers
        },
        GROUPS.title: {
            group.name: {"employees": group.employees, "origin": Origin.FILE.value}
            for group in content.groups
        },
        SCENARIOS.title: {
            scenario.id: {
                "name": scenario.name,
                "branches": BRANCHES.dump_python(
                    {START: scenario.operations, **scenario.branches}, mode="json"
                ),
                "origin": Origin.FILE.value,
            }
            for scenario in content.scenarios
        },
        MEDIA_FILES.title: {
            file.id: {
                "name": file.name,
                "duration": media[file.id].duration,
                "size": media[file.id].size,
                "sha256": media[file.id].sha256,
                "file_name": media[file.id].file_name,
                "origin": Origin.FILE.value,
            }
            for file in content.media_files
        },
        BLACKLIST.title: {
            entry.number: {"comment": entry.comment, "origin": Origin.FILE.value}
            for entry in content.blacklist
        },
        TAGS.title: {
            tag.id: {"name": tag.name, "origin": Origin.FILE.value} for tag in content.tags
        },
        TALK_OPTIONS.title: {
            option.button: {
                "position": position,
                "mnemonic": option.mnemonic.value,
                "name": option.name,
                "value": option.value,
            }
            for position, option in enumerate(content.talk_options)
        },
        WEBHOOKS.title: {
            webhook.name: {
                "url": webhook.url,
                "method": webhook.method.value,
                # In one order, so that another one in the file is no change.
                "event_types": sorted(set(webhook.event_types)),
                "template": webhook.template,
                "active": webhook.active,
                "secret": webhook.secret,
                "origin": Origin.FILE.value,
            }
            for webhook in content.webhooks
        },
    }


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
        query = query.add_columns(*(table.c[name] for name in section.columns)).where(
            table.c.account_id == account
        )
    rows: dict[Key, Row] = {}
    ids: dict[Key, int] = {}
    for row in (await connection.execute(query.order_by(table.c.id))).mappings():
        rows[row["key"]] = {name: row[name] for name in section.columns}
        ids[row["key"]] = row["id"]
    return rows, ids
