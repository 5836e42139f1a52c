"""The service put together: the only place where things are wired."""

import fcntl
import gc
import itertools
import logging
import resource
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright import logs
from callwright.background import background, started_in_background
from callwright.calls.manager import CallManager
from callwright.calls.narration import narrate
from callwright.clock import Clock
from callwright.config import Settings, StartFault
from callwright.data_api import data_methods, keeping
from callwright.directory.destinations import read_plans
from callwright.downloads.links import Links, link_key
from callwright.engines.port import LegId
from callwright.entity_api import entities
from callwright.hooks.client import HookClient
from callwright.methods.control_calls import ControlCalls
from callwright.methods.conversations import Conversations
from callwright.methods.inbound_calls import InboundCalls
from callwright.methods.listings import Listings
from callwright.methods.live import LiveCalls
from callwright.methods.marks import Marks
from callwright.methods.messages import Messages
from callwright.methods.numbers import Numbers
from callwright.methods.own_numbers import OwnNumbers
from callwright.methods.prompts import Prompts
from callwright.methods.repeats import Repeats
from callwright.methods.scenarios import Scenarios
from callwright.methods.sessions import Sessions
from callwright.methods.start_calls import StartCalls
from callwright.methods.start_informer import InformerCalls
from callwright.methods.start_multi import MultiCalls
from callwright.methods.start_scenarios import ScenarioCalls
from callwright.methods.starting import Starting
from callwright.methods.talk_options import TalkOptions
from callwright.methods.talk_scenarios import TalkScenarios
from callwright.notify.courier import Courier
from callwright.notify.office import courier_with, webhook_client
from callwright.notify.stream import Stream
from callwright.rpc.dispatch import Dispatcher
from callwright.rpc.events import Events
from callwright.rpc.http import build_http
from callwright.rpc.limits import budget_of
from callwright.rpc.server import listening, serving, url_of
from callwright.speech.tones import beep_of, ringback_of
from callwright.storage.access import StoredAccess
from callwright.storage.at_hand import RowsAtHand
from callwright.storage.database import check_schema, open_database, open_twin
from callwright.storage.directory import StoredDirectory
from callwright.storage.event_log import StoredEventLog
from callwright.storage.history import StoredHistory
from callwright.storage.ids import BLOCK_BITS, reserve_block
from callwright.storage.journal import StoredJournal
from callwright.storage.once import StoredKeys
from callwright.storage.outbox import StoredOutbox
from callwright.storage.remembered import Remembered
from callwright.storage.tagging import StoredTagging
from callwright.storage.trunk_states import keep_trunk_states
from callwright.storage.writer import Writer
from callwright.surroundings import Surroundings
from callwright.watching import lag_watched, measured, traced

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.applications import Starlette

    from callwright.engines.port import Engine
    from callwright.watch.meter import Meter

log = logging.getLogger(__name__)

COLLECT_AFTER = 20_000
"Objects made, less those freed, after which the young ones are looked through; usually 700."


@dataclass(frozen=True, slots=True)
class Service:
    """A service that is up."""

    url: str
    "Where the API is, for example ``http://127.0.0.1:8080``."
    manager: CallManager
    engine: "Engine"


@dataclass(frozen=True, slots=True)
class _Storage:
    database: AsyncEngine
    rows: RowsAtHand
    writer: Writer


@dataclass(frozen=True, slots=True)
class Household:
    """A service that is up, but for its HTTP server."""

    http: "Starlette"
    manager: CallManager
    engine: "Engine"
    database: AsyncEngine
    asking: Callable[[], bool]
    "Whether an answer of somebody's server is waited for."
    look: Callable[[], Awaitable[None]]
    "Looks at once whether the directory has changed."
    meter: "Meter | None"
    "None: nothing is measured."


def serve(settings: Settings) -> None:
    """Run the service until SIGTERM or SIGINT; then drain it. A second signal cuts the draining.

    Raises `callwright.storage.database.DatabaseFault` and `StartFault`.
    """
    logs.set_up(settings.log_format, settings.log_level.upper())
    _raise_file_limit()
    try:
        anyio.run(_serve, settings)
    except ExceptionGroup as group:
        raise only_reason(group) from group


def only_reason(group: ExceptionGroup) -> Exception:
    """Unwrap the one reason that nested task groups wrap; several are a matter for a traceback."""
    reason: Exception = group
    while isinstance(reason, ExceptionGroup) and len(reason.exceptions) == 1:
        reason = reason.exceptions[0]
    return reason


