"""Who heard what, and when: recordings of phones, read as silence, tones and known clips."""

import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 8000
Samples = NDArray[np.float64]

SILENCE = 0.003
"RMS of full scale below which nobody hears anything; A-law's idle noise is a tenth of it."
SHARE = 0.8
"Of the power of a window that a tone must have to be the tone that is heard."
ALIKE = 0.7
"Correlation from which on a tenth of a second is the same sound."
PIECE = RATE // 10


def read(path: Path) -> Samples:
    """Read a WAV, mono, 16 bit, at 8000 Hz or resampled to it; -1 to 1."""
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2), path
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    return samples if rate == RATE else resampled(samples, rate)


def resampled(samples: Samples, rate: int) -> Samples:
    """Bring ``samples`` to 8000 Hz: cut, or fill up, the spectrum."""
    length = round(len(samples) * RATE / rate)
    spectrum = np.fft.rfft(samples)
    fitting = np.zeros(length // 2 + 1, complex)
    kept = min(len(spectrum), len(fitting))
    fitting[:kept] = spectrum[:kept]
    return np.fft.irfft(fitting, length) * (length / len(samples))


def tone(frequency: float, seconds: float, *, level: float = 0.25) -> Samples:
    return level * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples)))) if len(samples) else 0.0


def level(samples: Samples, frequency: float) -> float:
    """Amplitude of one frequency (Goertzel's sum); a sine of 0.25 has 0.25."""
    if not len(samples):
        return 0.0
    turns = np.exp(-2j * np.pi * frequency * np.arange(len(samples)) / RATE)
    return float(2 / len(samples) * abs(np.dot(samples, turns)))


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which one thing was heard. Seconds from the recording's first sample."""

    start: float
    end: float
    sound: str
    "``silence``, ``440 Hz``, or ``other``."


def timeline(samples: Samples, tones: Sequence[int], *, window: float = 0.04) -> list[Stretch]:
    """Say what was heard when, window by window.

    A window in which one sound follows another may be ``other``; `without_seams` leaves it out.
    """
    size = round(window * RATE)
    stretches: list[Stretch] = []
    for start in range(0, len(samples) - size + 1, size):
        sound = _sound(samples[start : start + size], tones)
        if stretches and stretches[-1].sound == sound:
            stretches[-1] = Stretch(stretches[-1].start, (start + size) / RATE, sound)
        else:
            stretches.append(Stretch(start / RATE, (start + size) / RATE, sound))
    return stretches


def without_seams(stretches: Sequence[Stretch], *, at_least: float = 0.1) -> list[Stretch]:
    """Leave out what is shorter than ``at_least`` seconds, and join what then is one."""
    kept: list[Stretch] = []
    for stretch in stretches:
        if stretch.end - stretch.start < at_least - 1e-9:
            continue
        if kept and kept[-1].sound == stretch.sound:
            kept[-1] = Stretch(kept[-1].start, stretch.end, stretch.sound)
        else:
            kept.append(stretch)
    return kept


def _sound(piece: Samples, tones: Sequence[int]) -> str:
    loudness = rms(piece)
    if loudness < SILENCE:
        return "silence"
    for frequency in tones:
        # A sine has half the square of its amplitude as power.
        if level(piece, frequency) ** 2 / 2 >= SHARE * loudness**2:
            return f"{frequency} Hz"
    return "other"


@dataclass(frozen=True, slots=True)
class Found:
    """A known clip in a recording."""

    at: float
    "Where in the recording the clip's first sample lies, in seconds; negative: cut at the start."
    score: float
    "Correlation of the whole clip with what was heard, 1 for the same sound at any volume."
    first: float
    last: float
    "From where to where in the clip it was heard, in seconds; to a tenth of a second."

    def whole(self, clip: Samples, *, within: float = 0.15) -> bool:
        """Tell whether it was heard from its start to its end."""
        return self.first <= within and self.last >= len(clip) / RATE - within


def find(clip: Samples, heard: Samples) -> Found:
    """Find ``clip`` where it fits best. The caller judges by the score whether it is there."""
    size = 1 << (len(clip) + len(heard) - 1).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(clip, size))
    correlation = np.fft.irfft(spectrum, size)
    shifts = np.concatenate([correlation[: len(heard)], correlation[size - len(clip) + 1 :]])
    best = int(np.argmax(shifts))
    place = best if best < len(heard) else best - len(heard) - len(clip) + 1
    aligned = np.zeros(len(clip))
    start, end = max(place, 0), min(place + len(clip), len(heard))
    aligned[start - place : end - place] = heard[start:end]
    # Pauses within the clip are alike with anything; only its parts with sound are compared.
    pieces = [
        n
        for n in range(0, len(clip) - PIECE + 1, PIECE)
        if rms(clip[n : n + PIECE]) > max(SILENCE, 0.1 * rms(clip))
    ]
    alike = [n for n in pieces if _alike(clip[n : n + PIECE], aligned[n : n + PIECE]) > ALIKE]
    silent_start = pieces[0] if pieces else 0
    silent_end = len(clip) - (pieces[-1] + PIECE) if pieces else 0
    return Found(
        at=place / RATE,
        score=_alike(clip, aligned),
        # Silence at its ends has been heard if what stands beside it has.
        first=(alike[0] - silent_start) / RATE if alike else len(clip) / RATE,
        last=(alike[-1] + PIECE + silent_end) / RATE if alike else 0.0,
    )


def _alike(one: Samples, other: Samples) -> float:
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(np.dot(one, other)) / size if size > 1e-9 else 0.0
