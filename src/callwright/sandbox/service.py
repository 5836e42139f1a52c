"""The sandbox: the whole service, with simulated phones, a clock of its own, and new beginnings.

A new beginning is a new service on a fresh copy of the data, behind the same port: so nothing that
any part of the service remembers can outlast it.
"""

import hashlib
import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import anyio
import anyio.to_thread
from argon2 import PasswordHasher
from sqlalchemy.pool import QueuePool

from callwright.app import only_reason
from callwright.calls.manager import CallManager
from callwright.clock import Clock, utc_now
from callwright.config import Settings, StartFault
from callwright.downloads.links import Links
from callwright.engines.port import LegId, RecordingId
from callwright.public_events.notice import iso
from callwright.rpc.dispatch import AnyMethod
from callwright.rpc.events import UNHURRIED
from callwright.rpc.server import listening, serving, url_of
from callwright.sandbox.behaviour import Phones
from callwright.sandbox.engine import SandboxEngine
from callwright.sandbox.event_buffer import EventBuffer
from callwright.sandbox.methods import SandboxMethods
from callwright.sandbox.speech import Silence
from callwright.sandbox.template_data import TOKEN, furnish
from callwright.sandbox.virtual_time import PacedLoop, VirtualTime
from callwright.wiring.environment import Environment
from callwright.wiring.service import RunningService, running_service
from callwright.worker_thread import WorkerThread

if TYPE_CHECKING:
    from anyio.abc import TaskStatus
    from starlette.types import Receive, Scope, Send

ORIGIN = datetime(2026, 1, 5, 9, tzinfo=UTC)
"When a stepped clock begins: a Monday morning."

SELDOM = 86_400.0
"Seconds between looks at what nobody changes from outside here."

MARK = "sandbox"
"File in a data folder that says that it may be thrown away."

_request: ContextVar[anyio.CancelScope] = ContextVar("request")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a sandbox is to be."""

    host: str = "127.0.0.1"
    port: int = 0
    "0 takes a free one."
    data: Path | None = None
    "Folder that outlasts the sandbox; None: a temporary one."
    token: str = TOKEN
    webhooks: Sequence[str] = ()
    "URLs that every event is sent to."
    speed: float | None = 1.0
    "Seconds of the sandbox in a real one; None: the clock stands, and is advanced by requests."
    log_level: Literal["debug", "info", "warning", "error"] = "warning"


def run(options: Options, meanwhile: Callable[["SandboxService"], Awaitable[None]]) -> None:
    """Run a sandbox, on a loop of its own, while ``meanwhile`` runs. Raises `StartFault`."""
    pace = VirtualTime(options.speed)

    async def main() -> None:
        async with sandbox(options, pace) as up:
            await meanwhile(up)

    try:
        anyio.run(main, backend_options={"loop_factory": lambda: PacedLoop(pace)})
    except ExceptionGroup as group:
        # As in `callwright.app.serve`.
        raise only_reason(group) from group


@asynccontextmanager
async def sandbox(options: Options, pace: VirtualTime) -> AsyncIterator["SandboxService"]:
    """Run a sandbox while the block runs; the loop must be a `PacedLoop` of ``pace``.

    Raises `StartFault`.
    """
    with tempfile.TemporaryDirectory(prefix="callwright-sandbox-") as name:
        temporary = Path(name)
        data = options.data or temporary / "data"
        fresh = temporary / "fresh"
        fresh.mkdir()
        await furnish(
            fresh, _settings(options, fresh).database_url, options.token, options.webhooks
        )
        with (
            listening(_settings(options, data).http) as listener,
            _data(fresh, data, keeps=options.data is not None),
        ):
            up = SandboxService(options, pace, fresh, data, url_of(listener))
            async with anyio.create_task_group() as tasks:
                await tasks.start(up.keep)
                async with serving(listener, up, patient=True):
                    try:
                        yield up
                    finally:
                        # Nobody is there any more to step through the end.
                        pace.run_freely()
                up.stop()


class SandboxService:
    """A sandbox that is up: an ASGI application, the clock, and one service after another."""

    def __init__(
        self, options: Options, pace: VirtualTime, fresh: Path, data: Path, url: str
    ) -> None:
        self.url = url
        self.token = options.token
        self.webhooks = options.webhooks
        self._pace = pace
        self._day = _Day(pace)
        self._options = options
        self._fresh = fresh
        self._settings = _settings(options, data)
        self._up: RunningService | None = None
        self._ready = anyio.Event()
        self._again = anyio.Event()
        self._stopped = False
        self._requests: set[anyio.CancelScope] = set()
        self._turn = anyio.Lock()
        self._limiter = anyio.to_thread.current_default_thread_limiter()

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Serve a request by the service there is now."""
        while (up := self._up) is None:
            await self._ready.wait()
        with anyio.CancelScope() as request:
            self._requests.add(request)
            _request.set(request)
            try:
                # What requests have changed of the directory is in force for those that follow.
                await up.look()
                await up.http(scope, receive, send)
            finally:
                self._requests.discard(request)

    async def keep(self, *, task_status: "TaskStatus[None]") -> None:
        """Keep a service up, until `stop`; another one after each `begin_anew`."""
        started: Callable[[], None] = task_status.started
        while True:
            phones, told = Phones(), EventBuffer()
            around = self._surroundings(phones, told)
            async with running_service(self._settings, self.url, around) as up:
                self._pace.working = partial(self._is_working, up)
                self._day.begin()
                self._up, again = up, self._again
                self._ready.set()
                started()
                await again.wait()
                self._pace.run_freely()
            if self._stopped:
                return
            started = _nothing
            _renew(self._fresh, self._settings.data)
            self._pace.restart()

    def stop(self) -> None:
        """Let the service end that is up."""
        self._stopped = True
        self._again.set()

    # `callwright.sandbox.methods.Time`.

    @property
    def clock(self) -> Literal["real", "fast", "stepped"]:
        match self._options.speed:
            case None:
                return "stepped"
            case 1.0:
                return "real"
        return "fast"

    def now(self) -> str:
        return iso(self._day.now())

    async def advance(self, seconds: float) -> None:
        async with self._turn:
            await self._pace.advance(seconds)

    async def settle(self) -> None:
        await self._pace.settle()

    async def begin_anew(self) -> None:
        """Replace the service by a new one; whatever else is asked of the old one is cut off."""
        async with self._turn:
            ours = _request.get()
            if self._up:
                self._up.end_streams()
                # Whatever else is under way need not come to its end.
                self._pace.working = _no
                await self._pace.settle()
            for request in tuple(self._requests):
                if request is not ours:
                    request.cancel()
            over, self._again = self._again, anyio.Event()
            self._up, self._ready = None, anyio.Event()
            over.set()
            await self._ready.wait()

    def _surroundings(self, phones: Phones, told: EventBuffer) -> Environment:
        engines: list[SandboxEngine] = []

        def engine(_settings: Settings, next_leg: Callable[[], LegId]) -> SandboxEngine:
            engines.append(SandboxEngine(next_leg, phones))
            return engines[0]

        def methods(manager: CallManager, links: Links) -> Sequence[AnyMethod]:
            told.link = links.recording
            manager.listeners.append(told.hear)
            return SandboxMethods(self, engines[0], phones, told, manager).methods()

        return Environment(
            clock=Clock(self._day.now, self._day.seconds),
            engine=engine,
            speech=lambda settings: Silence(settings.data / "speech"),
            methods=methods,
            choose=random.Random(0).choice,
            record_of=_record_of,
            hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1),
            body_within=float("inf"),
            streams=UNHURRIED,
            directory_look=SELDOM,
            trunks_look=SELDOM,
            beat=SELDOM,
            places_begin=lambda: 0,
            durable=self._options.data is not None,
            gathered_for=0.0,
        )

    def _is_working(self, up: RunningService) -> bool:
        pool = up.database.sync_engine.pool
        assert isinstance(pool, QueuePool)
        return bool(
            pool.checkedout()
            or self._limiter.borrowed_tokens
            or WorkerThread.under_way
            or up.asking()
        )


