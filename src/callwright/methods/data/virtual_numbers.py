"""get.virtual_numbers: the account's own numbers."""

from typing import Annotated, Literal

from typing_extensions import TypedDict

from callwright.methods.data.list_fields import (
    Always,
    Stored,
    UnknownArray,
    UnknownInteger,
    UnknownMoment,
    UnknownText,
)
from callwright.methods.data.list_method import list_declaration
from callwright.methods.data.list_request import ListRequest
from callwright.methods.method import described


class NumberScenario(TypedDict):
    scenario_id: Annotated[int, Stored("id")]
    scenario_name: Annotated[str, Stored("name")]
    call_processing_rule_id: Annotated[int | None, Always(None)]
    is_active: Annotated[bool, Always(True)]


@described
class ShownVirtualNumber(TypedDict):
    id: int
    virtual_phone_number: Annotated[str, Stored("number")]
    child_customer_id: UnknownInteger
    redirection_phone_number: UnknownText
    activation_date: UnknownMoment
    name: str | None
    "What people call it."
    comment: str | None
    status: Annotated[
        Literal["active", "manual_lock"], Stored("locked", {True: "manual_lock", False: "active"})
    ]
    "`manual_lock`: the operator lets nobody use it."
    category: Annotated[Literal["usual"], Always("usual")]
    type: Annotated[Literal["va"], Always("va")]
    campaigns: UnknownArray
    site_blocks: UnknownArray
    scenarios: list[NumberScenario]
    "The one that calls to the number run, if any."


GET_VIRTUAL_NUMBERS = list_declaration(
    "get.virtual_numbers",
    ShownVirtualNumber,
    table="virtual_numbers",
    params=ListRequest,
    summary="List the account's own numbers, but for those that are disabled.",
)
