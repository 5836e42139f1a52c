"""G.711: 16 bit samples to A-law and µ-law and back, written after ITU-T G.711 itself."""

import array
import sys
from functools import cache


def _alaw_to_linear(code: int) -> int:
    code ^= 0x55
    segment, step = code >> 4 & 7, (code & 15) << 4
    magnitude = step + 8 if segment == 0 else step + 0x108 << segment - 1
    return magnitude if code & 0x80 else -magnitude


def _ulaw_to_linear(code: int) -> int:
    code = ~code & 0xFF
    magnitude = (((code & 15) << 3) + 0x84 << (code >> 4 & 7)) - 0x84
    return -magnitude if code & 0x80 else magnitude


DECODED = {
    "PCMA": [_alaw_to_linear(code) for code in range(256)],
    "PCMU": [_ulaw_to_linear(code) for code in range(256)],
}
SILENCE = {"PCMA": b"\xd5", "PCMU": b"\xff"}


@cache
def _encoder(codec: str) -> bytes:
    """Code of every 16 bit sample, indexed by its unsigned value: the nearest there is."""
    ordered = sorted((value, code) for code, value in enumerate(DECODED[codec]))
    table = bytearray(65536)
    nearest = 0
    for sample in range(-32768, 32768):
        while nearest + 1 < len(ordered) and abs(ordered[nearest + 1][0] - sample) <= abs(
            ordered[nearest][0] - sample
        ):
            nearest += 1
        table[sample & 0xFFFF] = ordered[nearest][1]
    return bytes(table)


def encode(samples: "array.array[int]", codec: str) -> bytes:
    table = _encoder(codec)
    return bytes(table[sample & 0xFFFF] for sample in samples)


def decode(data: bytes, codec: str) -> bytes:
    """Return 16 bit samples, little-endian."""
    values = DECODED[codec]
    samples = array.array("h", [values[code] for code in data])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()
