"""Samples: the few things that are done to sound, 16 bit in the machine's byte order."""

import sys

from callwright.engines.media.g711 import audioop

WIDTH = 2
"Bytes in a sample."


def add(one: bytes, other: bytes) -> bytes:
    """Mix two sounds of one length; what is too loud for 16 bit is clipped."""
    return audioop.add(one, other, WIDTH)


def louder(sound: bytes, factor: float) -> bytes:
    """Multiply with ``factor``; below 1 it is quieter."""
    return audioop.mul(sound, WIDTH, factor)


def stereo(left: bytes, right: bytes) -> bytes:
    """Interleave two sounds of one length, as WAV has them: little-endian."""
    both = audioop.add(
        audioop.tostereo(left, WIDTH, 1, 0), audioop.tostereo(right, WIDTH, 0, 1), WIDTH
    )
    return both if sys.byteorder == "little" else audioop.byteswap(both, WIDTH)
