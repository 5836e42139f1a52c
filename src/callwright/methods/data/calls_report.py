"""get.calls_report: the account's sessions."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Literal

from typing_extensions import TypedDict

from callwright.downloads.links import Links
from callwright.methods.data.list_fields import (
    ON_REQUEST,
    UNFILTERABLE,
    UNSORTABLE,
    Listing,
    Moment,
)
from callwright.methods.data.list_methods import Rows, answer_list, check_rows, list_declaration
from callwright.methods.data.list_query import query_of
from callwright.methods.data.reports import ERRORS, ReportAsking, finished, in_window
from callwright.methods.method import Answer, Caller, Method, described


class GetCallsReport(ReportAsking):
    include_ongoing_calls: bool = False
    "Sessions that are not over, too; of those most fields are null."


class TalkedEmployee(TypedDict):
    employee_id: int
    employee_full_name: str
    is_answered: bool
    is_talked: bool


class ReportedTag(TypedDict):
    tag_id: int
    tag_name: str
    tag_type: Literal["auto", "manual"]
    tag_change_time: Moment
    tag_user_id: int | None
    tag_user_login: str | None


# Found out row by row from the legs: a report cannot be sorted or filtered by it.
Found = Annotated[str | None, ON_REQUEST, UNSORTABLE, UNFILTERABLE]
FoundId = Annotated[int | None, ON_REQUEST, UNSORTABLE, UNFILTERABLE]


@described
class ReportedCall(TypedDict):
    id: int
    "The `call_session_id`."
    start_time: Moment
    finish_time: Moment | None
    finish_reason: str | None
    "The session's verdict; null: it is not over."
    direction: Literal["in", "out"]
    source: Literal[
        "callapi",
        "callapi_management_call",
        "callapi_informer_call",
        "callapi_scenario_call",
        "va",
    ]
    "What has brought it about; `va`: somebody has called the virtual number."
    is_lost: bool
    "It came in, and nobody has talked with the contact."
    virtual_phone_number: str
    contact_phone_number: str
    communication_id: int
    "The `id`."
    communication_type: Literal["call"]
    wait_duration: int | None
    "Seconds until the talk began, or until the end if there was none."
    total_wait_duration: int | None
    "The same."
    talk_duration: int | None
    "Seconds of talk; holds are not counted."
    clean_talk_duration: int | None
    "The same."
    total_duration: int | None
    call_records: list[int]
    "Ids of the recordings of its talks; get.call has the links."
    wav_call_records: list[int]
    "The same."
    full_record_file_link: Annotated[str | None, UNSORTABLE, UNFILTERABLE]
    "Where the first recording of a talk can be fetched for a while."
    is_transfer: Annotated[bool, ON_REQUEST]
    "An operator has handed the contact over to another."
    employee_id: Annotated[int | None, ON_REQUEST]
    "Whom the call was asked for."
    employee_full_name: Annotated[str | None, ON_REQUEST]
    employees: Annotated[list[TalkedEmployee], ON_REQUEST]
    "Everybody who has been rung."
    operator_phone_number: Found
    "Number of the phone that has talked last."
    first_answered_employee_id: FoundId
    first_answered_employee_full_name: Found
    last_answered_employee_id: FoundId
    last_answered_employee_full_name: Found
    first_talked_employee_id: FoundId
    first_talked_employee_full_name: Found
    last_talked_employee_id: FoundId
    last_talked_employee_full_name: Found
    tags: Annotated[list[ReportedTag], ON_REQUEST]
    voice_mail_records: Annotated[list[int], ON_REQUEST]
    "Ids of the voicemails left."
    call_api_request_id: FoundId
    "The request that has begun it, as in get.api_requests; null: it is not logged."
    call_api_external_id: Annotated[str | None, ON_REQUEST]
    "The `external_id` of the request."
    ended_by: Annotated[
        Literal["contact", "employee", "third", "client", "service"] | None, ON_REQUEST
    ]
    fault: Annotated[
        Literal["nobody", "contact", "employee", "third", "network", "service"] | None, ON_REQUEST
    ]
    "Who is to blame for the finish reason."


CALLS_REPORT = Listing.of(
    ReportedCall,
    unknown=(
        "cpn_region_id",
        "cpn_region_name",
        "ext_id",
        "contact_id",
        "contact_full_name",
        "communication_number",
        "communication_page_url",
        "scenario_id",
        "scenario_name",
        "last_answered_employee_rating",
        "postprocess_duration",
        "lost_call_processing_duration",
        "campaign_id",
        "campaign_name",
        "site_id",
        "site_domain_name",
        "channel",
        "person_id",
        "visitor_id",
        "visitor_type",
        "visitor_session_id",
        "visits_count",
        "visit_other_campaign",
        "visitor_first_campaign_id",
        "visitor_first_campaign_name",
        "visitor_city",
        "visitor_region",
        "visitor_country",
        "visitor_device",
        "search_query",
        "search_engine",
        "referrer",
        "referrer_domain",
        "entrance_page",
        "sale_date",
        "sale_cost",
        "gclid",
        "yclid",
        "ymclid",
        "ef_id",
        "ua_client_id",
        "ym_client_id",
        "utm_source",
        "utm_medium",
        "utm_term",
        "utm_content",
        "utm_campaign",
        "utm_referrer",
        "openstat_ad",
        "openstat_campaign",
        "openstat_service",
        "openstat_source",
        "eq_utm_source",
        "eq_utm_medium",
        "eq_utm_term",
        "eq_utm_content",
        "eq_utm_campaign",
        "eq_utm_referrer",
        "eq_utm_expid",
    ),
    unknown_arrays=("scenario_operations", "attributes", "visitor_custom_properties", "segments"),
)

GET_CALLS_REPORT = list_declaration(
    "get.calls_report",
    CALLS_REPORT,
    params=GetCallsReport,
    summary="List the sessions that began between two moments.",
    errors=ERRORS,
)


class CallsReport:
    """``catch_up``: waits until what has happened in calls is in the rows, if that is soon."""

    def __init__(self, rows: Rows, links: Links, catch_up: Callable[[], Awaitable[object]]) -> None:
        check_rows(CALLS_REPORT, rows)
        self._rows = rows
        self._links = links
        self._catch_up = catch_up

    def method(self) -> Method[GetCallsReport]:
        return GET_CALLS_REPORT.served_by(self.serve)

    async def serve(self, caller: Caller, params: GetCallsReport) -> Answer:
        zone = caller.account.timezone
        query = query_of(params, CALLS_REPORT, zone)
        query = in_window(query, params, zone, field="start_time")
        if not params.include_ongoing_calls:
            query = finished(query, field="finish_reason")
        await self._catch_up()
        return await answer_list(
            caller.account, query, CALLS_REPORT, self._rows, finish=self._with_link
        )

    def _with_link(self, shown: dict[str, object]) -> Mapping[str, object]:
        recording = shown.get("full_record_file_link")
        if isinstance(recording, int):
            shown["full_record_file_link"] = self._links.recording(recording)
        return shown
