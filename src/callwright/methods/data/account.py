"""get.account: what the account is called, and which time it goes by."""

from typing import Annotated

from typing_extensions import TypedDict

from callwright.methods.data.list_fields import Stored
from callwright.methods.data.list_method import list_declaration
from callwright.methods.data.list_request import ListRequest
from callwright.methods.method import described


@described
class ShownAccount(TypedDict):
    app_id: Annotated[int, Stored("id")]
    "Id of the account."
    name: str
    timezone: str
    "In which times are shown and asked for, like `Europe/Moscow`."


GET_ACCOUNT = list_declaration(
    "get.account",
    ShownAccount,
    table="accounts",
    params=ListRequest,
    summary="Show the account of the token.",
)
