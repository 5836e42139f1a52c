"""The disk: whether there is room for what happens, as the health tells.

It is looked at in a thread, now and then, so that whoever asks is answered at once although the
disk is not.
"""

import math
import os
from collections.abc import Callable
from pathlib import Path

import anyio
import anyio.to_thread

EVERY = 5.0
"Seconds between looks."
ANSWERS_WITHIN = 30.0
"Seconds without an answer after which the disk is thought to give none."
ROOM_AT_LEAST = 1 << 20
"Bytes; with less the database cannot be relied upon to take a call."


class Disk:
    """The disk of a folder. ``clock`` gives seconds, from any start."""

    def __init__(self, folder: Path, clock: Callable[[], float] = anyio.current_time) -> None:
        self._folder = folder
        self._clock = clock
        self._full = False
        self._asked = math.inf
        "When it was asked what it has not answered."

    @property
    def fault(self) -> str | None:
        """What is wrong with it."""
        if self._clock() - self._asked > ANSWERS_WITHIN:
            return "the disk does not answer"
        return "the disk is full" if self._full else None

    async def watch(self, every: float = EVERY) -> None:
        """Look at it, now and every so many seconds, until cancelled. Raises `OSError`."""
        while True:
            self._asked = self._clock()
            self._full = await anyio.to_thread.run_sync(
                _is_full, self._folder, abandon_on_cancel=True
            )
            self._asked = math.inf
            await anyio.sleep(every)


def _is_full(folder: Path) -> bool:
    facts = os.statvfs(folder)
    blocks = facts.f_bfree if os.geteuid() == 0 else facts.f_bavail
    return blocks * facts.f_frsize < ROOM_AT_LEAST
