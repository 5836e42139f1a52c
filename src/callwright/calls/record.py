"""The record of a session: what its events add up to, live or long finished."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from callwright.calls import events
from callwright.calls.durations import Durations
from callwright.calls.ending import TRANSFERRED
from callwright.calls.events import SessionEvent, SessionFinished
from callwright.calls.plan import Caption, Role, SessionId
from callwright.calls.state import State
from callwright.engines.port import LegId, RecordingId


class LegState(StrEnum):
    DIALING = "dialing"
    WAITING = "waiting"
    "Answered, and waits for the other party."
    TALKING = "talking"
    HELD = "held"
    TRANSFERRED = "transferred"
    "Held; the operator has left, and waits no longer for the third party to answer."
    OPERATOR_TALK = "operator_talk"
    "Talks with another operator, not with the contact."
    ENDED = "ended"


@dataclass(slots=True)
class LegRecord:
    id: LegId
    role: Role
    calling_number: str
    called_number: str
    employee_id: int | None
    employee_full_name: str | None
    state: LegState = LegState.DIALING
    recorded: bool = False
    finish_reason: str | None = None


@dataclass(frozen=True, slots=True)
class RecordingRecord:
    id: RecordingId
    record: str
    "The id clients know it by."
    file_name: str
    duration: float
    "Seconds."


@dataclass(slots=True)
class CallRecord:
    """Grows by `take`, one event at a time, in order."""

    session: SessionId
    caption: Caption
    start_time: datetime
    state: State = State.SESSION
    legs: dict[LegId, LegRecord] = field(default_factory=dict)
    pending_keys: str = ""
    "What is still to be sent of the request's ``dtmf_string``."
    tags: dict[int, str] = field(default_factory=dict)
    recordings: list[RecordingRecord] = field(default_factory=list)
    "Those that are ready."
    timeline: list[SessionEvent] = field(default_factory=list)
    verdict: SessionFinished | None = None
    records: dict[RecordingId, str] = field(default_factory=dict)
    "The ids clients know recordings by, from their beginning on."
    recording: RecordingId | None = None
    "The one that is being made now; the file of the one before it may not be ready yet."
    durations: Durations = field(default_factory=Durations)

    @classmethod
    def begin(cls, started: events.SessionStarted) -> "CallRecord":
        record = cls(
            session=started.session,
            caption=started.caption,
            start_time=started.time,
            pending_keys=started.caption.dtmf_string,
        )
        record.timeline.append(started)
        return record

    @classmethod
    def of(cls, story: list[SessionEvent]) -> "CallRecord":
        """Fold a whole story. Raises ValueError if it does not begin with SessionStarted."""
        if not story or not isinstance(story[0], events.SessionStarted):
            raise ValueError("a session's story begins with SessionStarted")
        record = cls.begin(story[0])
        for event in story[1:]:
            record.take(event)
        return record

    def take(self, event: SessionEvent) -> None:
        self.timeline.append(event)
        self.durations.take(event)
        match event:
            case events.LegStarted(leg=leg):
                self.legs[leg] = LegRecord(
                    leg,
                    event.role,
                    event.calling_number,
                    event.called_number,
                    event.employee_id,
                    event.employee_full_name,
                )
            case events.LegAnswered(leg=leg):
                self.legs[leg].state = LegState.WAITING
            case events.LegEnded(leg=leg, finish_reason=reason):
                self.legs[leg].state = LegState.ENDED
                self.legs[leg].finish_reason = reason
                if reason == TRANSFERRED and self.state is State.DIALING:
                    held = [one.id for one in self.legs.values() if one.state is LegState.HELD]
                    self._put(held, LegState.TRANSFERRED)
            case events.StateEntered(state=state):
                self.state = state
            case events.TalkStarted(legs=legs):
                with_contact = any(self.legs[leg].role is Role.CONTACT for leg in legs)
                self._put(legs, LegState.TALKING if with_contact else LegState.OPERATOR_TALK)
            case events.TalkFinished(legs=legs):
                self._put(legs, LegState.WAITING)
            case events.HoldStarted(leg=leg):
                self._put((leg,), LegState.HELD)
            case events.HoldFinished(leg=leg):
                self._put((leg,), LegState.WAITING)
            case events.RecordingStarted(legs=legs):
                self.recording = event.recording
                self.records[event.recording] = event.record
                for leg in legs:
                    self.legs[leg].recorded = True
            case events.RecordingReady():
                record = self.records.get(event.recording, "")
                self.recordings.append(
                    RecordingRecord(event.recording, record, event.file_name, event.duration)
                )
                self._recording_over(event.recording)
            case events.RecordingFailed():
                self._recording_over(event.recording)
            case events.TagSet(tag=tag, name=name):
                self.tags[tag] = name
            case events.TagRemoved(tag=tag):
                self.tags.pop(tag, None)
            case events.KeySent(pending=keys):
                self.pending_keys = keys
            case events.SessionFinished():
                self.state = State.FINISHING
                self.verdict = event
            case _:
                pass

    def _put(self, legs: Sequence[LegId], state: LegState) -> None:
        for leg in legs:
            if self.legs[leg].state is not LegState.ENDED:
                self.legs[leg].state = state

    def _recording_over(self, recording: RecordingId) -> None:
        if recording != self.recording:
            return
        self.recording = None
        for leg in self.legs.values():
            leg.recorded = False
