"""Levels, tones and envelopes of a recording that begins two seconds into the call."""

import wave
from pathlib import Path

import numpy as np
import pytest

from demo.sound import Heard

RATE = 8000


@pytest.fixture
def tone() -> Heard:
    """A second of 440 Hz at half scale, then a second of silence."""
    time = np.arange(RATE) / RATE
    samples = np.concatenate([0.5 * np.sin(2 * np.pi * 440 * time), np.zeros(RATE)])
    return Heard(samples.astype(np.float32), RATE, 2.0)


def test_levels_are_taken_on_the_calls_time_axis(tone: Heard) -> None:
    assert tone.level(2.0, 3.0) == pytest.approx(-9.03, abs=0.01)
    assert tone.level(3.0, 4.0) == -120
    assert tone.level(0.0, 1.0) == -120


def test_a_tone_is_known_from_another(tone: Heard) -> None:
    assert tone.share_of_tone(440, 2.0, 3.0) > 0.99
    assert tone.share_of_tone(660, 2.0, 3.0) < 0.01
    assert tone.share_of_tone(440, 3.0, 4.0) == 0.0


def test_the_envelope_has_a_column_for_each_part_and_none_outside_the_recording(
    tone: Heard,
) -> None:
    before, loud, silent, after = tone.envelope(1.0, 5.0, 4)
    assert before is None
    assert loud
    assert list(loud) == pytest.approx([-0.5, 0.5], abs=0.01)
    assert silent == (0.0, 0.0)
    assert after is None


def test_a_recording_comes_back_from_its_wav(tone: Heard, tmp_path: Path) -> None:
    file = tmp_path / "heard.wav"
    file.write_bytes(tone.as_wav())
    again = Heard.read(file, start=2.0)
    assert (again.rate, again.end) == (RATE, 4.0)
    assert float(np.abs(again.samples - tone.samples).max()) < 0.001


def test_stereo_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "stereo.wav"
    with wave.open(str(file), "wb") as recording:
        recording.setnchannels(2)
        recording.setsampwidth(2)
        recording.setframerate(RATE)
        recording.writeframes(bytes(400))
    with pytest.raises(wave.Error, match="not a mono file"):
        Heard.read(file, start=0.0)
