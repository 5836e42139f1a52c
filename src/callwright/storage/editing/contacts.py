"""Contacts, their groups and organisations, changed by requests."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callwright.directory.contacts import ContactChange, ContactDraft
from callwright.directory.editing import AlreadyThere, NotThere, StillNeeded
from callwright.directory.model import AccountId, EmployeeId
from callwright.storage.editing.changing import Changing, exists, require
from callwright.storage.tables import (
    Origin,
    contact_groups,
    contact_memberships,
    contact_numbers,
    contact_organizations,
    contacts,
    employees,
)

_BY_API = {"origin": Origin.API.value}


@dataclass(frozen=True, slots=True)
class StoredContacts:
    """Answers `callwright.directory.contacts.ContactsEditor`."""

    changing: Changing

    async def add_contact(self, account: AccountId, draft: ContactDraft) -> int:
        async with self.changing.change() as connection:
            await _check_named(connection, account, draft)
            contact = self.changing.next_id()
            await connection.execute(
                insert(contacts).values(id=contact, account_id=account, **_columns(draft))
            )
            await _put_beside(connection, account, contact, draft)
        return contact

    async def change_contact(self, account: AccountId, contact: int, change: ContactChange) -> None:
        async with self.changing.change() as connection:
            await require(connection, contacts, account, contact)
            draft = change(await _read(connection, contact))
            await _check_named(connection, account, draft)
            await connection.execute(
                update(contacts).where(contacts.c.id == contact).values(_columns(draft))
            )
            for table in (contact_numbers, contact_memberships):
                await connection.execute(delete(table).where(table.c.contact_id == contact))
            await _put_beside(connection, account, contact, draft)

    async def remove_contacts(self, account: AccountId, removed: Sequence[int]) -> None:
        async with self.changing.change() as connection:
            for at, contact in enumerate(removed):
                field = "id" if len(removed) == 1 else f"ids.{at}"
                await require(connection, contacts, account, contact, field)
            await connection.execute(delete(contacts).where(contacts.c.id.in_(removed)))


@dataclass(frozen=True, slots=True)
class StoredContactGroups:
    """Answers `callwright.directory.contacts.ContactGroupsEditor`."""

    changing: Changing

    async def add_group(self, account: AccountId, name: str, members: Sequence[int] | None) -> int:
        async with self.changing.change() as connection:
            group = await _add_named(connection, self.changing, contact_groups, account, name)
            await _put_members(connection, account, group, members or ())
        return group

    async def change_group(
        self, account: AccountId, group: int, name: str | None, members: Sequence[int] | None
    ) -> None:
        async with self.changing.change() as connection:
            await _rename(connection, contact_groups, account, group, name)
            if members is not None:
                await _put_members(connection, account, group, members)

    async def remove_group(self, account: AccountId, group: int) -> None:
        async with self.changing.change() as connection:
            await require(connection, contact_groups, account, group)
            await _put_members(connection, account, group, ())
            await connection.execute(delete(contact_groups).where(contact_groups.c.id == group))


@dataclass(frozen=True, slots=True)
class StoredOrganizations:
    """Answers `callwright.directory.contacts.OrganizationsEditor`."""

    changing: Changing

    async def add_organization(self, account: AccountId, name: str) -> int:
        async with self.changing.change() as connection:
            return await _add_named(connection, self.changing, contact_organizations, account, name)

    async def rename_organization(self, account: AccountId, organization: int, name: str) -> None:
        async with self.changing.change() as connection:
            await _rename(connection, contact_organizations, account, organization, name)

    async def remove_organization(self, account: AccountId, organization: int) -> None:
        async with self.changing.change() as connection:
            await require(connection, contact_organizations, account, organization)
            own = contacts.c.account_id == account
            if await exists(connection, own, contacts.c.organization == organization):
                raise StillNeeded("id", organization, "contacts belong to it")
            await connection.execute(
                delete(contact_organizations).where(contact_organizations.c.id == organization)
            )


async def _read(connection: AsyncConnection, contact: int) -> ContactDraft:
    row = (await connection.execute(select(contacts).where(contacts.c.id == contact))).one()
    numbers = await connection.scalars(
        select(contact_numbers.c.number)
        .where(contact_numbers.c.contact_id == contact)
        .order_by(contact_numbers.c.position)
    )
    groups = await connection.scalars(
        select(contact_memberships.c.group_id)
        .where(contact_memberships.c.contact_id == contact)
        .order_by(contact_memberships.c.group_id)
    )
    return ContactDraft(
        last_name=row.last_name,
        first_name=row.first_name,
        patronymic=row.patronymic,
        emails=tuple(row.emails),
        numbers=tuple(numbers),
        manager=None if row.personal_manager is None else EmployeeId(row.personal_manager),
        organization=row.organization,
        groups=tuple(groups),
    )


async def _check_named(connection: AsyncConnection, account: int, draft: ContactDraft) -> None:
    """Raise `NotThere` for whom or what a contact names that is not there."""
    if draft.manager is not None:
        await require(connection, employees, account, draft.manager, "personal_manager_id")
    if draft.organization is not None:
        await require(
            connection, contact_organizations, account, draft.organization, "organization_id"
        )
    for at, group in enumerate(draft.groups):
        await require(connection, contact_groups, account, group, f"groups.{at}")


def _columns(draft: ContactDraft) -> dict[str, object]:
    return {
        "last_name": draft.last_name,
        "first_name": draft.first_name,
        "patronymic": draft.patronymic,
        "full_name": draft.full_name,
        "emails": draft.emails,
        "personal_manager": draft.manager,
        "organization": draft.organization,
        **_BY_API,
    }


async def _put_beside(
    connection: AsyncConnection, account: int, contact: int, draft: ContactDraft
) -> None:
    owner = {"contact_id": contact, "account_id": account}
    numbers = [
        {**owner, "position": position, "number": number}
        for position, number in enumerate(dict.fromkeys(draft.numbers))
    ]
    if numbers:
        await connection.execute(insert(contact_numbers), numbers)
    groups = [{"contact_id": contact, "group_id": group} for group in {*draft.groups}]
    if groups:
        await connection.execute(insert(contact_memberships), groups)


async def _put_members(
    connection: AsyncConnection, account: int, group: int, members: Collection[int]
) -> None:
    """Let these contacts be in a group, and no others; whoever comes or goes is the API's."""
    known = await connection.scalars(
        select(contacts.c.id).where(contacts.c.account_id == account, contacts.c.id.in_(members))
    )
    after = set(known)
    for at, contact in enumerate(members):
        if contact not in after:
            raise NotThere(f"members.{at}", contact, f"there is no contact {contact}")
    of_group = contact_memberships.c.group_id == group
    leave = of_group, ~contact_memberships.c.contact_id.in_(members)
    leaving = select(contact_memberships.c.contact_id).where(*leave)
    await connection.execute(update(contacts).where(contacts.c.id.in_(leaving)).values(_BY_API))
    await connection.execute(delete(contact_memberships).where(*leave))
    staying = select(contact_memberships.c.contact_id).where(of_group)
    new = after.difference(await connection.scalars(staying))
    if new:
        rows = [{"contact_id": contact, "group_id": group} for contact in new]
        await connection.execute(insert(contact_memberships), rows)
        await connection.execute(update(contacts).where(contacts.c.id.in_(new)).values(_BY_API))


# Groups and organisations: what has a name of its own and nothing else.


async def _add_named(
    connection: AsyncConnection, changing: Changing, table: Table, account: int, name: str
) -> int:
    await _check_name(connection, table, account, name, other_than=None)
    added = changing.next_id()
    await connection.execute(
        insert(table).values(id=added, account_id=account, name=name, **_BY_API)
    )
    return added


async def _rename(
    connection: AsyncConnection, table: Table, account: int, id: int, name: str | None
) -> None:
    await require(connection, table, account, id)
    if name is not None:
        await _check_name(connection, table, account, name, other_than=id)
        await connection.execute(update(table).where(table.c.id == id).values(name=name, **_BY_API))


async def _check_name(
    connection: AsyncConnection, table: Table, account: int, name: str, *, other_than: int | None
) -> None:
    if await exists(
        connection,
        table.c.account_id == account,
        table.c.name == name,
        table.c.id.is_distinct_from(other_than),
    ):
        raise AlreadyThere("name", name, "there is one of this name")
