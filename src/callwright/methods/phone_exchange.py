"""The exchange for phones: whom a number means that an employee's phone names, and whether it may.

Colleagues may always be called, by the numbers of phones of ours and those that the directory file
names; numbers outside where the service's settings open them, and then under the rules of requests.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from callwright.calls.phone_transfers import MayNotCall
from callwright.calls.plan import Caption, Target
from callwright.directory.lookup import Directory
from callwright.directory.model import Account, VirtualNumber
from callwright.engines.port import Cause
from callwright.methods import errors
from callwright.methods.api_error import ApiError
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
    "Whether phones may call numbers that are no colleague's."

    async def targets(self, caption: Caption, number: str) -> Sequence[Target]:
        found = await self.directory.whose(caption.virtual_number)
        if found is None:
            raise MayNotCall(Cause.WRONG_NUMBER)
        return await self.targets_of(*found, number)

    async def targets_of(
        self, account: Account, virtual: VirtualNumber, number: str, *, inside: str | None = None
    ) -> Sequence[Target]:
        """Find one number, or the phones of the group whose it is. Raises `MayNotCall`.

        It is shown the virtual number; a colleague's phone of ours, or extension of a PBX behind a
        trunk, ``inside``, which means nothing to a carrier.
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
        if not self.outside:
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
