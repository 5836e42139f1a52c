"""SIP lines, which are phones of employees that register with us, changed by requests."""

from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callwright.directory.editing import (
    PHONES_AT_MOST,
    AlreadyThere,
    NotThere,
    SipLineChange,
    SipLineDraft,
    Unfit,
)
from callwright.directory.model import AccountId, EmployeeId, PhoneKind
from callwright.storage.editing.changing import Changing, exists, require
from callwright.storage.editing.employees import check_number_free
from callwright.storage.tables import Origin, employee_phones, employees, trunks, virtual_numbers


@dataclass(frozen=True, slots=True)
class StoredSipLines:
    """Answers `callwright.directory.editing.SipLinesEditor`."""

    changing: Changing

    async def add_sip_line(self, account: AccountId, draft: SipLineDraft) -> int:
        async with self.changing.change() as connection:
            await check_number_free(connection, account, draft.number, "phone_number")
            # It registers by its number alone, whosever it is.
            if await exists(
                connection,
                employee_phones.c.number == draft.number,
                employee_phones.c.password.is_not(None),
            ):
                raise AlreadyThere("phone_number", draft.number, "a phone registers under it")
            # The trunk would go first, and the phone never get in.
            if await exists(
                connection, trunks.c.user == draft.number, trunks.c.password.is_not(None)
            ):
                raise AlreadyThere("phone_number", draft.number, "a trunk has that user")
            await _check_own(connection, account, draft.virtual_number)
            priority = await _last_place(connection, account, draft.employee)
            row = insert(employee_phones).values(
                account_id=account,
                number=draft.number,
                kind=PhoneKind.SIP.value,
                priority=priority,
                number_origin=Origin.API.value,
                **_columns(draft),
            )
            added = await connection.execute(row.returning(employee_phones.c.id))
            return int(added.scalar_one())

    async def change_sip_line(
        self, account: AccountId, line: int, change: SipLineChange
    ) -> SipLineDraft:
        async with self.changing.change() as connection:
            before = await _read(connection, account, line)
            after = change(before)
            if after.virtual_number != before.virtual_number:
                await _check_own(connection, account, after.virtual_number)
            values = _columns(after)
            if after.employee != before.employee:
                values["priority"] = await _last_place(connection, account, after.employee)
            await connection.execute(
                update(employee_phones).where(employee_phones.c.id == line).values(values)
            )
        return after

    async def remove_sip_line(self, account: AccountId, line: int) -> None:
        async with self.changing.change() as connection:
            await _read(connection, account, line)
            await connection.execute(delete(employee_phones).where(employee_phones.c.id == line))


async def _read(connection: AsyncConnection, account: AccountId, line: int) -> SipLineDraft:
    query = select(employee_phones).where(
        employee_phones.c.account_id == account,
        employee_phones.c.id == line,
        employee_phones.c.password.is_not(None),
    )
    row = (await connection.execute(query)).first()
    if row is None:
        raise NotThere("id", line, "there is no such SIP line")
    return SipLineDraft(
        number=row.number,
        employee=EmployeeId(row.employee_id),
        password=row.password,
        dial_time=row.dial_time,
        active=row.active,
        srtp=row.srtp,
        channels=row.channels,
        virtual_number=row.virtual_number,
    )


async def _check_own(connection: AsyncConnection, account: AccountId, number: str | None) -> None:
    """Raise `NotThere` unless it is one of the account's numbers; none is good, too."""
    own = virtual_numbers.c.account_id == account, virtual_numbers.c.number == number
    if number is not None and not await exists(connection, *own):
        raise NotThere("virtual_phone_number", number, "it is not one of the account's numbers")


async def _last_place(connection: AsyncConnection, account: AccountId, employee: EmployeeId) -> int:
    """Where a phone that comes to the employee is rung: last. Raises `NotThere`, `Unfit`."""
    await require(connection, employees, account, employee, "employee_id")
    query = select(func.count(), func.max(employee_phones.c.priority)).where(
        employee_phones.c.employee_id == employee
    )
    count, highest = (await connection.execute(query)).one()
    if count >= PHONES_AT_MOST:
        reason = f"the employee has {PHONES_AT_MOST} phones"
        raise Unfit("employee_id", employee, reason)
    return 0 if highest is None else highest + 1


def _columns(draft: SipLineDraft) -> dict[str, object]:
    return {
        "employee_id": draft.employee,
        "password": draft.password,
        "dial_time": draft.dial_time,
        "active": draft.active,
        "srtp": draft.srtp,
        "channels": draft.channels,
        "virtual_number": draft.virtual_number,
        "origin": Origin.API.value,
    }
