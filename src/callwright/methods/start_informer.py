"""start.informer_call: from parameters to a plan that plays a message and hangs up."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from callwright.calls.plan import InformerCall, Message
from callwright.directory.model import Component
from callwright.methods.messages import MessageParams
from callwright.methods.method import Caller, Declaration, Method
from callwright.methods.start_params import (
    ERRORS_OF_ALL,
    CallStarted,
    DialingTimeout,
    FromNumber,
    ToContact,
)
from callwright.methods.starting import Starting, keys_of


class StartInformerCall(ToContact, FromNumber):
    contact_message: MessageParams
    "Played to the contact once; then it is hung up."
    dialing_timeout: DialingTimeout = 30
    "Seconds the contact is rung, 1 to 120."


START_INFORMER_CALL = Declaration(
    "start.informer_call",
    StartInformerCall,
    component=Component.INFORMER,
    summary="Ring a contact, play a message, and hang up.",
    errors=ERRORS_OF_ALL,
    result=CallStarted,
)


class InformerCalls:
    def __init__(self, starting: Starting) -> None:
        self._starting = starting

    def methods(self) -> Sequence[Method[Any]]:
        return (START_INFORMER_CALL.served_by(self.informer_call),)

    async def informer_call(self, caller: Caller, params: StartInformerCall) -> CallStarted:
        messages, account = self._starting.messages, caller.account
        messages.check("contact_message", params.contact_message)
        virtual, contact = await self._starting.contact(account, params, params)
        message = await messages.find(account, "contact_message", params.contact_message)
        assert message
        starting = self._starting
        plan = InformerCall(
            caption=await starting.caption(START_INFORMER_CALL.name, account, params, virtual),
            contact=replace(contact, within=params.dialing_timeout),
            message=message.ready(),
            keys=keys_of(params),
            waiting_music=await self._waiting_music(caller, params),
        )
        return await self._starting.begin(caller, plan)

    async def _waiting_music(self, caller: Caller, params: StartInformerCall) -> Message | None:
        """What is heard before a text that is still being spoken; files need none."""
        if params.contact_message.type == "media":
            return None
        return await self._starting.messages.waiting_music(caller.account, None)
