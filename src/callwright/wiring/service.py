"""Composition root: all of a service but its HTTP server."""

import fcntl
import itertools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    closing,
    contextmanager,
)
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.calls.manager import CallManager
from callwright.calls.narration import narrate
from callwright.calls.recording import RecordingFiles
from callwright.clock import Clock
from callwright.config import Settings, StartFault
from callwright.directory.destinations import read_plans
from callwright.directory.prices import Price, PriceList
from callwright.downloads.links import Links, link_key
from callwright.engines.media.wav import seconds_of
from callwright.engines.port import Engine, LegId
from callwright.hooks.client import HookClient
from callwright.methods.data.data_sessions import DataSessions
from callwright.methods.idempotency import Repeats
from callwright.methods.sessions import Sessions
from callwright.notify.http_sender import webhook_client
from callwright.notify.stream import EventStream
from callwright.public_events.recent_notices import RecentNotices
from callwright.rpc.dispatch import Dispatcher
from callwright.rpc.events import EventEndpoint
from callwright.rpc.http import build_http
from callwright.rpc.limits import budget_of
from callwright.rpc.points_file import PointsFile, keep_points, restore_points
from callwright.storage.access import StoredAccess
from callwright.storage.database import check_schema, close_database, open_database, open_twin
from callwright.storage.directory import StoredDirectory
from callwright.storage.disk import EVERY, Disk
from callwright.storage.history.event_log import StoredEventLog
from callwright.storage.history.heartbeat import beat, last_beat
from callwright.storage.history.idempotency import StoredKeys
from callwright.storage.history.journal import StoredJournal
from callwright.storage.history.tagging import StoredTagging
from callwright.storage.ids import BLOCK_BITS, reserve_block
from callwright.storage.synchronous_reads import rows_at_hand
from callwright.storage.trunk_states import keep_trunk_states
from callwright.storage.webhooks.outbox import StoredOutbox
from callwright.storage.writer import Writer
from callwright.wiring.background import background, started_in_background
from callwright.wiring.call_api import call_methods
from callwright.wiring.components import Components, Storage
from callwright.wiring.console import console_routes
from callwright.wiring.data_api import data_methods, keeping
from callwright.wiring.directory_watcher import DirectoryWatcher
from callwright.wiring.entity_api import entities
from callwright.wiring.environment import Environment
from callwright.wiring.supervision import supervised
from callwright.wiring.watching import measured, traced
from callwright.wiring.webhook_delivery import scheduler_with

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from callwright.watch.meter import Meter

log = logging.getLogger(__name__)

HEARTBEAT = "alive"
"The file in the data folder that tells how long the service has lived."
POINTS = "points"
"The file there that tells what accounts have taken of their points today."


@dataclass(frozen=True, slots=True)
class RunningService:
    """A service that is up, but for its HTTP server."""

    http: "ASGIApp"
    manager: CallManager
    engine: Engine
    database: AsyncEngine
    asking: Callable[[], bool]
    "Whether an answer of somebody's server is waited for."
    look: Callable[[], Awaitable[None]]
    "Looks at once whether the directory has changed."
    end_streams: Callable[[], None]
    "Ends what listens to events, for what was told is void."
    meter: "Meter | None"
    "None: nothing is measured."


@asynccontextmanager
async def running_service(
    settings: Settings, url: str, around: Environment
) -> AsyncIterator[RunningService]:
    """Run all of the service but its HTTP server while the block runs; ``url`` is where that is."""
    database = open_database(settings.database_url, durable=around.durable)
    try:
        await check_schema(database)
        with (
            _alone_in(settings.data),
            open_twin(database, durable=around.durable) as writing,
            closing(Writer(database, writing)) as writer,
        ):
            async with rows_at_hand(database) as rows:
                storage = Storage(database, rows, writer, anyio.Lock(fast_acquire=True))
                async with _run(settings, storage, url, around) as up:
                    yield up
    finally:
        await close_database(database)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold a lock on the data folder: two services would close each other's sessions."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartFault(f"another service runs on the data in {folder}") from None
        yield


