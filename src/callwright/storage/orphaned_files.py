"""Orphaned files: audio that no row names any more, and its garbage collection.

A file goes after the commit that has removed its row, never in that transaction: one that fails
leaves both. What is left where the process dies in between is collected by the next start.
"""

import re
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import anyio.to_thread
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.storage.database import writing
from callwright.storage.tables import call_sessions, media_files

ON_ITS_WAY = timedelta(hours=1)
"For so long a new file of the media folder may be without a row: somebody is taking it in."
ASKED_AT_ONCE = 500

_MEDIA = re.compile(r"[0-9a-f]{64}\.wav")
_RECORDING = re.compile(r"[0-9]+-[0-9]+\.wav")


async def remove_unused_media(database: AsyncEngine, folder: Path, names: Iterable[str]) -> int:
    """Remove those files of the media folder that no media file is made of; return how many."""
    # The writer's lock keeps others from putting one of them in; nothing is written under it.
    async with writing(database) as connection:
        used = set(await connection.scalars(select(media_files.c.file_name)))
        return await anyio.to_thread.run_sync(remove, folder, [*{*names} - used])


async def collect_media(database: AsyncEngine, folder: Path) -> int:
    """Remove all files of the media folder that nothing is made of; return how many."""
    before = time.time() - ON_ITS_WAY.total_seconds()
    found = await anyio.to_thread.run_sync(_files, folder, _MEDIA, before)
    return await remove_unused_media(database, folder, found) if found else 0


async def collect_recordings(database: AsyncEngine, folder: Path, before: datetime) -> int:
    """Remove the recordings of sessions that are on record no longer; return how many.

    ``before``: only older ones, which would be cleaned away if their session were there. So whoever
    goes back to an older database keeps what has been recorded since.
    """
    found = await anyio.to_thread.run_sync(_files, folder, _RECORDING, before.timestamp())
    removed = 0
    for first in range(0, len(found), ASKED_AT_ONCE):
        names = found[first : first + ASKED_AT_ONCE]
        sessions = {name: int(name.partition("-")[0]) for name in names}
        known = select(call_sessions.c.id).where(call_sessions.c.id.in_(sessions.values()))
        async with database.connect() as connection:
            there = set(await connection.scalars(known))
        orphans = [name for name, session in sessions.items() if session not in there]
        removed += await anyio.to_thread.run_sync(remove, folder, orphans)
    return removed


def remove(folder: Path, names: Sequence[str]) -> int:
    """Remove files of a folder, as far as they are there; return how many were named. Blocks."""
    for name in names:
        # By the last part alone: nothing outside of the folder is ever removed.
        (folder / Path(name).name).unlink(missing_ok=True)
    return len(names)


def _files(folder: Path, names: "re.Pattern[str]", before: float) -> list[str]:
    """The files whose names are such, and that were changed last before a time."""
    if not folder.is_dir():
        return []
    return [
        file.name
        for file in folder.iterdir()
        if names.fullmatch(file.name) and file.stat().st_mtime < before
    ]
