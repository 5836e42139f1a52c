"""Methods that show calls: list.calls and get.call."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, Literal, Protocol

from typing_extensions import TypedDict

from callwright.calls.events import SessionEvent
from callwright.calls.manager import CallManager
from callwright.calls.plan import Caption, Role, SessionId
from callwright.calls.record import CallRecord, LegRecord, LegState
from callwright.directory.model import Component
from callwright.downloads.links import Links
from callwright.engines.quality import Quality
from callwright.methods import errors
from callwright.methods.method import (
    Caller,
    Declaration,
    Id,
    Method,
    Params,
    PhoneNumber,
    described,
)
from callwright.public_events.timeline import timeline

# What clients know the states of a leg by: constants of the wire.
LegWord = Literal[
    "Дозвон",
    "Разговор",
    "На очереди",
    "Разъединено",
    "Разговор операторов",
    "На удержании",
    "Перевод вызова",
]
LEG_STATES: dict[LegState, LegWord] = {
    LegState.DIALING: "Дозвон",
    LegState.WAITING: "На очереди",
    LegState.TALKING: "Разговор",
    LegState.HELD: "На удержании",
    LegState.TRANSFERRED: "Перевод вызова",
    LegState.OPERATOR_TALK: "Разговор операторов",
    LegState.ENDED: "Разъединено",
}


class ListCalls(Params):
    direction: Literal["in", "out"] | None = None
    "Only sessions marked so."
    virtual_phone_number: PhoneNumber | None = None
    "Only sessions on this virtual number."


class GetCall(Params):
    call_session_id: Id
    "The session, live or finished."


@described
class ListedLeg(TypedDict):
    leg_id: int
    calling_phone_number: str | None
    "What the phone is shown; of a leg that has called in, its own, null if that is withheld."
    called_phone_number: str
    "The contact's carries the DTMF keys still to be sent: `74959268686...9.2`."
    is_operator: bool
    employee_id: int | None
    employee_full_name: str | None
    record_call_enabled: bool
    state: LegWord


class ListedTag(TypedDict):
    tag_id: int
    tag_name: str


@described
class ShownRecording(TypedDict):
    recording_id: int
    record_id: str
    "As in `call_records` of the reports. It is a secret: whoever has it may fetch the file."
    file_name: str
    duration: float
    "Seconds."
    file_link: str
    "Where its WAV is fetched, without a token, for a while; `&format=mp3` or `opus` may be added."


@described
class ListedCall(TypedDict):
    call_session_id: int
    direction: Literal["in", "out"]
    start_time: str
    "UTC, like `2016-10-19T12:26:48.418`."
    virtual_phone_number: str
    contact_phone_number: str | None
    "Null: the contact withholds its number."
    external_id: str | None
    tags: list[ListedTag]
    legs: list[ListedLeg]


@described
class ShownCall(ListedCall):
    state: Literal["session", "talk", "hold", "dialing", "operator_talk", "finishing", "finished"]
    finish_reason: str | None
    recordings: list[ShownRecording]
    timeline: list[dict[str, object]]
    "[Events](events.md#the-timeline-of-getcall); deprecated: `event`, and other names of facts."


LIST_CALLS = Declaration(
    "list.calls",
    ListCalls,
    component=Component.MANAGEMENT,
    summary="List the account's live sessions with their legs.",
    result=list[ListedCall],
)

GET_CALL = Declaration(
    "get.call",
    GetCall,
    component=Component.MANAGEMENT,
    summary="Show one session, live or finished, with its timeline.",
    errors=("call_session_not_found",),
    result=ShownCall,
)


class Archive(Protocol):
    """Where the stories of finished sessions are kept."""

    async def events_of(self, session: SessionId, account: int) -> list[SessionEvent] | None:
        """The whole story of one of the account's sessions; None if there is none."""


class TagsOnRecord(Protocol):
    async def tags_of(self, session: SessionId) -> Mapping[int, str] | None:
        """The names of a session's tags by id; None: its end is not on record yet."""


