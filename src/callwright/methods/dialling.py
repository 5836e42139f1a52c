"""Dialling: the admission that every number passes before it is dialled.

It alone makes an `AdmittedAddress`, and nothing else can be rung. What the operator's directory
file says may be called is trusted; whatever else names a number (a request, what the data API has
written, a scenario, the answer of a customer's URL) is held to form, direction, own numbers and
blacklist.
"""

from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase

from callwright.calls.plan import AdmittedAddress
from callwright.directory.destinations import Destination, country_of, destination_of
from callwright.directory.lookup import Directory
from callwright.directory.model import Account, Phone, VirtualNumber
from callwright.engines.port import Address
from callwright.methods import errors
from callwright.numbering import HomePlan, fault_of

NO_TRUNK = "(none active)"
"""Stands for the trunk where there is none; no trunk can be named so. With no name at all an engine
would ring whatever phone has registered under the number, in whatever account."""
ENGAGED = "this number is on the line in this call already"


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody wants a number to be dialled."""

    account: Account
    virtual: VirtualNumber
    "From which number."
    field: str
    "What has named it, for errors."
    number: str
    phone: Phone | None = None
    "The employee's phone that has the number, if one has."
    beside: Collection[str] = ()
    "Numbers of whoever is, or is to be, on the line of the same call."
    trunk: str | None = None
    "One of the account's trunks, to dial through; None: that of ``virtual``."


class Dialling:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def admit(self, wish: Wish) -> AdmittedAddress:
        """Say where a number is rung that may be.

        Raises `InvalidParameterValue` for what is on the line already or can never be a number,
        `OwnVirtualPhoneNumberNotAllowed`, `ContactInBlacklist`, `DirectionNotAllowed`.
        """
        if wish.number in wish.beside:
            raise errors.InvalidParameterValue(field=wish.field, value=wish.number, helper=ENGAGED)
        if (phone := wish.phone) and is_ours(phone):
            return AdmittedAddress(Address(phone.number, phone=phone.contact, srtp=phone.srtp))
        await self.refuse_own(wish.account, wish.field, wish.number)
        await self.refuse_blacklisted(wish.account, wish.field, wish.number)
        if not is_trusted(wish.account, wish.number, phone):
            if fault := fault_of(wish.number):
                raise errors.InvalidParameterValue(
                    field=wish.field, value=wish.number, helper=_helped(fault, wish)
                )
            if (kind := _closed(wish.account, wish.number, wish.virtual)) is not None:
                raise errors.DirectionNotAllowed(
                    field=wish.field, value=wish.number, direction=kind.value
                )
        trunk = wish.trunk or await self._trunk(wish.virtual)
        return AdmittedAddress(Address(wish.number, trunk=trunk))

    @staticmethod
    def called_in(number: str, trunk: str | None) -> AdmittedAddress:
        """The address of somebody who has called us, and so is not dialled."""
        return AdmittedAddress(Address(number, trunk=trunk))

    async def refuse_own(self, account: Account, field: str, number: str) -> None:
        """Raises `OwnVirtualPhoneNumberNotAllowed`: such a call would come back to us."""
        if await self._directory.virtual_number(account.id, number):
            raise errors.OwnVirtualPhoneNumberNotAllowed(field=field, value=number)

    async def refuse_blacklisted(self, account: Account, field: str, number: str) -> None:
        """Raises `ContactInBlacklist`."""
        if await self._directory.blacklisted(account.id, number):
            raise errors.ContactInBlacklist(field=field, value=number, contact=number)

    async def _trunk(self, virtual: VirtualNumber) -> str:
        if virtual.trunk is not None:
            return virtual.trunk
        return next((trunk.name for trunk in await self._directory.trunks()), NO_TRUNK)


def is_ours(phone: Phone) -> bool:
    """Whether a phone is rung at its contact, or where it registers, and not through a trunk."""
    return phone.contact is not None or phone.registers


def is_trusted(account: Account, number: str, phone: Phone | None) -> bool:
    """Whether the operator's file says that a number may be called, whatever it is."""
    if phone and not phone.numbered_by_api:
        return True
    # ``?`` and ``*`` stand for digits: keys would have a PBX divert, or call on.
    if not (number.isascii() and number.isdecimal()):
        return False
    return any(fnmatchcase(number, allowed) for allowed in account.allowed_numbers)


def may_call_from(account: Account, number: str, phone: Phone | None, home: VirtualNumber) -> bool:
    """Whether the direction is open, seen from one of the account's numbers."""
    if (phone and is_ours(phone)) or is_trusted(account, number, phone):
        return True
    return _closed(account, number, home) is None


def _helped(fault: str, wish: Wish) -> str:
    """What is wrong with a number, and which one is meant if it is dialled so at home."""
    country = country_of(wish.virtual.number)
    meant = HomePlan(country).e164(wish.number) if country else wish.number
    return (
        fault if meant == wish.number else f"{fault}; as it is dialled in {country} it is {meant}"
    )


def _closed(account: Account, number: str, home: VirtualNumber) -> Destination | None:
    """The direction in which a call would go, if the account may not call there."""
    destination = destination_of(number, home.number)
    return None if destination in account.directions else destination
