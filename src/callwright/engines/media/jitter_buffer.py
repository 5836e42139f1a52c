"""Jitter buffer: what one far end says, 20 ms at a time, for whoever mixes or records it.

Packets come when the network likes; a mixer wants sound at every beat of the clock. In between is
a buffer, as deep as the packets are late (20 to 60 ms), which finds its depth by itself: a packet
that comes after its turn makes it deeper, a second without need makes it shallower by a frame.
So it keeps up, too, with a far end whose clock is not ours. In place of what is missing stands the
last frame again, ever quieter, for 60 ms; then silence.

No clock: ``now`` and ``due`` come in.
"""

from callwright.engines.media.clock import SLOT, SLOTS
from callwright.engines.media.codec import PACKETS_A_SECOND, Codec
from callwright.engines.media.coding import Decoder, Resampler, make_decoder
from callwright.engines.media.receiver_statistics import ReceiverStatistics
from callwright.engines.media.rtp import WORD
from callwright.engines.media.samples import WIDTH, louder

SHALLOWEST, DEEPEST = 0.02, 0.06
"Seconds a packet is kept before its turn."
HELD_AT_MOST = 0.16
"Seconds of sound; older ones go when more come. A phone's packets are 60 ms at the longest."
PACKETS_AT_MOST = 32
"However short they are."

_FADING = (0.7, 0.4, 0.15)
"How loud the last frame is when it stands for the missing ones after it."
_LOOK_BACK = 50
"Frames over which the buffer was never empty before it is made shallower."


