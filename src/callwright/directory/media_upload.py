"""Media upload: how audio that a request brings becomes audio in the media folder.

It is decoded in a process of its own: it is hostile until proven otherwise, and the service's event
loop must not be held up by it.
"""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import IO

import anyio
import anyio.to_process
import anyio.to_thread

from callwright.directory.media import MediaFault, StoredMedia, take_in

AT_ONCE = 1
"Files that are decoded at once."
WAITING_AT_MOST = 16
"Files that are there at once, being decoded or waiting for it."


class IntakeBusy(Exception):
    """Too many files are waiting already."""


class MediaUpload:
    """``media``: the folder audio comes to. ``scratch``: one for what is brought; it is emptied.

    ``at_most``: longest audio that is taken, in seconds.
    """

    def __init__(self, media: Path, scratch: Path, *, at_most: float) -> None:
        self._media = media
        self._scratch = scratch
        self._at_most = at_most
        self._there = 0
        self._turns = anyio.CapacityLimiter(AT_ONCE)

    def open(self) -> None:
        """Make the scratch folder, without what a killed service has left in it. Blocks."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir(mode=0o700, parents=True)

    @asynccontextmanager
    async def brought(self, content: IO[bytes]) -> AsyncIterator[Path]:
        """Put what is brought into a file for the time of the block. Raises `IntakeBusy`."""
        if self._there >= WAITING_AT_MOST:
            raise IntakeBusy
        self._there += 1
        try:
            path = await anyio.to_thread.run_sync(_copied, content, self._scratch)
            try:
                yield path
            finally:
                path.unlink(missing_ok=True)
        finally:
            self._there -= 1

    async def take_in(self, source: Path) -> StoredMedia:
        """Normalise a file into the media folder.

        Raises `MediaFault` where the audio is to blame, `OSError` where this machine is.
        """
        work = partial(_taken, source, self._media, self._at_most)
        taken = await anyio.to_process.run_sync(work, cancellable=True, limiter=self._turns)
        match taken:
            case str():
                raise MediaFault(taken)
            case OSError():
                raise taken
        return taken


def _copied(content: IO[bytes], folder: Path) -> Path:
    descriptor, name = tempfile.mkstemp(dir=folder)
    with os.fdopen(descriptor, "wb") as file:
        shutil.copyfileobj(content, file)
    return Path(name)


def _taken(source: Path, folder: Path, at_most: float) -> StoredMedia | str | OSError:
    """What `take_in` returns, or the reason why not: it need not survive a pipe as an exception.

    Both folders are ours: that a file cannot be read or written there is no fault of the audio's.
    """
    try:
        return take_in(source, folder, at_most=at_most)
    except MediaFault as fault:
        return fault.__cause__ if isinstance(fault.__cause__, OSError) else str(fault)
