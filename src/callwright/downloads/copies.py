"""Cache of converted files: the format somebody asked for, made once, kept while there is room."""

import hashlib
import logging
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from uuid import uuid4

import anyio
import anyio.to_process
import anyio.to_thread

from callwright.downloads.encoding import AudioFormat, encode

log = logging.getLogger(__name__)

WAITING_AT_MOST = 16
"Copies that are asked for at once and are not there yet."
FRESH = 600.0
"Seconds for which a copy that was used stays, whatever room is needed: it is being fetched."


class CopiesBusy(Exception):
    """Too many copies are waited for."""


class Copies:
    """Encoded files in a folder of at most ``bytes_at_most``; the least recently used ones go.

    They are encoded one at a time in a process of its own: the event loop must not be held up.
    """

    def __init__(self, folder: Path, *, bytes_at_most: int) -> None:
        self._folder = folder
        self._bytes_at_most = bytes_at_most
        self._turn = anyio.Lock()
        self._waiting = 0

    def open(self) -> None:
        """Make the folder; what a killed service has left half-written goes. Blocks."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in self._folder.glob("*.part"):
            part.unlink(missing_ok=True)

    async def copy(self, source: Path, form: AudioFormat) -> Path:
        """Return ``source`` in this format. Raises `CopiesBusy`, `OSError`, `ValueError`."""
        if form is AudioFormat.WAV:
            return source
        path = self._folder / f"{await anyio.to_thread.run_sync(_key, source)}.{form}"
        if _used(path):
            return path
        if self._waiting >= WAITING_AT_MOST:
            raise CopiesBusy
        self._waiting += 1
        try:
            async with self._turn:
                # Somebody may have waited for the very same.
                if not _used(path):
                    await self._make(source, path, form)
        finally:
            self._waiting -= 1
        return path

    async def _make(self, source: Path, path: Path, form: AudioFormat) -> None:
        part = self._folder / f"{uuid4().hex}.part"
        try:
            await anyio.to_process.run_sync(partial(encode, source, part, form), cancellable=True)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
        await anyio.to_thread.run_sync(self._make_room)

    def _make_room(self) -> None:
        copies = [(copy, copy.stat()) for copy in self._folder.iterdir()]
        copies.sort(key=lambda one: one[1].st_mtime)
        total = sum(facts.st_size for _, facts in copies)
        for copy, facts in copies:
            if total <= self._bytes_at_most or time.time() - facts.st_mtime < FRESH:
                return
            copy.unlink(missing_ok=True)
            total -= facts.st_size


def collect_copies(folder: Path, sources: Sequence[Path]) -> int:
    """Remove the copies whose originals are no longer in any of the folders; return how many.

    Blocks: where there are copies it looks at every original.
    """
    # Before the originals: a copy that comes later is not looked at.
    copies = [copy for copy in folder.glob("*") if copy.suffix != ".part"]
    there: set[str] = set()
    for original in (file for source in sources if copies for file in source.glob("*.wav")):
        with suppress(FileNotFoundError):
            there.add(_key(original))
    orphans = [copy for copy in copies if copy.stem not in there]
    for orphan in orphans:
        orphan.unlink(missing_ok=True)
    return len(orphans)


def _key(source: Path) -> str:
    """What a copy is named by. A file of ours is never written over, so this is its content."""
    facts = source.stat()
    told = f"{source.name}\n{facts.st_size}\n{facts.st_mtime_ns}"
    return hashlib.sha256(told.encode()).hexdigest()


def _used(path: Path) -> bool:
    """Whether there is such a copy; it counts as used now."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True