class Listings:
    def __init__(
        self, manager: CallManager, archive: Archive, links: Links, tagging: TagsOnRecord
    ) -> None:
        self._manager = manager
        self._archive = archive
        self._links = links
        self._tagging = tagging

    def methods(self) -> Sequence[Method[Any]]:
        return LIST_CALLS.served_by(self.list_calls), GET_CALL.served_by(self.get_call)

    async def list_calls(self, caller: Caller, params: ListCalls) -> list[ListedCall]:
        return [
            _listed(session.record)
            for session in self._manager.live(caller.account.id)
            if params.direction in (None, session.caption.direction)
            and params.virtual_phone_number in (None, session.caption.virtual_number)
        ]

    async def get_call(self, caller: Caller, params: GetCall) -> ShownCall:
        session = SessionId(params.call_session_id)
        if live := self._manager.find(caller.account.id, session):
            return _shown(live.record, self._links)
        story = await self._archive.events_of(session, caller.account.id)
        if story is None:
            raise errors.CallSessionNotFound(field="call_session_id", value=session)
        record = CallRecord.of(story)
        # Tags may have come and gone since its story ended.
        if (tags := await self._tagging.tags_of(session)) is not None:
            record.tags = dict(tags)
        return _shown(record, self._links)


def _listed(record: CallRecord) -> ListedCall:
    caption = record.caption
    return {
        "call_session_id": record.session,
        "direction": caption.direction.value,
        "start_time": wire_time(record.start_time),
        "virtual_phone_number": caption.virtual_number,
        "contact_phone_number": caption.contact_number or None,
        "external_id": caption.external_id,
        "tags": [{"tag_id": tag, "tag_name": name} for tag, name in record.tags.items()],
        "legs": [_leg(leg, record.pending_keys) for leg in record.legs.values()],
    }


def _shown(record: CallRecord, links: Links) -> ShownCall:
    verdict = record.verdict
    return {
        **_listed(record),
        "state": "finished" if verdict else record.state.value,
        "finish_reason": verdict.finish_reason if verdict else None,
        "recordings": [
            {
                "recording_id": one.id,
                "record_id": one.record,
                "file_name": one.file_name,
                "duration": one.duration,
                "file_link": links.recording(one.id),
            }
            for one in record.recordings
        ],
        "timeline": [
            {**shown, **_deprecated(event)}
            for event, shown in zip(
                record.timeline, timeline(record.timeline, links.recording), strict=True
            )
        ],
    }


def _leg(leg: LegRecord, pending_keys: str) -> ListedLeg:
    called = leg.called_number
    if leg.role is Role.CONTACT and pending_keys and leg.state is not LegState.ENDED:
        called += pending_keys if pending_keys.startswith(".") else f".{pending_keys}"
    return {
        "leg_id": leg.id,
        "calling_phone_number": leg.calling_number or None,
        "called_phone_number": called,
        "is_operator": leg.role is not Role.CONTACT,
        "employee_id": leg.employee_id,
        "employee_full_name": leg.employee_full_name,
        "record_call_enabled": leg.recorded,
        "state": LEG_STATES[leg.state],
    }


def _deprecated(event: SessionEvent) -> dict[str, object]:
    """One event by the names of its class and fields, which the timeline had of its own."""
    facts: dict[str, object] = {"event": event_name(type(event))}
    for field in dataclasses.fields(event):
        if field.name == "session":
            continue
        value = getattr(event, field.name)
        match value:
            case datetime():
                continue
            case Enum():
                value = value.value
            case Quality():
                value = dataclasses.asdict(value)
            case Caption():
                continue  # stands in the call itself
            case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
                value = dataclasses.asdict(value)
            case _:
                pass
        facts[field.name] = value
    return facts


def event_name(kind: type[SessionEvent]) -> str:
    """``LegAnswered`` → ``leg_answered``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def wire_time(time: datetime) -> str:
    """UTC with milliseconds and no zone: ``2016-10-19T12:26:48.418``."""
    return time.replace(tzinfo=None).isoformat(timespec="milliseconds")
