"""A recording: what two legs say to each other, put on one line of time.

The slot clock asks for a frame of both every 20 ms. Where it left some out, because the machine
stood still, there is silence, so that the file is as long as the call was.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from callwright.engines.media.codec import PACKETS_A_SECOND
from callwright.engines.media.samples import WIDTH

if TYPE_CHECKING:
    from callwright.engines.media.jitter_buffer import JitterBuffer

PIECE = 25
"Frames, half a second, that are handed to the disk at once: what a crash can cost."

Write = Callable[[int, bytes, bytes], bool]
"Take the place in samples, the left and the right; False: the disk is too far behind."


class Speaker(Protocol):
    """A leg, as far as a recording knows it."""

    def listen(self) -> "JitterBuffer": ...

    def unlisten(self) -> None: ...


class Recording:
    __slots__ = (
        "_at",
        "_began",
        "_missing",
        "_parts",
        "_piece_at",
        "_silence",
        "_speakers",
        "_voices",
        "_write",
        "rate",
    )

    def __init__(self, began: float, rate: int, write: Write) -> None:
        """``began``: by the slot clock. ``rate``: samples a second."""
        self.rate = rate
        self._began = began
        self._write = write
        self._silence = bytes(rate // PACKETS_A_SECOND * WIDTH)
        self._speakers: tuple[Speaker | None, Speaker | None] = (None, None)
        self._voices: tuple[JitterBuffer | None, JitterBuffer | None] = (None, None)
        self._at = 0
        "Samples so far."
        self._piece_at = 0
        self._parts: tuple[list[bytes], list[bytes]] = ([], [])
        self._missing = 0

    @property
    def fault(self) -> str:
        """What is wrong with it; empty if nothing is."""
        if not self._missing:
            return ""
        return f"{self._missing / self.rate:.1f} s are missing: the disk is too slow"

    def hear(self, left: Speaker | None, right: Speaker | None) -> None:
        """Record these from now on; None: silence."""
        if (left, right) == self._speakers:
            return
        before, self._speakers = self._speakers, (left, right)
        self._voices = (left.listen() if left else None, right.listen() if right else None)
        for speaker in before:
            if speaker:
                speaker.unlisten()

    def tick(self, due: float) -> bool:
        frame = len(self._silence) // WIDTH
        # Places are in whole frames after the first one, whatever the clock's first slot was.
        missed = int((due - self._began) * self.rate - self._at + frame // 2) // frame
        if missed > 0:
            self._flush()
            self._at = self._piece_at = self._at + missed * frame
        elif missed < 0:
            return False
        for voice, parts in zip(self._voices, self._parts, strict=True):
            sound = voice.frame(due, self.rate) if voice else None
            parts.append(self._silence if sound is None else sound)
        self._at += frame
        if len(self._parts[0]) >= PIECE:
            self._flush()
        return False  # nothing was sent

    def end(self, now: float) -> int:
        """Hand over the rest; return how many samples long the recording is."""
        self.hear(None, None)
        self._flush()
        return round((now - self._began) * self.rate)

    def _flush(self) -> None:
        left, right = (b"".join(parts) for parts in self._parts)
        if left and not self._write(self._piece_at, left, right):
            self._missing += len(left) // WIDTH
        for parts in self._parts:
            parts.clear()
        self._piece_at = self._at
