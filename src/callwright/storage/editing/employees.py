"""Employees and their phones, changed by requests."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callwright.directory.editing import (
    AlreadyThere,
    EmployeeChange,
    EmployeeDraft,
    NotThere,
    PhoneDraft,
    StillNeeded,
    Unfit,
)
from callwright.directory.employee_status import EmployeeStatus
from callwright.directory.model import AccountId, EmployeeId, PhoneKind, Recorded
from callwright.storage.editing.changing import Changing, exists, require
from callwright.storage.editing.scenarios import scenario_that_names
from callwright.storage.employee_statuses import record_changes, shown_statuses
from callwright.storage.tables import (
    Origin,
    contacts,
    employee_groups,
    employee_phones,
    employees,
    schedules,
)

_BY_API = {"origin": Origin.API.value}


@dataclass(frozen=True, slots=True)
class StoredEmployees:
    """Answers `callwright.directory.editing.EmployeesEditor`."""

    changing: Changing

    async def add_employee(self, account: AccountId, draft: EmployeeDraft) -> EmployeeId:
        async with self.changing.change() as connection:
            employee = EmployeeId(self.changing.next_id())
            await _check_named(connection, account, employee, draft)
            await connection.execute(
                insert(employees).values(id=employee, account_id=account, **_columns(draft))
            )
            await _put_phones(connection, account, employee, draft.phones)
            await _put_in_groups(connection, account, employee, (), draft.groups)
            this = employees.c.id == employee
            await record_changes(connection, account, this, {}, self.changing.now())
        return employee

    async def change_employee(
        self, account: AccountId, employee: EmployeeId, change: EmployeeChange
    ) -> None:
        async with self.changing.change() as connection:
            await require(connection, employees, account, employee)
            before = await _read(connection, account, employee)
            after = change(before)
            this = employees.c.id == employee
            statuses = await shown_statuses(connection, this)
            await _check_named(connection, account, employee, after)
            await connection.execute(update(employees).where(this).values(_columns(after)))
            await record_changes(connection, account, this, statuses, self.changing.now())
            await _put_phones(connection, account, employee, after.phones)
            if set(after.groups) != set(before.groups):
                await _put_in_groups(connection, account, employee, before.groups, after.groups)

    async def remove_employee(self, account: AccountId, employee: EmployeeId) -> None:
        async with self.changing.change() as connection:
            await require(connection, employees, account, employee)
            before = await _read(connection, account, employee)
            if await exists(
                connection, employees.c.account_id == account, employees.c.coach == employee
            ):
                raise StillNeeded("id", employee, "they are somebody's coach")
            if before.groups:
                raise StillNeeded("id", employee, "they are in a group")
            if await exists(
                connection,
                contacts.c.account_id == account,
                contacts.c.personal_manager == employee,
            ):
                raise StillNeeded("id", employee, "they are a contact's personal manager")
            if scenario := await scenario_that_names(connection, account, employee=employee):
                raise StillNeeded("id", employee, f"scenario {scenario} rings them")
            await connection.execute(delete(employees).where(employees.c.id == employee))


async def phones_of(
    connection: AsyncConnection, employee: EmployeeId
) -> Sequence[Row[*tuple[object, ...]]]:
    """The rows of an employee's phones, in the order they are rung."""
    return (
        await connection.execute(
            select(employee_phones)
            .where(employee_phones.c.employee_id == employee)
            .order_by(employee_phones.c.priority, employee_phones.c.id)
        )
    ).all()


async def check_number_free(
    connection: AsyncConnection, account: AccountId, number: str, field: str
) -> None:
    """Raise `AlreadyThere` if a phone or a group of the account's has this number."""
    if await exists(
        connection, employee_phones.c.account_id == account, employee_phones.c.number == number
    ):
        raise AlreadyThere(field, number, "an employee has a phone of this number")
    if await exists(
        connection, employee_groups.c.account_id == account, employee_groups.c.number == number
    ):
        raise AlreadyThere(field, number, "a group has this short number")


async def _read(
    connection: AsyncConnection, account: AccountId, employee: EmployeeId
) -> EmployeeDraft:
    row = (await connection.execute(select(employees).where(employees.c.id == employee))).one()
    groups = await connection.execute(
        select(employee_groups.c.id, employee_groups.c.employees)
        .where(employee_groups.c.account_id == account)
        .order_by(employee_groups.c.id)
    )
    return EmployeeDraft(
        full_name=row.full_name,
        last_name=row.last_name,
        first_name=row.first_name,
        patronymic=row.patronymic,
        email=row.email,
        active=row.active,
        status=EmployeeStatus(row.status),
        coach=None if row.coach is None else EmployeeId(row.coach),
        schedule=row.schedule,
        recorded=Recorded(row.call_recording),
        phones=tuple(
            PhoneDraft(
                number=phone.number,
                kind=PhoneKind(phone.kind),
                dial_time=phone.dial_time,
                active=phone.active,
                channels=phone.channels,
                id=phone.id,
            )
            for phone in await phones_of(connection, employee)
        ),
        groups=tuple(group.id for group in groups if employee in group.employees),
    )


