"""get.call_details: sessions with their course, in the shape of the published report."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import Field
from typing_extensions import TypedDict

from callwright.methods.data.call_story import DetailEvent, told
from callwright.methods.data.calls_report import FINISHED, TalkedEmployee
from callwright.methods.data.list_fields import (
    ON_REQUEST,
    SEARCHED,
    Always,
    AsText,
    MadeOf,
    Moment,
    Stored,
    UnknownArray,
    UnknownText,
)
from callwright.methods.data.list_method import list_declaration
from callwright.methods.data.list_request import NullForEmpty, also
from callwright.methods.data.new_report import NewReportRequest, Word, word
from callwright.methods.method import Id, described
from callwright.query import Comparison, FieldKind, Operator, Query


class GetCallDetails(NewReportRequest):
    entity_ids: Annotated[
        Annotated[tuple[Id | str, ...], Field(max_length=1000)] | None, NullForEmpty
    ] = None
    "Sessions, by their `communication_id`; left out: all of the window."

    window_by: ClassVar[str] = "call_start_date_time"

    def narrowed(self, query: Query, zone: ZoneInfo) -> Query:
        query = also(super().narrowed(query, zone), _FINISHED)
        if not self.entity_ids:
            return query
        asked = tuple(str(one) for one in self.entity_ids)
        return also(query, Comparison("communication_id", FieldKind.TEXT, Operator.IN, asked))


_FINISHED = Comparison("finish_reason", FINISHED.kind, FINISHED.operator, FINISHED.value)


LOST = {True: "lost", False: "not_lost"}


def _lost(is_lost: bool) -> Word:
    return word(LOST[is_lost])


class TagItem(TypedDict):
    id: int
    name: str


class TagsOfCall(TypedDict):
    communication_id: int
    communication_type: str
    items: list[TagItem]


def _tags(rows: Sequence[Mapping[str, Any]]) -> TagsOfCall | dict[str, object]:
    if not rows:
        return {}
    return {
        "communication_id": rows[0]["session_id"],
        "communication_type": "call",
        "items": [{"id": row["tag_id"], "name": row["tag_name"]} for row in rows],
    }


@described
class DetailedCall(TypedDict):
    communication_id: Annotated[str, Stored("id")]
    "The `call_session_id`."
    call_start_date_time: Annotated[Moment, Stored("started_at")]
    contact_phone_number: Annotated[str, Stored("contact_number")]
    call_direction: Annotated[Word, MadeOf("direction", word), AsText()]
    "`in` or `out`."
    call_status: Annotated[Word, MadeOf("is_lost", _lost), AsText(LOST)]
    "`lost` or `not_lost`."
    call_type: Annotated[Word, Always(word("external"))]
    virtual_phone_number: Annotated[str, Stored("virtual_number")]
    call_scenario: UnknownText
    employees: Annotated[list[TalkedEmployee], ON_REQUEST, SEARCHED]
    "Everybody who has been rung."
    call_total_duration: Annotated[int | None, Stored("total_duration")]
    "Seconds."
    call_finish_reason: Annotated[Word, MadeOf("finish_reason", word), AsText()]
    call_scenario_actions: UnknownArray
    call_records: Annotated[list[str], Stored("recordings"), SEARCHED]
    communication_comment: UnknownText
    coaches: UnknownArray
    prompters: UnknownArray
    call_events: Annotated[list[DetailEvent], MadeOf("story", told)]
    "Its course, told for people; get.call has every event of it."
    contact_full_name: str | None
    "Null: the account did not know its number."
    redirection_info: UnknownText
    tags: Annotated[TagsOfCall, MadeOf("tags", _tags)]
    "Empty: there are none."
    finish_reason: Annotated[str, ON_REQUEST]


GET_CALL_DETAILS = list_declaration(
    "get.call_details",
    DetailedCall,
    table="call_sessions",
    params=GetCallDetails,
    summary="List finished sessions with their course; of a live one get.call_timeline tells it.",
)
