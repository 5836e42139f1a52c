"""The worker's process as the service sees it: started when needed, killed when late."""

import logging
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress

import anyio
import anyio.abc
from anyio.streams.buffered import BufferedByteReceiveStream

from callwright.speech.frames import LENGTH, BadFrame, Job, length_of, pack_job, unpack_answer
from callwright.speech.synthesiser import CannotSpeak

log = logging.getLogger(__name__)

# -P: a file of the working directory must not stand in for a module.
COMMAND = (sys.executable, "-P", "-m", "callwright.speech.worker")

# After a second failure in a row the next start waits, and waits longer each time.
FIRST_PAUSE = 0.1
PAUSE_AT_MOST = 5.0
GOODBYE = 2.0

ENDED = (
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
    anyio.EndOfStream,
    anyio.IncompleteRead,
)


class SpeechWorkerLost(Exception):
    """The worker died, hung or spoke nonsense over a job, and has been killed."""


class WorkerProcess:
    """At most one worker at a time. Used by one task, which closes it when it is cancelled."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = command
        self._process: anyio.abc.Process | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        "For its files; removed by us, because a worker that is killed cannot."
        self._failures = 0
        "In a row."
        self._rests_until = -math.inf

    async def speak(self, job: Job) -> bytes:
        """Return the WAV of ``job``.

        Raises `CannotSpeak` for the worker's own reasons, `SpeechWorkerLost` when ``job.within`` is
        over or the worker failed; a new one is then started with the next job.
        """
        await anyio.sleep_until(self._rests_until)
        try:
            with anyio.fail_after(job.within):
                wav = unpack_answer(await self._ask(job))
        except CannotSpeak:
            self._failures = 0
            raise
        except TimeoutError:
            await self._give_up()
            raise SpeechWorkerLost(f"no answer within {job.within:.1f} s") from None
        except (OSError, BadFrame, *ENDED) as fault:
            await self._give_up()
            raise SpeechWorkerLost(f"it ended, or spoke nonsense: {fault!r}") from fault
        self._failures = 0
        return wav

    async def close(self) -> None:
        """Kill the worker, if there is one. Bounded, and also done when cancelled."""
        process, self._process = self._process, None
        if process:
            with suppress(ProcessLookupError):
                process.kill()
            with anyio.move_on_after(GOODBYE, shield=True):
                await process.aclose()
        if self._scratch:
            self._scratch.cleanup()
            self._scratch = None

    async def _give_up(self) -> None:
        self._failures += 1
        if self._failures > 1:
            pause = min(FIRST_PAUSE * 2.0 ** min(self._failures - 2, 16), PAUSE_AT_MOST)
            self._rests_until = anyio.current_time() + pause
        await self.close()

    async def _ask(self, job: Job) -> bytes:
        if self._process is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="callwright-speech-")
            self._process = await anyio.open_process(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=None,
                env=os.environ | {"TMPDIR": self._scratch.name},
                # The terminal's Ctrl-C is for the service, which ends the worker.
                start_new_session=True,
            )
            log.debug("speech worker started, process %d", self._process.pid)
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        await stdin.send(pack_job(job))
        answer = BufferedByteReceiveStream(stdout)
        return await answer.receive_exactly(length_of(await answer.receive_exactly(LENGTH.size)))
