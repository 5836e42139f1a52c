"""Apply: how the database is made to say what the directory file says."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from callwright.directory.directions import Destination
from callwright.directory.employee_status import EmployeeStatus
from callwright.directory.media import StoredMedia
from callwright.directory.model import TokenKind
from callwright.directory.scenario_checks import named_media
from callwright.directory.webhook import GRACE, new_secret
from callwright.provisioning.diff import Change, ChangeKind, Row, compare
from callwright.provisioning.file import DirectoryFaults, DirectoryFile, FileFault
from callwright.provisioning.list_tables import put_lists
from callwright.provisioning.ownership import (
    changed_by_api,
    left_to_api,
    names_taken,
    needed_by_api,
)
from callwright.provisioning.sections import (
    CONTACT_GROUPS,
    CONTACT_ORGANIZATIONS,
    EMPLOYEES,
    MEDIA_FILES,
    PHONES,
    SCENARIOS,
    SCHEDULES,
    SECTIONS,
    TAGS,
    TOKENS,
    USERS,
    VIRTUAL_NUMBERS,
    WEBHOOKS,
    DirectorySection,
    Key,
    Rows,
    stored_rows,
    wanted_rows,
)
from callwright.storage.database import writing
from callwright.storage.employee_statuses import record_changes, shown_statuses
from callwright.storage.revision import touch
from callwright.storage.tables import (
    Origin,
    accounts,
    employee_phones,
    employees,
    media_files,
    tokens,
    users,
    webhooks,
)

NAMED_ONCE = (MEDIA_FILES, SCENARIOS, TAGS, SCHEDULES, CONTACT_GROUPS, CONTACT_ORGANIZATIONS)
"What has an id, and a name that nothing else of its kind has."


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to become of one section."""

    section: DirectorySection
    ids: Mapping[Key, int]
    "Of the rows that are there."
    after: Rows
    changes: Mapping[Key, Change]

    def keys(self, *kinds: ChangeKind) -> list[Key]:
        return [key for key, change in self.changes.items() if change.kind in kinds]


async def apply_directory(
    database: AsyncEngine,
    file: DirectoryFile,
    media: Mapping[int, StoredMedia],
    *,
    dry_run: bool = False,
) -> list[Change]:
    """Make the account's directory what the file says, in one transaction; return what changed.

    What the file does not name is removed, except what commands and the data API have made; see
    `callwright.provisioning.ownership` for what the API has changed. Users keep a password the file
    says nothing of; a blocked token stays blocked. ``media``: the stored audio of each of the
    file's media files, by id. With ``dry_run`` all is done and taken back. Raises `DirectoryFaults`
    where the file contradicts the database.
    """
    async with writing(database) as connection:
        changes = await _apply(connection, file, media)
        if changes:
            await touch(connection)
        if dry_run:
            await connection.rollback()
    return changes


async def _apply(
    connection: AsyncConnection, file: DirectoryFile, media: Mapping[int, StoredMedia]
) -> list[Change]:
    account = file.content.account.id
    wanted = wanted_rows(file.content, media)
    faults = await _taken_by_others(connection, file)
    logins: Collection[Key] = ()
    plans: list[Plan] = []
    for section in SECTIONS:
        before, ids = await stored_rows(connection, section, account)
        faults += changed_by_api(file, section, before, wanted[section.title])
        after = _merged(section, before, wanted[section.title], logins)
        if section is USERS:
            logins = after.keys()
        if section in NAMED_ONCE:
            faults += names_taken(file, section, after)
        if section is MEDIA_FILES:
            faults += _unknown_media(file, after.keys() | await _system_media(connection))
        changes = compare(
            section.title, before, after, secret=section.secret, called=section.called
        )
        plans.append(Plan(section, ids, after, changes))
    faults += _unknown_users(file, logins)
    faults += needed_by_api(
        file,
        {plan.section.title: plan.after for plan in plans},
        {plan.section.title: plan.keys(ChangeKind.REMOVED) for plan in plans},
    )
    if faults:
        raise DirectoryFaults(faults)

    changed = await _put_account(connection, file)
    people = employees.c.account_id == account
    statuses = await shown_statuses(connection, people)
    for plan in plans:
        await _put(connection, plan, account)
    await record_changes(connection, account, people, statuses, datetime.now(UTC))
    for plan in reversed(plans):
        await _delete(connection, plan, ChangeKind.REMOVED)
    return [*changed, *(change for plan in plans for change in plan.changes.values())]


