"""A mixer: what one leg is sent when it hears several others."""

from collections.abc import Sequence

from callwright.engines.media.codec import PACKETS_A_SECOND, Codec
from callwright.engines.media.coding import Encoder, make_encoder
from callwright.engines.media.jitter_buffer import JitterBuffer
from callwright.engines.media.samples import WIDTH, add


class Mixer:
    __slots__ = ("_codec", "_encoder", "_voices")

    def __init__(self, voices: Sequence[JitterBuffer]) -> None:
        self._voices = voices
        self._codec: Codec | None = None
        self._encoder: Encoder | None = None

    def packet(self, due: float, codec: Codec) -> bytes:
        """Return the 20 ms that are due, as one packet."""
        mixed: bytes | None = None
        for voice in self._voices:
            sound = voice.frame(due, codec.rate)
            if sound is not None:
                mixed = sound if mixed is None else add(mixed, sound)
        if mixed is None:
            if codec.law:
                return codec.silence
            mixed = bytes(codec.rate // PACKETS_A_SECOND * WIDTH)
        if self._encoder is None or codec is not self._codec:
            self._codec = codec
            self._encoder = make_encoder(codec)
        return b"".join(self._encoder.encode(mixed)) or codec.silence
