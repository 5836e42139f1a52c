"""The service as a process: its HTTP server, its signals, its limits."""

import gc
import logging
import signal
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from callwright import logs
from callwright.calls.manager import CallManager
from callwright.config import Settings
from callwright.descriptors import raise_limit
from callwright.directory.entry import FileEntry
from callwright.engines.media.packet_loop import PacketLoop
from callwright.engines.port import Engine
from callwright.file_modes import exposed, warning_of
from callwright.methods.method import Params
from callwright.rpc.server import listening, serving, url_of
from callwright.wiring.environment import Environment
from callwright.wiring.service import running_service
from callwright.wiring.watching import lag_watched

if TYPE_CHECKING:
    from pydantic import BaseModel

log = logging.getLogger(__name__)

COLLECT_AFTER = 20_000
"Objects made, less those freed, after which the young ones are looked through; usually 700."


SECRET_DATA = ("callwright.db", "callwright.db-wal", "link-key", "open-legs")
"Files of the data folder with tokens, passwords, keys and numbers."

THREADS_TURN = 0.0005
"Seconds a thread (the journal's, say) runs on while the event loop waits; usually ten times that."


@dataclass(frozen=True, slots=True)
class Service:
    """A service that is up."""

    url: str
    "Where the API is, for example ``http://127.0.0.1:8080``."
    manager: CallManager
    engine: Engine


def serve(settings: Settings, secrets: Iterable[Path] = ()) -> None:
    """Run the service until SIGTERM or SIGINT; then drain it. A second signal cuts the draining.

    ``secrets``: files beside the data that nobody else should be able to read. Raises
    `callwright.storage.database.DatabaseFault` and `StartFault`.
    """
    logs.set_up(settings.log_format, settings.log_level.upper())
    _warn_of_exposed(settings, secrets)
    raise_limit()
    sys.setswitchinterval(THREADS_TURN)
    try:
        anyio.run(_serve, settings, backend_options={"loop_factory": PacketLoop})
    except ExceptionGroup as group:
        # What ends a task group comes out of it in a group, be it one reason that is for people.
        raise only_reason(group) from group


def _warn_of_exposed(settings: Settings, secrets: Iterable[Path]) -> None:
    data = [settings.data / name for name in SECRET_DATA]
    key = [file for file in (settings.sip.tls_key,) if file is not None]
    if files := exposed([*secrets, *key, *data]):
        log.warning(warning_of(files))


def only_reason(group: ExceptionGroup) -> Exception:
    """Unwrap the one reason that nested task groups wrap; several are a matter for a traceback."""
    reason: Exception = group
    while isinstance(reason, ExceptionGroup) and len(reason.exceptions) == 1:
        reason = reason.exceptions[0]
    return reason


def _spare_the_collector() -> None:
    """Keep Python's collector of cycles from holding the packets up.

    It looks through everything that lives whenever some hundred objects have been made. What has
    been made by now stays for good; and a call leaves few cycles, which may wait for longer.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 10, 10)


async def _serve(settings: Settings) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with service(settings) as up:
            _spare_the_collector()
            log.info("the API is at %s/v4.0", up.url)
            await anext(signals)
            log.info("stopping: no new calls; a second signal ends the live ones")
            async with anyio.create_task_group() as tasks:

                async def cut() -> None:
                    await anext(signals)
                    tasks.cancel_scope.cancel()

                tasks.start_soon(cut)
                await up.manager.drain(within=settings.calls.drain_within)
                tasks.cancel_scope.cancel()
    log.info("stopped")


def _build_models() -> None:
    """Make ready what checks requests, which else is made for the first of each kind.

    That would hold the event loop up, and with it calls. A sandbox has none, and starts sooner.
    """
    kinds: list[type[BaseModel]] = [Params, FileEntry]
    while kinds:
        kind = kinds.pop()
        kind.model_rebuild()
        kinds += kind.__subclasses__()


@asynccontextmanager
async def service(settings: Settings) -> AsyncIterator[Service]:
    """Run the whole service while the block runs; calls still live at its end are hung up."""
    _build_models()
    with listening(settings.http) as listener:
        url = url_of(listener)
        async with (
            running_service(settings, url, Environment()) as up,
            lag_watched(up.meter),
            serving(listener, up.http, settings.http.trusted_proxies),
        ):
            yield Service(url, up.manager, up.engine)