@asynccontextmanager
async def _run(
    settings: Settings, storage: Storage, url: str, around: Environment
) -> AsyncIterator[RunningService]:
    clock, database = around.clock, storage.database
    outbox = StoredOutbox(database, storage.writer, storage.turn, clock.now, storage.rows)
    # Before anything is told: what is put is put for the webhooks that are known.
    await outbox.webhooks()
    components = await _components(settings, storage, outbox, url, around)
    engine, manager, journal = components.engine, components.manager, components.journal
    hooks = HookClient(allow_private=settings.hooks.allow_private)
    receivers = webhook_client(settings.webhooks)
    recent = RecentNotices()
    scheduler = scheduler_with(
        receivers, outbox, settings.webhooks, clock.now, components.links.recording, recent
    )
    watcher = DirectoryWatcher(components.directory, engine, scheduler)
    access = StoredAccess(database, clock.now, storage.rows)
    sessions = Sessions(access, clock.seconds, around.hasher)
    budget = budget_of(settings.api, clock.seconds)
    points = PointsFile(settings.data / POINTS)
    await anyio.to_thread.run_sync(restore_points, budget, points)
    kept = keeping(settings, storage, around)
    dispatcher = Dispatcher(
        [
            *sessions.methods(),
            *await call_methods(components, hooks),
            *around.methods(manager, components.links),
        ],
        access,
        settings.api,
        clock.seconds,
        Repeats(StoredKeys(database, journal.is_void), clock.seconds),
        budget,
        heard=kept.requests.hear,
    )
    edited = await entities(components, watcher.look)
    data = Dispatcher(
        [
            *DataSessions(sessions).methods(),
            *data_methods(components, kept.requests, edited.methods, scheduler.refresh),
        ],
        access,
        settings.api,
        clock.seconds,
        budget=budget,
        api="v2.0",
        heard=kept.requests.hear,
    )
    stream = EventStream(
        StoredEventLog(database),
        per_account=settings.api.streams_at_most,
        link=components.links.recording,
        recent=recent,
    )
    await stream.open()
    journal.readers.append(stream.hear)
    events = EventEndpoint(stream, access, settings.http, clock.seconds, around.streams)
    showing = (engine, manager, journal, stream, scheduler)
    disk = Disk(settings.data)

    def fault() -> str | None:
        return disk.fault or watcher.fault

    console = console_routes(
        components,
        _public_url(settings, url),
        access,
        (dispatcher, data),
        edited.shelf,
        showing,
        fault,
    )
    pages = [*events.routes(), *console, *edited.files.routes(data, settings.http)]
    meter = measured(settings, journal, (dispatcher, data), showing, pages)
    http = build_http(
        dispatcher,
        settings.http,
        lambda: not manager.draining,
        pages,
        data=data,
        fault=fault,
        body_within=around.body_within,
        url=_public_url(settings, url),
    )
    own = await components.directory.own_numbers()
    async with (
        hooks,
        receivers,
        # In a thread, and now, so that the first request need not wait for it.
        _beside("number plans", partial(anyio.to_thread.run_sync, read_plans, own)),
        traced(settings, journal),
        _beside("webhooks", scheduler.run),
        _beside("the journal", journal.run),
        _beside("the log of requests", kept.requests.run),
        _beside("clean-up", kept.cleaner.run),
        _beside("the heartbeat", partial(beat, settings.data / HEARTBEAT, clock.now, around.beat)),
        _beside("points", partial(keep_points, budget, points, around.beat)),
        _beside("the look at the disk", partial(disk.watch, max(around.beat, EVERY))),
        _beside("speech", components.speech.run),
        started_in_background(lambda started: _run_engine(engine, settings, manager, started)),
        _beside(
            "states of trunks",
            lambda: keep_trunk_states(database, engine.trunk_states, around.trunks_look),
        ),
        started_in_background(lambda started: manager.run(started=started)),
        # Only now, since with the trunks calls may come in; and before anybody is told to be up.
        started_in_background(lambda started: watcher.run(around.directory_look, started)),
    ):
        yield RunningService(
            http,
            manager,
            engine,
            database,
            lambda: bool(hooks.under_way or receivers.under_way),
            watcher.look,
            stream.end,
            meter,
        )


def _beside(
    what: str, serve: Callable[[], Coroutine[Any, Any, None]]
) -> AbstractAsyncContextManager[None]:
    """What calls can go on without: it may fail, and is started again."""
    return background(lambda: supervised(what, serve))


async def _components(
    settings: Settings, storage: Storage, outbox: StoredOutbox, url: str, around: Environment
) -> Components:
    clock, database = around.clock, storage.database
    first_id = await reserve_block(database) << BLOCK_BITS
    next_id = itertools.count(first_id).__next__
    journal = StoredJournal(
        database,
        storage.writer,
        gathered_for=around.gathered_for,
        # Counted by itself: when events are written must not tell in the ids of sessions.
        next_position=itertools.count(first_id + around.places_begin()).__next__,
        outbox=outbox,
        turn=storage.turn,
        prices=PriceList(
            (one.direction, one.prefix, Price(one.per_minute, one.step))
            for one in settings.prices.prices
        ),
    )
    recordings = settings.data / "recordings"
    unfinished = await journal.close_unfinished(
        lambda file_name: seconds_of(recordings / file_name),
        await anyio.to_thread.run_sync(last_beat, settings.data / HEARTBEAT),
    )
    if unfinished:
        log.warning("%d sessions had been cut off by the last stop: closed", len(unfinished))
    engine = around.engine(settings, lambda: LegId(next_id()))
    manager = CallManager(
        engine,
        journal,
        next_id=next_id,
        parallel_at_most=settings.calls.parallel_at_most,
        recordings=RecordingFiles(recordings, around.record_of),
        now=clock.now,
    )
    manager.listeners.append(narrate)
    return Components(
        settings,
        around,
        storage,
        StoredDirectory(database, settings.data / "media", storage.rows),
        journal,
        StoredTagging(database, clock.now),
        engine,
        manager,
        around.speech(settings),
        await _links(settings, url, clock),
        next_id,
    )


async def _links(settings: Settings, url: str, clock: Clock) -> Links:
    try:
        key = await anyio.to_thread.run_sync(link_key, settings.data)
    except (OSError, ValueError) as fault:
        raise StartFault(f"links cannot be signed: {fault}") from fault
    return Links(
        _public_url(settings, url), key, lasts=settings.http.links_last, clock=clock.seconds
    )


def _public_url(settings: Settings, url: str) -> str:
    """Where clients reach us, without a / at its end."""
    return (settings.http.public_url or url).rstrip("/")


async def _run_engine(
    engine: Engine, settings: Settings, manager: CallManager, started: Callable[[], None]
) -> None:
    try:
        await engine.run(manager.deliver, started=started)
    except OSError as fault:
        where = f"{settings.sip.host}:{settings.sip.port}"
        raise StartFault(f"SIP cannot be served at {where} ([sip]): {fault.strerror}") from fault
