"""Waiting music: it loops without a seam, is never silent, and is the same on every machine."""

import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from callwright.speech.music import LEVEL, RATE, write_dialing_music


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> NDArray[np.float64]:
    path = tmp_path_factory.mktemp("music") / "music.wav"
    write_dialing_music(path)
    assert [file.name for file in path.parent.iterdir()] == ["music.wav"]
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        data = file.readframes(file.getnframes())
    return np.frombuffer(data, "<i2").astype(np.float64) / 32768


def test_it_is_twelve_seconds_at_its_level_without_clipping(music: NDArray[np.float64]) -> None:
    assert len(music) == 12 * RATE
    assert np.sqrt(np.mean(music**2)) == pytest.approx(LEVEL, rel=0.01)
    assert np.max(np.abs(music)) < 0.6


def test_it_is_heard_all_the_time(music: NDArray[np.float64]) -> None:
    """Who waits must never think that the line is dead."""
    blocks = music[: len(music) // 1600 * 1600].reshape(-1, 1600)
    assert np.min(np.sqrt(np.mean(blocks**2, axis=1))) > 0.01


def test_the_loop_has_no_seam(music: NDArray[np.float64]) -> None:
    steps = np.abs(np.diff(music))
    assert abs(music[0] - music[-1]) <= np.max(steps)
    # The curve goes on through the seam: its bend there is no sharper than anywhere else.
    around = np.concatenate([music[-200:], music[:200]])
    bends = np.abs(np.diff(music, 2))
    assert np.max(np.abs(np.diff(around, 2))) <= np.max(bends)
    # What sounds at the end goes on at the start: the start is as loud as any other beat.
    assert np.sqrt(np.mean(music[:400] ** 2)) > 0.01


def test_it_lies_within_the_telephone_band(music: NDArray[np.float64]) -> None:
    power = np.abs(np.fft.rfft(music)) ** 2
    frequency = np.fft.rfftfreq(len(music), 1 / RATE)
    inside = power[(frequency >= 150) & (frequency <= 3400)].sum()
    assert float(inside) / float(power.sum()) > 0.99


def test_it_is_the_same_every_time(tmp_path: Path) -> None:
    write_dialing_music(tmp_path / "one.wav")
    write_dialing_music(tmp_path / "other.wav")
    assert (tmp_path / "one.wav").read_bytes() == (tmp_path / "other.wav").read_bytes()
