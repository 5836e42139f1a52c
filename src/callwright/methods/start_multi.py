"""start.multi_call: from parameters to a plan in which operators are rung in growing waves."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field

from callwright.calls.plan import RingGroup, Target
from callwright.directory.model import Component
from callwright.methods import errors
from callwright.methods.messages import MessageParams
from callwright.methods.method import Caller, Declaration, Method, Params, PhoneNumber
from callwright.methods.prompts import Prompts
from callwright.methods.start_params import (
    ERRORS_OF_ALL,
    CallStarted,
    ConfirmationKey,
    DialingTimeout,
    TwoPartyParams,
)
from callwright.methods.starting import Sides, Starting, TwoParties

PHONES_AT_MOST = 50
"In one group."
GROUPS_AT_MOST = 10

Lines = Annotated[int, Field(ge=1, le=PHONES_AT_MOST)]


class GroupPhoneParams(Params):
    """One operator of a group."""

    number: PhoneNumber
    "E.164 without +, or a SIP number."
    confirmation: ConfirmationKey | None = None
    "Key the operator must press within 15 seconds to take the call: `0-9 * #`, or `any`."
    dialing_timeout: DialingTimeout | None = None
    "Seconds it is rung, 1 to 120; without it the setting `calls.dial_time`."


class RingGroupParams(Params):
    """Operators who are rung together."""

    lines_start: Lines = 1
    "Phones that ring at once from the start; one that fails leaves its line to the next phone."
    lines_limit: Lines | None = None
    "To how many lines the group grows; without it, `lines_start`."
    dialing_increment: Lines = 1
    "Lines added with each wave."
    incremental_dialing_timeout: DialingTimeout = 10
    "Seconds from one wave to the next, 1 to 120."
    phones: Annotated[list[GroupPhoneParams], Field(min_length=1, max_length=PHONES_AT_MOST)]
    "In the order they are rung, at most 50."


class StartMultiCall(TwoPartyParams):
    first_call: Literal["contact", "operator"]
    "Who is rung first."
    operator_message: MessageParams | None = None
    "Played to the operator who takes the call."
    operators: Annotated[list[RingGroupParams], Field(min_length=1, max_length=GROUPS_AT_MOST)]
    "Groups, rung one after another until somebody takes the call; at most 10."


START_MULTI_CALL = Declaration(
    "start.multi_call",
    StartMultiCall,
    component=Component.BASIC,
    summary="Ring groups of operators in growing waves, and join the first with a contact.",
    errors=(*ERRORS_OF_ALL, "invalid_parameters_combination"),
    result=CallStarted,
)


class MultiCalls:
    def __init__(self, starting: Starting, prompts: Prompts) -> None:
        self._starting = starting
        self._prompts = prompts

    def methods(self) -> Sequence[Method[Any]]:
        return (START_MULTI_CALL.served_by(self.multi_call),)

    async def multi_call(self, caller: Caller, params: StartMultiCall) -> CallStarted:
        asked = TwoParties(START_MULTI_CALL.name, caller, params)
        spoken = "operator_message", params.operator_message
        self._starting.check(params, *spoken)
        for place, group in enumerate(params.operators):
            if group.lines_limit is not None and group.lines_limit < group.lines_start:
                raise errors.InvalidParametersCombination(
                    field=f"operators.{place}.lines_limit", value=group.lines_limit
                )
        sides = await self._starting.sides(caller.account, params)
        beside = (params.contact,)
        targets = [
            [
                await self._target(
                    caller, f"operators.{place}.phones.{index}", phone, sides, beside
                )
                for index, phone in enumerate(group.phones)
            ]
            for place, group in enumerate(params.operators)
        ]
        heard = await self._starting.heard(caller.account, params, *spoken)
        groups = [
            self._ready(group, phones)
            for group, phones in zip(params.operators, targets, strict=True)
        ]
        return await self._starting.join(asked, sides, groups, heard)

    async def _target(
        self,
        caller: Caller,
        field: str,
        phone: GroupPhoneParams,
        sides: Sides,
        beside: Collection[str],
    ) -> Target:
        target = await self._starting.numbers.operator(
            caller.account,
            f"{field}.number",
            phone.number,
            sides.virtual,
            shown=sides.shown,
            beside=beside,
        )
        return replace(target, within=phone.dialing_timeout or target.within)

    def _ready(self, group: RingGroupParams, targets: Sequence[Target]) -> RingGroup:
        """The group with its prompts, which begin to be spoken with this call."""
        return RingGroup(
            targets=[
                replace(target, confirmation=self._prompts.confirmation(phone.confirmation))
                for phone, target in zip(group.phones, targets, strict=True)
            ],
            lines_start=group.lines_start,
            lines_limit=group.lines_limit or group.lines_start,
            increment=group.dialing_increment,
            wave_after=group.incremental_dialing_timeout,
        )
