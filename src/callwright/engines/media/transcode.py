"""Transcoding: one stream of packets turned into another codec, where two legs differ."""

from callwright.engines.media.codec import PACKETS_A_SECOND, Codec
from callwright.engines.media.coding import make_decoder, make_encoder
from callwright.engines.media.rtp import WORD


class Transcoder:
    """Takes the packets of one stream in order; no bridge between equal codecs needs one."""

    __slots__ = ("_at", "_decoder", "_encoder", "_expected", "_source", "_ssrc", "_target")

    def __init__(self, ssrc: int, source: Codec, target: Codec) -> None:
        self._ssrc = ssrc
        self._source = source
        self._target = target
        self._decoder = make_decoder(source, target.rate)
        self._encoder = make_encoder(target)
        self._at = 0
        "Timestamp of the last packet, beyond 32 bits, so that it can be put into another clock."
        self._expected = 0
        "Units of the source's clock in the last packet."

    def is_of(self, ssrc: int, source: Codec, target: Codec) -> bool:
        return ssrc == self._ssrc and source is self._source and target is self._target

    def take(self, payload: bytes, timestamp: int) -> list[tuple[int, bytes]]:
        """Return the packets of 20 ms that are full now, each with its time in the target's clock.

        Those times fit together but begin anywhere.
        """
        step = ((timestamp - self._at + 0x80000000) & WORD) - 0x80000000
        self._at += step
        source, target = self._source, self._target
        if step != self._expected and self._encoder.kept:
            # After a gap nothing will come to fill the packet up.
            self._encoder = make_encoder(target)
        kept = self._encoder.kept * target.clock // target.rate
        sound = self._decoder.decode(payload)
        self._expected = len(sound) // 2 * source.clock // target.rate
        begin = self._at * target.clock // source.clock - kept
        frame = target.clock // PACKETS_A_SECOND
        return [
            (begin + number * frame, packet)
            for number, packet in enumerate(self._encoder.encode(sound))
        ]
