"""Directory watcher: whoever keeps some of the directory is told when it has changed."""

from collections.abc import Callable
from functools import partial

import anyio

from callwright.engines.port import Engine
from callwright.notify.delivery_scheduler import DeliveryScheduler
from callwright.storage.directory import StoredDirectory
from callwright.wiring.supervision import supervised


class DirectoryWatcher:
    """Tells the engine the trunks and phones, and the scheduler the webhooks, as they change."""

    def __init__(
        self, directory: StoredDirectory, engine: Engine, scheduler: DeliveryScheduler
    ) -> None:
        self._directory = directory
        self._engine = engine
        self._scheduler = scheduler
        self._seen: int | None = None

    async def run(self, every: float, started: Callable[[], None]) -> None:
        await self.look()
        started()
        await supervised("the directory watcher", partial(self._watch, every))

    async def _watch(self, every: float) -> None:
        while True:
            await anyio.sleep(every)
            await self.look()

    async def look(self) -> None:
        """Tell of a change, if there has been one."""
        revision = await self._directory.revision()
        if revision != self._seen:
            self._engine.use_trunks(await self._directory.trunks())
            self._engine.use_phones(await self._directory.sip_accounts())
            await self._scheduler.refresh()
            self._seen = revision
