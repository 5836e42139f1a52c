"""Crash recovery: how a session ends that the service's own end has cut off."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from callwright.calls.durations import Durations
from callwright.calls.ending import RESTARTED
from callwright.calls.events import (
    CallLost,
    HoldFinished,
    LegEnded,
    QueueLeft,
    RecordingFailed,
    RecordingReady,
    RecordingStarted,
    SessionEvent,
    SessionFinished,
    TalkFinished,
)
from callwright.calls.plan import SessionId
from callwright.engines.port import Cause, RecordingId


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
    kept: Mapping[RecordingId, float],
    alive: datetime | None = None,
) -> list[SessionEvent]:
    """Return what ends the session: the end of all that goes on in it, and its verdict.

    A call that had come in and that nobody has talked on is told as lost, before the verdict.
    ``kept``: see `kept_recordings`; ``alive``: when the service lived last, if that is known.

    All of it ends with the last that is known, be it that moment, an event or the end of a
    recording, however late it is told: nobody talked while the service was down.
    """
    cut = _cut(story)
    last = max(
        (
            *(event.offset for event in story),
            *(begun.offset + kept.get(begun.recording, 0.0) for begun in cut),
            # Before the beginning: the clock has been set back since.
            (alive - started_at).total_seconds() if alive else 0.0,
            0.0,
        )
    )
    closing = _Closing(session, started_at, story, round(last, 3))
    closing.end_what_goes_on(cut, kept)
    closing.end_session()
    return closing.told


class _Closing:
    """Tells the rest of a story, all of it at the same ``offset``."""

    def __init__(
        self,
        session: SessionId,
        started_at: datetime,
        story: Sequence[SessionEvent],
        offset: float,
    ) -> None:
        self.told: list[SessionEvent] = []
        self._session = session
        self._time = started_at + timedelta(seconds=offset)
        self._offset = offset
        self._sequence = max((event.sequence for event in story), default=0)
        self._durations = Durations.of(story)

    def end_what_goes_on(
        self, cut: Sequence[RecordingStarted], kept: Mapping[RecordingId, float]
    ) -> None:
        durations = self._durations
        for legs in tuple(durations.talks):
            self._tell(TalkFinished, legs=legs)
        for leg in tuple(durations.holds):
            self._tell(HoldFinished, leg=leg)
        for leg, (queue, _) in tuple(durations.queued.items()):
            self._tell(QueueLeft, leg=leg, queue=queue, reached=False)
        for begun in cut:
            self._end_recording(begun, kept.get(begun.recording))
        for leg, times in durations.legs.items():
            if times.ended is None:
                self._tell(
                    LegEnded,
                    leg=leg,
                    finish_reason=RESTARTED.finish_reason,
                    cause=Cause.ENGINE_LOST.value,
                    raw="",
                )

    def end_session(self) -> None:
        if self._durations.is_lost:
            self._tell(CallLost, finish_reason=RESTARTED.finish_reason)
        self._tell(
            SessionFinished,
            finish_reason=RESTARTED.finish_reason,
            ended_by=RESTARTED.ended_by,
            fault=RESTARTED.fault,
            detail=RESTARTED.detail,
        )

    def _end_recording(self, begun: RecordingStarted, lasted: float | None) -> None:
        """What the file of a recording holds that was cut off is kept."""
        of = {"recording": begun.recording, "file_name": begun.file_name}
        if lasted is None:
            self._tell(RecordingFailed, **of, reason=RESTARTED.detail)
        else:
            self._tell(RecordingReady, **of, duration=round(lasted, 3))

    def _tell(self, kind: type[SessionEvent], **facts: Any) -> None:
        self._sequence += 1
        event = kind(
            session=self._session,
            sequence=self._sequence,
            time=self._time,
            offset=self._offset,
            **self._durations.measured(kind, self._offset, facts),
        )
        self._durations.take(event)
        self.told.append(event)


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
