"""Numbers in requests: whose they are, and as which phone they are rung once they are admitted."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace

from callwright.calls.plan import ContactRef, EmployeeRef, GroupRef, Target
from callwright.directory.group import NUMBER_AT_MOST, Group, ringing_order
from callwright.directory.lookup import Directory
from callwright.directory.model import (
    Account,
    Employee,
    EmployeeId,
    Phone,
    PhoneKind,
    VirtualNumber,
)
from callwright.methods import errors
from callwright.methods.api_error import ApiError
from callwright.methods.dialling import Dialling, Wish, is_ours, is_trusted
from callwright.numbering import E164, fault_of

log = logging.getLogger(__name__)

EXTENSION_AT_MOST = 6
"Digits; what is longer was meant to be a number of the telephone network's."

Owner = tuple[Employee, Phone]
"Whose phone a number is."


class Numbers:
    """Every `Target` has passed `Dialling`, which raises what is said there.

    ``dial_time``: seconds a contact, an operator or a bare number is rung. ``beside``, throughout:
    numbers of whoever is, or is to be, on the line of the same call.
    """

    def __init__(self, directory: Directory, dialling: Dialling, *, dial_time: float) -> None:
        self._directory = directory
        self._dialling = dialling
        self._dial_time = dial_time

    async def virtual(
        self, account: Account, number: str, field: str = "virtual_phone_number"
    ) -> VirtualNumber:
        """One of the account's own numbers. Raises `VirtualPhoneNumberNotFound`."""
        if found := await self._directory.virtual_number(account.id, number):
            return found
        raise errors.VirtualPhoneNumberNotFound(
            field=field,
            value=number,
            helper=fault_of(number),
            virtual_phone_number=number,
        )

    async def usable(
        self, account: Account, number: str, field: str = "virtual_phone_number"
    ) -> VirtualNumber:
        """One of them that calls may begin from. Raises `VirtualPhoneNumberNotFound`."""
        found = await self.virtual(account, number, field)
        if found.is_usable:
            return found
        helper = "this number is locked" if found.locked else "this number is disabled"
        raise errors.VirtualPhoneNumberNotFound(
            field=field, value=number, helper=helper, virtual_phone_number=number
        )

    async def check_trunk(self, account: Account, field: str, trunk: str) -> None:
        """Raises `InvalidParameterValue` for what is no active trunk of the account's."""
        if not await self._directory.has_trunk(account.id, trunk):
            raise errors.InvalidParameterValue(field=field, value=trunk)

    async def check_contact(self, account: Account, number: str) -> Owner | None:
        """Refuse what is no contact, from whatever number it is called; return whose phone it is.

        Raises `InvalidParameterValue` for an extension, or what cannot be dialled at all; for a
        phone of ours also what `Dialling` asks of numbers that go through a trunk only.
        """
        owner = await self._owner(account, number)
        if owner and is_ours(owner[1]):
            await self._dialling.refuse_own(account, "contact", number)
            await self._dialling.refuse_blacklisted(account, "contact", number)
        _refuse_extension(account, "contact", number, owner)
        return owner

    async def contact(
        self, account: Account, number: str, owner: Owner | None, virtual: VirtualNumber
    ) -> Target:
        """The phone of a contact that has been checked, shown the virtual number."""
        wish = Wish(account, virtual, "contact", number, owner[1] if owner else None)
        return await self._target(wish, owner, shown=virtual.number)

    async def operator(
        self,
        account: Account,
        field: str,
        number: str,
        virtual: VirtualNumber,
        *,
        shown: str,
        beside: Collection[str],
        trunk: str | None = None,
    ) -> Target:
        """An operator: a number from anywhere, or one of our SIP phones; no employee is meant.

        ``trunk``: one that has been checked; None: that of ``virtual``. Raises
        `InvalidParameterValue` for an extension, or what cannot be dialled at all.
        """
        owner = await self._owner(account, number)
        _refuse_extension(account, field, number, owner)
        phone = owner[1] if owner else None
        wish = Wish(account, virtual, field, number, phone, beside, trunk)
        address = await self._dialling.admit(wish)
        channels = phone.channels if phone else None
        return Target(address, shown, self._dial_time, channels=channels)

    async def employee(self, account: Account, employee: int) -> Employee:
        """An active employee. Raises `EmployeeNotFound`."""
        if found := await self._directory.employee(account.id, EmployeeId(employee)):
            return found
        raise errors.EmployeeNotFound(field="employee.id", value=employee, employee_id=employee)

    async def phones(
        self,
        account: Account,
        employee: Employee,
        number: str | None,
        virtual: VirtualNumber,
        *,
        shown: str,
        beside: Collection[str] = (),
    ) -> Sequence[Target]:
        """The employee's active phones that may be rung, or the one asked for.

        Raises `NoActivePhoneNumber`; where none may be rung, what the first is refused for.
        """
        phones = [
            phone for phone in employee.phones if phone.active and number in (None, phone.number)
        ]
        if not phones and number is None:
            raise errors.NoActivePhoneNumber(field="employee.id", value=employee.id)
        if not phones:
            raise errors.NoActivePhoneNumber(field="employee.phone_number", value=number)
        field = "employee.id" if number is None else "employee.phone_number"
        return await self._those_admitted(account, employee, phones, virtual, field, shown, beside)

    async def group(self, account: Account, number: str) -> Group | None:
        """The group whose short number it is, if it is one's."""
        if len(number) > NUMBER_AT_MOST:
            return None
        return await self._directory.group_by_number(account.id, number)

    async def of_group(
        self,
        account: Account,
        group: Group,
        virtual: VirtualNumber,
        *,
        shown: str,
        beside: Collection[str] = (),
        without: Collection[EmployeeId] = (),
    ) -> Sequence[tuple[Employee, Target]]:
        """The phones of a group that are rung, in its order, and whose each is.

        ``without``: members that are left out. So is whoever cannot be rung, or is away.
        """
        reference = GroupRef(group.id, group.name, group.channels)
        found: dict[str, tuple[Employee, Target]] = {}
        for member in dict.fromkeys(group.employees):
            employee = await self._directory.employee(account.id, member)
            if employee is None or member in without or not employee.status.is_rung:
                continue
            try:
                phones = await self.phones(
                    account, employee, None, virtual, shown=shown, beside=beside
                )
            except ApiError as fault:
                log.warning("employee %d of a group cannot be rung: %s", member, fault.mnemonic)
                continue
            for phone in phones:
                found[phone.address.number] = employee, replace(phone, group=reference)
        order = ringing_order(group.order, found)
        return [found[number] for number, is_rung in order if is_rung]

    async def coach(
        self, account: Account, employee: int, virtual: VirtualNumber, *, shown: str
    ) -> Sequence[Target]:
        """The phones of the coach set for an employee that may be rung; none if there are none."""
        coached = await self._directory.employee(account.id, EmployeeId(employee))
        if coached is None or coached.coach is None:
            return ()
        coach = await self._directory.employee(account.id, coached.coach)
        active = [phone for phone in coach.phones if phone.active] if coach else []
        if coach is None or not active:
            return ()
        try:
            return await self._those_admitted(account, coach, active, virtual, "", shown, ())
        except ApiError:
            return ()

    async def anyone(
        self,
        account: Account,
        field: str,
        number: str,
        virtual: VirtualNumber,
        *,
        shown: str,
        beside: Collection[str] = (),
    ) -> Target:
        """Whoever has a number: an extension, a SIP number, an employee's, or any other.

        Raises `NoActivePhoneNumber` for one that is none of the account's and cannot be dialled.
        """
        owner = await self._owner(account, number)
        if owner is None and not _may_be_dialled(account, number):
            helper = fault_of(number) if len(number) > EXTENSION_AT_MOST else None
            raise errors.NoActivePhoneNumber(field=field, value=number, helper=helper)
        wish = Wish(account, virtual, field, number, owner[1] if owner else None, beside)
        return await self._target(wish, owner, shown=shown)

    async def everybody(
        self,
        account: Account,
        field: str,
        number: str,
        virtual: VirtualNumber,
        *,
        shown: str,
        beside: Collection[str] = (),
    ) -> Sequence[Target]:
        """Whoever has a number: `anyone`, or the phones of a group, to be rung one after another.

        Raises what `anyone` does, and `NoActivePhoneNumber` for a group of which nobody is rung.
        """
        group = await self.group(account, number)
        if group is None:
            target = await self.anyone(account, field, number, virtual, shown=shown, beside=beside)
            return [target]
        found = await self.of_group(account, group, virtual, shown=shown, beside=beside)
        if not found:
            raise errors.NoActivePhoneNumber(field=field, value=number)
        return [target for _, target in found]

    async def known(self, account: Account, number: str) -> ContactRef | None:
        """Who of the account's contacts has a number."""
        return await known_contact(self._directory, account, number)

    async def is_colleague(self, account: Account, number: str) -> bool:
        """Whether a number is that of a phone of ours, or one that the operator's file names."""
        owner = await self._owner(account, number)
        return owner is not None and (is_ours(owner[1]) or not owner[1].numbered_by_api)

    async def _owner(self, account: Account, number: str) -> Owner | None:
        """The employee one of whose active phones has this number, and that phone."""
        found = await self._directory.employee_by_number(account.id, number)
        if found is None:
            return None
        return found, next(phone for phone in found.phones if phone.number == number)

    async def _those_admitted(
        self,
        account: Account,
        employee: Employee,
        phones: Sequence[Phone],
        virtual: VirtualNumber,
        field: str,
        shown: str,
        beside: Collection[str],
    ) -> Sequence[Target]:
        """Raises what the first of the phones is refused for, if all of them are."""
        admitted: list[Target] = []
        refused: ApiError | None = None
        for phone in phones:
            wish = Wish(account, virtual, field, phone.number, phone, beside)
            try:
                admitted.append(await self._target(wish, (employee, phone), shown=shown))
            except ApiError as fault:
                refused = refused or fault
        if refused and not admitted:
            raise refused
        return admitted

    async def _target(self, wish: Wish, owner: Owner | None, *, shown: str) -> Target:
        address = await self._dialling.admit(wish)
        if owner is None:
            return Target(address, shown, self._dial_time)
        employee, phone = owner
        reference = EmployeeRef(employee.id, employee.full_name)
        return Target(address, shown, phone.dial_time, reference, channels=phone.channels)


async def known_contact(directory: Directory, account: Account, number: str) -> ContactRef | None:
    """Who of the account's contacts has a number."""
    found = await directory.contact_by_number(account.id, number)
    return ContactRef(found.id, found.full_name, found.groups) if found else None


def _refuse_extension(account: Account, field: str, number: str, owner: Owner | None) -> None:
    """Contacts and operators are E.164 or SIP numbers; extensions mean nothing outside."""
    if owner is None and not _may_be_dialled(account, number):
        raise errors.InvalidParameterValue(field=field, value=number, helper=fault_of(number))
    if owner and owner[1].kind is PhoneKind.EXTENSION:
        raise errors.InvalidParameterValue(field=field, value=number)


def _may_be_dialled(account: Account, number: str) -> bool:
    return E164.fullmatch(number) is not None or is_trusted(account, number, None)
