"""In-band keys: those in one far end's audio packets, for as long as somebody wants them.

Packets are taken as they come; there is no buffer to wait in, since a key that is told 40 ms late
in one piece is better than sound that is even.
"""

from callwright.engines.media.codec import Codec
from callwright.engines.media.coding import Decoder, make_decoder
from callwright.engines.media.g711 import RATE
from callwright.engines.media.rtp import WORD
from callwright.engines.media.samples import WIDTH
from callwright.engines.media.tone_detector import ToneDetector

_PAUSE = 0.06
"""Seconds without packets in which a key is over: three, where one or two may have been lost in the
middle of it. Far ends that send nothing in pauses make one like that between two keys."""


class HeardKeys:
    __slots__ = ("_codec", "_decoder", "_next", "_ssrc", "_tones")

    def __init__(self) -> None:
        self._codec: Codec | None = None
        self._decoder: Decoder
        self._ssrc = -1
        self._next = 0
        "Timestamp of what follows."
        self._tones: ToneDetector

    def take(self, payload: bytes, codec: Codec, timestamp: int, ssrc: int) -> str | None:
        """Take a packet that is newer than those before it; return the key it makes certain."""
        if codec is not self._codec or ssrc != self._ssrc:
            self._codec, self._ssrc = codec, ssrc
            self._decoder = make_decoder(codec, RATE)
            self._tones = ToneDetector()
        elif missing := (timestamp - self._next) & WORD:
            if missing < _PAUSE * codec.clock:
                self._tones.skip()
            else:
                self._tones = ToneDetector()
        sound = self._decoder.decode(payload)
        self._next = (timestamp + len(sound) // WIDTH * codec.clock // RATE) & WORD
        return self._tones.take(sound)
