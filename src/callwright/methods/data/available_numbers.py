"""Numbers an account uses or not: how they are enabled, and which may be."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from callwright.directory.number_editing import VirtualNumbersEditor
from callwright.methods import errors
from callwright.methods.data.entity_method import (
    DONE,
    NOT_FOUND,
    UNUSABLE,
    Done,
    answering,
    entity_declaration,
)
from callwright.methods.data.list_fields import UNKNOWN, Always, Stored, UnknownText
from callwright.methods.data.list_method import list_declaration
from callwright.methods.data.list_request import ListRequest
from callwright.methods.method import Caller, Method, Params, PhoneNumber, described

UnknownMoney = Annotated[float | None, UNKNOWN]
Capacities = Annotated[tuple[str | int, ...], Field(max_length=100)]


class DisableNumber(Params):
    virtual_phone_number: PhoneNumber | None = None
    "One of the account's numbers. Required."
    number_capacity_ids: Capacities | None = None
    "None are found: there are no capacities of numbers here."


class EnableNumber(DisableNumber):
    number_capacity_component: str | None = None
    "Of no consequence without capacities."


@described
class AvailableNumber(TypedDict):
    phone_number: Annotated[str, Stored("number")]
    category: Annotated[Literal["usual"], Always("usual")]
    location_mnemonic: UnknownText
    location_name: UnknownText
    onetime_payment: UnknownMoney
    monthly_charge: UnknownMoney
    min_charge: UnknownMoney


@described
class NumberOfSipLine(TypedDict):
    virtual_phone_number: Annotated[str, Stored("number")]


GET_AVAILABLE_NUMBERS = list_declaration(
    "get.available_virtual_numbers",
    AvailableNumber,
    table="available_virtual_numbers",
    params=ListRequest,
    summary="List the account's numbers that are not used, and may be enabled.",
)
ENABLE_NUMBERS = entity_declaration(
    "enable.virtual_numbers",
    EnableNumber,
    summary="Let the account use one of its numbers that is disabled.",
    errors=(NOT_FOUND, UNUSABLE),
)
DISABLE_NUMBERS = entity_declaration(
    "disable.virtual_numbers",
    DisableNumber,
    summary="Let the account not use one of its numbers; live calls go on.",
    errors=(NOT_FOUND, UNUSABLE),
)
GET_NUMBERS_OF_SIP_LINES = list_declaration(
    "get.sip_line_virtual_numbers",
    NumberOfSipLine,
    table="virtual_numbers",
    params=ListRequest,
    summary="List the numbers that a SIP line may have.",
)
DECLARATIONS = (GET_AVAILABLE_NUMBERS, ENABLE_NUMBERS, DISABLE_NUMBERS, GET_NUMBERS_OF_SIP_LINES)


class NumberSwitch:
    def __init__(self, editor: VirtualNumbersEditor) -> None:
        self._editor = editor

    def methods(self) -> Sequence[Method[Any]]:
        return ENABLE_NUMBERS.served_by(self.enable), DISABLE_NUMBERS.served_by(self.disable)

    async def enable(self, caller: Caller, params: EnableNumber) -> Done:
        return await self._switch(caller, params, active=True)

    async def disable(self, caller: Caller, params: DisableNumber) -> Done:
        return await self._switch(caller, params, active=False)

    async def _switch(self, caller: Caller, params: DisableNumber, *, active: bool) -> Done:
        if params.number_capacity_ids:
            capacity = params.number_capacity_ids[0]
            raise errors.EntityNotFound(field="number_capacity_ids.0", value=capacity)
        if params.virtual_phone_number is None:
            raise errors.RequiredParameterMissed(field="virtual_phone_number")
        with answering():
            await self._editor.switch_number(
                caller.account.id, params.virtual_phone_number, active=active
            )
        return DONE
