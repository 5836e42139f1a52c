"""DTMF as sound: the two tones of a key, for far ends that take no telephone-events."""

import math
from array import array
from functools import cache

from callwright.engines.media.codec import PACKETS_A_SECOND, Codec
from callwright.engines.media.coding import make_encoder
from callwright.engines.media.dtmf import STEPS, TONE_STEPS

ROWS = (697, 770, 852, 941)
COLUMNS = (1209, 1336, 1477, 1633)
PAD = ("123A", "456B", "789C", "*0#D")
_AMPLITUDE = 6500
"Of each of the two tones: -11 dBm0, inside what ITU-T Q.24 receivers take."


def frequencies(key: str) -> tuple[int, int]:
    """Return the low and the high tone of a key in Hz (ITU-T Q.23)."""
    row = next(number for number, keys in enumerate(PAD) if key in keys)
    return ROWS[row], COLUMNS[PAD[row].index(key)]


@cache  # 16 keys in four codecs
def tone_frames(key: str, codec: Codec) -> tuple[bytes, ...]:
    """Return one key as `STEPS` packets of 20 ms: the tone, then silence."""
    low, high = (2 * math.pi * hertz / codec.rate for hertz in frequencies(key))
    samples = array(
        "h",
        (
            int(_AMPLITUDE * (math.sin(low * n) + math.sin(high * n)))
            for n in range(TONE_STEPS * codec.rate // PACKETS_A_SECOND)
        ),
    )
    sounding = make_encoder(codec).encode(samples.tobytes())
    return (*sounding, *[codec.silence] * (STEPS - TONE_STEPS))
