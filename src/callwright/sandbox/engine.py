"""The engine of the sandbox: simulated phones that do what their numbers, or a script, say."""

import wave
from collections.abc import Callable
from pathlib import Path

from callwright.engines.port import (
    Deliver,
    EngineEvent,
    LegEnded,
    LegId,
    RecordingFinished,
    RecordingId,
)
from callwright.engines.simulated import SimulatedEngine
from callwright.sandbox.behaviour import Phones

TRUNK = "sandbox"
"The trunk that calls come in by."

RECORDED_AT_MOST = 10.0
"Seconds of silence that a recording's file holds at most, however long the talk was."
RATE = 8000


class SandboxEngine(SimulatedEngine):
    """``next_leg`` gives ids for calls that come in. Every number leads to a phone."""

    def __init__(self, next_leg: Callable[[], LegId], phones: Phones) -> None:
        super().__init__(otherwise=phones.next_call, all_reachable=True)
        self.when_ended: Callable[[LegId], None] = lambda _leg: None
        "Told of every leg's end."
        self._next_leg = next_leg
        self._files: dict[RecordingId, Path] = {}

    async def run(self, deliver: Deliver, *, started: Callable[[], None]) -> None:
        def heard(event: EngineEvent) -> None:
            if isinstance(event, RecordingFinished):
                self._write(event)
            deliver(event)
            if isinstance(event, LegEnded):
                self.when_ended(event.leg)

        await super().run(heard, started=started)

    def call_in(self, *, caller: str, called: str) -> LegId:
        """Let a contact call one of our numbers."""
        leg = self._next_leg()
        self.offer(leg, caller=caller, called=called, trunk=TRUNK)
        return leg

    def record(self, recording: RecordingId, one: LegId, other: LegId | None, file: Path) -> None:
        super().record(recording, one, other, file)
        self._files[recording] = file

    def _write(self, event: RecordingFinished) -> None:
        """Leave a file where a recording would be: stereo, silent, and not too long."""
        path = self._files.pop(event.recording)
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as file:
            file.setparams((2, 2, RATE, 0, "NONE", ""))
            file.writeframes(bytes(4 * round(RATE * min(event.duration, RECORDED_AT_MOST))))
