"""Scripts: one coroutine per kind of call, to be read beside the choreography.

The position in the text is the state of the call. Busy, no answer, hang-up, release and shutdown do
not appear: they leave the script as `PartyLeft` or as cancellation, and the session that runs it
hangs up whoever is still on the line.
"""

from contextlib import nullcontext
from functools import partial
from typing import assert_never

import anyio

from callwright.calls.ending import INFORMED, NOT_INFORMED, Ending
from callwright.calls.party import Party, present
from callwright.calls.plan import EmployeeCall, InformerCall, Plan, Role
from callwright.calls.ring_group import first_to_take
from callwright.calls.scenario_script import talk_and_go_on
from callwright.calls.session import Script, Session

PAUSE_AFTER_MESSAGE = 0.5
"Seconds between the end of an informer's message and the hang-up, so that no word is clipped."


def script_of(call: Session, plan: Plan) -> Script:
    """Return the script that carries out a plan."""
    match plan:
        case EmployeeCall():
            call.waiting_music = plan.conversation.waiting_music
            return partial(employee_call, call, plan)
        case InformerCall():
            call.waiting_music = plan.waiting_music
            return partial(informer_call, call, plan)
        case _:
            assert_never(plan)


async def employee_call(call: Session, plan: EmployeeCall) -> Ending:
    """Ring the first party, then the second, speak to each, and let them talk."""
    contact, employee = Party(call, Role.CONTACT), Party(call, Role.EMPLOYEE)
    if plan.first is Role.EMPLOYEE:
        await employee_first(plan, contact, employee)
    else:
        await contact_first(plan, contact, employee)
    return await talk_and_go_on(call, plan.conversation, contact, employee)


async def employee_first(plan: EmployeeCall, contact: Party, employee: Party) -> None:
    """Choreography 1. The contact is dialled only when the employee has heard its message."""
    await first_to_take(employee, plan.employee)
    await employee.hears_out(plan.employee_message)
    await then_contact(plan, contact, employee)


async def then_contact(plan: EmployeeCall, contact: Party, employee: Party) -> None:
    """Choreography 1.3 and 1.4: the employee is there, and waits for the contact."""
    waiting_music = plan.conversation.waiting_music
    with present(employee), employee.hears(None, then=waiting_music) as music:
        with music.gives_way_to(contact) if plan.early_switching else nullcontext():
            await contact.answers([plan.contact])
        contact.gets_keys(plan.keys)
        if not plan.joins_on_answer:
            await contact.hears_out(plan.contact_message)


async def contact_first(plan: EmployeeCall, contact: Party, employee: Party) -> None:
    """Choreography 2. The contact hears its message while the employee is being rung."""
    await contact.answers([plan.contact])
    contact.gets_keys(plan.keys)

    waiting_music = plan.conversation.waiting_music
    with present(contact), contact.hears(plan.contact_message, waiting_music) as greeting:
        await first_to_take(employee, plan.employee)
        if plan.joins_on_answer:
            return
        with (
            present(employee),
            employee.hears(plan.employee_message, waiting_music) as briefing,
        ):
            await greeting.finished.wait()
            await briefing.finished.wait()


async def informer_call(call: Session, plan: InformerCall) -> Ending:
    """Choreography 4: ring the contact, play the message once, hang up."""
    contact = Party(call, Role.CONTACT)
    await contact.answers([plan.contact])
    contact.gets_keys(plan.keys)
    was_played = await contact.hears_out(plan.message)
    with present(contact):
        await anyio.sleep(PAUSE_AFTER_MESSAGE)
    return INFORMED if was_played else NOT_INFORMED
