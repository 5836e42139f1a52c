"""get.api_requests: the requests of the account, and what became of them."""

from collections.abc import Awaitable, Callable

from typing_extensions import TypedDict

from callwright.methods.data.list_fields import Listing, Moment
from callwright.methods.data.list_methods import Rows, answer_list, check_rows, list_declaration
from callwright.methods.data.list_query import query_of
from callwright.methods.data.reports import ERRORS, ReportAsking, in_window
from callwright.methods.method import Answer, Caller, Method, described


@described
class LoggedRequest(TypedDict):
    id: int
    date_time: Moment
    api_version: str
    "`v4.0` or `v2.0`."
    method: str
    ip: str
    "Where it came from."
    user_id: int
    user_login: str
    error_mnemonic: str | None
    "Null: it succeeded."
    duration: float
    "Milliseconds it took to answer."
    call_session_id: int | None
    "The session it has begun."


API_REQUESTS = Listing.of(LoggedRequest)

GET_API_REQUESTS = list_declaration(
    "get.api_requests",
    API_REQUESTS,
    params=ReportAsking,
    summary="List the requests of the account that were answered between two moments.",
    errors=ERRORS,
)


def api_requests(rows: Rows, write_all: Callable[[], Awaitable[object]]) -> Method[ReportAsking]:
    """Serve the log of requests. ``write_all``: has it written first, as far as it can be."""
    check_rows(API_REQUESTS, rows)

    async def serve(caller: Caller, params: ReportAsking) -> Answer:
        await write_all()
        zone = caller.account.timezone
        query = query_of(params, API_REQUESTS, zone)
        query = in_window(query, params, zone, field="date_time")
        return await answer_list(caller.account, query, API_REQUESTS, rows)

    return GET_API_REQUESTS.served_by(serve)
