"""Call durations: wait, talk, hold and total, as one fold over the events of a session.

Every duration that anybody is told is the difference of two offsets, taken here and nowhere else:
by the live session for its events, by what closes a session that a crash has cut off, and by those
who tell of calls. So they agree, and what is told of parts adds up to what is told of the whole.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from callwright.calls import events
from callwright.calls.events import SessionEvent
from callwright.calls.plan import Role
from callwright.engines.port import LegId


@dataclass(slots=True)
class LegTimes:
    """Offsets of one leg, in seconds since the session began."""

    role: Role
    started: float
    answered: float | None = None
    ended: float | None = None

    @property
    def dialling(self) -> float | None:
        """Seconds it was rung; None if it still is."""
        until = self.ended if self.answered is None else self.answered
        return None if until is None else seconds(self.started, until)


@dataclass(slots=True)
class Durations:
    """Grows by `take`, one event at a time, in order; what it is asked for costs the same always.

    ``at``: an offset, for what is not over. All durations are seconds.
    """

    legs: dict[LegId, LegTimes] = field(default_factory=dict)
    talks: dict[tuple[LegId, LegId], float] = field(default_factory=dict)
    "Those that go on, and when each began: of the contact and an operator, or of two operators."
    holds: dict[LegId, float] = field(default_factory=dict)
    queued: dict[LegId, tuple[str, float]] = field(default_factory=dict)
    "Contacts that wait in a queue: in which, and since when."
    called_in: bool = False
    talk_began: float | None = None
    "When somebody first talked with the contact."
    _talked: float = 0.0
    "With the contact, in talks that are over."

    @classmethod
    def of(cls, story: Iterable[SessionEvent]) -> "Durations":
        durations = cls()
        for event in story:
            durations.take(event)
        return durations

    def take(self, event: SessionEvent) -> None:
        match event:
            case events.LegStarted(leg=leg):
                self.legs[leg] = LegTimes(event.role, event.offset)
                self.called_in |= event.offered and event.role is Role.CONTACT
            case events.LegAnswered(leg=leg) if leg in self.legs:
                self.legs[leg].answered = event.offset
            case events.LegEnded(leg=leg) if leg in self.legs:
                self.legs[leg].ended = event.offset
            case events.TalkStarted(legs=legs):
                self.talks[legs] = event.offset
                if self.talk_began is None and self._with_contact(legs):
                    self.talk_began = event.offset
            case events.TalkFinished(legs=legs):
                self.talks.pop(legs, None)
                if self._with_contact(legs):
                    self._talked += event.duration
            case events.HoldStarted(leg=leg):
                self.holds[leg] = event.offset
            case events.HoldFinished(leg=leg):
                self.holds.pop(leg, None)
            case events.QueueEntered(leg=leg, queue=queue, position=position) if position:
                self.queued[leg] = queue, event.offset
            case events.QueueLeft(leg=leg):
                self.queued.pop(leg, None)
            case _:
                pass

    @property
    def is_lost(self) -> bool:
        """Whether it has come in, and nobody has talked with the contact."""
        return self.called_in and self.talk_began is None

    def cut_through(self, legs: tuple[LegId, LegId], at: float) -> float | None:
        """From the answer of the later of two legs until they talk; None if neither's is known."""
        times = (self.legs[leg].answered for leg in legs if leg in self.legs)
        answers = [one for one in times if one is not None]
        return seconds(max(answers), at) if answers else None

    def wait(self, at: float) -> float:
        """Until the contact's first talk."""
        return at if self.talk_began is None else self.talk_began

    def talk(self, at: float) -> float:
        """In which the contact talked: neither its holds, nor what operators say meanwhile."""
        going_on = (
            seconds(began, at) for legs, began in self.talks.items() if self._with_contact(legs)
        )
        return round(self._talked + sum(going_on), 3)

    def _with_contact(self, legs: tuple[LegId, LegId]) -> bool:
        # Else operators consult. A leg whose beginning could not be kept counts as the contact's.
        return any(leg not in self.legs or self.legs[leg].role is Role.CONTACT for leg in legs)

    def measured(
        self, kind: type[SessionEvent], at: float, facts: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """The facts of an event that is told now, with the durations that one of its kind bears."""
        measure = _MEASURES.get(kind)
        return {**facts, **measure(self, at, facts)} if measure else facts

    def _of_leg(self, at: float, facts: Mapping[str, Any]) -> dict[str, float]:
        leg = self.legs[facts["leg"]]
        talked = 0.0 if leg.answered is None else seconds(leg.answered, at)
        return {"talk_duration": talked, "total_duration": seconds(leg.started, at)}

    def _of_talk(self, at: float, facts: Mapping[str, Any]) -> dict[str, float]:
        return {"duration": seconds(self.talks[facts["legs"]], at)}

    def _of_hold(self, at: float, facts: Mapping[str, Any]) -> dict[str, float]:
        return {"duration": seconds(self.holds[facts["leg"]], at)}

    def _of_queue(self, at: float, facts: Mapping[str, Any]) -> dict[str, float]:
        _, entered = self.queued[facts["leg"]]
        return {"waited": seconds(entered, at)}

    def _of_lost(self, at: float, _: Mapping[str, Any]) -> dict[str, float]:
        return {"wait_duration": self.wait(at)}

    def _of_session(self, at: float, _: Mapping[str, Any]) -> dict[str, float]:
        return {
            "wait_duration": self.wait(at),
            "talk_duration": self.talk(at),
            "total_duration": at,
        }


_MEASURES: Mapping[
    type[SessionEvent], Callable[[Durations, float, Mapping[str, Any]], dict[str, float]]
] = {
    events.LegEnded: Durations._of_leg,
    events.TalkFinished: Durations._of_talk,
    events.HoldFinished: Durations._of_hold,
    events.QueueLeft: Durations._of_queue,
    events.CallLost: Durations._of_lost,
    events.SessionFinished: Durations._of_session,
}


def seconds(begin: float, end: float) -> float:
    """From one offset to another, in milliseconds' steps as offsets are."""
    return round(end - begin, 3)


def whole_seconds(duration: float) -> int:
    """A duration as reports show it: halves are rounded up, as the database does."""
    return math.floor(duration + 0.5)
