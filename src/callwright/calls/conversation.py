"""The conversation: two parties talk, and hold, consult and transfer as the client asks.

Choreography 5, and the states of call-api 4. Every function here returns when the call has moved
on; busy, hang-up, release and shutdown leave it as `PartyLeft` or as cancellation.
"""

import anyio

from callwright.calls.commands import (
    AttendedTransfer,
    Hold,
    MakeCall,
    PhoneTransfer,
    RestoreTalk,
    RunScenario,
    TransferCall,
    TransferTalk,
    Unhold,
)
from callwright.calls.ending import TALKED_TOO_LONG, TRANSFERRED, Ending
from callwright.calls.hold import OnHold
from callwright.calls.inbox import PendingCommand
from callwright.calls.options import Buttons
from callwright.calls.party import Party, PartyLeft, Ringing, present
from callwright.calls.plan import Conversation, Role
from callwright.calls.session import Session
from callwright.calls.state import State
from callwright.engines.port import Cause


async def converse(
    call: Session, plan: Conversation, contact: Party, operator: Party
) -> Ending | RunScenario:
    """Let contact and operator talk until somebody leaves or the longest time is over.

    If the operator leaves the contact to a scenario, it is returned, and the contact is alone.
    """
    call.recorder.on = call.recorder.forced = plan.recorded
    call.options = plan.options
    buttons = Buttons(call, plan.options)
    call.keys.when_operator_presses = buttons.press
    with anyio.move_on_after(plan.at_most):
        while True:
            call.operator = operator
            request = await talk(call, contact, operator)
            match request and request.command:
                case None | Hold():
                    operator = await hold(call, plan, contact, operator, request)
                case TransferCall():
                    assert request
                    operator = await hand_over(call, plan, contact, operator, request)
                case PhoneTransfer() as wanted:
                    assert request
                    with present(contact), OnHold(call, contact, plan.waiting_music) as waiting:
                        waiting.put(on=True)
                        partner = await transfer_by_phone(call, plan, operator, request, wanted)
                    operator = partner or operator
                case AttendedTransfer() as wanted:
                    assert request
                    operator = joined_by_phone(call, operator, request, wanted) or operator
                case RunScenario() as command:
                    assert request
                    leave_to_scenario(call, contact, operator, request)
                    return command
    return TALKED_TOO_LONG


async def talk(call: Session, contact: Party, operator: Party) -> PendingCommand | None:
    """Join the two until the client asks for something else; None: a phone has put us on hold."""
    call.enter(State.TALK)
    if contact.holds or operator.holds:
        return None
    with present(contact, operator), call.bridges.talking(contact, operator):
        request = None
        while not (request or contact.holds or operator.holds):
            request = await call.inbox.next_unless(call.phone_held)
        return request


async def hold(
    call: Session,
    plan: Conversation,
    contact: Party,
    operator: Party,
    request: PendingCommand | None,
) -> Party:
    """Let the contact wait, the operator perhaps consult a third; return who talks with it next.

    The contact waits for as long as the client (by ``request``) or the operator's phone holds it,
    the operator for as long as the contact's phone does.
    """
    call.enter(State.HOLD)
    asked = request.command if request else None
    message = asked.message if isinstance(asked, Hold) else None
    by_client = request is not None
    with (
        present(contact),
        OnHold(call, operator, plan.waiting_music) as waiting_operator,
        OnHold(call, contact, plan.waiting_music) as waiting,
    ):
        while True:
            waiting.put(on=by_client or operator.holds, message=message)
            waiting_operator.put(on=contact.holds)
            if request:
                request.accept()
            if not (waiting.is_on or waiting_operator.is_on):
                return operator
            with present(operator):
                request = await call.inbox.next_unless(call.phone_held)
            match request and request.command:
                case Unhold() if not by_client:
                    assert request
                    request.refuse()  # a phone alone lets go of what it holds
                case Unhold():
                    by_client = False
                case MakeCall() as wanted:
                    assert request
                    by_client = True
                    waiting.put(on=True)
                    waiting_operator.put(on=False)
                    if partner := await consult(call, plan, operator, request, wanted):
                        return partner
                    call.enter(State.HOLD)
                case PhoneTransfer() as wanted:
                    assert request
                    waiting.put(on=True)
                    waiting_operator.put(on=False)
                    if partner := await transfer_by_phone(call, plan, operator, request, wanted):
                        return partner
                    call.enter(State.HOLD)
                case AttendedTransfer() as wanted:
                    assert request
                    if partner := joined_by_phone(call, operator, request, wanted):
                        return partner


