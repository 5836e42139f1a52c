"""Supervisor of one media worker: starts it, watches it, and replaces it when it dies."""

import asyncio
import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio

from callwright.engines.media.channel import Channel
from callwright.engines.media.worker_protocol import Setup, line

if TYPE_CHECKING:
    from callwright.engines.port import LegId

log = logging.getLogger(__name__)

# -P: a file of the working directory must not stand in for a module.
COMMAND = (sys.executable, "-P", "-m", "callwright.engines.media.worker")

SILENT_AT_MOST = 10.0
"Seconds a worker may say nothing; it reports once a second, and takes a moment to start."
FIRST_PAUSE = 0.1
PAUSE_AT_MOST = 5.0
"Seconds before a new worker takes the place of a lost one; twice as long each time, at most this."
SOUND_AFTER = 30.0
"Seconds after which a worker that is lost counts as the first one."
GOODBYE = 3.0
"Seconds a worker has to end by itself; it takes 2 for what is still to be written to disk."


class WorkerSupervisor:
    """Commands may be told from `prepare` on; a worker that is being started finds them waiting."""

    def __init__(
        self,
        setup: Setup,
        heard: Callable[["WorkerSupervisor", bytes, bytes], None],
        lost: Callable[["WorkerSupervisor"], None],
    ) -> None:
        """``heard``: told of each line, by name and words. ``lost``: the worker is no more."""
        self.legs: set[LegId] = set()
        "Those its worker carries."
        self.process_id: int | None = None
        self.is_at_work = False
        "Its worker has begun."
        self.settled = asyncio.Event()
        "The first worker has begun, or was lost before that."
        self._setup = setup
        self._heard = heard
        self._lost = lost
        self._channel: Channel | None = None
        self._theirs: socket.socket | None = None
        self._gone = asyncio.Event()
        self._heard_at = 0.0

    @property
    def is_up(self) -> bool:
        """Whether there is somebody to tell."""
        return self._channel is not None

    def prepare(self) -> None:
        """Open a channel for the worker to come."""
        ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._gone = asyncio.Event()
        self._channel = Channel(ours, self._take, self._gone.set)
        self.tell("setup", self._setup)

    def tell(self, name: str, value: object, sockets: Sequence[socket.socket] = ()) -> None:
        """Give the worker a command; without effect if there is none."""
        if self._channel:
            self._channel.put(line(name, value), sockets)
        else:
            for each in sockets:
                each.close()

    async def keep(self) -> None:
        """Have a worker at work, until cancelled: a new one for every one that is lost."""
        pause = FIRST_PAUSE
        while True:
            began = time.monotonic()
            try:
                reason = await self._attend()
            finally:
                self.leave()
            log.error("media worker lost (%s), and %d legs with it", reason, len(self.legs))
            self._lost(self)
            self.legs.clear()
            if time.monotonic() - began > SOUND_AFTER:
                pause = FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(2 * pause, PAUSE_AT_MOST)
            self.prepare()

    def leave(self) -> None:
        """Close the channel, behind what has been told: the worker ends."""
        if self._channel:
            self._channel.close()
            self._channel = None
        if self._theirs:
            self._theirs.close()
            self._theirs = None
        self.is_at_work = False
        self.settled.set()

    async def _attend(self) -> str:
        """Run one worker to its end; return why it ended. Leaves no process behind."""
        assert self._theirs
        try:
            process = await asyncio.create_subprocess_exec(
                *COMMAND,
                stdin=self._theirs.fileno(),
                # The terminal's Ctrl-C is for the service, which ends the worker.
                start_new_session=True,
            )
        except OSError as fault:
            return f"it could not be started: {fault}"
        self._theirs.close()
        self._theirs = None
        self.process_id = process.pid
        log.info("media worker started, process %d", process.pid)
        self._heard_at = time.monotonic()
        patience = 0.0
        try:
            while not self._gone.is_set():
                silent = time.monotonic() - self._heard_at
                if silent > SILENT_AT_MOST:
                    return f"silent for {silent:.0f} s"
                with anyio.move_on_after(SILENT_AT_MOST - silent + 0.1):
                    await self._gone.wait()
            return "it ended"
        except asyncio.CancelledError:
            patience = GOODBYE
            raise
        finally:
            self.process_id = None
            self.leave()
            await _end(process, patience)

    def _take(self, lines: list[bytes], descriptors: list[int]) -> None:
        for unasked in descriptors:
            os.close(unasked)
        self._heard_at = time.monotonic()
        self.is_at_work = True
        self.settled.set()
        for said in lines:
            name, _, words = said.partition(b" ")
            self._heard(self, name, words)


async def _end(process: asyncio.subprocess.Process, patience: float) -> None:
    """Wait for a process whose input is closed, ``patience`` seconds; then kill it."""
    with anyio.CancelScope(shield=True):
        with anyio.move_on_after(patience):
            await process.wait()
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            with anyio.move_on_after(GOODBYE):
                await process.wait()
