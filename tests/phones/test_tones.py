"""The ears of our tests, tested: tones, silence and clips are told apart, also through G.711."""

import numpy as np
import pytest

from callwright.engines.media.g711 import Law, decode, encode
from tests.phones.tones import (
    RATE,
    Samples,
    Stretch,
    find,
    level,
    resampled,
    rms,
    timeline,
    tone,
    without_seams,
)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE))


def noise(seconds: float, *, seed: int = 1) -> Samples:
    return np.random.default_rng(seed).normal(0, 0.1, round(seconds * RATE))


def through(codec: str, samples: Samples) -> Samples:
    law = Law(codec)
    whole = (samples * 32767).astype(np.int16).tobytes()
    return np.frombuffer(decode(law, encode(law, whole)), np.int16) / 32768


def test_the_level_of_a_tone() -> None:
    samples = tone(440, 0.5, level=0.25) + tone(1000, 0.5, level=0.1)
    assert level(samples, 440) == pytest.approx(0.25, abs=0.005)
    assert level(samples, 1000) == pytest.approx(0.1, abs=0.005)
    assert level(samples, 2000) < 0.005
    assert level(silence(0), 440) == 0


@pytest.mark.parametrize("codec", ["PCMA", "PCMU"])
def test_a_timeline_tells_what_was_heard_when(codec: str) -> None:
    samples = np.concatenate([silence(1), tone(440, 2), tone(1000, 1), noise(1), silence(1)])
    assert timeline(through(codec, samples), [440, 1000]) == [
        Stretch(0.0, 1.0, "silence"),
        Stretch(1.0, 3.0, "440 Hz"),
        Stretch(3.0, 4.0, "1000 Hz"),
        Stretch(4.0, 5.0, "other"),
        Stretch(5.0, 6.0, "silence"),
    ]


def test_two_tones_at_once_are_neither() -> None:
    samples = tone(440, 1) + tone(1000, 1)
    assert [stretch.sound for stretch in timeline(samples, [440, 1000])] == ["other"]


def test_a_window_across_a_change_is_left_out() -> None:
    samples = np.concatenate([tone(440, 1.02), tone(1000, 1)])
    stretches = timeline(samples, [440, 1000])
    assert [stretch.sound for stretch in stretches] == ["440 Hz", "other", "1000 Hz"]
    assert [s.sound for s in without_seams(stretches)] == ["440 Hz", "1000 Hz"]


@pytest.mark.parametrize("codec", ["PCMA", "PCMU"])
def test_a_clip_is_found_where_it_was_heard(codec: str) -> None:
    clip = noise(1.0)
    heard = through(codec, np.concatenate([tone(440, 1.5), 0.5 * clip, tone(440, 1)]))
    found = find(clip, heard)
    assert found.at == pytest.approx(1.5, abs=0.001)
    assert found.score > 0.95
    assert found.whole(clip)


def test_a_clip_that_was_cut_is_not_whole() -> None:
    clip = noise(1.0)
    found = find(clip, np.concatenate([silence(1), clip[: 6 * RATE // 10], tone(440, 2)]))
    assert found.at == pytest.approx(1.0, abs=0.001)
    assert found.first == 0.0
    assert found.last == pytest.approx(0.6)
    assert not found.whole(clip)


def test_a_clip_that_began_before_the_recording() -> None:
    clip = noise(1.0)
    found = find(clip, clip[3 * RATE // 10 :])
    assert found.at == pytest.approx(-0.3, abs=0.001)
    assert found.first == pytest.approx(0.3)
    assert not found.whole(clip)


def test_another_clip_is_not_found() -> None:
    found = find(noise(1.0, seed=1), np.concatenate([silence(1), noise(1.0, seed=2)]))
    assert found.score < 0.2
    assert not found.whole(noise(1.0, seed=1))
    assert find(noise(1.0), silence(2)).score == 0


def test_silence_at_the_ends_of_a_clip_does_not_make_it_cut() -> None:
    clip = np.concatenate([silence(0.5), noise(1.0), silence(0.5)])
    assert find(clip, np.concatenate([silence(1), clip, tone(440, 1)])).whole(clip)


def test_resampling_keeps_a_tone() -> None:
    at_16k = 0.25 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    samples = resampled(at_16k, 16000)
    assert len(samples) == RATE
    assert level(samples, 440) == pytest.approx(0.25, abs=0.001)
    assert rms(samples) == pytest.approx(0.25 / np.sqrt(2), rel=0.01)
