"""Opus packets: how long one is, as its first bytes tell (RFC 6716 section 3)."""

from callwright.engines.media.rtp import Buffer

_MS = 48
"Units of the clock in a millisecond."
LONGEST = 120 * _MS

_SILK = (10, 20, 40, 60)
_HYBRID = (10, 20)
_CELT = (2.5, 5, 10, 20)
_FRAME = tuple(int(ms * _MS) for ms in _SILK * 3 + _HYBRID * 2 + _CELT * 4)
"Units in one frame of each of the 32 configurations (table 2)."


def duration(buffer: Buffer, begin: int, end: int) -> int:
    """Return how long the packet in ``buffer[begin:end]`` is, in 1/48000 s; 0: malformed."""
    if begin >= end:
        return 0
    first = buffer[begin]
    frame = _FRAME[first >> 3]
    match first & 3:
        case 0:
            return frame
        case 1 | 2:
            return 2 * frame
        case _:
            frames = buffer[begin + 1] & 0x3F if begin + 1 < end else 0
            return frames * frame if frames * frame <= LONGEST else 0
