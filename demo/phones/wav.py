"""WAV files of phones: what they say, and what they have heard."""

import array
import math
import sys
import wave
from contextlib import closing
from pathlib import Path

RATE = 8000


def read(path: Path) -> "tuple[array.array[int], int]":
    """Return samples of 16 bit and their rate; of several channels the first.

    Raises OSError, EOFError, `wave.Error`.
    """
    samples = array.array("h")
    with closing(wave.open(str(path), "rb")) as file:
        samples.frombytes(file.readframes(file.getnframes()))
        if sys.byteorder == "big":
            samples.byteswap()
        # One channel is enough: Opus is dumped in stereo, which it is not.
        return samples[:: file.getnchannels()], file.getframerate()


def write(path: Path, samples: "array.array[int]", rate: int) -> None:
    if sys.byteorder == "big":
        samples.byteswap()
    with closing(wave.open(str(path), "wb")) as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(samples.tobytes())


def write_tone(path: Path, frequency: int, rate: int, *, seconds: int) -> None:
    """Write a sine of whole periods, which can be looped without a seam."""
    turn = 2 * math.pi * frequency / rate
    second = array.array("h", (round(8192 * math.sin(turn * n)) for n in range(rate)))
    write(path, second * seconds, rate)
