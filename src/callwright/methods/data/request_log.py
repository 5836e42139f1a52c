"""get.request_log: the requests of the account, and what became of them."""

from typing import Annotated, ClassVar

from typing_extensions import TypedDict

from callwright.methods.data.list_fields import Moment, Stored
from callwright.methods.data.list_method import list_declaration
from callwright.methods.data.list_request import ReportRequest
from callwright.methods.method import described


class GetRequestLog(ReportRequest):
    window_by: ClassVar[str] = "date_time"


@described
class LoggedRequest(TypedDict):
    id: int
    date_time: Annotated[Moment, Stored("time")]
    api_version: Annotated[str, Stored("api")]
    "`v4.0` or `v2.0`."
    method: str
    ip: str
    "Where it came from."
    user_id: int
    user_login: str
    error_mnemonic: Annotated[str | None, Stored("mnemonic")]
    "Null: it succeeded."
    duration: float
    "Milliseconds it took to answer."
    call_session_id: Annotated[int | None, Stored("session_id")]
    "The session it has begun."


GET_REQUEST_LOG = list_declaration(
    "get.request_log",
    LoggedRequest,
    table="api_requests",
    params=GetRequestLog,
    summary="List the requests of the account that were answered between two moments.",
)
