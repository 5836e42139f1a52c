"""Waveforms of recordings: how loud each channel of a WAV file is over time."""

import wave
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from callwright.engines.media.g711 import audioop

SHORTEST = 0.02
"Seconds of one piece at least."
PIECES_AT_MOST = 4000
"Of a file; a drawing has some thousand columns."
FULL_SCALE = 32768


@dataclass(frozen=True, slots=True)
class ChannelSound:
    """Answers `callwright.drawing.tracks.Waveform`."""

    start: float
    "Seconds since the session began."
    piece: float
    "Seconds of one of the following."
    low: Sequence[int]
    high: Sequence[int]

    @property
    def end(self) -> float:
        return self.start + self.piece * len(self.low)

    def envelope(
        self, start: float, end: float, columns: int
    ) -> Sequence[tuple[float, float] | None]:
        width = (end - start) / columns
        return [self._column(start + n * width, width) for n in range(columns)]

    def _column(self, at: float, width: float) -> tuple[float, float] | None:
        first = int((at - self.start) / self.piece)
        last = max(first + 1, int((at + width - self.start) / self.piece))
        low, high = self.low[max(0, first) : last], self.high[max(0, first) : last]
        if at < self.start or not low:
            return None
        return min(low) / FULL_SCALE, max(high) / FULL_SCALE


def read_channels(file: Path, start: float) -> list[ChannelSound]:
    """Each channel of a WAV file of 16 bit, which began at ``start``. Blocks.

    Nothing for a file that is not there, or cannot be read.
    """
    try:
        with wave.open(str(file)) as sound:
            return _channels(sound, start)
    except (OSError, EOFError, wave.Error):
        return []


def _channels(sound: wave.Wave_read, start: float) -> list[ChannelSound]:
    width, channels, rate = sound.getsampwidth(), sound.getnchannels(), sound.getframerate()
    if width != 2 or channels not in (1, 2) or not rate:
        return []
    length = max(round(SHORTEST * rate), sound.getnframes() // PIECES_AT_MOST, 1)
    found = [(array("h"), array("h")) for _ in range(channels)]
    while frames := sound.readframes(length):
        for n, (low, high) in enumerate(found):
            one = frames
            if channels == 2:
                one = audioop.tomono(frames, width, n == 0, n == 1)
            least, most = audioop.minmax(one, width)
            low.append(least)
            high.append(most)
    return [ChannelSound(start, length / rate, low, high) for low, high in found]
