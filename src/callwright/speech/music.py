"""Music and tones of our own, so that nobody's licence is played to callers.

The waiting music: four chords of slow plucked notes, in the middle of the telephone band, where
G.711 carries them well. The piece is a ring: a note that still sounds at the end goes on at the
start, so that the loop has no seam. Made from sines and nothing random: every machine makes the
same file.
"""

import array
import math
import os
import sys
import wave
from contextlib import closing
from pathlib import Path
from uuid import uuid4

from callwright.calls.plan import RecordedMessage
from callwright.engines.port import Media

RATE = 16000
LEVEL = 10 ** (-23 / 20)
"RMS, of full scale: a little below speech, which follows it or stands before it."

# C major seven, A minor seven, F major seven, G six: MIDI notes, the root first.
CHORDS = ((60, 64, 67, 71), (57, 64, 67, 72), (53, 60, 64, 69), (55, 62, 64, 71))
# Which note of the chord on each of its eight beats; up, and gently down again.
PATTERN = (0, 2, 1, 3, 2, 1, 3, 2)
BEAT = int(0.375 * RATE)
LENGTH = len(CHORDS) * len(PATTERN) * BEAT

# Overtones of a plucked string: multiple of the pitch, strength, seconds until it has faded to 1/e.
OVERTONES = ((1, 1.0, 0.7), (2, 0.45, 0.4), (3, 0.2, 0.25), (4, 0.08, 0.15))
NOTE = 4 * RATE
# A note that began at full strength would click.
ATTACK = int(0.008 * RATE)


def write_dialing_music(path: Path) -> None:
    """Write 12 s of music as WAV: mono, 16 bit, 16000 Hz, to be looped. Raises `OSError`."""
    _write(path, _samples(_piece()))


def write_ringback(path: Path) -> None:
    """Write 5 s of ringback tone, to be looped: 425 Hz, 1 s on, 4 s off (ITU-T E.182).

    WAV as above. Raises `OSError`.
    """
    on = [math.sin(2 * math.pi * 425 * index / RATE) for index in range(RATE)]
    _write(path, _samples(on, rest=4 * RATE))


def write_beep(path: Path) -> None:
    """Write the beep before a voicemail: 1000 Hz, half a second. WAV as above. Raises `OSError`."""
    beep = [math.sin(2 * math.pi * 1000 * index / RATE) for index in range(RATE // 2)]
    _write(path, _samples(beep))


def _write(path: Path, samples: bytes) -> None:
    part = path.with_name(f".{uuid4().hex}.part")
    try:
        with closing(wave.open(str(part), "wb")) as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(samples)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def ringback_of(folder: Path) -> RecordedMessage:
    """What an employee hears while a third party is rung. Blocks."""
    path = folder / "ringback.wav"
    if not path.exists():
        write_ringback(path)
    return RecordedMessage(Media(path), "ringback")


def beep_of(folder: Path) -> RecordedMessage:
    """What is heard before a voicemail. Blocks."""
    path = folder / "beep.wav"
    if not path.exists():
        write_beep(path)
    return RecordedMessage(Media(path), "beep")


def _piece() -> list[float]:
    notes = {pitch: _note(pitch) for chord in CHORDS for pitch in chord}
    ring = [0.0] * LENGTH
    for beat in range(LENGTH // BEAT):
        chord = CHORDS[beat // len(PATTERN)]
        note = notes[chord[PATTERN[beat % len(PATTERN)]]]
        for offset, value in enumerate(note, start=beat * BEAT):
            ring[offset % LENGTH] += value
    return ring


def _note(pitch: int) -> list[float]:
    """A plucked string; ``pitch`` is a MIDI note (69 is 440 Hz)."""
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    note = [0.0] * NOTE
    for multiple, strength, fading in OVERTONES:
        # A decaying sine is a point going round and inwards: one multiplication per sample.
        turn = complex(-1 / (fading * RATE), 2 * math.pi * frequency * multiple / RATE)
        step = math.e**turn.real * complex(math.cos(turn.imag), math.sin(turn.imag))
        point = complex(strength)
        for index in range(NOTE):
            note[index] += point.imag
            point *= step
    for index in range(ATTACK):
        note[index] *= index / ATTACK
    return note


def _samples(piece: list[float], *, rest: int = 0) -> bytes:
    """Bring a piece to `LEVEL`, and let ``rest`` samples of silence follow."""
    gain = LEVEL * 32768 / math.sqrt(sum(value * value for value in piece) / len(piece))
    samples = array.array("h", [*(round(value * gain) for value in piece), *[0] * rest])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()
