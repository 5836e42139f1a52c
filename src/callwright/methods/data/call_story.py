"""Call stories: the course of one session, told for people, event by event."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import Field
from typing_extensions import TypedDict

from callwright.calls import events
from callwright.calls.durations import Durations, whole_seconds
from callwright.calls.events import SessionEvent
from callwright.methods.data.list_fields import Moment
from callwright.methods.method import described

if TYPE_CHECKING:
    from callwright.engines.port import LegId

Mnemonic = Literal[
    "start", "group_dial_started", "call_placed", "action_started", "talk_started", "finish"
]

NAMES: dict[Mnemonic, str] = {
    "start": "Start",
    "group_dial_started": "Queue",
    "call_placed": "Dialling",
    "action_started": "Operation",
    "talk_started": "Talk",
    "finish": "Finish",
}


class Fact(TypedDict):
    name: str
    value: str | int | None


@described
class DetailEvent(TypedDict):
    event_mnemonic: Mnemonic
    event_name: str
    event_text: str
    event_time: Moment
    duration: Annotated[int | None, Field(ge=0)]
    "Seconds it took; null: it takes none, or is not over."
    is_failed: bool
    fail_hint: str | None
    "The finish reason, where it has failed."
    data: list[Fact]


ToldEvent: TypeAlias = Mapping[str, object]
"What becomes a `DetailEvent` once its time is put in the account's zone."


def told(story: Sequence[SessionEvent]) -> list[ToldEvent]:
    """Tell a whole story."""
    return list(_Telling(story).told())


class _Telling:
    """One session's events, as they are read by people."""

    def __init__(self, story: Sequence[SessionEvent]) -> None:
        self._story = story
        self._legs = Durations.of(story).legs
        self._ended: dict[LegId, events.LegEnded] = {}
        self._talks: dict[tuple[LegId, LegId], list[float]] = {}
        self._waits: dict[LegId, list[events.QueueLeft]] = {}
        self._phones: dict[LegId, str] = {}
        for event in story:
            match event:
                case events.LegStarted(leg=leg):
                    self._phones[leg] = _who(event)
                case events.LegEnded(leg=leg):
                    self._ended[leg] = event
                case events.TalkFinished(legs=legs, duration=duration):
                    self._talks.setdefault(legs, []).append(duration)
                case events.QueueLeft(leg=leg):
                    self._waits.setdefault(leg, []).append(event)
                case _:
                    pass

    def told(self) -> Iterator[ToldEvent]:
        for event in self._story:
            match event:
                case events.SessionStarted(caption=caption):
                    yield self._event(
                        "start",
                        event.time,
                        f"{caption.method}, contact {caption.contact_number}, "
                        f"number {caption.virtual_number}",
                        data={"direction": caption.direction.value, "method": caption.method},
                    )
                case events.LegStarted():
                    yield self._placed(event)
                case events.OperationStarted(operation=operation, branch=branch, number=number):
                    yield self._event(
                        "action_started",
                        event.time,
                        f"{operation}, number {number}" + (f" of {branch}" if branch else ""),
                        data={"operation": operation, "branch": branch, "number": number},
                    )
                case events.QueueEntered():
                    yield self._queued(event)
                case events.TalkStarted(legs=legs):
                    ended = self._talks.get(legs)
                    one, other = (self._phones.get(leg, str(leg)) for leg in legs)
                    yield self._event(
                        "talk_started",
                        event.time,
                        f"{one} and {other}",
                        duration=ended.pop(0) if ended else None,
                        data={"leg_id": legs[0], "other_leg_id": legs[1]},
                    )
                case events.SessionFinished():
                    yield self._event(
                        "finish",
                        event.time,
                        event.detail or f"ended by the {event.ended_by}",
                        duration=event.total_duration,
                        failure=event.finish_reason if event.fault != "nobody" else None,
                        data={"finish_reason": event.finish_reason, "ended_by": event.ended_by},
                    )
                case _:
                    pass

    def _placed(self, event: events.LegStarted) -> ToldEvent:
        times, ended = self._legs[event.leg], self._ended.get(event.leg)
        return self._event(
            "call_placed",
            event.time,
            self._phones[event.leg],
            duration=times.dialling,
            failure=ended.finish_reason if ended and times.answered is None else None,
            data={
                "leg_id": event.leg,
                "role": event.role.value,
                "employee_id": event.employee_id,
                "said": ended.raw if ended else None,
            },
        )

    def _queued(self, event: events.QueueEntered) -> ToldEvent:
        waits = self._waits.get(event.leg)
        left = waits.pop(0) if waits else None
        return self._event(
            "group_dial_started",
            event.time,
            f"queue {event.queue}, " + (f"place {event.position}" if event.position else "full"),
            duration=left.waited if left else None,
            failure="call_enqueued" if not event.position or (left and not left.reached) else None,
            data={"queue": event.queue, "position": event.position},
        )

    def _event(
        self,
        mnemonic: Mnemonic,
        time: datetime,
        text: str,
        *,
        duration: float | None = None,
        failure: str | None = None,
        data: dict[str, str | int | None],
    ) -> ToldEvent:
        return {
            "event_mnemonic": mnemonic,
            "event_name": NAMES[mnemonic],
            "event_text": text,
            "event_time": time,
            "duration": None if duration is None else whole_seconds(duration),
            "is_failed": failure is not None,
            "fail_hint": failure,
            "data": [{"name": name, "value": value} for name, value in data.items()],
        }


def _who(leg: events.LegStarted) -> str:
    """The party of a leg, and its number."""
    number = leg.calling_number if leg.offered else leg.called_number
    name = leg.employee_full_name or leg.role.value
    return f"{name} ({number})" if number else name
