"""get.virtual_numbers: the account's own numbers."""

from typing import Literal

from typing_extensions import TypedDict

from callwright.methods.data.list_fields import Listing
from callwright.methods.data.list_methods import list_declaration
from callwright.methods.data.list_query import Asking
from callwright.methods.method import described


class NumberScenario(TypedDict):
    scenario_id: int
    scenario_name: str


@described
class ShownVirtualNumber(TypedDict):
    id: int
    virtual_phone_number: str
    name: str | None
    "What people call it."
    comment: str | None
    status: Literal["active"]
    category: Literal["usual"]
    type: Literal["va"]
    scenarios: list[NumberScenario]
    "The one that calls to the number run, if any."


VIRTUAL_NUMBERS = Listing.of(
    ShownVirtualNumber,
    unknown=("redirection_phone_number", "activation_date"),
    unknown_arrays=("campaigns", "site_blocks"),
)

GET_VIRTUAL_NUMBERS = list_declaration(
    "get.virtual_numbers",
    VIRTUAL_NUMBERS,
    params=Asking,
    summary="List the account's own numbers.",
)
