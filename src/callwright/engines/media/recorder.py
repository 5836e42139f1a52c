"""Recording writer: one thread writes every recording, so that nobody waits for a disk."""

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import SimpleQueue

from callwright.engines.media.wav import WavFile
from callwright.engines.port import RecordingId

log = logging.getLogger(__name__)

WAITING_AT_MOST = 4096
"Pieces of half a second that may wait for the disk, over all recordings: 64 MB at 8000 Hz."
GOODBYE = 2.0
"Seconds the disk has to take the rest when the engine ends."

Finished = Callable[[RecordingId, float, str], None]


class Recorder:
    """Methods are called on the loop's thread and return at once."""

    def __init__(self, finished: Finished) -> None:
        """``finished``: called on the loop's thread, once for every recording that was begun,

        with its seconds and what went wrong.
        """
        self._finished = finished
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()
        # Each is counted by one thread alone.
        self._told = 0
        self._done = 0
        # The writer's.
        self._files: dict[RecordingId, WavFile] = {}

    @property
    def waiting(self) -> int:
        """Jobs the disk is behind."""
        return self._told - self._done

    def begin(self, recording: RecordingId, path: Path, rate: int) -> None:
        if self._thread is None:
            self._loop = asyncio.get_running_loop()
            # A daemon: a disk that never answers must not keep the process alive.
            self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)
            self._thread.start()
        self._tell(partial(self._open, recording, path, rate))

    def write(self, recording: RecordingId, at: int, left: bytes, right: bytes) -> bool:
        """Put sound in its place, counted in samples; False if the disk is too far behind."""
        if self.waiting >= WAITING_AT_MOST:
            return False
        self._tell(partial(self._write, recording, at, left, right))
        return True

    def finish(self, recording: RecordingId, samples: int, fault: str = "") -> None:
        """Close the file, ``samples`` long; ``fault``: what is wrong with it."""
        self._tell(partial(self._close, recording, samples, fault))

    async def close(self) -> None:
        """Wait, for a bounded time, until everything is on disk."""
        if self._thread:
            self._jobs.put(None)
            with suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE):
                    await self._ended.wait()

    def _tell(self, job: Callable[[], None]) -> None:
        self._told += 1
        self._jobs.put(job)

    # On the writer's thread.

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            self._done += 1
        self._to_loop(self._ended.set)

    def _open(self, recording: RecordingId, path: Path, rate: int) -> None:
        try:
            self._files[recording] = WavFile(path, rate)
        except OSError as fault:
            self._over(recording, 0.0, fault.strerror or str(fault))

    def _write(self, recording: RecordingId, at: int, left: bytes, right: bytes) -> None:
        file = self._files.get(recording)
        if file is None:
            return
        try:
            file.write(at, left, right)
        except OSError as fault:
            del self._files[recording]
            with suppress(OSError):  # what has been written so far is whole
                file.close()
            self._over(recording, file.samples / file.rate, fault.strerror or str(fault))

    def _close(self, recording: RecordingId, samples: int, fault: str) -> None:
        file = self._files.pop(recording, None)
        if file is None:
            return
        try:
            file.close(samples)
        except OSError as refused:
            fault = refused.strerror or str(refused)
        self._over(recording, file.samples / file.rate, fault)

    def _over(self, recording: RecordingId, seconds: float, fault: str) -> None:
        if fault:
            log.error("recording %d: %s", recording, fault)
        self._to_loop(partial(self._finished, recording, seconds, fault))

    def _to_loop(self, call: Callable[[], None]) -> None:
        assert self._loop
        with suppress(RuntimeError):  # the loop has been closed: nobody listens any more
            self._loop.call_soon_threadsafe(call)
