"""The SIP engine keeps its contract over TCP, and with its media in other processes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import anyio
import pytest

from callwright.engines.media import worker_supervisor as seat
from callwright.engines.media.media import MediaEvent
from callwright.engines.media.worker_pool import WorkerPool
from callwright.engines.port import LegId, Media, PlaybackFinished, PlaybackId
from tests.engines.contract import CLAUSES, Line
from tests.engines.media.engines import rtp_engine
from tests.engines.sip.stream_phone import StreamPhone
from tests.engines.sip.test_sip_contract import line
from tests.rtp_ports import own_ports
from tests.waiting import WITHIN

pytestmark = pytest.mark.anyio

WORKERS = 2
NOWHERE = Media(Path("/nowhere.wav"))


class KeptWorkers(WorkerPool):
    """Workers that outlive the engines they work for: they are free of one when the next begins."""

    async def keep(self, started: Callable[[], None]) -> None:
        await super().run(lambda event: self._told(event), started=started)

    async def run(
        self, deliver: Callable[[MediaEvent], None], *, started: Callable[[], None] = lambda: None
    ) -> None:
        self._told = deliver
        started()
        try:
            await anyio.sleep_forever()
        finally:
            for leg in tuple(self._lines):
                self.close(leg)
            await self._free()

    async def _free(self) -> None:
        """Wait until no worker has anything more to tell of the legs that were."""
        left = {LegId(number) for number in range(WORKERS)}
        free = asyncio.Event()

        def told(event: MediaEvent) -> None:
            # A worker tells in order; only files are closed behind its back.
            if isinstance(event, PlaybackFinished):
                left.discard(event.leg)
            if not left and not self._recordings:
                free.set()

        self._told = told
        for leg in sorted(left):  # the second goes to the worker that has not the first
            self.open(leg)
            self.play(leg, PlaybackId(leg), NOWHERE, loop=False)
        async with asyncio.timeout(WITHIN):
            await free.wait()
        for leg in tuple(self._lines):
            self.close(leg)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def workers(anyio_backend: str) -> AsyncIterator[KeptWorkers]:
    with pytest.MonkeyPatch.context() as patch:
        # A worker that is kept from running says nothing, and is as good as any.
        patch.setattr(seat, "SILENT_AT_MOST", WITHIN)
        pool, started = KeptWorkers(WORKERS, "127.0.0.1", None, own_ports(), 30.0), asyncio.Event()
        keeping = asyncio.create_task(pool.keep(started.set))
        await started.wait()
        yield pool
        keeping.cancel()
        await asyncio.wait({keeping})
        assert keeping.cancelled()


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.__name__)
async def test_clause_over_tcp(clause: Callable[[Line], Awaitable[None]], tmp_path: Path) -> None:
    async with line(tmp_path, rtp_engine(), StreamPhone) as one:
        await clause(one)


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.__name__)
async def test_clause_with_media_workers(
    clause: Callable[[Line], Awaitable[None]], tmp_path: Path, workers: KeptWorkers
) -> None:
    async with line(tmp_path, workers) as one:
        await clause(one)
