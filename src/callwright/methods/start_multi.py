"""start.multi_call: from parameters to a plan in which operators are rung in growing waves."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field

from callwright.calls.dtmf import timed_keys
from callwright.calls.plan import Confirmation, RingGroup, Target
from callwright.directory.model import Account, Component
from callwright.methods import errors
from callwright.methods.messages import Found, MessageParams
from callwright.methods.method import Caller, Declaration, Method, Params, PhoneNumber
from callwright.methods.prompts import Prompts
from callwright.methods.start_params import (
    ERRORS_OF_ALL,
    CallStarted,
    ConfirmationKey,
    DialingTimeout,
    DtmfString,
    TwoPartyParams,
)
from callwright.methods.starting import Sides, Starting, TwoParties

PHONES_AT_MOST = 50
"In one group."
GROUPS_AT_MOST = 10
MESSAGES_AT_MOST = 10
"Before one phone's confirmation."

CONFIRMATION_MESSAGE = "confirmation_message"

Lines = Annotated[int, Field(ge=1, le=PHONES_AT_MOST)]


class GroupPhoneParams(Params):
    """One operator of a group."""

    number: PhoneNumber
    "E.164 without +, or a SIP number."
    confirmation: ConfirmationKey | None = None
    "Key the operator must press within 15 seconds to take the call: `0-9 * #`, or `any`."
    dialing_timeout: DialingTimeout | None = None
    "Seconds it is rung, 1 to 120; without it the setting `calls.dial_time`."
    dtmf_string: DtmfString | None = None
    "Keys sent to this phone from its answer on, such as those of an extension behind it."
    sip_trunk: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """Name of one of the account's trunks, through which it is dialled; without it the virtual
    number's. Of no consequence for SIP numbers, which are phones of our own."""
    confirmation_message: Annotated[list[MessageParams], Field(max_length=MESSAGES_AT_MOST)] = []
    """Played one after another to whoever answers, in place of the prompt to press `confirmation`,
    for which there are 15 seconds more then; at most 10."""


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
    contact_show_virtual_phone_number: bool = True
    "False: the contact is shown `contact_caller_number`, where that is sent."
    contact_caller_number: PhoneNumber | None = None
    "One of the account's own numbers, by whose trunk the contact is then called."
    contact_dialing_timeout: DialingTimeout | None = None
    "Seconds the contact is rung, 1 to 120; without it the setting `calls.dial_time`."
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
        self._check_groups(params.operators)
        sides = await self._sides(caller.account, params)
        beside = (params.contact,)
        targets = [
            [
                await self._target(caller.account, field, phone, sides, beside)
                for field, phone in phones
            ]
            for phones in _phones_by_field(params.operators)
        ]
        heard = await self._starting.heard(caller.account, params, *spoken)
        messages = [
            [await self._messages(caller.account, field, phone) for field, phone in phones]
            for phones in _phones_by_field(params.operators)
        ]
        groups = [
            self._ready(*group) for group in zip(params.operators, targets, messages, strict=True)
        ]
        return await self._starting.join(asked, sides, groups, heard)

    def _check_groups(self, groups: Sequence[RingGroupParams]) -> None:
        for place, group in enumerate(groups):
            if group.lines_limit is not None and group.lines_limit < group.lines_start:
                raise errors.InvalidParametersCombination(
                    field=f"operators.{place}.lines_limit", value=group.lines_limit
                )
        for phones in _phones_by_field(groups):
            for field, phone in phones:
                for at, message in enumerate(phone.confirmation_message):
                    self._starting.messages.check(f"{field}.{CONFIRMATION_MESSAGE}.{at}", message)

    async def _sides(self, account: Account, params: StartMultiCall) -> Sides:
        sides = await self._starting.sides(account, params)
        number = params.contact_caller_number
        if number is not None and not params.contact_show_virtual_phone_number:
            field = "contact_caller_number"
            sides = await self._starting.calling_as(account, sides, params.contact, field, number)
        if params.contact_dialing_timeout is None:
            return sides
        contact = replace(sides.contact, within=params.contact_dialing_timeout)
        return replace(sides, contact=contact)

    async def _target(
        self,
        account: Account,
        field: str,
        phone: GroupPhoneParams,
        sides: Sides,
        beside: Collection[str],
    ) -> Target:
        if phone.sip_trunk is not None:
            await self._starting.numbers.check_trunk(account, f"{field}.sip_trunk", phone.sip_trunk)
        target = await self._starting.numbers.operator(
            account,
            f"{field}.number",
            phone.number,
            sides.virtual,
            shown=sides.shown,
            beside=beside,
            trunk=phone.sip_trunk,
        )
        keys = timed_keys(phone.dtmf_string) if phone.dtmf_string else ()
        return replace(target, within=phone.dialing_timeout or target.within, keys=keys)

    async def _messages(
        self, account: Account, field: str, phone: GroupPhoneParams
    ) -> Sequence[Found]:
        return [
            await self._starting.messages.find(
                account, f"{field}.{CONFIRMATION_MESSAGE}.{at}", message
            )
            for at, message in enumerate(phone.confirmation_message)
        ]

    def _ready(
        self,
        group: RingGroupParams,
        targets: Sequence[Target],
        messages: Sequence[Sequence[Found]],
    ) -> RingGroup:
        """The group with its prompts, which begin to be spoken with this call."""
        return RingGroup(
            targets=[
                replace(target, confirmation=self._confirmation(phone, said))
                for phone, target, said in zip(group.phones, targets, messages, strict=True)
            ],
            lines_start=group.lines_start,
            lines_limit=group.lines_limit or group.lines_start,
            increment=group.dialing_increment,
            wave_after=group.incremental_dialing_timeout,
        )

    def _confirmation(self, phone: GroupPhoneParams, said: Sequence[Found]) -> Confirmation | None:
        return self._prompts.confirmation(phone.confirmation, [one.ready() for one in said])


def _phones_by_field(
    groups: Sequence[RingGroupParams],
) -> Iterator[Sequence[tuple[str, GroupPhoneParams]]]:
    """The phones of each group, with the fields that name them."""
    for place, group in enumerate(groups):
        yield [(f"operators.{place}.phones.{at}", phone) for at, phone in enumerate(group.phones)]
