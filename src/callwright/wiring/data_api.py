"""The Data API put together: where its lists have their rows, and how long these are kept."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import anyio

from callwright.config import Settings
from callwright.methods.data.account import ACCOUNTS, GET_ACCOUNT
from callwright.methods.data.api_requests import api_requests
from callwright.methods.data.call_details import CallDetails
from callwright.methods.data.call_legs_report import legs_report
from callwright.methods.data.calls_report import CallsReport
from callwright.methods.data.list_methods import Rows, list_method
from callwright.methods.data.virtual_numbers import GET_VIRTUAL_NUMBERS, VIRTUAL_NUMBERS
from callwright.methods.method import Method
from callwright.storage.history.cleaning import Cleaner
from callwright.storage.history.request_log import GATHERED_FOR, StoredRequests
from callwright.storage.lists import report_sources, sources
from callwright.storage.lists.select import Source, StoredRows
from callwright.storage.lists.totals import Totals
from callwright.wiring.components import Components, Storage
from callwright.wiring.environment import Environment
from callwright.wiring.webhooks import webhook_methods

READ_AT_ONCE = 2
"Queries that are read at once: of the database's few connections, calls are to find one free."


@dataclass(frozen=True, slots=True)
class Keeping:
    """What is kept beside the journal, and for how long."""

    requests: StoredRequests
    cleaner: Cleaner

    async def run(self) -> None:
        """Log requests and remove what is too old, until cancelled."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.requests.run)
            await self.cleaner.run()


def keeping(settings: Settings, storage: Storage, around: Environment) -> Keeping:
    kept = settings.history
    return Keeping(
        # At once where the journal does: a sandbox, in which time stands still.
        StoredRequests(
            storage.writer, storage.turn, gathered_for=around.gathered_for and GATHERED_FOR
        ),
        Cleaner(
            storage.database,
            storage.writer,
            storage.turn,
            settings.data / "recordings",
            timedelta(days=kept.sessions_kept),
            timedelta(days=kept.requests_kept),
            around.clock.now,
        ),
    )


def data_methods(
    parts: Components,
    requests: StoredRequests,
    entity_methods: Callable[[Callable[[Source], Rows]], Sequence[Method[Any]]],
    webhooks_changed: Callable[[], Awaitable[None]],
) -> Sequence[Method[Any]]:
    """Every method of the Data API, but for logging in."""
    database, journal, now = parts.storage.database, parts.journal, parts.around.clock.now
    turns, totals = anyio.CapacityLimiter(READ_AT_ONCE), Totals(now)

    def rows(source: Source) -> StoredRows:
        return StoredRows(database, source, turns, totals)

    return [
        list_method(GET_ACCOUNT, ACCOUNTS, rows(sources.ACCOUNTS)),
        list_method(GET_VIRTUAL_NUMBERS, VIRTUAL_NUMBERS, rows(sources.VIRTUAL_NUMBERS)),
        *entity_methods(rows),
        *webhook_methods(database, webhooks_changed, rows),
        CallsReport(rows(report_sources.CALLS), parts.links, journal.catch_up).method(),
        legs_report(rows(report_sources.LEGS), journal.catch_up),
        CallDetails(journal).method(),
        api_requests(rows(report_sources.REQUESTS), requests.write_all),
    ]