def _raise_file_limit() -> None:
    """Take as many open files as we may have: a leg has two sockets, and the usual limit is 1024.

    The soft limit is kept low for programs that use select(); nothing here does.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


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


@asynccontextmanager
async def service(settings: Settings) -> AsyncIterator[Service]:
    """Run the whole service while the block runs; calls still live at its end are hung up."""
    with listening(settings.http) as listener:
        url = url_of(listener)
        async with (
            household(settings, url, Surroundings()) as up,
            lag_watched(up.meter),
            serving(listener, up.http),
        ):
            yield Service(url, up.manager, up.engine)


@asynccontextmanager
async def household(
    settings: Settings, url: str, around: Surroundings
) -> AsyncIterator["Household"]:
    """Run all of the service but its HTTP server while the block runs; ``url`` is where that is."""
    database = open_database(settings.database_url, durable=around.durable)
    try:
        await check_schema(database)
        with (
            _alone_in(settings.data),
            open_twin(database, durable=around.durable) as writing,
            # The event loop reads by it, and must not wait.
            open_twin(database, wait=0.0) as reading,
            closing(RowsAtHand(database, reading)) as rows,
        ):
            storage = _Storage(database, rows, Writer(database, writing))
            async with _put_together(settings, storage, url, around) as up:
                yield up
    finally:
        await database.dispose()


@contextmanager
def _alone_in(folder: Path) -> "Iterator[None]":
    """Hold a lock on the data folder: two services would close each other's sessions."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartFault(f"another service runs on the data in {folder}") from None
        yield


