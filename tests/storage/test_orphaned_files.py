"""A file goes after its row has gone, and in the end, whatever happens in between."""

import itertools
import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.clock import utc_now
from callwright.directory.media import StoredMedia
from callwright.directory.model import AccountId
from callwright.storage.editing.changing import Changing
from callwright.storage.editing.media import StoredMediaFiles
from callwright.storage.history.journal import StoredJournal
from callwright.storage.orphaned_files import ON_ITS_WAY, collect_media, collect_recordings
from callwright.storage.tables import media_files
from tests.storage.conftest import failing_commits
from tests.storage.stories import started

pytestmark = pytest.mark.anyio

OURS = AccountId(1)
OLD = ON_ITS_WAY.total_seconds() + 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    return folder


@pytest.fixture
def editor(database: AsyncEngine, folder: Path) -> StoredMediaFiles:
    async def changed() -> None: ...

    next_id = itertools.count(100).__next__
    return StoredMediaFiles(Changing(database, next_id, utc_now, changed), folder)


def audio(folder: Path, digit: str, *, age: float = 0.0) -> StoredMedia:
    """A file in the media folder, ``age`` seconds old."""
    file = folder / f"{64 * digit}.wav"
    put(file, age)
    return StoredMedia(64 * digit, file.name, 1.0, 4)


def put(file: Path, age: float) -> None:
    file.write_bytes(b"RIFF")
    os.utime(file, (time.time() - age, time.time() - age))


def there(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


async def count(database: AsyncEngine) -> int:
    async with database.connect() as connection:
        return (
            await connection.execute(select(func.count()).select_from(media_files))
        ).scalar_one()


async def test_audio_goes_with_the_last_media_file_that_is_made_of_it(
    editor: StoredMediaFiles, folder: Path
) -> None:
    shared, other = audio(folder, "a"), audio(folder, "b")
    one = await editor.add_media_file(OURS, "One", shared)
    two = await editor.add_media_file(OURS, "Two", shared)
    await editor.remove_media_file(OURS, one)
    assert there(folder) == [shared.file_name, other.file_name]
    await editor.change_media_file(OURS, two, None, other)
    assert there(folder) == [other.file_name]


async def test_a_commit_that_fails_leaves_row_and_audio(
    editor: StoredMediaFiles, database: AsyncEngine, folder: Path
) -> None:
    kept, other = audio(folder, "a"), audio(folder, "b")
    file = await editor.add_media_file(OURS, "One", kept)
    with failing_commits(database):
        with pytest.raises(OperationalError):
            await editor.remove_media_file(OURS, file)
        with pytest.raises(OperationalError):
            await editor.change_media_file(OURS, file, None, other)
    assert await count(database) == 1
    assert kept.file_name in there(folder)


async def test_audio_that_cannot_be_removed_is_no_fault_of_the_request(
    editor: StoredMediaFiles,
    database: AsyncEngine,
    folder: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    resisting = StoredMedia(64 * "a", f"{64 * 'a'}.wav", 1.0, 4)
    (folder / resisting.file_name).mkdir()  # which cannot be unlinked
    file = await editor.add_media_file(OURS, "One", resisting)
    await editor.remove_media_file(OURS, file)
    assert await count(database) == 0
    assert "not used any more is still there" in caplog.text


async def test_audio_whose_row_has_gone_without_it_is_collected(
    editor: StoredMediaFiles, database: AsyncEngine, folder: Path
) -> None:
    used = audio(folder, "a", age=OLD)
    await editor.add_media_file(OURS, "One", used)
    audio(folder, "b", age=OLD)
    on_its_way = audio(folder, "c")
    put(folder / "notes.wav", OLD)
    assert await collect_media(database, folder) == 1
    assert there(folder) == [used.file_name, on_its_way.file_name, "notes.wav"]
    assert await collect_media(database, folder) == 0


async def test_recordings_whose_session_has_gone_without_them_are_collected(
    database: AsyncEngine, tmp_path: Path
) -> None:
    await StoredJournal(database).begin(started(1))
    month = timedelta(days=30).total_seconds()
    for name, age in {
        "1-1.wav": month + 60,  # its session is there
        "2-1.wav": month + 60,
        "2-2.wav": month + 60,
        "3-1.wav": month - 60,  # a database of yesterday may have been brought back
        "notes.wav": month + 60,
    }.items():
        put(tmp_path / name, age)
    (tmp_path / "callwright.db").touch()
    assert await collect_recordings(database, tmp_path, utc_now() - timedelta(days=30)) == 2
    left = [name for name in there(tmp_path) if name.endswith(".wav")]
    assert left == ["1-1.wav", "3-1.wav", "notes.wav"]


async def test_folders_that_are_not_there_have_no_orphans(
    database: AsyncEngine, tmp_path: Path
) -> None:
    assert await collect_media(database, tmp_path / "none") == 0
    assert await collect_recordings(database, tmp_path / "none", utc_now()) == 0
