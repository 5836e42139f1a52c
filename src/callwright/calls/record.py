"""The record of a session: what its events add up to, live or long finished."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from callwright.calls import events
from callwright.calls.events import SessionEvent, SessionFinished
from callwright.calls.plan import Caption, Role, SessionId
from callwright.engines.port import LegId


class State(StrEnum):
    """Public state of a session."""

    SESSION = "session"
    "Being set up: somebody is rung or hears a message."
    TALK = "talk"
    FINISHING = "finishing"


class LegState(StrEnum):
    DIALING = "dialing"
    WAITING = "waiting"
    "Answered, and waits for the other party."
    TALKING = "talking"
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
    finish_reason: str | None = None


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
    timeline: list[SessionEvent] = field(default_factory=list)
    verdict: SessionFinished | None = None

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
            case events.TalkStarted(legs=legs):
                self.state = State.TALK
                self._both(legs, LegState.TALKING)
            case events.TalkFinished(legs=legs):
                self.state = State.FINISHING
                self._both(legs, LegState.WAITING)
            case events.KeySent(pending=keys):
                self.pending_keys = keys
            case events.SessionFinished():
                self.state = State.FINISHING
                self.verdict = event
            case _:
                pass

    def _both(self, legs: tuple[LegId, LegId], state: LegState) -> None:
        for leg in legs:
            if self.legs[leg].state is not LegState.ENDED:
                self.legs[leg].state = state