@asynccontextmanager
async def _put_together(
    settings: Settings, storage: _Storage, url: str, around: Surroundings
) -> AsyncIterator["Household"]:
    clock = around.clock
    database, rows = storage.database, storage.rows
    first_id = await reserve_block(database) << BLOCK_BITS
    next_id = itertools.count(first_id).__next__
    turn = anyio.Lock()
    outbox = StoredOutbox(database, storage.writer, turn, clock.now)
    # Before anything is told: what is put is put for the webhooks that are known.
    await outbox.webhooks()
    journal = StoredJournal(
        database,
        storage.writer,
        gathered_for=around.gathered_for,
        # Counted by itself: when events are written must not tell in the ids of sessions.
        next_position=itertools.count(first_id).__next__,
        outbox=outbox,
        turn=turn,
    )
    unfinished = await journal.close_unfinished(clock.now())
    if unfinished:
        log.warning("%d sessions had been cut off by the last stop: closed", len(unfinished))
    remembered: Remembered[Any] = Remembered(look=around.remembered_for)
    directory = StoredDirectory(database, settings.data / "media", remembered, rows)
    links = await _links(settings, url, clock)
    engine = around.engine(settings, lambda: LegId(next_id()))
    manager = CallManager(
        engine,
        journal,
        next_id=next_id,
        parallel_at_most=settings.calls.parallel_at_most,
        recordings=settings.data / "recordings",
        now=clock.now,
    )
    manager.listeners.append(narrate)
    speech = around.speech(settings)
    access = StoredAccess(database, clock.now, rows)
    numbers = Numbers(directory, dial_time=settings.calls.dial_time)
    messages = Messages(directory, speech, tts_length_limit=settings.api.tts_length_limit)
    ringback = await anyio.to_thread.run_sync(ringback_of, settings.data)
    live = LiveCalls(manager)
    talk_options = TalkOptions(live, directory, numbers)
    own_numbers = OwnNumbers(directory, StoredHistory(database), around.choose)
    conversations = Conversations(talk_options, ringback, settings.calls.talk_at_most)
    starting = Starting(numbers, own_numbers, messages, conversations, manager, settings.api)
    hooks = HookClient(allow_private=settings.hooks.allow_private)
    receivers = webhook_client(settings.webhooks)
    courier = courier_with(receivers, outbox, settings.webhooks, clock.now, links.recording)
    follower = _Follower(directory, engine, courier)
    beep = await anyio.to_thread.run_sync(beep_of, settings.data)
    scenarios = Scenarios(directory, numbers, speech, conversations, hooks, beep)
    manager.door.reception = InboundCalls(directory, scenarios, conversations, messages)
    talk_options.scenarios = TalkScenarios(directory, scenarios, conversations, messages)
    prompts = Prompts(speech, settings.prompts)
    tagging = StoredTagging(database, clock.now)
    sessions = Sessions(access, clock.seconds, around.hasher)
    budget = budget_of(settings.api, clock.seconds)
    kept = keeping(settings, database, storage.writer, turn, around)
    dispatcher = Dispatcher(
        [
            *sessions.methods(),
            *StartCalls(starting, prompts).methods(),
            *InformerCalls(starting).methods(),
            *MultiCalls(starting, prompts).methods(),
            *ScenarioCalls(starting, directory, scenarios).methods(),
            *ControlCalls(live, numbers, messages, settings.api).methods(),
            *Marks(live, directory).methods(),
            *talk_options.methods(),
            *Listings(manager, journal, links, tagging).methods(),
            *around.methods(manager),
        ],
        access,
        settings.api,
        clock.seconds,
        Repeats(StoredKeys(database), clock.seconds),
        budget,
        heard=kept.requests.hear,
    )
    edited = await entities(
        settings,
        database,
        remembered,
        directory,
        journal,
        manager,
        engine,
        links,
        next_id,
        clock,
        follower.look,
        body_within=around.body_within,
    )
    data = Dispatcher(
        [
            *sessions.methods(),
            *data_methods(
                database,
                journal,
                links,
                kept.requests,
                clock.now,
                edited.methods,
                courier.refresh,
            ),
        ],
        access,
        settings.api,
        clock.seconds,
        budget=budget,
        api="v2.0",
        heard=kept.requests.hear,
    )
    stream = Stream(
        StoredEventLog(database),
        per_account=settings.api.streams_at_most,
        link=links.recording,
    )
    await stream.open()
    journal.readers.append(stream.hear)
    events = Events(stream, access, settings.http, clock.seconds, around.streams)
    pages = [*events.routes(), *edited.files.routes(data, settings.http)]
    parts = (engine, manager, journal, stream, courier)
    meter = measured(settings, journal, (dispatcher, data), parts, pages)
    http = build_http(
        dispatcher,
        settings.http,
        lambda: not manager.draining,
        pages,
        data=data,
        body_within=around.body_within,
    )
    own = await directory.own_numbers()
    async with (
        hooks,
        receivers,
        # In a thread, and now, so that the first request need not wait for it.
        background(partial(anyio.to_thread.run_sync, read_plans, own)),
        traced(settings, journal),
        background(courier.run),
        background(journal.run),
        background(kept.run),
        background(speech.run),
        started_in_background(lambda started: _run_engine(engine, settings, manager, started)),
        background(lambda: keep_trunk_states(database, engine.trunk_states, around.trunks_look)),
        started_in_background(lambda started: manager.run(started=started)),
        # Only now, since with the trunks calls may come in; and before anybody is told to be up.
        started_in_background(lambda started: follower.run(around.directory_look, started)),
    ):
        yield Household(
            http,
            manager,
            engine,
            database,
            lambda: bool(hooks.under_way or receivers.under_way),
            follower.look,
            meter,
        )


async def _links(settings: Settings, url: str, clock: Clock) -> Links:
    try:
        key = await anyio.to_thread.run_sync(link_key, settings.data)
    except (OSError, ValueError) as fault:
        raise StartFault(f"links cannot be signed: {fault}") from fault
    base = settings.http.public_url or url
    return Links(base.rstrip("/"), key, lasts=settings.http.links_last, clock=clock.seconds)


async def _run_engine(
    engine: "Engine", settings: Settings, manager: CallManager, started: Callable[[], None]
) -> None:
    try:
        await engine.run(manager.deliver, started=started)
    except OSError as fault:
        where = f"{settings.sip.host}:{settings.sip.port}"
        raise StartFault(f"SIP cannot be served at {where} ([sip]): {fault.strerror}") from fault


class _Follower:
    """Tells the engine the trunks and phones, and the courier the webhooks, as they change."""

    def __init__(self, directory: StoredDirectory, engine: "Engine", courier: Courier) -> None:
        self._directory = directory
        self._engine = engine
        self._courier = courier
        self._seen: int | None = None

    async def run(self, every: float, started: Callable[[], None]) -> None:
        await self.look()
        started()
        while True:
            await anyio.sleep(every)
            await self.look()

    async def look(self) -> None:
        """Tell of a change, if there has been one."""
        revision = await self._directory.revision()
        if revision != self._seen:
            self._engine.use_trunks(await self._directory.trunks())
            self._engine.use_phones(await self._directory.sip_accounts())
            await self._courier.refresh()
            self._seen = revision
