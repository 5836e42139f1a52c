"""The shelf: where on disk the recordings and media files are that links lead to."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.storage.tables import call_recordings, media_files


@dataclass(frozen=True, slots=True)
class StoredShelf:
    """Answers `callwright.rpc.files.Shelf`. The folders are those of recordings and of media."""

    database: AsyncEngine
    recordings: Path
    media: Path
    queued: Callable[[int], str | None]
    "The file of a recording that is ready, and not on record yet."

    async def recording(self, recording: int) -> Path | None:
        # Before the database is read: it is in the queue until after it has been written.
        if name := self.queued(recording):
            return _within(self.recordings, name)
        query = select(call_recordings.c.file_name).where(
            call_recordings.c.id == recording, call_recordings.c.duration.is_not(None)
        )
        async with self.database.connect() as connection:
            return _within(self.recordings, await connection.scalar(query))

    async def recording_of(self, session: int, record: str) -> Path | None:
        query = select(call_recordings.c.file_name).where(
            call_recordings.c.record == record,
            call_recordings.c.session_id == session,
            call_recordings.c.duration.is_not(None),
        )
        async with self.database.connect() as connection:
            return _within(self.recordings, await connection.scalar(query))

    async def media_file(self, file: int) -> Path | None:
        query = select(media_files.c.file_name).where(media_files.c.id == file)
        async with self.database.connect() as connection:
            return _within(self.media, await connection.scalar(query))


def _within(folder: Path, name: str | None) -> Path | None:
    """A file in the folder; never one elsewhere, whatever the database should say."""
    if name is None or Path(name).name != name:
        return None
    return folder / name
