"""Waveforms: each channel by itself, where it was in the call."""

import wave
from array import array
from pathlib import Path

import pytest

from callwright.drawing.waveform import PIECES_AT_MOST, read_channels

RATE = 8000


def stereo(file: Path, left: list[int], right: list[int]) -> Path:
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        both = array("h", [one for pair in zip(left, right, strict=True) for one in pair])
        sound.writeframes(both.tobytes())
    return file


def test_each_channel_has_its_own_sound_in_its_time(tmp_path: Path) -> None:
    second = [0] * RATE
    loud = [16384, -16384] * (RATE // 2)
    file = stereo(tmp_path / "two.wav", second + loud, loud + second)
    left, right = read_channels(file, start=10.0)
    assert left.start == 10.0
    assert left.end == pytest.approx(12.0)
    assert left.envelope(10.0, 12.0, 4) == [(0, 0), (0, 0), (-0.5, 0.5), (-0.5, 0.5)]
    assert right.envelope(10.0, 12.0, 4) == [(-0.5, 0.5), (-0.5, 0.5), (0, 0), (0, 0)]


def test_before_and_after_there_is_nothing(tmp_path: Path) -> None:
    left, _ = read_channels(stereo(tmp_path / "one.wav", [1] * RATE, [1] * RATE), start=5.0)
    assert left.envelope(3.0, 8.0, 5) == [None, None, (1 / 32768, 1 / 32768), None, None]


def test_a_long_recording_has_no_more_pieces_than_are_drawn(tmp_path: Path) -> None:
    silence = [0] * (RATE * 200)
    left, _ = read_channels(stereo(tmp_path / "long.wav", silence, silence), start=0.0)
    assert len(left.low) <= PIECES_AT_MOST + 1
    assert left.end == pytest.approx(200.0, abs=0.1)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"no sound at all", b"RIFF\0\0\0\0WAVEfmt "])
def test_what_is_no_recording_has_no_waveform(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.wav"
    file.write_bytes(content)
    assert read_channels(file, start=0.0) == []
    assert read_channels(tmp_path / "gone.wav", start=0.0) == []
