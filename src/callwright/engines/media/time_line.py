"""The time line of what one leg is sent: RTP timestamps follow the time (RFC 3550 section 5.1)."""

from random import getrandbits

from callwright.engines.media.codec import PCMA
from callwright.engines.media.rtp import WORD

_LEAD = 0.5
"Frames a stream may run ahead of the time before one is left out."
_DRIFT = 2
"Frames; further ahead than switching sources brings it: the other clock is fast, ours gives way."


class TimeLine:
    """The timestamp at `_began` (`_zero`), and the one after all that has been sent (`_next`).

    ``_clock``: steps of a second; ``_frame``: steps of 20 ms.
    """

    __slots__ = ("_began", "_clock", "_frame", "_next", "_zero")

    def __init__(self) -> None:
        self._clock = PCMA.clock
        self._frame = PCMA.frame
        self._began = 0.0
        self._draw()

    def _draw(self) -> None:
        """Begin at a number nobody can guess."""
        self._zero = self._next = getrandbits(32)

    def timestamp_at(self, now: float) -> int:
        """Return the stream's timestamp at a time, for RTCP."""
        return (self._zero + round((now - self._began) * self._clock)) & WORD

    def _keep_time(self, now: float) -> bool:
        """Bring the next timestamp up to the time; False if the stream is too far ahead of it.

        Less than a frame behind or ahead is left alone, so that samples follow one another.
        """
        frame = self._frame
        elapsed = self._zero + int((now - self._began) * self._clock + 0.5)
        lag = ((elapsed - self._next + 0x80000000) & WORD) - 0x80000000
        if lag >= frame:
            self._next = (self._next + lag // frame * frame) & WORD
        elif lag < -_DRIFT * frame:
            self._began += lag / self._clock
        elif lag < -_LEAD * frame:
            return False
        return True
