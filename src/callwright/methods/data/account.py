"""get.account: what the account is called, and which time it goes by."""

from typing_extensions import TypedDict

from callwright.methods.data.list_fields import Listing
from callwright.methods.data.list_methods import list_declaration
from callwright.methods.data.list_query import Asking
from callwright.methods.method import described


@described
class ShownAccount(TypedDict):
    app_id: int
    "Id of the account."
    name: str
    timezone: str
    "In which times are shown and asked for, like `Europe/Moscow`."


ACCOUNTS = Listing.of(ShownAccount)

GET_ACCOUNT = list_declaration(
    "get.account", ACCOUNTS, params=Asking, summary="Show the account of the token."
)