async def consult(
    call: Session, plan: Conversation, operator: Party, request: PendingCommand, asked: MakeCall
) -> Party | None:
    """Ring a third party and let the operator talk with it.

    Return who talks with the contact then; None if the third party is not reached, or leaves.
    """
    call.enter(State.DIALING)
    third = Party(call, Role.THIRD)
    with Ringing(third, asked.third, asked.message) as ringing:
        request.accept()
        with present(operator), operator.hears(None, then=plan.ringback) as tone:
            with tone.gives_way_to(third):
                next_request = await call.inbox.next_unless(ringing.rung)
            if next_request is None:  # The third party hears its message.
                next_request = await call.inbox.next_unless(ringing.settled)
        if next_request:
            return await leave_consultation(call, operator, ringing, next_request)
    if ringing.left:
        return None

    call.enter(State.OPERATOR_TALK)
    try:
        with present(operator, third), call.bridges.joined(operator, third):
            next_request = await next_in_consultation(call, plan, operator, third)
    except PartyLeft as left:
        if left.party is third:
            return None
        raise
    return await leave_consultation(call, operator, ringing, next_request)


async def next_in_consultation(
    call: Session, plan: Conversation, operator: Party, third: Party
) -> PendingCommand:
    """Wait for the next command; whom the other's phone holds meanwhile hears music."""
    with (
        OnHold(call, operator, plan.waiting_music) as waiting_operator,
        OnHold(call, third, plan.waiting_music) as waiting,
    ):
        while True:
            waiting.put(on=operator.holds)
            waiting_operator.put(on=third.holds)
            if request := await call.inbox.next_unless(call.phone_held):
                return request


async def leave_consultation(
    call: Session, operator: Party, ringing: Ringing, request: PendingCommand
) -> Party:
    """Drop the third party, or, for it, the operator, even while it is still rung."""
    request.accept()
    if isinstance(request.command, RestoreTalk):
        ringing.stop()
        call.dismiss(ringing.party)
        return operator
    assert isinstance(request.command, TransferTalk)
    with call.inbox.closed():
        call.dismiss(operator, TRANSFERRED)
        await ringing.settled.wait()
    if ringing.left:
        raise ringing.left
    call.transferred(operator, ringing.party)
    return ringing.party


async def transfer_by_phone(
    call: Session,
    plan: Conversation,
    operator: Party,
    request: PendingCommand,
    asked: PhoneTransfer,
) -> Party | None:
    """Ring a third party; the operator's phone keeps its call until it answers, if it likes.

    Return who talks with the contact then; None if the third party is not reached, and the operator
    is still there.
    """
    call.enter(State.DIALING)
    assert operator.leg
    operator.leg.finish_reason = TRANSFERRED  # also if it hangs up at once, as some phones do
    with Ringing(Party(call, Role.THIRD), asked.third, None) as ringing:
        request.accept()
        try:
            with present(operator), operator.hears(None, then=plan.ringback):
                next_request = await call.inbox.next_unless(ringing.settled)
        except PartyLeft:
            next_request = None
            with call.inbox.closed():
                await ringing.settled.wait()
            if ringing.left:
                raise ringing.left from None
        if next_request or not ringing.left:
            taken_over = next_request is None or isinstance(next_request.command, TransferTalk)
            call.report_transfer(operator, None if taken_over else Cause.RELEASED)
        if next_request:
            operator.leg.finish_reason = None
            return await leave_consultation(call, operator, ringing, next_request)
    if ringing.left:
        operator.leg.finish_reason = None
        call.report_transfer(operator, ringing.left.cause)
        return None
    call.dismiss(operator, TRANSFERRED)
    call.transferred(operator, ringing.party)
    return ringing.party


def joined_by_phone(
    call: Session, operator: Party, request: PendingCommand, asked: AttendedTransfer
) -> Party | None:
    """Take over whom the operator's phone talks with in another call; None: nobody is there."""
    third = asked.take_over()
    if third is None:
        request.refuse()
        return None
    request.accept()
    call.dismiss(operator, TRANSFERRED)
    call.transferred(operator, third)
    return third


async def hand_over(
    call: Session, plan: Conversation, contact: Party, operator: Party, request: PendingCommand
) -> Party:
    """Blind transfer: the operator leaves at once, the contact waits for the third party."""
    assert isinstance(request.command, TransferCall)
    call.enter(State.DIALING)
    third = Party(call, Role.THIRD)
    with present(contact), call.bridges.held(contact), contact.hears(None, then=plan.waiting_music):
        request.accept()
        with call.inbox.closed():
            call.dismiss(operator, TRANSFERRED)
            await third.answers(request.command.third)
    call.transferred(operator, third)
    return third


def leave_to_scenario(
    call: Session, contact: Party, operator: Party, request: PendingCommand
) -> None:
    """The operator leaves, and whoever coaches; the contact stays."""
    request.accept()
    call.dismiss(operator, TRANSFERRED)
    call.begin_anew_with(contact)