class _Day:
    """The time of day: that of the loop, counted from a moment."""

    def __init__(self, pace: VirtualTime) -> None:
        self._pace = pace
        self._origin = ORIGIN if pace.stands else utc_now()
        self._begun = pace.ticks

    def begin(self) -> None:
        """Of a clock that stands: it begins here."""
        if self._pace.stands:
            self._begun = self._pace.ticks

    def now(self) -> datetime:
        return self._origin + timedelta(microseconds=self._pace.ticks - self._begun)

    def seconds(self) -> float:
        return self.now().timestamp()


def _settings(options: Options, data: Path) -> Settings:
    return Settings.model_validate(
        {
            "data": data,
            "engine": "simulated",
            "log_level": options.log_level,
            "http": {"host": options.host, "port": options.port},
            # A test suite asks more in a minute of its clock than any client in one of the sun's.
            "api": {"points_per_minute": 1_000_000, "points_per_day": 100_000_000},
            "calls": {"parallel_at_most": 10_000, "drain_within": 0},
            # What is tested is on this machine.
            "hooks": {"allow_private": True},
            "webhooks": {"allow_private": True},
        }
    )


@contextmanager
def _data(fresh: Path, data: Path, *, keeps: bool) -> Iterator[None]:
    """Have data in the folder while the block runs: what is there of a sandbox, else fresh."""
    if not keeps:
        shutil.copytree(fresh, data)
        yield
        return
    if data.exists() and any(data.iterdir()) and not (data / MARK).exists():
        raise StartFault(f"{data} holds something that is no sandbox's: nothing was changed")
    if not (data / MARK).exists():
        _renew(fresh, data)
    yield


def _renew(fresh: Path, data: Path) -> None:
    """Put fresh data into the folder, in place of whatever a sandbox has left there."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    for one in data.iterdir():
        if one.is_dir():
            shutil.rmtree(one)
        else:
            one.unlink()
    shutil.copytree(fresh, data, dirs_exist_ok=True)
    (data / MARK).write_text("The data of a sandbox: `sandbox.reset` throws them away.\n")


def _nothing() -> None:
    pass


def _no() -> bool:
    return False


def _record_of(recording: RecordingId) -> str:
    """The same story has the same ids: nobody has to be kept from a sandbox's recordings."""
    return hashlib.sha256(f"recording {recording}".encode()).hexdigest()[:32]
