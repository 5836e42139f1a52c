"""Ears: how strongly a sound holds a frequency."""

import numpy as np
from numpy.typing import NDArray

from callwright.engines.media.g711 import RATE, Law, decode


def strength(sound: NDArray[np.int16], hertz: float, rate: int = RATE) -> float:
    """Return the amplitude of one frequency in 16-bit units (Goertzel, as one product)."""
    if not len(sound):
        return 0.0
    turns = np.exp(-2j * np.pi * hertz * np.arange(len(sound)) / rate)
    return float(abs(np.dot(sound, turns)) * 2 / len(sound))


def sine(hertz: float, rate: int, samples: int, begin: int = 0) -> bytes:
    """16-bit samples of a tone of 8000, from the ``begin``-th on."""
    phase = 2 * np.pi * hertz * np.arange(begin, begin + samples) / rate
    return (8000 * np.sin(phase)).astype(np.int16).tobytes()


def heard(law: Law, coded: bytes) -> NDArray[np.int16]:
    return np.frombuffer(decode(law, coded), dtype=np.int16)
