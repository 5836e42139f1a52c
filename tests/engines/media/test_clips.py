import asyncio
import os
import wave
from pathlib import Path

import numpy as np
import pytest

from callwright.engines.media.clips import Clip, Clips, UnreadableClip, read_clip
from callwright.engines.media.g711 import RATE, Law
from tests.waiting import WITHIN

from .ears import heard, strength


def write_wav(
    file: Path, seconds: float, *hertz: float, rate: int = 16000, channels: int = 1
) -> Path:
    """Write tones of equal strength, 4000 each."""
    at = np.arange(round(seconds * rate)) / rate
    sound = sum((4000 * np.sin(2 * np.pi * tone * at) for tone in hertz), np.zeros(len(at)))
    with wave.open(str(file), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(np.repeat(sound.astype("<i2"), channels).tobytes())
    return file


@pytest.mark.parametrize("law", Law)
def test_a_clip_sounds_like_the_file(tmp_path: Path, law: Law) -> None:
    clip = read_clip(write_wav(tmp_path / "a.wav", 1.0, 440, 3000))
    sound = heard(law, clip.sound[law])
    assert abs(len(sound) - RATE) <= 1
    assert strength(sound, 440) == pytest.approx(4000, rel=0.05)
    assert strength(sound, 3000) == pytest.approx(4000, rel=0.1)


def test_what_the_line_cannot_carry_is_filtered_out_instead_of_folded_back(tmp_path: Path) -> None:
    clip = read_clip(write_wav(tmp_path / "a.wav", 1.0, 440, 5000, 7000))
    sound = heard(Law.A, clip.sound[Law.A])[400:-400]
    assert strength(sound, 440) > 3800
    assert strength(sound, 3000) < 40  # 5000 Hz would be heard here
    assert strength(sound, 1000) < 40  # and 7000 Hz here


@pytest.mark.parametrize("samples", [1, 7, 160, 1601, 16000 * 3 + 123])
def test_no_length_of_file_is_awkward(tmp_path: Path, samples: int) -> None:
    clip = read_clip(write_wav(tmp_path / "a.wav", samples / 16000, 440))
    # The filter is 2 ms long: of a shorter file nothing comes through, and nothing is what it is.
    assert abs(len(clip.sound[Law.U]) - samples / 2) <= (1 if samples > 32 else 16)


def test_an_unreadable_file_says_why(tmp_path: Path) -> None:
    with pytest.raises(UnreadableClip, match="No such file"):
        read_clip(tmp_path / "none.wav")
    (tmp_path / "text.wav").write_text("this is no sound")
    with pytest.raises(UnreadableClip, match="RIFF"):
        read_clip(tmp_path / "text.wav")
    (tmp_path / "empty.wav").touch()
    with pytest.raises(UnreadableClip):
        read_clip(tmp_path / "empty.wav")
    with pytest.raises(UnreadableClip, match="mono"):
        read_clip(write_wav(tmp_path / "stereo.wav", 0.1, 440, channels=2))
    with pytest.raises(UnreadableClip, match="directory"):
        read_clip(tmp_path)


async def fetched(clips: Clips, path: Path) -> Clip | None:
    got: asyncio.Future[Clip | None] = asyncio.get_running_loop().create_future()
    clips.fetch(path, got.set_result)
    assert not got.done()
    return await asyncio.wait_for(got, WITHIN)


def test_a_file_is_read_once_for_all_who_play_it_and_again_when_it_changes(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        clips = Clips(holds=0.0)
        file = write_wav(tmp_path / "a.wav", 0.2, 440)
        first, second = await asyncio.gather(fetched(clips, file), fetched(clips, file))
        assert first is not None
        assert first is second
        assert await fetched(clips, file) is first
        write_wav(file, 0.4, 440)
        os.utime(file, ns=(1, 1))
        changed = await fetched(clips, file)
        assert changed is not None
        assert changed.size == pytest.approx(2 * first.size, abs=4)
        clips.close()

    asyncio.run(story())


def test_who_plays_a_file_at_about_the_same_time_does_not_ask_the_disk(tmp_path: Path) -> None:
    async def story() -> None:
        clips = Clips(holds=3600.0)
        file = write_wav(tmp_path / "a.wav", 0.2, 440)
        first = await fetched(clips, file)
        file.unlink()
        assert await fetched(clips, file) is first
        clips.close()

    asyncio.run(story())


def test_the_cache_is_bounded_and_keeps_what_was_used_last(tmp_path: Path) -> None:
    async def story() -> None:
        files = [write_wav(tmp_path / f"{number}.wav", 0.1, 440) for number in range(3)]
        clips = Clips(cache_bytes=2 * 2 * 800 + 100)
        a, b = [await fetched(clips, file) for file in files[:2]]
        assert await fetched(clips, files[0]) is a
        await fetched(clips, files[2])
        assert clips.kept_bytes <= 3300
        assert await fetched(clips, files[0]) is a
        assert await fetched(clips, files[1]) is not b
        clips.close()

    asyncio.run(story())


def test_an_unreadable_file_is_told_as_none_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        clips = Clips()
        assert await fetched(clips, tmp_path / "none.wav") is None
        clips.close()

    asyncio.run(story())
    assert "none.wav cannot be played: " in caplog.text
