"""get.call_legs_report: the legs of the account's sessions."""

from typing import Annotated, Literal

from typing_extensions import TypedDict

from callwright.methods.data.list_fields import (
    ON_REQUEST,
    Moment,
    Stored,
    UnknownInteger,
    UnknownText,
)
from callwright.methods.data.list_method import list_declaration
from callwright.methods.data.list_request import ReportRequest
from callwright.methods.method import described


@described
class ReportedLeg(TypedDict):
    id: int
    call_session_id: Annotated[int, Stored("session_id")]
    start_time: Annotated[Moment, Stored("started_at")]
    "When it was rung, or called in."
    connect_time: Annotated[Moment | None, Stored("answered_at")]
    "When it answered."
    duration: Annotated[int, Stored("talk_duration")]
    "Seconds from the answer to the end; 0: it has not answered."
    total_duration: int
    finish_reason: str
    finish_reason_description: Annotated[str, Stored("raw")]
    "What the far end or the network said: `486 Busy Here`; may be empty."
    virtual_phone_number: Annotated[str, Stored("virtual_number")]
    contact_phone_number: Annotated[str, Stored("contact_number")]
    calling_phone_number: Annotated[str, Stored("calling_number")]
    called_phone_number: Annotated[str, Stored("called_number")]
    direction: Annotated[Literal["in", "out"], Stored("offered", {True: "in", False: "out"})]
    "`in`: it has called in."
    is_transfered: Annotated[bool, Stored("is_transferred")]
    "Its operator has handed the contact over to another."
    is_operator: bool
    is_coach: bool
    is_failed: bool
    "It has not answered."
    is_talked: bool
    employee_id: int | None
    employee_full_name: str | None
    employee_phone_number: Annotated[str | None, Stored("employee_number")]
    group_id: int | None
    "The group because of which it was rung, whose name is the next; null: because of none."
    group_name: str | None
    call_records: Annotated[list[str], Stored("recordings")]
    "Ids of the recordings it is heard on."
    wav_call_records: Annotated[list[str], Stored("recordings")]
    "The same."
    finish_time: Annotated[Moment, Stored("ended_at"), ON_REQUEST]
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
    employee_rating: UnknownInteger
    scenario_id: int | None
    "The scenario it ran from its beginning; null: none."
    scenario_name: Annotated[str | None, ON_REQUEST]
    "As it was called then."
    release_cause_code: int | None
    "ITU-T Q.850's cause that comes nearest to `cause`."
    release_cause_description: str | None
    "What Q.850 calls it."
    action_id: UnknownInteger
    action_name: UnknownText
    contact_id: Annotated[int | None, ON_REQUEST]
    "The session's contact, if the account knew its number."
    contact_full_name: Annotated[str | None, ON_REQUEST]


GET_CALL_LEGS_REPORT = list_declaration(
    "get.call_legs_report",
    ReportedLeg,
    table="call_legs",
    params=ReportRequest,
    summary="List the legs that have ended and began between two moments.",
)
