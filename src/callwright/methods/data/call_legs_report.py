"""get.call_legs_report: the legs of the account's sessions."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from typing_extensions import TypedDict

from callwright.methods.data.list_fields import ON_REQUEST, Listing, Moment
from callwright.methods.data.list_methods import Rows, answer_list, check_rows, list_declaration
from callwright.methods.data.list_query import query_of
from callwright.methods.data.reports import ERRORS, ReportAsking, in_window
from callwright.methods.method import Answer, Caller, Method, described


@described
class ReportedLeg(TypedDict):
    id: int
    call_session_id: int
    start_time: Moment
    "When it was rung, or called in."
    connect_time: Moment | None
    "When it answered."
    duration: int
    "Seconds from the answer to the end; 0: it has not answered."
    total_duration: int
    finish_reason: str
    finish_reason_description: str
    "What the far end or the network said: `486 Busy Here`; may be empty."
    virtual_phone_number: str
    contact_phone_number: str
    calling_phone_number: str
    called_phone_number: str
    direction: Literal["in", "out"]
    "`in`: it has called in."
    is_transfered: bool
    "Its operator has handed the contact over to another."
    is_operator: bool
    is_coach: bool
    is_failed: bool
    "It has not answered."
    is_talked: bool
    employee_id: int | None
    employee_full_name: str | None
    employee_phone_number: str | None
    call_records: list[int]
    "Ids of the recordings it is heard on."
    finish_time: Annotated[Moment, ON_REQUEST]
    cause: Annotated[str, ON_REQUEST]
    "Why it ended, as the engine says: `hung_up`, `busy`, `no_answer`, …"
    loss: Annotated[float | None, ON_REQUEST]
    "Share of the far end's packets that has not come, 0 to 1; null: no audio was due."
    far_loss: Annotated[float | None, ON_REQUEST]
    "Share of our packets that has not got there, as the far end has reported."
    jitter: Annotated[float | None, ON_REQUEST]
    "Seconds, of what came from the far end."
    round_trip: Annotated[float | None, ON_REQUEST]
    "Seconds to the far end and back; null: it has not reported."
    mos: Annotated[float | None, ON_REQUEST]
    "Estimated mean opinion score, 1 to 4.5, of the worse direction."


LEGS_REPORT = Listing.of(
    ReportedLeg,
    unknown=(
        "employee_rating",
        "scenario_id",
        "scenario_name",
        "action_id",
        "action_name",
        "group_id",
        "group_name",
        "contact_id",
        "contact_full_name",
        "release_cause_code",
        "release_cause_description",
    ),
)

GET_CALL_LEGS_REPORT = list_declaration(
    "get.call_legs_report",
    LEGS_REPORT,
    params=ReportAsking,
    summary="List the legs that have ended and began between two moments.",
    errors=ERRORS,
)


def legs_report(rows: Rows, catch_up: Callable[[], Awaitable[object]]) -> Method[ReportAsking]:
    """Serve the report. ``catch_up``: as for `callwright.methods.data.calls_report.CallsReport`."""
    check_rows(LEGS_REPORT, rows)

    async def serve(caller: Caller, params: ReportAsking) -> Answer:
        zone = caller.account.timezone
        query = query_of(params, LEGS_REPORT, zone)
        query = in_window(query, params, zone, field="start_time")
        await catch_up()
        return await answer_list(caller.account, query, LEGS_REPORT, rows)

    return GET_CALL_LEGS_REPORT.served_by(serve)
