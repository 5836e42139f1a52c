"""Recording a session: a file for each stretch of talk (choreography 5), and for a voicemail."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from callwright.calls import events
from callwright.calls.commands import AlreadyRecording, NotRecording, RecordingForced
from callwright.engines.port import LegGone, LegId, RecordingFinished, RecordingId

if TYPE_CHECKING:
    from callwright.calls.session import Session


RECORD_SIZE = 16
"Bytes of an id that nobody guesses: whoever has it may fetch the recording."


def unguessable(_recording: RecordingId) -> str:
    """An id to know a recording by that nobody guesses."""
    return secrets.token_hex(RECORD_SIZE)


@dataclass(frozen=True, slots=True)
class RecordingFiles:
    """Where recordings are put, and the ids clients know them by."""

    folder: Path
    record_of: Callable[[RecordingId], str] = unguessable


class SessionRecorder:
    """Records the talks of one session while it is on; holds and consultations are not recorded.

    A voicemail is recorded whether it is on or not.

    ``files``: where files go, named by session and number.
    """

    def __init__(self, session: "Session", files: RecordingFiles) -> None:
        self.on = False
        self.forced = False
        "The employee's calls are always recorded."
        self._session = session
        self._where = files
        self._talk: tuple[LegId, ...] | None = None
        self._running: RecordingId | None = None
        self._files: dict[RecordingId, str] = {}
        "Recordings whose end has not been told."
        self._count = 0

    @property
    def unfinished(self) -> bool:
        return bool(self._files)

    def turn(self, *, on: bool) -> None:
        """Raises `AlreadyRecording`, `NotRecording`, `RecordingForced`."""
        if on and self.on:
            raise AlreadyRecording
        if not on and self.forced:
            raise RecordingForced
        if not on and not self.on:
            raise NotRecording
        self.on = on
        if on:
            self._begin()
        else:
            self._end()

    @contextmanager
    def of_talk(self, legs: tuple[LegId, LegId]) -> Iterator[None]:
        """In the block the two talk: they are recorded while the recorder is on."""
        self._talk = legs
        if self.on:
            self._begin()
        try:
            yield
        finally:
            self._end()
            self._talk = None

    @contextmanager
    def of_one(self, leg: LegId) -> Iterator[None]:
        """In the block what one leg says is recorded."""
        self._talk = (leg,)
        self._begin()
        try:
            yield
        finally:
            self._end()
            self._talk = None

    def finished(self, event: RecordingFinished) -> None:
        """Take the fact that a file is complete, or never will be."""
        name = self._files.pop(event.recording)
        if self._running == event.recording:
            self._running = None
        if event.fault and not event.duration:
            self._session.tell(
                events.RecordingFailed,
                recording=event.recording,
                file_name=name,
                reason=event.fault,
            )
        else:
            self._session.tell(
                events.RecordingReady,
                recording=event.recording,
                file_name=name,
                duration=round(event.duration, 3),
                fault=event.fault,
            )

    def _begin(self) -> None:
        if self._talk is None or self._running is not None:
            return
        recording = RecordingId(self._session.next_id())
        self._count += 1
        name = f"{self._session.id}-{self._count}.wav"
        try:
            one, *other = self._talk
            self._session.engine.record(
                recording, one, other[0] if other else None, self._where.folder / name
            )
        except LegGone:
            return
        self._running = recording
        self._files[recording] = name
        self._session.tell(
            events.RecordingStarted,
            recording=recording,
            legs=self._talk,
            file_name=name,
            record=self._where.record_of(recording),
        )

    def _end(self) -> None:
        if self._running is not None:
            self._session.engine.stop_recording(self._running)
            self._running = None