def _merged(section: DirectorySection, before: Rows, wanted: Rows, logins: Collection[Key]) -> Rows:
    """Return the rows of ``wanted`` and those that stay although the file does not name them."""
    after: dict[Key, Row] = {}
    for key, row in wanted.items():
        if key in before:
            row = {**row, **{name: before[key][name] for name in section.kept if row[name] is None}}
        elif section is WEBHOOKS and row["secret"] is None:
            row = {**row, "secret": new_secret()}
        elif section is EMPLOYEES and row["status"] is None:
            row = {**row, "status": EmployeeStatus.AVAILABLE.value}
        after[key] = row
        if section is VIRTUAL_NUMBERS:
            after[key] = {**row, **left_to_api(row, before.get(key))}
    for key, row in before.items():
        stays = row.get("origin", Origin.FILE) != Origin.FILE
        # A token does not outlive its user.
        if key not in wanted and stays and (section is not TOKENS or row["user"] in logins):
            after[key] = row
            if section is PHONES:
                # The file says of its number no longer that it may be called.
                after[key] = {**row, "number_origin": Origin.API.value}
    return after


async def _put_account(connection: AsyncConnection, file: DirectoryFile) -> list[Change]:
    entry = file.content.account
    after: Row = {
        "name": entry.name,
        "active": entry.active,
        # In one order, so that another one in the file is no change.
        "directions": [kind.value for kind in Destination if kind in entry.directions],
        "allowed_numbers": entry.allowed_numbers,
        "timezone": entry.timezone,
    }
    query = select(*(accounts.c[column] for column in after)).where(accounts.c.id == entry.id)
    found = (await connection.execute(query)).mappings().one_or_none()
    before: Rows = {} if found is None else {entry.id: dict(found)}
    changes = compare("account", before, {entry.id: after})
    if found is None:
        await connection.execute(insert(accounts).values(id=entry.id, **after))
    elif changes:
        await connection.execute(update(accounts).where(accounts.c.id == entry.id).values(**after))
    return list(changes.values())


async def _put(connection: AsyncConnection, plan: Plan, account: int) -> None:
    section = plan.section
    added, changed = plan.keys(ChangeKind.ADDED), plan.keys(ChangeKind.CHANGED)
    if section is MEDIA_FILES:
        # Two files may have swapped their names, which are unique at every moment.
        await _delete(connection, plan, ChangeKind.CHANGED, ChangeKind.REMOVED)
        added, changed = added + changed, []
    owner: dict[str, object] = {"account_id": account}
    values = {
        key: {name: value for name, value in plan.after[key].items() if name not in section.beside}
        for key in added + changed
    }
    if section is TOKENS:
        found = select(users.c.login, users.c.id).where(users.c.account_id == account)
        ids = {row.login: row.id for row in await connection.execute(found)}
        for row in values.values():
            row["user_id"] = ids[row.pop("user")]
        owner = {
            "kind": TokenKind.PERMANENT.value,
            "blocked": False,
            "created_at": datetime.now(UTC),
        }
    if added:
        await connection.execute(
            insert(section.table),
            [{section.key: key, **values[key], **owner} for key in added],
        )
    if section is WEBHOOKS:
        await _keep_old_secrets(connection, plan, changed)
    if changed:
        statement = (
            update(section.table)
            .where(section.table.c.id == bindparam("row_id"))
            .values({name: bindparam(name) for name in values[changed[0]]})
        )
        await connection.execute(
            statement, [{"row_id": plan.ids[key], **values[key]} for key in changed]
        )
    for name, beside in section.beside.items():
        # Things that have lists are told apart by their ids.
        lists = {key: plan.after[key][name] for key in added + changed}
        await put_lists(connection, beside, lists, account)


