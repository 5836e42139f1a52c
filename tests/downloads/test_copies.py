"""Copies in other formats go with what they were made of."""

import os
from pathlib import Path

import pytest

from callwright.downloads.copies import Copies, collect_copies
from callwright.downloads.encoding import AudioFormat
from callwright.speech.music import write_dialing_music

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_copy_goes_when_its_original_has_gone(tmp_path: Path) -> None:
    recordings, media, folder = (tmp_path / name for name in ("recordings", "media", "copies"))
    recordings.mkdir()
    media.mkdir()
    copies = Copies(folder, bytes_at_most=1 << 30)
    copies.open()
    write_dialing_music(recordings / "1-1.wav")
    for other in (recordings / "1-2.wav", media / "a.wav"):
        os.link(recordings / "1-1.wav", other)
    gone, kept, music = [
        await copies.copy(file, AudioFormat.MP3)
        for file in (recordings / "1-1.wav", recordings / "1-2.wav", media / "a.wav")
    ]
    assert collect_copies(folder, [recordings, media]) == 0
    (recordings / "1-1.wav").unlink()
    assert collect_copies(folder, [recordings, media]) == 1
    assert [copy.exists() for copy in (gone, kept, music)] == [False, True, True]


def test_where_there_are_no_copies_there_is_nothing_to_remove(tmp_path: Path) -> None:
    assert collect_copies(tmp_path / "none", [tmp_path / "recordings"]) == 0
