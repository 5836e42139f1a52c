"""Coding: sound into packets and back, with the state each direction of a leg needs.

Sound is 16-bit samples, mono, in the machine's byte order. G.711 has no state and is a table of the
standard library's; G.722 and Opus are FFmpeg's, which costs 15 to 100 µs for 20 ms and is therefore
only done where legs differ, are mixed or are recorded.
"""

from fractions import Fraction
from typing import Literal, Protocol

import av

from callwright.engines.media.codec import OPUS, PACKETS_A_SECOND, Codec
from callwright.engines.media.g711 import Law
from callwright.engines.media.g711 import decode as decode_g711
from callwright.engines.media.g711 import encode as encode_g711
from callwright.engines.media.samples import WIDTH

OPUS_BITS = 24_000
"Bits a second: wideband speech is transparent at that (RFC 7587 section 3.1.1)."
_OPUS_DECODED = 48000

_OPUS_OPTIONS = {
    "application": "voip",
    "frame_duration": "20",
    # Of 10: 100 µs a packet, where 5 and 7 take 140 to 190 and come to no fewer bytes.
    "compression_level": "3",
    "fec": "1",
    "packet_loss": "5",
    "dtx": "0",
}


class Decoder(Protocol):
    def decode(self, payload: bytes) -> bytes:
        """Return the sound of one packet, nothing if it is damaged. Packets come in order."""


def make_decoder(codec: Codec, rate: int | None = None) -> Decoder:
    """Return a decoder of one stream to ``rate`` samples a second; None: the codec's own rate."""
    rate = rate or codec.rate
    if codec.law:
        return _Resampled(_LawDecoder(codec.law), codec.rate, rate)
    native = _OPUS_DECODED if codec is OPUS else codec.rate
    return _Resampled(_LibraryDecoder(codec), native, rate)


def make_encoder(codec: Codec, rate: int | None = None) -> "Encoder":
    """Return an encoder of one stream from ``rate`` samples a second; None: the codec's own."""
    return Encoder(codec, rate or codec.rate)


class Resampler:
    """Changes the rate of one stream of sound; nothing that the new rate cannot hold comes through.

    What comes out is as long as what went in: the filter's delay, 2 ms, is filled up with silence.
    """

    def __init__(self, source: int, target: int) -> None:
        """Samples a second, multiples of each other."""
        self._source = source
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=target)
        self.resample(bytes(source // PACKETS_A_SECOND * WIDTH))

    def resample(self, sound: bytes) -> bytes:
        if not sound:
            return b""
        return sound_of(self._resampler.resample(_frame_of(sound, self._source)))


class _LawDecoder:
    def __init__(self, law: Law) -> None:
        self._law = law

    def decode(self, payload: bytes) -> bytes:
        return decode_g711(self._law, payload)


class _LibraryDecoder:
    def __init__(self, codec: Codec) -> None:
        self._context = _context(codec, "r")
        self._context.sample_rate = _OPUS_DECODED if codec is OPUS else codec.rate
        self._context.layout = "mono"

    def decode(self, payload: bytes) -> bytes:
        if not payload:  # which would mean the stream's end, for good
            return b""
        try:
            return sound_of(self._context.decode(av.Packet(payload)))
        except av.error.FFmpegError:
            return b""


class _Resampled:
    def __init__(self, decoder: Decoder, source: int, target: int) -> None:
        self._decoder = decoder
        self._resampler = Resampler(source, target) if source != target else None

    def decode(self, payload: bytes) -> bytes:
        sound = self._decoder.decode(payload)
        return self._resampler.resample(sound) if self._resampler else sound


class Encoder:
    """Cuts sound into packets and encodes each."""

    def __init__(self, codec: Codec, rate: int) -> None:
        self._resampler = Resampler(rate, codec.rate) if rate != codec.rate else None
        self._coder = _LawCoder(codec.law) if codec.law else _LibraryCoder(codec)
        self._packet = codec.rate // PACKETS_A_SECOND * WIDTH
        self._waiting = b""

    @property
    def kept(self) -> int:
        """Samples that wait for the rest of their 20 ms."""
        return len(self._waiting) // WIDTH

    def encode(self, sound: bytes) -> list[bytes]:
        """Return the payloads, 20 ms each, that are full with this sound; the rest is kept."""
        if self._resampler:
            sound = self._resampler.resample(sound)
        if self._waiting:
            sound = self._waiting + sound
        whole = len(sound) - len(sound) % self._packet
        self._waiting = sound[whole:]
        return [
            self._coder.code(sound[at : at + self._packet]) for at in range(0, whole, self._packet)
        ]


class _LawCoder:
    def __init__(self, law: Law) -> None:
        self._law = law

    def code(self, sound: bytes) -> bytes:
        return encode_g711(self._law, sound)


class _LibraryCoder:
    def __init__(self, codec: Codec) -> None:
        context = _context(codec, "w")
        context.sample_rate = codec.rate
        context.layout = "mono"
        context.format = "s16"
        context.time_base = Fraction(1, codec.rate)
        if codec is OPUS:
            context.bit_rate = OPUS_BITS
            context.options = dict(_OPUS_OPTIONS)
        context.open()
        self._context = context
        self._frame = av.AudioFrame(
            format="s16", layout="mono", samples=codec.rate // PACKETS_A_SECOND
        )
        self._frame.sample_rate = codec.rate
        self._frame.time_base = context.time_base
        self._at = 0

    def code(self, sound: bytes) -> bytes:
        self._frame.planes[0].update(sound)
        self._frame.pts = self._at
        self._at += self._frame.samples
        return b"".join(map(bytes, self._context.encode(self._frame)))


def _context(codec: Codec, mode: Literal["r", "w"]) -> av.AudioCodecContext:
    context = av.CodecContext.create("libopus" if codec is OPUS else "g722", mode)
    # One packet in is one packet out; and we have enough threads of our own.
    context.thread_count = 1
    return context


def _frame_of(sound: bytes, rate: int) -> av.AudioFrame:
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(sound) // WIDTH)
    frame.sample_rate = rate
    frame.planes[0].update(sound)
    return frame


def sound_of(frames: list[av.AudioFrame]) -> bytes:
    """Return the samples of FFmpeg's frames."""
    return b"".join(bytes(frame.planes[0])[: frame.samples * WIDTH] for frame in frames)
