"""Watching: what is measured and traced is put together here, and only if somebody wants it."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from starlette.routing import BaseRoute

from callwright.config import Settings, StartFault
from callwright.figures import Measured
from callwright.rpc.dispatch import Dispatcher
from callwright.rpc.metrics import metrics_route
from callwright.storage.history.journal import StoredJournal
from callwright.wiring.background import background

if TYPE_CHECKING:
    from callwright.watch.meter import Meter


def measured(
    settings: Settings,
    journal: StoredJournal,
    dispatchers: Iterable[Dispatcher],
    parts: Iterable[object],
    pages: list[BaseRoute],
) -> "Meter | None":
    """Measure what is done, let every part that has figures show them, and add their page."""
    if not settings.metrics.networks:
        return None
    from callwright.watch.meter import Meter

    meter = Meter()
    meter.parts += [part for part in parts if isinstance(part, Measured)]
    journal.readers.append(meter.hear)
    for dispatcher in dispatchers:
        dispatcher.listeners.append(meter.request)
    pages.append(metrics_route(meter.counted, settings.metrics.networks, settings.http))
    return meter


@asynccontextmanager
async def lag_watched(meter: "Meter | None") -> AsyncIterator[None]:
    """Measure the lag of the event loop while the block runs."""
    if meter is None:
        yield
        return
    async with background(meter.watch_lag):
        yield


@asynccontextmanager
async def traced(settings: Settings, journal: StoredJournal) -> AsyncIterator[None]:
    """Send traces while the block runs, if they are wanted."""
    if settings.traces.endpoint is None:
        yield
        return
    try:
        from callwright.watch.traces import SENT_WITHIN, traces_to
    except ImportError as fault:
        raise StartFault(
            f"traces.endpoint is set, and {fault.name} is not there: install callwright[otel]"
        ) from fault
    traces = traces_to(settings.traces.endpoint)
    journal.readers.append(traces.hear)
    try:
        yield
    finally:
        with anyio.move_on_after(2 * SENT_WITHIN, shield=True):
            await anyio.to_thread.run_sync(traces.close, abandon_on_cancel=True)
