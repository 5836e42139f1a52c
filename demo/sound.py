"""What is on a phone's recording: envelope, level and tones, on the time axis of the call."""

import io
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SILENCE = -60.0
"Level in dBFS below which there is nothing to hear; comfort noise and A-law's zero lie below it."


@dataclass(frozen=True, slots=True)
class Heard:
    """A recording of what one phone heard."""

    samples: "NDArray[np.float32]"
    "Mono, -1 to 1."
    rate: int
    "Samples per second."
    start: float
    "When the first sample was heard, in seconds since the session began."

    @classmethod
    def read(cls, file: Path, *, start: float) -> Self:
        """Read a WAV file, mono, 16 bit. Raises `wave.Error`, OSError."""
        with wave.open(str(file)) as recording:
            if (recording.getnchannels(), recording.getsampwidth()) != (1, 2):
                raise wave.Error(f"{file}: not a mono file of 16 bit")
            frames = recording.readframes(recording.getnframes())
            rate = recording.getframerate()
        samples = (np.frombuffer(frames, "<i2") / 32768).astype(np.float32)
        return cls(samples, rate, start)

    @property
    def end(self) -> float:
        return self.start + len(self.samples) / self.rate

    def between(self, start: float, end: float) -> "NDArray[np.float32]":
        """The samples of a stretch of the call; fewer, or none, where nothing was recorded."""
        first = max(0, round((start - self.start) * self.rate))
        return self.samples[first : max(first, round((end - self.start) * self.rate))]

    def level(self, start: float, end: float) -> float:
        """Mean level of a stretch, in dBFS; -120 for digital silence and for nothing at all."""
        stretch = self.between(start, end)
        power = float(np.mean(np.square(stretch))) if len(stretch) else 0.0
        return 10 * float(np.log10(max(power, 1e-12)))

    def share_of_tone(self, frequency: float, start: float, end: float) -> float:
        """How much of a stretch's power lies within 25 Hz of ``frequency``, 0 to 1."""
        stretch = self.between(start, end)
        if len(stretch) < self.rate // 5:
            return 0.0
        power = np.abs(np.fft.rfft(stretch * np.hanning(len(stretch)))) ** 2
        near = np.abs(np.fft.rfftfreq(len(stretch), 1 / self.rate) - frequency) <= 25
        total = float(power.sum())
        return float(power[near].sum()) / total if total else 0.0

    def envelope(self, start: float, end: float, columns: int) -> list[tuple[float, float] | None]:
        """Lowest and highest sample of each of ``columns`` equal stretches; None: not recorded."""
        edges = np.linspace(start, end, columns + 1)
        pieces = (self.between(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True))
        return [(float(np.min(p)), float(np.max(p))) if len(p) else None for p in pieces]

    def as_wav(self) -> bytes:
        """The recording as a WAV file of 16 bit."""
        file = io.BytesIO()
        with wave.open(file, "wb") as recording:
            recording.setnchannels(1)
            recording.setsampwidth(2)
            recording.setframerate(self.rate)
            recording.writeframes((self.samples * 32767).astype("<i2").tobytes())
        return file.getvalue()
