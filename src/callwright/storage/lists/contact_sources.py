"""Contact sources: where lists of contacts, their groups and organisations have their rows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from callwright.query import ITSELF
from callwright.storage.lists.elements import texts_of
from callwright.storage.lists.source import Array, Source
from callwright.storage.tables import (
    contact_groups,
    contact_memberships,
    contact_numbers,
    contact_organizations,
    contacts,
    employees,
)

MADE_AT_ONCE = 500
"Members of groups, of which there may be very many: calls share the process."


async def _numbers(connection: AsyncConnection, people: Sequence[int]) -> Mapping[int, object]:
    numbers = contact_numbers.c
    rows = await connection.execute(
        select(numbers.contact_id, numbers.number)
        .where(numbers.contact_id.in_(people))
        .order_by(numbers.contact_id, numbers.position)
    )
    found: defaultdict[int, list[object]] = defaultdict(list)
    for contact, number in rows:
        found[contact].append(number)
    return found


async def _groups(connection: AsyncConnection, people: Sequence[int]) -> Mapping[int, object]:
    of_contact = contact_memberships.c.contact_id
    rows = await connection.execute(
        select(of_contact, contact_groups.c.id, contact_groups.c.name)
        .join_from(
            contact_memberships,
            contact_groups,
            contact_memberships.c.group_id == contact_groups.c.id,
        )
        .where(of_contact.in_(people))
        .order_by(of_contact, contact_groups.c.id)
    )
    found: defaultdict[int, list[object]] = defaultdict(list)
    for contact, group, name in rows:
        found[contact].append({"id": group, "name": name})
    return found


async def _members(connection: AsyncConnection, groups: Sequence[int]) -> Mapping[int, object]:
    of_group = contact_memberships.c.group_id
    query = (
        select(of_group, contacts.c.id, contacts.c.full_name)
        .join_from(contact_memberships, contacts)
        .where(of_group.in_(groups))
        .order_by(of_group, contacts.c.id)
    )
    found: defaultdict[int, list[object]] = defaultdict(list)
    async for some in (await connection.stream(query)).partitions(MADE_AT_ONCE):
        for group, contact, name in some:
            found[group].append({"id": contact, "full_name": name})
    return found


_written = contacts.alias("written")
_email = texts_of(_written.c.emails)
_member = contact_memberships.alias("member")
_in_group = contact_groups.alias("in_group")
_ARRAYS = {
    "phone_numbers": Array(contact_numbers.c.contact_id, {ITSELF: contact_numbers.c.number}),
    "emails": Array(_written.c.id, {ITSELF: _email}, _email.is_not(None)),
    "groups": Array(
        _member.c.contact_id,
        {"id": _in_group.c.id, "name": _in_group.c.name},
        _member.c.group_id == _in_group.c.id,
    ),
}

CONTACT_SOURCES = (
    Source(
        contacts,
        details={"phone_numbers": _numbers, "groups": _groups},
        arrays=_ARRAYS,
        joined=contacts.outerjoin(
            employees, contacts.c.personal_manager == employees.c.id
        ).outerjoin(contact_organizations, contacts.c.organization == contact_organizations.c.id),
        borrowed={
            "manager_full_name": employees.c.full_name,
            "organization_name": contact_organizations.c.name,
        },
    ),
    Source(contact_groups, details={"members": _members}),
    Source(contact_organizations),
)