async def _keep_old_secrets(connection: AsyncConnection, plan: Plan, keys: list[Key]) -> None:
    """Let secrets of webhooks that are about to be replaced go on signing for a time."""
    replaced = [
        plan.ids[key]
        for key in keys
        if any(field.name == "secret" for field in plan.changes[key].fields)
    ]
    await connection.execute(
        update(webhooks)
        .where(webhooks.c.id.in_(replaced))
        .values(previous_secret=webhooks.c.secret, previous_until=datetime.now(UTC) + GRACE)
    )


async def _delete(connection: AsyncConnection, plan: Plan, *kinds: ChangeKind) -> None:
    table = plan.section.table
    if ids := [{"row_id": plan.ids[key]} for key in plan.keys(*kinds)]:
        await connection.execute(delete(table).where(table.c.id == bindparam("row_id")), ids)


async def _taken_by_others(connection: AsyncConnection, file: DirectoryFile) -> list[FileFault]:
    """Find what is unique over all accounts, and is another's already."""
    content = file.content
    entries: dict[str, tuple[str, list[Key]]] = {
        "user": ("users", [user.login for user in content.users]),
        "token": ("tokens", [token.sha256 for token in content.tokens]),
        "trunk": ("trunks", [trunk.name for trunk in content.trunks]),
        "employee": ("employees", [employee.id for employee in content.employees]),
        "scenario": ("scenarios", [scenario.id for scenario in content.scenarios]),
        "virtual number": ("virtual_numbers", [one.number for one in content.virtual_numbers]),
        "media file": ("media_files", [media.id for media in content.media_files]),
        "schedule": ("schedules", [schedule.id for schedule in content.schedules]),
        "contact": ("contacts", [contact.id for contact in content.contacts]),
        "contact group": ("contact_groups", [group.id for group in content.contact_groups]),
        "contact organization": (
            "contact_organizations",
            [one.id for one in content.contact_organizations],
        ),
    }
    faults = []
    for section in SECTIONS:
        if section.title not in entries:
            continue
        table = section.table
        query = select(table.c[section.key])
        if section is TOKENS:
            owner, query = users.c.account_id, query.join_from(tokens, users)
        else:
            owner = table.c.account_id
        # System media files have no account, and are another's for everybody.
        others = set(
            await connection.scalars(query.where(owner.is_distinct_from(content.account.id)))
        )
        array, keys = entries[section.title]
        for place, key in enumerate(keys):
            if key in others:
                reason = "it belongs to another account or to the system"
                faults.append(file.fault((array, place, section.key), reason))
    return [*faults, *await _registered_by_others(connection, file)]


async def _registered_by_others(
    connection: AsyncConnection, file: DirectoryFile
) -> list[FileFault]:
    """Find phones that register under a number under which another account's does."""
    others = set(
        await connection.scalars(
            select(employee_phones.c.number).where(
                employee_phones.c.password.is_not(None),
                employee_phones.c.account_id != file.content.account.id,
            )
        )
    )
    reason = "a phone of another account registers under this number"
    return [
        file.fault(("employees", place, "phones", index, "number"), reason)
        for place, employee in enumerate(file.content.employees)
        for index, phone in enumerate(employee.phones)
        if phone.password is not None and phone.number in others
    ]


def _unknown_users(file: DirectoryFile, logins: Collection[Key]) -> Iterator[FileFault]:
    for place, token in enumerate(file.content.tokens):
        if token.user not in logins:
            yield file.fault(("tokens", place, "user"), f"there is no user {token.user!r}")


async def _system_media(connection: AsyncConnection) -> set[Key]:
    query = select(media_files.c.id).where(media_files.c.account_id.is_(None))
    return set(await connection.scalars(query))


def _unknown_media(file: DirectoryFile, known: Collection[Key]) -> Iterator[FileFault]:
    """Find media files that scenarios play, and that neither the file nor a command has made."""
    for place, media in named_media(file.content):
        if media not in known:
            yield file.fault(place, f"there is no media file {media}")
