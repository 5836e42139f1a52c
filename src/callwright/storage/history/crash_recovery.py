"""Closing: how a session ends that the service's own end has cut off."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import count

from callwright.calls.events import (
    CallLost,
    LegAnswered,
    LegEnded,
    LegStarted,
    RecordingFailed,
    RecordingReady,
    RecordingStarted,
    SessionEvent,
    SessionFinished,
    TalkFinished,
    TalkStarted,
)
from callwright.calls.plan import SessionId
from callwright.engines.port import Cause, LegId, RecordingId

REASON = "internal_error"
DETAIL = "the service was restarted"


def kept_recordings(
    story: Sequence[SessionEvent], lasted: Callable[[str], float | None]
) -> dict[RecordingId, float]:
    """Seconds of the recordings that were cut off but have a file with something in it.

    ``lasted`` tells of a file how many seconds it holds; it may block.
    """
    return {
        begun.recording: seconds
        for begun in _cut(story)
        if (seconds := lasted(begun.file_name)) is not None
    }


def closing_events(
    session: SessionId,
    started_at: datetime,
    story: Sequence[SessionEvent],
    now: datetime,
    kept: Mapping[RecordingId, float],
) -> tuple[list[SessionEvent], SessionFinished]:
    """Return what ends the session: ends of recordings, of every leg that has none, the verdict.

    A call that had come in and that nobody has talked on is told as lost, before the verdict.
    ``kept``: see `kept_recordings`.

    The events bear the time they are written at, which may be days after the crash. Durations end
    with the last that is known, be it an event or the end of a recording: nobody talked while the
    service was down.
    """
    cut = _cut(story)
    last = max(
        (
            *(event.offset for event in story),
            *(begun.offset + kept.get(begun.recording, 0.0) for begun in cut),
        ),
        default=0.0,
    )
    sequences = count(max((event.sequence for event in story), default=0) + 1)
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
        _end_of(begun, kept.get(begun.recording), next(sequences), now, offset) for begun in cut
    ]
    ends += [
        LegEnded(
            session=session,
            sequence=next(sequences),
            time=now,
            offset=offset,
            leg=leg,
            finish_reason=REASON,
            cause=Cause.ENGINE_LOST.value,
            raw="",
            talk_duration=round(last - answered.get(leg, last), 3),
            total_duration=round(last - began, 3),
        )
        for leg, began in rung.items()
    ]
    waited = round(last if first_talk is None else first_talk, 3)
    if called_in and first_talk is None:
        ends.append(
            CallLost(
                session=session,
                sequence=next(sequences),
                time=now,
                offset=offset,
                finish_reason=REASON,
                wait_duration=waited,
            )
        )
    verdict = SessionFinished(
        session=session,
        sequence=next(sequences),
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


def _end_of(
    begun: RecordingStarted, lasted: float | None, sequence: int, now: datetime, offset: float
) -> SessionEvent:
    """The end of a recording that was cut off: what its file holds is kept."""
    if lasted is None:
        return RecordingFailed(
            session=begun.session,
            sequence=sequence,
            time=now,
            offset=offset,
            recording=begun.recording,
            file_name=begun.file_name,
            reason=DETAIL,
        )
    return RecordingReady(
        session=begun.session,
        sequence=sequence,
        time=now,
        offset=offset,
        recording=begun.recording,
        file_name=begun.file_name,
        duration=round(lasted, 3),
    )


def _cut(story: Sequence[SessionEvent]) -> list[RecordingStarted]:
    """The recordings of a story whose end it does not tell."""
    running: dict[RecordingId, RecordingStarted] = {}
    for event in story:
        match event:
            case RecordingStarted(recording=recording):
                running[recording] = event
            case RecordingReady(recording=recording) | RecordingFailed(recording=recording):
                running.pop(recording, None)
            case _:
                pass
    return list(running.values())
