"""Directory watcher: whoever keeps some of the directory is told when it has changed."""

import logging
from collections.abc import Callable
from functools import partial

import anyio
from sqlalchemy.exc import SQLAlchemyError

from callwright.engines.port import Engine
from callwright.notify.delivery_scheduler import DeliveryScheduler
from callwright.storage.database_faults import reason
from callwright.storage.directory import StoredDirectory
from callwright.wiring.supervision import supervised

log = logging.getLogger(__name__)


class DirectoryWatcher:
    """Tells the engine the trunks and phones, and the scheduler the webhooks, as they change."""

    def __init__(
        self, directory: StoredDirectory, engine: Engine, scheduler: DeliveryScheduler
    ) -> None:
        self._directory = directory
        self._engine = engine
        self._scheduler = scheduler
        self._seen: int | None = None
        self._blind = False

    @property
    def fault(self) -> str | None:
        """What is wrong with the database, as the health tells: without it no call is begun."""
        return "the database does not answer" if self._blind else None

    async def run(self, every: float, started: Callable[[], None]) -> None:
        await self.look()
        started()
        await supervised("the directory watcher", partial(self._watch, every))

    async def _watch(self, every: float) -> None:
        while True:
            await anyio.sleep(every)
            try:
                await self.look()
            except SQLAlchemyError as fault:
                # Calls go on with what is known; what has changed is seen when it is back.
                if not self._blind:
                    log.warning("the directory cannot be looked at: %s", reason(fault))
                self._blind = True
            else:
                if self._blind:
                    log.info("the directory can be looked at again")
                self._blind = False

    async def look(self) -> None:
        """Tell of a change, if there has been one."""
        revision = await self._directory.revision()
        if revision != self._seen:
            self._engine.use_trunks(await self._directory.trunks())
            self._engine.use_phones(await self._directory.sip_accounts())
            await self._scheduler.refresh()
            self._seen = revision
