"""get.financial_call_legs_report: what the legs of the account's sessions cost."""

from typing import Annotated, Literal

from typing_extensions import TypedDict

from callwright.methods.data.calls_report import Source
from callwright.methods.data.list_fields import (
    ON_REQUEST,
    UNFILTERABLE,
    UNSORTABLE,
    Always,
    MadeOf,
    Moment,
    Stored,
)
from callwright.methods.data.list_method import list_declaration
from callwright.methods.data.list_request import ReportRequest
from callwright.methods.method import described


@described
class ChargedLeg(TypedDict):
    start_time: Annotated[Moment, Stored("started_at")]
    direction: Annotated[Literal["in", "out"], Stored("offered", {True: "in", False: "out"})]
    "`in`: it has called in."
    source: Source
    "What has brought its session about, as in get.calls_report."
    call_session_id: Annotated[int, Stored("session_id")]
    leg_id: Annotated[int, Stored("id")]
    calling_phone_number: Annotated[str, Stored("calling_number")]
    called_phone_number: Annotated[str, Stored("called_number")]
    duration: Annotated[int, Stored("talk_duration")]
    "Seconds from the answer to the end; 0: it has not answered."
    chargeable_duration: int
    "Of them, what is charged: rounded up to the step of its price; 0: it is free."
    direction_type: Literal["international", "national", "local", "mobile"] | None
    "Null: a phone that is no number outside, or a call of before this was noted."
    cost_per_minute: float
    "By the price list of the settings, as it was when the leg began; 0: it has no price there."
    total_charge: float
    bonuses_charge: Annotated[float, Always(0)]
    currency: Annotated[str | None, MadeOf("id"), ON_REQUEST, UNSORTABLE, UNFILTERABLE]
    "Of the price list, as the settings say; null: they do not."


GET_FINANCIAL_CALL_LEGS_REPORT = list_declaration(
    "get.financial_call_legs_report",
    ChargedLeg,
    table="call_legs",
    params=ReportRequest,
    summary="List what the legs cost that have ended and began between two moments.",
)
