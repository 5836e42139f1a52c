"""Audio of requests: whose fault it is that it cannot be taken in."""

from pathlib import Path

import pytest

from callwright.directory.media import MediaFault
from callwright.directory.media_upload import MediaUpload
from tests.directory.test_media import write_tone

pytestmark = pytest.mark.anyio


async def test_a_disk_that_does_not_take_it_is_no_fault_of_the_audio(tmp_path: Path) -> None:
    (tmp_path / "media").write_text("no folder")
    upload = MediaUpload(tmp_path / "media", tmp_path / "scratch", at_most=10)
    with pytest.raises(FileExistsError):
        await upload.take_in(write_tone(tmp_path / "tone.wav"))


async def test_a_text_is_a_fault_of_who_brings_it(tmp_path: Path) -> None:
    upload = MediaUpload(tmp_path / "media", tmp_path / "scratch", at_most=10)
    (tmp_path / "letter.wav").write_text("Dear Sir or Madam")
    with pytest.raises(MediaFault, match="it is a text file, not audio"):
        await upload.take_in(tmp_path / "letter.wav")