class JitterBuffer:
    __slots__ = (
        "_at",
        "_beat",
        "_begin_at",
        "_codec",
        "_decoder",
        "_frame",
        "_hole",
        "_last",
        "_least",
        "_looked",
        "_missed",
        "_newest",
        "_packets",
        "_playing",
        "_reception",
        "_resampled",
        "_resamplers",
        "_rest",
        "_ssrc",
        "_units",
        "rate",
    )

    def __init__(self, reception: ReceiverStatistics, rate: int) -> None:
        """``rate``: samples a second of its sound, 8000 or 16000."""
        self.rate = rate
        self._reception = reception
        self._codec: Codec | None = None
        self._decoder: Decoder | None = None
        self._ssrc = -1
        # The buffer. Places are timestamps of the far end, beyond 32 bits.
        self._packets: dict[int, bytes] = {}
        self._newest = 0
        self._units = 0
        "Timestamp units in a packet."
        self._playing = False
        self._begin_at = 0.0
        self._at = 0
        "Whose turn is next."
        self._rest = b""
        "Sound that is decoded, and not yet a whole frame."
        # What is missing.
        self._last = b""
        self._missed = 0
        "Frames in a row."
        self._hole = 0
        "Where they began."
        self._least = 0
        self._looked = 0
        # The frame of the beat.
        self._beat = -1
        self._frame: bytes | None = None
        self._resampled: dict[int, bytes] = {}
        self._resamplers: dict[int, Resampler] = {}

    def take(self, payload: bytes, codec: Codec, timestamp: int, ssrc: int, now: float) -> None:
        """Take one packet of audio, in whatever order they come."""
        step = ((timestamp - self._newest + 0x80000000) & WORD) - 0x80000000
        if ssrc != self._ssrc or codec is not self._codec or abs(step) > codec.clock:
            self._begin(codec, timestamp, ssrc)
            step = 0
        at = self._newest + step
        if self._playing and at < self._at:
            if not self._missed or at < self._hole:
                return
            self._at = at  # it was late, not lost: from now on we wait for that long
        elif not self._packets and not self._playing:
            self._begin_at = now + self._depth
        if step > 0:
            self._newest = at
        if payload:
            self._packets[at] = payload
        self._keep_bounds(codec)

    def frame(self, due: float, rate: int) -> bytes | None:
        """Return the 20 ms that are due, ``rate`` samples a second; None: silence.

        Whoever asks within one beat gets the same.
        """
        beat = round(due / SLOT) // SLOTS
        if beat != self._beat:
            self._beat = beat
            self._resampled.clear()
            self._frame = self._next_frame(due)
        if self._frame is None or rate == self.rate:
            return self._frame
        if rate not in self._resampled:
            resampler = self._resamplers.get(rate)
            if resampler is None:
                resampler = self._resamplers[rate] = Resampler(self.rate, rate)
            self._resampled[rate] = resampler.resample(self._frame)
        return self._resampled[rate]

    @property
    def _depth(self) -> float:
        return min(DEEPEST, max(SHALLOWEST, SHALLOWEST + 2 * self._reception.jitter))

    def _begin(self, codec: Codec, timestamp: int, ssrc: int) -> None:
        self._ssrc = ssrc
        if codec is not self._codec:
            self._codec = codec
            self._decoder = make_decoder(codec, self.rate)
        self._newest = timestamp
        self._units = codec.frame
        self._packets.clear()
        self._stop()

    def _stop(self) -> None:
        self._playing = False
        self._missed = 0
        self._rest = self._last = b""

    def _keep_bounds(self, codec: Codec) -> None:
        while len(self._packets) > PACKETS_AT_MOST:
            del self._packets[min(self._packets)]
        oldest = self._at if self._playing else min(self._packets, default=self._newest)
        if self._newest + self._units - oldest <= HELD_AT_MOST * codec.clock:
            return
        self._at = self._newest + self._units - round(self._depth * codec.clock)
        for at in [at for at in self._packets if at < self._at]:
            del self._packets[at]

    def _next_frame(self, now: float) -> bytes | None:
        codec = self._codec
        if codec is None:
            return None
        if not self._playing:
            if not self._packets or now < self._begin_at:
                return None
            self._playing = True
            self._at = min(self._packets)
            self._looked = 0
        frame = self._cut(codec)
        if frame is None:
            return self._conceal(codec)
        self._missed = 0
        self._last = frame
        self._make_shallower(codec)
        return frame

    def _cut(self, codec: Codec) -> bytes | None:
        """Return the next frame; None if some of it has not come."""
        size = self.rate // PACKETS_A_SECOND * WIDTH
        while len(self._rest) < size:
            payload = self._packets.pop(self._at, None)
            if payload is None and not self._skips(codec):
                return None
            if payload is not None and self._decoder:
                sound = self._decoder.decode(payload)
                self._units = len(sound) // WIDTH * codec.clock // self.rate or codec.frame
                self._at += self._units
                self._rest += sound
        frame, self._rest = self._rest[:size], self._rest[size:]
        return frame

    def _skips(self, codec: Codec) -> bool:
        """Go on to the next packet there is, if nothing that could be concealed lies before it."""
        after = min(self._packets, default=None)
        if after is None or codec.frame <= after - self._at <= len(_FADING) * codec.frame:
            return False
        self._at = after
        return True

    def _conceal(self, codec: Codec) -> bytes | None:
        if not self._missed:
            self._hole = self._at
        if self._missed >= len(_FADING):
            self._stop()
            if self._packets:  # of a hole that was longer: go on at once
                self._begin_at = 0.0
            return None
        fading = louder(self._last, _FADING[self._missed]) if self._last else None
        self._missed += 1
        self._at += codec.frame
        if fading is not None and self._rest:
            fading = self._rest + fading[len(self._rest) :]
        self._rest = b""
        return fading

    def _make_shallower(self, codec: Codec) -> None:
        held = self._newest + self._units - self._at
        held += len(self._rest) // WIDTH * codec.clock // self.rate
        self._least = held if not self._looked else min(held, self._least)
        self._looked += 1
        if self._looked >= _LOOK_BACK:
            self._looked = 0
            if self._least > round(self._depth * codec.clock):
                self._cut(codec)
