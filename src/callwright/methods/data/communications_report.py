"""get.communications_report: the account's calls as communications; there are no others."""

from typing import Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo

from callwright.methods.data.calls_marketing import MarketingOfCommunication
from callwright.methods.data.calls_report import FINISHED, ReportedTag
from callwright.methods.data.list_fields import (
    ON_REQUEST,
    SEARCHED,
    Always,
    Moment,
    Stored,
    UnknownInteger,
)
from callwright.methods.data.list_method import list_declaration
from callwright.methods.data.list_request import ReportRequest, also
from callwright.methods.method import described
from callwright.query import Query


class GetCommunicationsReport(ReportRequest):
    window_by: ClassVar[str] = "date_time"

    def narrowed(self, query: Query, zone: ZoneInfo) -> Query:
        return also(super().narrowed(query, zone), FINISHED)


@described
class ReportedCommunication(MarketingOfCommunication):
    id: int
    "The `call_session_id`."
    communication_type: Annotated[Literal["call"], Always("call")]
    date_time: Annotated[Moment, Stored("started_at")]
    "When it began."
    communication_number: Annotated[UnknownInteger, ON_REQUEST]
    sale_date: Annotated[Moment | None, ON_REQUEST]
    "When what was sold in it was, as set.tag_sales has said."
    sale_cost: Annotated[float | None, ON_REQUEST]
    tags: Annotated[list[ReportedTag], ON_REQUEST, SEARCHED]
    finish_reason: Annotated[str, ON_REQUEST]


GET_COMMUNICATIONS_REPORT = list_declaration(
    "get.communications_report",
    ReportedCommunication,
    table="call_sessions",
    params=GetCommunicationsReport,
    summary="List the calls that began between two moments and are over, as communications.",
)
