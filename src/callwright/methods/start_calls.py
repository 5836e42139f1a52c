"""start.employee_call and start.simple_call: from parameters to a plan that is carried out."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from callwright.calls.plan import RingGroup
from callwright.directory.model import Component
from callwright.methods.messages import MessageParams
from callwright.methods.method import Caller, Declaration, Id, Method, Params, PhoneNumber
from callwright.methods.prompts import Prompts
from callwright.methods.start_params import (
    ERRORS_OF_ALL,
    CallStarted,
    ConfirmationKey,
    TwoPartyParams,
)
from callwright.methods.starting import Starting, TwoParties


class CalledEmployeeParams(Params):
    """The employee to be rung."""

    id: Id
    "The employee's id."
    phone_number: PhoneNumber | None = None
    "One of the employee's active numbers; without it all of them are rung, one after another."


class StartEmployeeCall(TwoPartyParams):
    first_call: Literal["contact", "employee"]
    "Who is rung first."
    employee_message: MessageParams | None = None
    "Played to the employee."
    employee: CalledEmployeeParams
    "Whom to ring."


class StartSimpleCall(TwoPartyParams):
    first_call: Literal["contact", "operator"]
    "Who is rung first."
    operator_message: MessageParams | None = None
    "Played to the operator."
    operator: PhoneNumber
    "Whom to ring: E.164 without +, or a SIP number. No employee is named by it."
    operator_confirmation: ConfirmationKey | None = None
    "Key the operator must press within 15 seconds to take the call: `0-9 * #`, or `any`."


START_EMPLOYEE_CALL = Declaration(
    "start.employee_call",
    StartEmployeeCall,
    component=Component.BASIC,
    summary="Ring an employee and a contact, speak to each, and join them.",
    errors=(
        *ERRORS_OF_ALL,
        "employee_not_found",
        "no_active_phone_number",
        "invalid_parameters_combination",
    ),
    result=CallStarted,
)
START_SIMPLE_CALL = Declaration(
    "start.simple_call",
    StartSimpleCall,
    component=Component.BASIC,
    summary="Ring an operator, who is a bare number, and a contact, and join them.",
    errors=(*ERRORS_OF_ALL, "invalid_parameters_combination"),
    result=CallStarted,
)


class StartCalls:
    """Methods that join two parties. Each returns as soon as the call is on record."""

    def __init__(self, starting: Starting, prompts: Prompts) -> None:
        self._starting = starting
        self._numbers = starting.numbers
        self._prompts = prompts

    def methods(self) -> Sequence[Method[Any]]:
        return (
            START_EMPLOYEE_CALL.served_by(self.employee_call),
            START_SIMPLE_CALL.served_by(self.simple_call),
        )

    async def employee_call(self, caller: Caller, params: StartEmployeeCall) -> CallStarted:
        asked = TwoParties(START_EMPLOYEE_CALL.name, caller, params)
        spoken = "employee_message", params.employee_message
        self._starting.check(params, *spoken)
        sides = await self._starting.sides(caller.account, params)
        employee = await self._numbers.employee(caller.account, params.employee.id)
        phones = await self._numbers.phones(
            caller.account,
            employee,
            params.employee.phone_number,
            sides.virtual,
            shown=sides.shown,
            beside=(params.contact,),
        )
        heard = await self._starting.heard(caller.account, params, *spoken)
        return await self._starting.join(asked, sides, [RingGroup(phones)], heard, employee)

    async def simple_call(self, caller: Caller, params: StartSimpleCall) -> CallStarted:
        asked = TwoParties(START_SIMPLE_CALL.name, caller, params)
        spoken = "operator_message", params.operator_message
        self._starting.check(params, *spoken)
        sides = await self._starting.sides(caller.account, params)
        operator = await self._numbers.operator(
            caller.account,
            "operator",
            params.operator,
            sides.virtual,
            shown=sides.shown,
            beside=(params.contact,),
        )
        heard = await self._starting.heard(caller.account, params, *spoken)
        confirmation = self._prompts.confirmation(params.operator_confirmation)
        group = RingGroup([replace(operator, confirmation=confirmation)])
        return await self._starting.join(asked, sides, [group], heard)
