"""Closing: how a session ends that the service's own end has cut off."""

from collections.abc import Sequence
from datetime import datetime

from callwright.calls.events import (
    CallLost,
    LegAnswered,
    LegEnded,
    LegStarted,
    SessionEvent,
    SessionFinished,
    TalkFinished,
    TalkStarted,
)
from callwright.calls.plan import SessionId
from callwright.engines.port import Cause, LegId

REASON = "internal_error"
DETAIL = "the service was restarted"


def closing_events(
    session: SessionId, started_at: datetime, story: Sequence[SessionEvent], now: datetime
) -> tuple[list[SessionEvent], SessionFinished]:
    """Return what ends the session: an end for every leg that has none, then the verdict.

    A call that had come in and that nobody has talked on is told as lost, before the verdict.

    The events bear the time they are written at, which may be days after the crash. Durations end
    with the last event that is known: nobody talked while the service was down.
    """
    last = max((event.offset for event in story), default=0.0)
    sequence = max((event.sequence for event in story), default=0)
    offset = max((now - started_at).total_seconds(), last)

    rung: dict[LegId, float] = {}
    answered: dict[LegId, float] = {}
    talk_began: float | None = None
    first_talk: float | None = None
    talked = 0.0
    called_in = False
    for event in story:
        match event:
            case LegStarted(leg=leg):
                rung[leg] = event.offset
                called_in |= event.offered
            case LegAnswered(leg=leg):
                answered[leg] = event.offset
            case LegEnded(leg=leg):
                rung.pop(leg, None)
            case TalkStarted():
                talk_began = event.offset
                first_talk = event.offset if first_talk is None else first_talk
            case TalkFinished(duration=duration):
                talk_began = None
                talked += duration
            case _:
                pass
    if talk_began is not None:
        talked += last - talk_began

    ends: list[SessionEvent] = [
        LegEnded(
            session=session,
            sequence=sequence + place,
            time=now,
            offset=offset,
            leg=leg,
            finish_reason=REASON,
            cause=Cause.ENGINE_LOST.value,
            raw="",
            talk_duration=round(last - answered.get(leg, last), 3),
            total_duration=round(last - began, 3),
        )
        for place, (leg, began) in enumerate(rung.items(), start=1)
    ]
    waited = round(last if first_talk is None else first_talk, 3)
    if called_in and first_talk is None:
        ends.append(
            CallLost(
                session=session,
                sequence=sequence + len(ends) + 1,
                time=now,
                offset=offset,
                finish_reason=REASON,
                wait_duration=waited,
            )
        )
    verdict = SessionFinished(
        session=session,
        sequence=sequence + len(ends) + 1,
        time=now,
        offset=offset,
        finish_reason=REASON,
        ended_by="service",
        fault="service",
        detail=DETAIL,
        wait_duration=waited,
        talk_duration=round(talked, 3),
        total_duration=round(last, 3),
    )
    return ends, verdict
