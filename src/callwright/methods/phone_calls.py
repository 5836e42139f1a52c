"""Calls from phones of our own: whom an employee calls, and whether it may."""

from dataclasses import dataclass

from callwright.calls.phone_transfers import MayNotCall
from callwright.calls.plan import Caption, Direction, EmployeeRef, Target
from callwright.calls.scenario_plan import PhoneCall
from callwright.directory.lookup import Directory
from callwright.engines.port import Cause, LegOffered
from callwright.methods.conversations import Conversations
from callwright.methods.dialling import Dialling
from callwright.methods.messages import Messages
from callwright.methods.numbers import known_contact
from callwright.methods.phone_exchange import PhoneExchange

METHOD = "phone"
"What stands in place of a method's name in sessions that an employee has begun from its phone."


@dataclass(frozen=True, slots=True)
class PhoneCalls:
    """What becomes of a call that a phone of ours makes to anything but a virtual number.

    The session bears the virtual number of the SIP line, or else the first of the account's, which
    a number outside is shown, a colleague's mobile phone too; a colleague inside is shown the
    phone's number.
    """

    directory: Directory
    exchange: PhoneExchange
    conversations: Conversations
    messages: Messages

    async def plan(self, offered: LegOffered) -> PhoneCall | None:
        """Make the call's plan; None: the phone's account has no number. Raises `MayNotCall`."""
        number, called = offered.caller, offered.called.removeprefix("+")
        home = await self.directory.home_of_phone(number)
        if home is None or not home[0].active:
            return None
        account, virtual = home
        employee = await self.directory.employee_by_number(account.id, number)
        if employee is None:
            return None
        if called == number:
            raise MayNotCall(Cause.BUSY)
        contact = await self.exchange.targets_of(account, virtual, called, employee, inside=number)
        music = await self.messages.waiting_music(account, None)
        reference = EmployeeRef(employee.id, employee.full_name)
        return PhoneCall(
            Caption(
                account=account.id,
                method=METHOD,
                direction=Direction.OUT,
                virtual_number=virtual.number,
                contact_number=called,
                external_id=None,
                dtmf_string="",
                employee=reference,
                contact=await known_contact(self.directory, account, called),
            ),
            offered.leg,
            Target(
                Dialling.called_in(number, None), caller_id=called, within=0.0, employee=reference
            ),
            contact,
            await self.conversations.of(account, Direction.OUT, virtual, music, employee),
            offered.trail,
        )
