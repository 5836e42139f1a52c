"""Groups of employees, changed by requests."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callwright.directory.editing import (
    AlreadyThere,
    GroupChange,
    GroupDraft,
    StillNeeded,
)
from callwright.directory.group import PhoneOrder
from callwright.directory.model import AccountId, EmployeeId
from callwright.storage.editing.changing import Changing, exists, require
from callwright.storage.editing.scenarios import rename_group, scenario_that_names
from callwright.storage.lists.phones_of_groups import phones_of_members
from callwright.storage.tables import Origin, employee_groups, employee_phones, employees

_BY_API = {"origin": Origin.API.value}


@dataclass(frozen=True, slots=True)
class StoredGroups:
    """Answers `callwright.directory.editing.GroupsEditor`."""

    changing: Changing

    async def add_group(self, account: AccountId, draft: GroupDraft) -> int:
        async with self.changing.change() as connection:
            group = self.changing.next_id()
            await _check(connection, account, None, draft)
            await connection.execute(
                insert(employee_groups).values(id=group, account_id=account, **_columns(draft))
            )
        return group

    async def change_group(self, account: AccountId, group: int, change: GroupChange) -> None:
        async with self.changing.change() as connection:
            await require(connection, employee_groups, account, group)
            before = await _read(connection, group)
            after = change(before)
            await _check(connection, account, group, after)
            if after.name != before.name:
                await rename_group(connection, account, before.name, after.name)
            await connection.execute(
                update(employee_groups).where(employee_groups.c.id == group).values(_columns(after))
            )

    async def order_group(
        self,
        account: AccountId,
        group: int,
        order: Callable[[Sequence[tuple[int, str]]], PhoneOrder],
    ) -> None:
        async with self.changing.change() as connection:
            await require(connection, employee_groups, account, group)
            members = (await _read(connection, group)).employees
            phones = await phones_of_members(connection, members)
            ordered = order([(phone.id, phone.number) for phone in phones])
            await connection.execute(
                update(employee_groups)
                .where(employee_groups.c.id == group)
                .values(phone_order=[[number, is_rung] for number, is_rung in ordered], **_BY_API)
            )

    async def remove_group(self, account: AccountId, group: int) -> None:
        async with self.changing.change() as connection:
            await require(connection, employee_groups, account, group)
            name = (await _read(connection, group)).name
            if scenario := await scenario_that_names(connection, account, group=name):
                raise StillNeeded("id", group, f"scenario {scenario} rings it")
            await connection.execute(delete(employee_groups).where(employee_groups.c.id == group))


async def _read(connection: AsyncConnection, group: int) -> GroupDraft:
    query = select(employee_groups).where(employee_groups.c.id == group)
    row = (await connection.execute(query)).one()
    return GroupDraft(
        row.name, tuple(map(EmployeeId, row.employees)), row.number, row.queue, row.channels
    )


def _columns(draft: GroupDraft) -> Mapping[str, object]:
    return {
        "name": draft.name,
        "employees": [*draft.employees],
        "number": draft.number,
        "queue": draft.queue,
        "channels": draft.channels,
        **_BY_API,
    }


async def _check(
    connection: AsyncConnection, account: AccountId, group: int | None, draft: GroupDraft
) -> None:
    groups = employee_groups.c
    others = groups.account_id == account, groups.id.is_distinct_from(group)
    if await exists(connection, *others, groups.name == draft.name):
        raise AlreadyThere("name", draft.name, "a group has this name")
    for at, employee in enumerate(draft.employees):
        await require(connection, employees, account, employee, f"members.{at}")
    if draft.number is None:
        return
    phones = employee_phones.c
    if await exists(connection, *others, groups.number == draft.number) or await exists(
        connection, phones.account_id == account, phones.number == draft.number
    ):
        raise AlreadyThere("group_phone_number", draft.number, "somebody has this number")
