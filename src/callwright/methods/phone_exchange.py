"""The exchange for phones: whom a number means that an employee's phone names, and whether it may.

Colleagues may always be called, by the numbers of phones of ours and those that the directory file
names; numbers outside where the operator opens them, by the settings for all or by the directory
file for an employee, and then under the rules of requests.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from callwright.calls.phone_transfers import MayNotCall
from callwright.calls.plan import Caption, EmployeeRef, Target
from callwright.directory.lookup import Directory
from callwright.directory.model import Account, Employee, EmployeeId, VirtualNumber
from callwright.engines.port import Cause
from callwright.methods import errors
from callwright.methods.api_error import ApiError
from callwright.methods.dialling import Dialling
from callwright.methods.numbers import Numbers
from callwright.numbering import fault_of

REFUSED = (
    errors.DirectionNotAllowed,
    errors.ContactInBlacklist,
    errors.OwnVirtualPhoneNumberNotAllowed,
)
"Of a number that is one, and may not be called."


@dataclass(frozen=True, slots=True)
class PhoneExchange:
    """`callwright.calls.phone_transfers.PhoneTargets`."""

    directory: Directory
    numbers: Numbers
    outside: bool
    "Whether all phones may call numbers that are no colleague's."

    async def targets(
        self, caption: Caption, number: str, by: EmployeeRef | None
    ) -> Sequence[Target]:
        found = await self.directory.whose(caption.virtual_number)
        if found is None:
            raise MayNotCall(Cause.WRONG_NUMBER)
        account, virtual = found
        employee = None
        if by is not None:
            employee = await self.directory.employee(account.id, EmployeeId(by.id))
        return await self.targets_of(account, virtual, number, employee)

    async def phone(self, caption: Caption, number: str) -> Target:
        home = await self.directory.home_of_phone(number)
        if home is None or not home[0].active or home[0].id != caption.account:
            raise MayNotCall(Cause.REJECTED)
        employee = await self.directory.employee_by_number(home[0].id, number)
        if employee is None:
            raise MayNotCall(Cause.REJECTED)
        return Target(
            Dialling.called_in(number, None),
            caller_id=caption.virtual_number,
            within=0.0,
            employee=EmployeeRef(employee.id, employee.full_name),
        )

    async def targets_of(
        self,
        account: Account,
        virtual: VirtualNumber,
        number: str,
        by: Employee | None,
        *,
        inside: str | None = None,
    ) -> Sequence[Target]:
        """Find one number, or the phones of the group whose it is. Raises `MayNotCall`.

        ``by``: the employee whose phone names it. Who is called is shown the virtual number; a
        colleague's phone of ours, or extension of a PBX behind a trunk, ``inside``, which means
        nothing to a carrier.
        """
        try:
            # Every number that a phone may have dialled passes here, as requests' do.
            found = await self.numbers.everybody(
                account, "to", number, virtual, shown=virtual.number
            )
        except REFUSED:
            raise MayNotCall(Cause.REJECTED) from None
        except ApiError:
            raise MayNotCall(Cause.WRONG_NUMBER) from None
        # An employee's phone that only the data API has named is as far outside as any other.
        if not (self.outside or (by is not None and by.calls_out)):
            found = [one for one in found if await self._is_inside(account, one, number)]
        if not found:
            raise MayNotCall(Cause.REJECTED)
        return [_shown(target, number, inside) for target in found]

    async def _is_inside(self, account: Account, target: Target, number: str) -> bool:
        # Of a group each phone counts by itself: its number may be anybody's.
        of_phone = target.address.number if target.group else number
        return await self.numbers.is_colleague(account, of_phone)


def _shown(target: Target, number: str, inside: str | None) -> Target:
    within = target.address.trunk is None or (target.group is None and fault_of(number) is not None)
    if target.employee is not None and inside is not None and within:
        return replace(target, caller_id=inside)
    return target
