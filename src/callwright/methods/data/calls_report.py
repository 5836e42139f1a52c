"""get.calls_report: the account's sessions."""

from typing import Annotated, Literal, TypeAlias
from zoneinfo import ZoneInfo

from typing_extensions import TypedDict

from callwright.methods.data.calls_marketing import MarketingOfCall
from callwright.methods.data.list_fields import (
    COMPUTED,
    ON_REQUEST,
    SEARCHED,
    UNFILTERABLE,
    UNSORTABLE,
    Always,
    MadeOf,
    Moment,
    Stored,
    UnknownArray,
    UnknownInteger,
    UnknownText,
)
from callwright.methods.data.list_method import list_declaration
from callwright.methods.data.list_request import LooseBoolean, ReportRequest, also
from callwright.methods.method import described
from callwright.query import Comparison, FieldKind, Operator, Query

FINISHED = Comparison("finish_reason", FieldKind.TEXT, Operator.NOT_EQUAL, None)


class GetCallsReport(ReportRequest):
    include_ongoing_calls: Annotated[bool, LooseBoolean] = False
    "Sessions that are not over, too; of those most fields are null."

    def narrowed(self, query: Query, zone: ZoneInfo) -> Query:
        query = super().narrowed(query, zone)
        return query if self.include_ongoing_calls else also(query, FINISHED)


class TalkedEmployee(TypedDict):
    employee_id: int
    employee_full_name: str
    # Of all of somebody's phones together.
    is_answered: Annotated[bool, COMPUTED]
    is_talked: Annotated[bool, COMPUTED]


class ReportedTag(TypedDict):
    tag_id: int
    tag_name: str
    tag_type: Literal["auto", "manual"]
    tag_change_time: Annotated[Moment, Stored("set_at")]
    tag_user_id: Annotated[int | None, Stored("user_id")]
    tag_user_login: Annotated[str | None, Stored("user_login")]
    tag_employee_id: Annotated[int | None, Always(None)]
    "Null, as its neighbour: users are no employees here."
    tag_employee_full_name: Annotated[str | None, Always(None)]


Source: TypeAlias = Literal[
    "callapi",
    "callapi_management_call",
    "callapi_informer_call",
    "callapi_scenario_call",
    "va",
    "sip",
]

# Found out row by row, from the legs.
Found = Annotated[str | None, ON_REQUEST]
FoundId = Annotated[int | None, ON_REQUEST]


@described
class ReportedCall(MarketingOfCall):
    id: int
    "The `call_session_id`."
    start_time: Annotated[Moment, Stored("started_at")]
    finish_time: Annotated[Moment | None, Stored("finished_at")]
    finish_reason: str | None
    "The session's verdict; null: it is not over."
    direction: Literal["in", "out"]
    cpn_region_id: UnknownInteger
    cpn_region_name: UnknownText
    cpn_country_name: UnknownText
    cpn_country_id: UnknownText
    source: Source
    "What has brought it about; `va`: a call to the number; `sip`: one by an employee's phone."
    is_lost: bool
    "It came in and was not refused as unwanted, and nobody has talked with the contact."
    virtual_phone_number: Annotated[str, Stored("virtual_number")]
    contact_phone_number: Annotated[str, Stored("contact_number")]
    communication_id: Annotated[int, Stored("id")]
    "The `id`."
    communication_type: Annotated[Literal["call"], Always("call")]
    wait_duration: int | None
    "Seconds until the talk began, or until the end if there was none."
    total_wait_duration: Annotated[int | None, Stored("wait_duration")]
    "The same."
    talk_duration: int | None
    "Seconds of talk; holds are not counted."
    clean_talk_duration: Annotated[int | None, Stored("talk_duration")]
    "The same."
    total_duration: int | None
    call_records: Annotated[list[str], Stored("recordings"), SEARCHED]
    "Ids of the recordings of its talks; get.call has the links."
    wav_call_records: Annotated[list[str], Stored("recordings"), SEARCHED]
    "The same."
    full_record_file_link: Annotated[
        str | None, MadeOf("first_recording"), UNSORTABLE, UNFILTERABLE
    ]
    "Where the first recording of a talk can be fetched for a while."
    is_transfer: Annotated[bool, ON_REQUEST]
    "An operator has handed the contact over to another."
    employee_id: Annotated[int | None, ON_REQUEST]
    "Whom the call was asked for."
    employee_full_name: Annotated[str | None, ON_REQUEST]
    employees: Annotated[list[TalkedEmployee], ON_REQUEST, SEARCHED]
    "Everybody who has been rung."
    operator_phone_number: Annotated[Found, Stored("operator_number")]
    "Number of the phone that has talked last."
    first_answered_employee_id: FoundId
    first_answered_employee_full_name: Found
    last_answered_employee_id: FoundId
    last_answered_employee_full_name: Found
    first_talked_employee_id: FoundId
    first_talked_employee_full_name: Found
    last_talked_employee_id: FoundId
    last_talked_employee_full_name: Found
    tags: Annotated[list[ReportedTag], ON_REQUEST, SEARCHED]
    voice_mail_records: Annotated[list[str], Stored("voicemails"), ON_REQUEST, SEARCHED]
    "Ids of the voicemails left."
    sale_date: Annotated[Moment | None, ON_REQUEST]
    "When what was sold in it was, as set.tag_sales has said."
    sale_cost: Annotated[float | None, ON_REQUEST]
    call_api_request_id: Annotated[FoundId, Stored("request_id")]
    "The request that has begun it, as in get.api_requests; null: it is not logged."
    call_api_external_id: Annotated[str | None, Stored("external_id"), ON_REQUEST]
    "The `external_id` of the request."
    ended_by: Annotated[
        Literal["contact", "employee", "third", "client", "service"] | None, ON_REQUEST
    ]
    fault: Annotated[
        Literal["nobody", "contact", "employee", "third", "network", "service"] | None, ON_REQUEST
    ]
    "Who is to blame for the finish reason."
    communication_number: Annotated[UnknownInteger, ON_REQUEST]
    scenario_id: Annotated[int | None, ON_REQUEST]
    "The scenario it ran from its beginning; null: none."
    scenario_name: Annotated[str | None, ON_REQUEST]
    "As it was called then."
    scenario_operations: Annotated[UnknownArray, ON_REQUEST]
    contact_id: Annotated[int | None, ON_REQUEST]
    "The contact that had the number when the call began; null: none had."
    contact_full_name: Annotated[str | None, ON_REQUEST]
    "As it was called then."
    last_answered_employee_rating: Annotated[UnknownInteger, ON_REQUEST]
    postprocess_duration: Annotated[UnknownInteger, ON_REQUEST]
    lost_call_processing_duration: Annotated[UnknownInteger, ON_REQUEST]
    properties: Annotated[UnknownText, ON_REQUEST]
    ext_id: Annotated[UnknownText, ON_REQUEST]


GET_CALLS_REPORT = list_declaration(
    "get.calls_report",
    ReportedCall,
    table="call_sessions",
    params=GetCallsReport,
    summary="List the sessions that began between two moments.",
)
