"""start.employee_call: from parameters to a plan that is carried out."""

import logging
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from callwright.calls.door import Draining
from callwright.calls.dtmf import DTMF_STRING, timed_keys
from callwright.calls.journal import JournalUnavailable
from callwright.calls.manager import CallManager
from callwright.calls.plan import (
    Caption,
    Conversation,
    Direction,
    EmployeeCall,
    EmployeeRef,
    Message,
    RingGroup,
    Role,
)
from callwright.config import ApiSettings, CallSettings
from callwright.directory.model import Component, Recorded
from callwright.methods import errors
from callwright.methods.messages import MessageParams, Messages, ready
from callwright.methods.method import (
    Caller,
    Declaration,
    Id,
    Method,
    Params,
    PhoneNumber,
    described,
)
from callwright.methods.numbers import Numbers
from callwright.methods.talk_options import TalkOptions

log = logging.getLogger(__name__)


class EmployeeParams(Params):
    """The employee to be rung."""

    id: Id
    "The employee's id."
    phone_number: PhoneNumber | None = None
    "One of the employee's active numbers; without it all of them are rung, one after another."


class StartEmployeeCall(Params):
    first_call: Literal["contact", "employee"]
    "Who is rung first."
    switch_at_once: bool = False
    "Join the two as soon as both have answered, cutting messages; has no power over tts."
    early_switching: bool = False
    "Let the employee hear the contact's early media instead of the waiting music."
    media_file_id: Id | None = None
    "Media file with the waiting music; without it the system file `dialing_music`."
    virtual_phone_number: PhoneNumber
    "One of the account's own numbers; always what the contact is shown."
    virtual_phone_usage_rule: Literal[
        "fixed", "fixed_for_numa", "random", "regional_random", "regional_fixed_for_numa"
    ] = "fixed"
    "How the number shown is chosen; where no rule fits it is `virtual_phone_number`."
    show_virtual_phone_number: bool = True
    "Whether the employee is shown the virtual number; else the contact's."
    contact: PhoneNumber
    "The contact's number, E.164 without +, or the SIP number of an employee."
    external_id: Annotated[str, Field(max_length=255)] | None = None
    "The client's own id for the call; need not be unique."
    dtmf_string: Annotated[str, Field(pattern=f"^{DTMF_STRING.pattern}$")] | None = None
    "Keys sent to the contact from its answer on: `0-9 * #`; a `.` waits one second."
    direction: Literal["in", "out"] | None = None
    "How the session is marked; without it the setting `api.default_direction`."
    contact_message: MessageParams | None = None
    "Played to the contact."
    employee_message: MessageParams | None = None
    "Played to the employee."
    employee: EmployeeParams
    "Whom to ring."


@described
class CallStarted(TypedDict):
    call_session_id: int
    "The session; its fate is told by events and by list.calls."


START_EMPLOYEE_CALL = Declaration(
    "start.employee_call",
    StartEmployeeCall,
    component=Component.BASIC,
    summary="Ring an employee and a contact, speak to each, and join them.",
    errors=(
        "tts_text_exceeded",
        "media_file_not_found",
        "virtual_phone_number_not_found",
        "employee_not_found",
        "no_active_phone_number",
        "own_virtual_phone_number_not_allowed",
        "contact_in_blacklist",
        "character_encoding_not_allowed",
        "invalid_parameters_combination",
    ),
    result=CallStarted,
)


class StartCalls:
    """The methods that create calls. Each returns as soon as the call is on record.

    ``ringback``: what an employee hears while a third party is rung.
    """

    def __init__(
        self,
        numbers: Numbers,
        messages: Messages,
        talk_options: TalkOptions,
        manager: CallManager,
        ringback: Message,
        api: ApiSettings,
        calls: CallSettings,
    ) -> None:
        self._numbers = numbers
        self._messages = messages
        self._talk_options = talk_options
        self._manager = manager
        self._ringback = ringback
        self._api = api
        self._calls = calls

    def methods(self) -> Sequence[Method[Any]]:
        return (START_EMPLOYEE_CALL.served_by(self.employee_call),)

    async def employee_call(self, caller: Caller, params: StartEmployeeCall) -> CallStarted:
        if params.early_switching and not (
            params.first_call == "employee" and params.switch_at_once
        ):
            raise errors.InvalidParametersCombination(field="early_switching", value=True)
        self._messages.check("contact_message", params.contact_message)
        self._messages.check("employee_message", params.employee_message)

        account = caller.account
        virtual = await self._numbers.virtual(account, params.virtual_phone_number)
        contact = await self._numbers.contact(account, params.contact, virtual)
        employee = await self._numbers.employee(account, params.employee.id)
        shown = virtual.number if params.show_virtual_phone_number else params.contact
        phones = await self._numbers.phones(
            employee, params.employee.phone_number, virtual, shown=shown
        )
        waiting_music = await self._messages.waiting_music(account, params.media_file_id)
        contact_message = await self._messages.find(
            account, "contact_message", params.contact_message
        )
        employee_message = await self._messages.find(
            account, "employee_message", params.employee_message
        )

        direction = params.direction or self._api.default_direction
        plan = EmployeeCall(
            caption=Caption(
                account=account.id,
                method=START_EMPLOYEE_CALL.name,
                direction=Direction(direction),
                virtual_number=virtual.number,
                contact_number=params.contact,
                external_id=params.external_id,
                dtmf_string=params.dtmf_string or "",
                employee=EmployeeRef(employee.id, employee.full_name),
            ),
            first=Role(params.first_call),
            contact=contact,
            employee=[RingGroup(phones)],
            switch_at_once=params.switch_at_once,
            early_switching=params.early_switching,
            contact_message=ready(contact_message),
            employee_message=ready(employee_message),
            keys=timed_keys(params.dtmf_string) if params.dtmf_string else (),
            conversation=Conversation(
                waiting_music=waiting_music,
                ringback=self._ringback,
                at_most=self._calls.talk_at_most,
                recorded=employee.recorded in (Recorded.ALL, direction),
                options=await self._talk_options.of_call(account, employee.id, virtual),
            ),
        )
        return CallStarted(call_session_id=await self._start(plan))

    async def _start(self, plan: EmployeeCall) -> int:
        try:
            return await self._manager.start(plan)
        except (JournalUnavailable, Draining) as reason:
            log.error("no call was started: %s", reason or type(reason).__name__)
            raise errors.InternalError from reason
