"""Phone calls: the script of a call that an employee makes from its phone (choreography 6)."""

from callwright.calls.ending import Ending, ending_when_left, released_leg
from callwright.calls.party import Party, Ringing
from callwright.calls.plan import Role
from callwright.calls.scenario_plan import PhoneCall
from callwright.calls.scenario_script import talk_and_go_on
from callwright.calls.session import Session
from callwright.calls.waiting import first_of
from callwright.engines.port import Cause


async def phone_call(call: Session, plan: PhoneCall, employee: Party) -> Ending:
    """Ring whom the employee calls; its phone rings back until he answers, and is answered then."""
    assert employee.leg
    employee.hears_ringing()
    contact = Party(call, Role.CONTACT)
    with Ringing(contact, plan.contact, None) as ringing:
        await first_of(ringing.settled, employee.leg.settled)
    if employee.leg.ended is not None:
        return ending_when_left(Role.EMPLOYEE, employee.leg.cause or Cause.HUNG_UP)
    if ringing.left:
        ending = ending_when_left(Role.CONTACT, ringing.left.cause)
        await employee.is_refused(ringing.left.cause, released_leg(ending))
        return ending
    await employee.is_answered()
    return await talk_and_go_on(call, plan.conversation, contact, employee)
