"""Calls that come in: from an offered leg to a plan that is carried out, or a refusal."""

import logging
from dataclasses import dataclass, replace

from callwright.calls.ending import Ending
from callwright.calls.plan import Caption, Direction, EmployeeRef, ScenarioRef, Target
from callwright.calls.scenario_plan import InboundCall, OfferedCall, RefusedCall
from callwright.directory.lookup import Directory
from callwright.directory.model import Account, VirtualNumber
from callwright.engines.port import Cause, LegOffered
from callwright.methods.conversations import Conversations
from callwright.methods.dialling import Dialling
from callwright.methods.messages import Messages
from callwright.methods.numbers import known_contact
from callwright.methods.phone_calls import PhoneCalls
from callwright.methods.scenarios import Occasion, Scenarios

log = logging.getLogger(__name__)

METHOD = "inbound"
"What stands in place of a method's name in sessions that nobody has asked for."

BLACKLISTED = Ending(
    "numa_in_black_list",
    "service",
    detail="the caller is on the blacklist",
    nobody_missed=True,
)
DISABLED = Ending(
    "numb_is_inactive",
    "service",
    detail="the number is disabled",
    nobody_missed=True,
)
LOCKED = Ending(
    "locked_numb",
    "service",
    detail="the operator has locked the number",
    nobody_missed=True,
)
NO_SCENARIO = Ending(
    "no_active_scenario",
    "service",
    detail="the number has no scenario",
    nobody_missed=True,
)


@dataclass(frozen=True, slots=True)
class InboundCalls:
    """`callwright.calls.inbound_gate.Reception` of virtual numbers, by their scenarios.

    A call to a number that nobody here owns leaves no session; one that a number's owner refuses
    leaves one, so that the owner knows of it.
    """

    directory: Directory
    scenarios: Scenarios
    conversations: Conversations
    messages: Messages
    phone_calls: PhoneCalls

    async def receive(self, offered: LegOffered) -> OfferedCall | None:
        found = await self.directory.whose(offered.called.removeprefix("+"))
        if found is None and offered.trunk is None:
            return await self.phone_calls.plan(offered)
        if found is None or not found[0].active:
            return None
        account, number = found
        caller = offered.caller.removeprefix("+")
        caption = Caption(
            account=account.id,
            method=METHOD,
            direction=Direction.IN,
            virtual_number=number.number,
            contact_number=caller,
            external_id=None,
            dtmf_string="",
            employee=None,
            contact=await known_contact(self.directory, account, caller),
        )
        contact = await self._caller(account, number, caller, offered.trunk)
        if not number.is_usable:
            ending = LOCKED if number.locked else DISABLED
            return RefusedCall(caption, offered.leg, contact, ending, Cause.WRONG_NUMBER)
        if caller and await self.directory.blacklisted(account.id, caller):
            return RefusedCall(caption, offered.leg, contact, BLACKLISTED, Cause.REJECTED)
        scenario = None
        if number.scenario is not None:
            scenario = await self.directory.scenario(account.id, number.scenario)
        if scenario is None:
            return RefusedCall(caption, offered.leg, contact, NO_SCENARIO, Cause.NO_ANSWER)
        caption = replace(caption, scenario=ScenarioRef(scenario.id, scenario.name))
        music = await self.messages.waiting_music(account, None)
        occasion = Occasion(account, number, caller, Direction.IN, "contact")
        return InboundCall(
            caption,
            offered.leg,
            contact,
            await self.scenarios.ready(scenario, occasion, music),
            await self.conversations.of(account, Direction.IN, number, music),
            offered.trail,
        )

    async def _caller(
        self, account: Account, number: VirtualNumber, caller: str, trunk: str | None
    ) -> Target:
        """Who calls; an employee, if it is one's phone that has registered with us."""
        employee = None
        # Through a trunk anybody may claim to be anybody; and a phone that registers for one
        # account may have the number of another account's employee.
        if trunk is None:
            home = await self.directory.home_of_phone(caller)
            if home is not None and home[0].id == account.id:
                employee = await self.directory.employee_by_number(account.id, caller)
        return Target(
            Dialling.called_in(caller, trunk),
            caller_id=number.number,
            within=0.0,
            employee=EmployeeRef(employee.id, employee.full_name) if employee else None,
        )