def _columns(draft: EmployeeDraft) -> dict[str, object]:
    return {
        "full_name": draft.full_name,
        "last_name": draft.last_name,
        "first_name": draft.first_name,
        "patronymic": draft.patronymic,
        "email": draft.email,
        "active": draft.active,
        "status": draft.status.value,
        "coach": draft.coach,
        "schedule": draft.schedule,
        "call_recording": draft.recorded.value,
        **_BY_API,
    }


async def _check_named(
    connection: AsyncConnection, account: AccountId, employee: EmployeeId, draft: EmployeeDraft
) -> None:
    if draft.coach == employee:
        raise Unfit("coach.coach_id", employee, "nobody coaches themselves")
    if draft.coach is not None:
        await require(connection, employees, account, draft.coach, "coach.coach_id")
    if draft.schedule is not None:
        await require(connection, schedules, account, draft.schedule, "schedule_id")


async def _put_phones(
    connection: AsyncConnection,
    account: AccountId,
    employee: EmployeeId,
    drafts: Sequence[PhoneDraft],
) -> None:
    """Make the employee's phones what the drafts say.

    A phone whose number is named stays what it is otherwise: its SIP address, its password.
    """
    held = await phones_of(connection, employee)
    kept = _matched(held, drafts)
    for phone in held:
        if phone.id in kept.values():
            continue
        if phone.password is not None:
            reason = f"SIP line {phone.number} is to be deleted first"
            raise StillNeeded("phone_numbers", None, reason)
        await connection.execute(delete(employee_phones).where(employee_phones.c.id == phone.id))
    for priority, draft in enumerate(drafts):
        values: dict[str, object] = {
            "number": draft.number,
            "priority": priority,
            "dial_time": draft.dial_time,
            "active": draft.active,
            "channels": draft.channels,
            **_BY_API,
        }
        row = kept.get(draft.number)
        before = next((phone for phone in held if phone.id == row), None)
        if before is None or before.number != draft.number:
            await check_number_free(connection, account, draft.number, draft.field)
            values["number_origin"] = Origin.API.value
        if (
            before is None
            or before.number != draft.number
            or PhoneKind.EXTENSION
            in (
                draft.kind,
                before.kind,
            )
        ):
            values["kind"] = draft.kind.value
        if before is None:
            await connection.execute(
                insert(employee_phones).values(account_id=account, employee_id=employee, **values)
            )
        else:
            await connection.execute(
                update(employee_phones).where(employee_phones.c.id == row).values(values)
            )


def _matched(
    held: Sequence[Row[*tuple[object, ...]]], drafts: Sequence[PhoneDraft]
) -> dict[str, int]:
    """Which phone that is there each draft is, by the draft's number.

    First the one with the number, then the one the draft names by id; a SIP line, which phones
    register with, keeps its number. Raises `AlreadyThere`, `NotThere`.
    """
    numbers = {phone.number: phone.id for phone in held}
    renamable = {phone.id for phone in held if phone.password is None}
    kept: dict[str, int] = {}
    for draft in drafts:
        if sum(other.number == draft.number for other in drafts) > 1:
            raise AlreadyThere(draft.field, draft.number, "the number is named twice")
        if draft.number in numbers:
            kept[draft.number] = numbers[draft.number]
    for draft in drafts:
        if draft.id is None or draft.number in kept:
            continue
        if draft.id not in numbers.values():
            place = draft.field.removesuffix("phone_number") + "phone_id"
            raise NotThere(place, draft.id, "the employee has no such phone")
        if draft.id in renamable and draft.id not in kept.values():
            kept[draft.number] = draft.id
    return kept


async def _put_in_groups(
    connection: AsyncConnection,
    account: AccountId,
    employee: EmployeeId,
    before: Sequence[int],
    after: Sequence[int],
) -> None:
    for at, group in enumerate(after):
        await require(connection, employee_groups, account, group, f"groups.{at}.group_id")
    for group in {*before} ^ {*after}:
        query = select(employee_groups.c.employees).where(employee_groups.c.id == group)
        members = [one for one in (await connection.execute(query)).scalar_one() if one != employee]
        if group in after:
            members.append(employee)
        if not members:
            raise StillNeeded("groups", None, f"group {group} would have nobody")
        await connection.execute(
            update(employee_groups)
            .where(employee_groups.c.id == group)
            .values(employees=members, **_BY_API)
        )
