"""Simulated recordings: a real file where a recording would be, to be fetched and played."""

import math
import wave
from array import array
from pathlib import Path

RECORDED_AT_MOST = 10.0
"Seconds that a file holds at most, however long the talk was."

RATE = 8000
TONES = 400.0, 500.0
"Hertz of the left and the right side: they are told apart by ear."
LOUDNESS = 2000
"Of 32767; some 24 dB below what there could be, so that nobody is startled."
PERIOD = 80
"Frames after which both tones begin anew."


def write_recording(path: Path, lasted: float, *, both: bool) -> None:
    """Write a WAV file, 16 bit, stereo, a tone to each leg; without ``both`` the right is silent.

    ``lasted``: seconds. Raises `OSError`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = round(RATE * min(lasted, RECORDED_AT_MOST))
    period = _period(both=both)
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, RATE, 0, "NONE", ""))
        file.writeframes((period * (frames // PERIOD + 1))[: 4 * frames])


def _period(*, both: bool) -> bytes:
    left, right = (
        [round(LOUDNESS * math.sin(math.tau * tone * frame / RATE)) for frame in range(PERIOD)]
        for tone in TONES
    )
    if not both:
        right = [0] * PERIOD
    samples = [sample for frame in zip(left, right, strict=True) for sample in frame]
    return array("h", samples).tobytes()  # `wave` takes them in the machine's own byte order.
