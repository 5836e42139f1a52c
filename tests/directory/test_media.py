import math
import os
import struct
import wave
from pathlib import Path

import pytest

from callwright.directory import audio
from callwright.directory.media import MediaFault, put_in, take_in


def write_tone(path: Path, *, seconds: float = 0.5, hertz: float = 440.0) -> Path:
    """An 8 kHz WAV, as a user may bring it."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        for sample in range(int(8000 * seconds)):
            level = 8000 * math.sin(2 * math.pi * hertz * sample / 8000)
            file.writeframesraw(struct.pack("<h", int(level)))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "media"


def test_a_file_is_taken_in_normalised(tmp_path: Path, folder: Path) -> None:
    stored = take_in(write_tone(tmp_path / "tone.wav"), folder, at_most=10)
    with wave.open(str(folder / stored.file_name)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16000)
    assert stored.file_name == f"{stored.sha256}.wav"
    assert stored.duration == pytest.approx(0.5, abs=0.01)
    assert stored.size == (folder / stored.file_name).stat().st_size
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_same_content_is_normalised_once_and_then_as_good_as_new(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = take_in(write_tone(tmp_path / "one.wav"), folder, at_most=10)
    os.utime(folder / first.file_name, (0, 0))
    monkeypatch.setattr(audio, "normalise", None)
    assert take_in(write_tone(tmp_path / "other.wav"), folder, at_most=10) == first
    # Or it would be taken for an orphan before it has a row again.
    assert (folder / first.file_name).stat().st_mtime > 0


def test_a_trial_leaves_nothing(tmp_path: Path, folder: Path) -> None:
    stored = take_in(write_tone(tmp_path / "tone.wav"), folder, at_most=10, keep=False)
    assert stored.duration == pytest.approx(0.5, abs=0.01)
    assert not folder.exists()


def test_what_is_not_audio_is_a_fault_and_leaves_nothing(tmp_path: Path, folder: Path) -> None:
    letter = tmp_path / "letter.wav"
    letter.write_text("Dear Sir or Madam")
    with pytest.raises(MediaFault, match="it is a text file, not audio"):
        take_in(letter, folder, at_most=10)
    assert list(folder.iterdir()) == []


def test_what_is_too_long_is_a_fault(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(MediaFault, match=r"at most 0.2 s are taken"):
        take_in(write_tone(tmp_path / "tone.wav"), folder, at_most=0.2)


def test_no_file_is_a_fault(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(MediaFault, match="No such file or directory"):
        take_in(tmp_path / "none.wav", folder, at_most=10)


def test_what_is_normalised_already_is_put_in_as_it_is(tmp_path: Path, folder: Path) -> None:
    tone = write_tone(tmp_path / "tone.wav")
    stored = put_in(tone, folder)
    assert (folder / stored.file_name).read_bytes() == tone.read_bytes()
    assert stored.duration == 0.5
