"""The recorder: what the phone heard, every sample at the moment it was heard."""

import wave
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

RATE = 8000
SECONDS_AT_MOST = 3600
# The far end's clock may drift and its packets jitter; more than this is a jump of its timestamps.
JUMP = int(0.2 * RATE)


class Recorder:
    """A time line of samples that begins at ``start`` (monotonic seconds); gaps are silence."""

    def __init__(self, start: float, *, jumped: Callable[[float], None]) -> None:
        self.start = start
        self._jumped = jumped
        "Told by how many seconds the timestamps left the clock."
        self._samples = bytearray()
        self._anchor: tuple[int, int, int] | None = None
        "SSRC, and a timestamp with its place in samples."

    def place(self, samples: bytes, *, ssrc: int, timestamp: int, arrival: float) -> None:
        """Put 16 bit samples where their timestamp says, which is near where they arrived."""
        arrived = round((arrival - self.start) * RATE)
        place = self._place(ssrc, timestamp)
        if place is None or abs(place - arrived) > JUMP:
            if place is not None:
                self._jumped((place - arrived) / RATE)
            self._anchor = (ssrc, timestamp, arrived)
            place = arrived
        if place < 0:
            samples, place = samples[-2 * place :], 0
        if not samples or place > SECONDS_AT_MOST * RATE:
            return
        self._pad(place)
        self._samples[2 * place : 2 * place + len(samples)] = samples

    def write(self, path: Path, *, end: float) -> int:
        """Write all until ``end`` as WAV; return the number of samples."""
        self._pad(min(round((end - self.start) * RATE), SECONDS_AT_MOST * RATE))
        with closing(wave.open(str(path), "wb")) as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(self._samples)
        return len(self._samples) // 2

    def _place(self, ssrc: int, timestamp: int) -> int | None:
        if self._anchor is None or self._anchor[0] != ssrc:
            return None
        _, base, place = self._anchor
        # The difference of 32 bit timestamps, as a signed number.
        return place + ((timestamp - base + (1 << 31)) % (1 << 32) - (1 << 31))

    def _pad(self, place: int) -> None:
        missing = 2 * place - len(self._samples)
        if missing > 0:
            self._samples += bytes(missing)
