"""Numbers in requests: whose they are, whether they may be called, and how they are reached."""

import re
from collections.abc import Sequence

from callwright.calls.plan import EmployeeRef, Target
from callwright.directory.destinations import destination_of
from callwright.directory.lookup import Directory
from callwright.directory.model import (
    Account,
    Employee,
    EmployeeId,
    Phone,
    PhoneKind,
    VirtualNumber,
)
from callwright.engines.port import Address
from callwright.methods import errors

E164 = re.compile(r"[1-9][0-9]{6,14}")

Owner = tuple[Employee, Phone]
"Whose phone a number is."


class Numbers:
    """``dial_time``: seconds a contact, an operator or a bare number is rung."""

    def __init__(self, directory: Directory, *, dial_time: float) -> None:
        self._directory = directory
        self._dial_time = dial_time

    async def virtual(self, account: Account, number: str) -> VirtualNumber:
        """One of the account's own numbers. Raises `VirtualPhoneNumberNotFound`."""
        if found := await self._directory.virtual_number(account.id, number):
            return found
        raise errors.VirtualPhoneNumberNotFound(
            field="virtual_phone_number", value=number, virtual_phone_number=number
        )

    async def check_contact(self, account: Account, number: str, home: VirtualNumber) -> None:
        """Refuse a contact that may not be called from ``home``.

        Raises `OwnVirtualPhoneNumberNotAllowed`, `ContactInBlacklist`, `DirectionNotAllowed`;
        `InvalidParameterValue` for an extension, or what cannot be dialled at all.
        """
        if await self._directory.virtual_number(account.id, number):
            raise errors.OwnVirtualPhoneNumberNotAllowed(field="contact", value=number)
        if await self._directory.blacklisted(account.id, number):
            raise errors.ContactInBlacklist(field="contact", value=number, contact=number)
        owner = await self._owner(account, number)
        _refuse_extension("contact", number, owner)
        _refuse_direction(account, "contact", number, home, owner)

    async def contact(self, account: Account, number: str, virtual: VirtualNumber) -> Target:
        """The phone of a contact that may be called, shown the virtual number."""
        owner = await self._owner(account, number)
        return await self._target(owner, number, virtual, shown=virtual.number)

    async def operator(
        self, account: Account, field: str, number: str, virtual: VirtualNumber, *, shown: str
    ) -> Target:
        """An operator: a number from anywhere, or one of our SIP phones; no employee is meant.

        Raises `InvalidParameterValue` for an extension, or what cannot be dialled at all, and
        `DirectionNotAllowed`.
        """
        owner = await self._owner(account, number)
        _refuse_extension(field, number, owner)
        _refuse_direction(account, field, number, virtual, owner)
        if owner is None:
            return Target(await self._through_trunk(number, virtual), shown, self._dial_time)
        phone = owner[1]
        address = await self._address(phone, virtual)
        return Target(address, shown, self._dial_time, channels=phone.channels)

    async def employee(self, account: Account, employee: int) -> Employee:
        """An active employee. Raises `EmployeeNotFound`."""
        if found := await self._directory.employee(account.id, EmployeeId(employee)):
            return found
        raise errors.EmployeeNotFound(field="employee.id", value=employee, employee_id=employee)

    async def phones(
        self, employee: Employee, number: str | None, virtual: VirtualNumber, *, shown: str
    ) -> Sequence[Target]:
        """The employee's active phones, or the one asked for. Raises `NoActivePhoneNumber`."""
        phones = [
            phone for phone in employee.phones if phone.active and number in (None, phone.number)
        ]
        if phones:
            return [await self._of(employee, phone, virtual, shown=shown) for phone in phones]
        if number is None:
            raise errors.NoActivePhoneNumber(field="employee.id", value=employee.id)
        raise errors.NoActivePhoneNumber(field="employee.phone_number", value=number)

    async def coach(
        self, account: Account, employee: int, virtual: VirtualNumber, *, shown: str
    ) -> Sequence[Target]:
        """The active phones of the coach set for an employee; none if there is no such coach."""
        coached = await self._directory.employee(account.id, EmployeeId(employee))
        if coached is None or coached.coach is None:
            return ()
        coach = await self._directory.employee(account.id, coached.coach)
        if coach is None:
            return ()
        active = [phone for phone in coach.phones if phone.active]
        return [await self._of(coach, phone, virtual, shown=shown) for phone in active]

    async def anyone(
        self, account: Account, field: str, number: str, virtual: VirtualNumber, *, shown: str
    ) -> Target:
        """Whoever has a number: an extension, a SIP number, an employee's, or any other.

        Raises `NoActivePhoneNumber` for one that is none of the account's and cannot be dialled,
        and `DirectionNotAllowed`.
        """
        owner = await self._owner(account, number)
        if owner is None and not E164.fullmatch(number):
            raise errors.NoActivePhoneNumber(field=field, value=number)
        _refuse_direction(account, field, number, virtual, owner)
        return await self._target(owner, number, virtual, shown=shown)

    async def _owner(self, account: Account, number: str) -> Owner | None:
        """The employee one of whose active phones has this number, and that phone."""
        found = await self._directory.employee_by_number(account.id, number)
        if found is None:
            return None
        return found, next(phone for phone in found.phones if phone.number == number)

    async def _target(
        self,
        owner: Owner | None,
        number: str,
        virtual: VirtualNumber,
        *,
        shown: str,
    ) -> Target:
        if owner:
            return await self._of(*owner, virtual, shown=shown)
        return Target(await self._through_trunk(number, virtual), shown, self._dial_time)

    async def _of(
        self, employee: Employee, phone: Phone, virtual: VirtualNumber, *, shown: str
    ) -> Target:
        reference = EmployeeRef(employee.id, employee.full_name)
        address = await self._address(phone, virtual)
        return Target(address, shown, phone.dial_time, reference, channels=phone.channels)

    async def _address(self, phone: Phone, virtual: VirtualNumber) -> Address:
        """Where a phone is: at its contact, where it registers, or behind the trunk (a PBX)."""
        if phone.contact:
            return Address(phone.number, phone=phone.contact, srtp=phone.srtp)
        if phone.registers:
            return Address(phone.number, srtp=phone.srtp)
        return await self._through_trunk(phone.number, virtual)

    async def _through_trunk(self, number: str, virtual: VirtualNumber) -> Address:
        trunk = virtual.trunk
        if trunk is None:
            trunk = next((trunk.name for trunk in await self._directory.trunks()), None)
        return Address(number, trunk=trunk)


def _refuse_extension(field: str, number: str, owner: Owner | None) -> None:
    """Contacts and operators are E.164 or SIP numbers; extensions mean nothing outside."""
    if owner is None and not E164.fullmatch(number):
        raise errors.InvalidParameterValue(field=field, value=number)
    if owner and owner[1].kind is PhoneKind.EXTENSION:
        raise errors.InvalidParameterValue(field=field, value=number)


def _refuse_direction(
    account: Account, field: str, number: str, home: VirtualNumber, owner: Owner | None
) -> None:
    """An employee's phone stands in the directory: whoever wrote it there has allowed it."""
    if owner:
        return
    destination = destination_of(number, home.number)
    if destination not in account.directions:
        raise errors.DirectionNotAllowed(field=field, value=number, direction=destination.value)
