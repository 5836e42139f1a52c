"""start.scenario_call and start.vnumber_call: a scenario says whom the contact talks with."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from callwright.calls.plan import EmployeeCall, Role, ScenarioRef
from callwright.calls.scenario_plan import ScenarioCall
from callwright.directory.lookup import Directory
from callwright.directory.model import Account, Component, VirtualNumber
from callwright.directory.scenario import Scenario, ScenarioId
from callwright.methods import errors
from callwright.methods.messages import MessageParams, ready
from callwright.methods.method import Caller, Declaration, Id, Method
from callwright.methods.scenarios import Occasion, Scenarios
from callwright.methods.start_params import (
    ERRORS_OF_ALL,
    CallStarted,
    FromNumber,
    Showing,
    Switching,
    ToContact,
)
from callwright.methods.starting import Starting, check_switching, keys_of


class StartVnumberCall(ToContact, Showing, FromNumber, Switching):
    first_call: Literal["contact", "employee"]
    "Who is rung first."


class StartScenarioCall(ToContact, Showing, FromNumber, Switching):
    first_call: Literal["contact", "employee"]
    "Who is rung first."
    employee_message: MessageParams | None = None
    "Played to whoever of the scenario's people answers, in place of the scenario's own message."
    scenario_id: Id
    "The scenario."


START_SCENARIO_CALL = Declaration(
    "start.scenario_call",
    StartScenarioCall,
    component=Component.SCENARIO,
    summary="Ring a contact, and let a scenario say whom it talks with.",
    errors=(*ERRORS_OF_ALL, "scenario_not_found", "invalid_parameters_combination"),
    result=CallStarted,
)
START_VNUMBER_CALL = Declaration(
    "start.vnumber_call",
    StartVnumberCall,
    component=Component.BASIC,
    summary="Ring a contact, and let the scenario of the virtual number say whom it talks with.",
    errors=(*ERRORS_OF_ALL, "scenario_not_found", "invalid_parameters_combination"),
    result=CallStarted,
)


class ScenarioCalls:
    def __init__(self, starting: Starting, directory: Directory, scenarios: Scenarios) -> None:
        self._starting = starting
        self._directory = directory
        self._scenarios = scenarios

    def methods(self) -> Sequence[Method[Any]]:
        return (
            START_SCENARIO_CALL.served_by(self.scenario_call),
            START_VNUMBER_CALL.served_by(self.vnumber_call),
        )

    async def scenario_call(self, caller: Caller, params: StartScenarioCall) -> CallStarted:
        return await self._start(
            START_SCENARIO_CALL.name, caller, params, params.employee_message, params.scenario_id
        )

    async def vnumber_call(self, caller: Caller, params: StartVnumberCall) -> CallStarted:
        return await self._start(START_VNUMBER_CALL.name, caller, params, None, None)

    async def _start(
        self,
        method: str,
        caller: Caller,
        params: StartVnumberCall | StartScenarioCall,
        employee_message: MessageParams | None,
        scenario_id: int | None,
    ) -> CallStarted:
        """``scenario_id``: None for the one of the virtual number."""
        starting, messages, account = self._starting, self._starting.messages, caller.account
        check_switching(params)
        messages.check("contact_message", params.contact_message)
        messages.check("employee_message", employee_message)

        virtual, contact = await starting.contact(account, params, params)
        if scenario_id is None:
            named = await starting.numbers.virtual(account, params.virtual_phone_number)
            scenario = await self._of_number(account, named)
        else:
            scenario = await self._of_id(account, scenario_id)
        music = await messages.waiting_music(account, None)
        to_contact = await messages.find(account, "contact_message", params.contact_message)
        to_employee = await messages.find(account, "employee_message", employee_message)
        caption = await starting.caption(method, account, params, virtual)
        caption = replace(caption, scenario=ScenarioRef(scenario.id, scenario.name))
        occasion = Occasion(
            account,
            virtual,
            params.contact,
            caption.direction,
            "virtual" if params.show_virtual_phone_number else "contact",
        )
        asked = EmployeeCall(
            caption=caption,
            first=Role(params.first_call),
            contact=contact,
            employee=(),
            switch_at_once=params.switch_at_once,
            early_switching=params.early_switching,
            contact_message=ready(to_contact),
            employee_message=ready(to_employee),
            keys=keys_of(params),
            conversation=await starting.conversations.of(
                account, caption.direction, virtual, music
            ),
        )
        plan = ScenarioCall(asked, await self._scenarios.ready(scenario, occasion, music))
        return await starting.begin(caller, plan)

    async def _of_id(self, account: Account, scenario_id: int) -> Scenario:
        if found := await self._directory.scenario(account.id, ScenarioId(scenario_id)):
            return found
        raise errors.ScenarioNotFound(
            field="scenario_id", value=scenario_id, scenario_id=scenario_id
        )

    async def _of_number(self, account: Account, number: VirtualNumber) -> Scenario:
        if number.scenario is not None and (
            found := await self._directory.scenario(account.id, number.scenario)
        ):
            return found
        raise errors.NumberWithoutScenario(field="virtual_phone_number", value=number.number)
