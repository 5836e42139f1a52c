"""Scenario calls: the scripts of calls whose further course a scenario decides (choreography 6)."""

from callwright.calls.ending import Ending, released_leg
from callwright.calls.party import Party, PartyLeft
from callwright.calls.plan import Role
from callwright.calls.queueing import taken_by_somebody_free
from callwright.calls.ring_group import first_to_take
from callwright.calls.scenario_plan import (
    Ask,
    HangUp,
    InboundCall,
    Menu,
    PreparedScenario,
    Queue,
    Ring,
    ScenarioCall,
)
from callwright.calls.scenario_script import (
    Path,
    ScenarioScript,
    TooManyTransitions,
    talk_and_go_on,
)
from callwright.calls.scripts import then_contact
from callwright.calls.session import Session
from callwright.engines.port import Cause

GIVEN_UP = Ending("disconnect_before_call_processing", "contact")


async def inbound_call(call: Session, plan: InboundCall, contact: Party) -> Ending:
    """Answer a call that has come in and carry out the scenario of the number."""
    call.waiting_music = plan.conversation.waiting_music
    try:
        await contact.is_answered()
    except PartyLeft:
        return GIVEN_UP
    return await ScenarioScript(call, contact, plan.scenario, plan.conversation).run()


async def refused_call(contact: Party, ending: Ending, cause: Cause) -> Ending:
    """Refuse a call that has come in; the caller is told the cause."""
    await contact.is_refused(cause, released_leg(ending))
    return ending


async def scenario_call(call: Session, plan: ScenarioCall) -> Ending:
    """Ring the contact and the people of a scenario, in the order that was asked for."""
    asked, contact = plan.asked, Party(call, Role.CONTACT)
    call.waiting_music = asked.conversation.waiting_music
    if asked.first is Role.EMPLOYEE:
        employee = await somebody_of(call, plan.scenario)
        await employee.hears_out(asked.employee_message)
        await then_contact(asked, contact, employee)
        assert employee.leg
        conversation = employee.leg.target.conversation or asked.conversation
        return await talk_and_go_on(call, conversation, contact, employee)
    await contact.answers([asked.contact])
    contact.gets_keys(asked.keys)
    return await ScenarioScript(call, contact, plan.scenario, asked.conversation, asked).run()


async def somebody_of(call: Session, scenario: PreparedScenario) -> Party:
    """Ring the people of a scenario before there is a contact: return the first to answer.

    What speaks to the contact, or asks something, is passed over as if the contact did nothing.
    Raises `PartyLeft` if nobody answers.
    """
    nobody = PartyLeft(Party(call, Role.EMPLOYEE), Cause.REJECTED)
    path = Path(scenario)
    try:
        while operation := path.next():
            match operation:
                case Ring() | Queue():
                    somebody = Party(call, Role.EMPLOYEE)
                    try:
                        if isinstance(operation, Queue):
                            await taken_by_somebody_free(call, somebody, operation)
                        else:
                            await first_to_take(somebody, operation.groups)
                    except PartyLeft as left:
                        nobody = left
                    else:
                        return somebody
                case Menu(otherwise=str(label)) | Ask(otherwise=str(label)):
                    path.go(label)
                case HangUp():
                    break
                case _:
                    pass
    except TooManyTransitions:
        pass
    raise nobody
