"""get.api_requests: the log of requests, in the shape of the published report."""

from functools import partial
from typing import Annotated, ClassVar

from typing_extensions import TypedDict

from callwright.methods.data.list_fields import Always, AsText, MadeOf, Moment, Stored, UnknownText
from callwright.methods.data.list_method import list_declaration
from callwright.methods.data.new_report import NewReportRequest, Word, word_of
from callwright.methods.errors import ERRORS
from callwright.methods.method import described


class GetApiRequests(NewReportRequest):
    window_by: ClassVar[str] = "api_request_start_date_time"


COMPONENTS = {"v4.0": "Call API", "v2.0": "Data API"}
OUTCOMES = {"success": "Success", "error": "Error"}


def _code(mnemonic: str) -> str | None:
    return str(ERRORS[mnemonic].code) if mnemonic in ERRORS else None


@described
class PublishedRequest(TypedDict):
    api_request_id: Annotated[str, Stored("id")]
    token_name: UnknownText
    api_request_ip: Annotated[str, Stored("ip")]
    employee_login: Annotated[str, Stored("user_login")]
    "Of the user."
    call_session_id: Annotated[int | None, Stored("session_id")]
    "The session it has begun."
    api_request_body: UnknownText
    api_request_method: Annotated[str, Stored("method")]
    api_request_raw_id: Annotated[str, Stored("id")]
    api_request_status: Annotated[
        Word, MadeOf("outcome", partial(word_of, OUTCOMES)), AsText(None, OUTCOMES)
    ]
    "`success` or `error`."
    api_request_version: Annotated[str, Stored("api")]
    api_request_is_agent: Annotated[Word, Always({"value": "No", "value_id": "false"})]
    api_request_component: Annotated[
        Word, MadeOf("api", partial(word_of, COMPONENTS)), AsText(None, COMPONENTS)
    ]
    api_request_error_code: Annotated[str | None, MadeOf("mnemonic", _code)]
    api_request_raw_ext_id: UnknownText
    api_request_method_weight: Annotated[int, Always(1)]
    api_request_error_mnemonic: Annotated[str | None, Stored("mnemonic")]
    api_request_execution_time: Annotated[int, Stored("duration")]
    "Milliseconds."
    api_request_start_date_time: Annotated[Moment, Stored("time")]


GET_API_REQUESTS = list_declaration(
    "get.api_requests",
    PublishedRequest,
    table="api_requests",
    params=GetApiRequests,
    summary="List the requests of the account as the published report does; see get.request_log.",
)
