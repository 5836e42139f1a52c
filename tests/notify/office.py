"""A journal, an outbox and a scheduler on a test's database, with a clock that jumps."""

import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import anyio.to_thread
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.calls.events import SessionEvent
from callwright.directory.model import AccountId
from callwright.directory.webhook import Verb, Webhook, WebhookDraft
from callwright.hooks.client import HookClient
from callwright.notify.breaker import LONGEST_PAUSE, CircuitBreaker
from callwright.notify.delivery_scheduler import (
    DeliveryLimits,
    DeliveryScheduler,
    EventLoopClock,
    SchedulerClock,
)
from callwright.notify.http_sender import WebhookSender
from callwright.public_events.event_fold import EventFolds
from callwright.public_events.recent_notices import RecentNotices
from callwright.storage.history.event_log import Written
from callwright.storage.history.journal import StoredJournal
from callwright.storage.tables import Origin
from callwright.storage.webhooks.outbox import StoredOutbox
from callwright.storage.webhooks.stored import StoredWebhooks
from callwright.storage.webhooks.webhook_log import LoggedAttempt, StoredWebhookLog
from callwright.storage.writer import Writer
from tests.notify.receiver import Receiver
from tests.storage.stories import later, started
from tests.waiting import WITHIN

OURS = AccountId(1)
PUBLIC = [1, *range(2, 13)]
"Sequence numbers of a story's events: all of them are told to the outside."


class JumpingClock:
    """Whenever the scheduler has nothing to do, it is later."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC)
        self.scheduler: DeliveryScheduler | None = None

    def now(self) -> datetime:
        return self.time

    async def wait(self, woken: anyio.Event, until: datetime) -> None:
        assert self.scheduler
        await anyio.lowlevel.checkpoint()
        if self.scheduler.busy:
            await woken.wait()
        elif not woken.is_set():
            self.time = max(self.time, until)


class StandingClock:
    """It is later only when a test says so: the courier sleeps until somebody wakes it."""

    def __init__(self) -> None:
        # Whatever the journal puts into the outbox by the wall's clock is due by this one.
        self.time = datetime.now(UTC) + timedelta(hours=1)
        self._woken: anyio.Event | None = None

    @property
    def asleep(self) -> bool:
        return self._woken is not None and not self._woken.is_set()

    def now(self) -> datetime:
        return self.time

    async def wait(self, woken: anyio.Event, until: datetime) -> None:
        self._woken = woken
        await woken.wait()
        self._woken = None


def draft(
    url: str,
    *,
    name: str = "crm",
    verb: Verb = Verb.POST,
    event_types: Sequence[str] = (),
    active: bool = True,
    template: str | None = None,
) -> WebhookDraft:
    return WebhookDraft(name, url, verb, event_types, active, template)


@dataclass(frozen=True, slots=True)
class Office:
    database: AsyncEngine
    webhooks: StoredWebhooks
    outbox: StoredOutbox
    journal: StoredJournal
    log: StoredWebhookLog
    clock: JumpingClock
    recent: RecentNotices

    @classmethod
    def on(cls, database: AsyncEngine, *, listening: bool = False) -> "Office":
        """``listening``: what is written is told as well, as in the service, and kept for a while.

        Else all is read from the database.
        """
        turn = anyio.Lock()
        outbox = StoredOutbox(database, Writer(database), turn)
        journal = StoredJournal(
            database, turn=turn, outbox=outbox, next_position=itertools.count(1).__next__
        )
        recent = RecentNotices()
        folds = EventFolds(recent)

        def hear(written: Sequence[Written]) -> None:
            for one in written:
                folds.tell(one.event, to=())

        if listening:
            journal.readers.append(hear)
        return cls(
            database,
            StoredWebhooks(database),
            outbox,
            journal,
            StoredWebhookLog(database),
            JumpingClock(),
            recent,
        )

    async def hook(self, receiver: Receiver, **fields: Any) -> Webhook:
        made = await self.webhooks.create(OURS, draft(receiver.url, **fields), Origin.COMMAND)
        await self.outbox.webhooks()
        return made

    async def write(self, *events: SessionEvent) -> None:
        """Have the journal write these events, and wait until it has."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.journal.run)
            for event in events:
                self.journal.hear(event)
            while self.journal.queued:  # noqa: ASYNC110
                await anyio.sleep(0.001)
            tasks.cancel_scope.cancel()

    async def call(self, session: int) -> None:
        """Put a whole call on record."""
        await self.journal.begin(started(session))
        await self.write(*later(session))

    async def entries(self) -> list[LoggedAttempt]:
        """The log, the oldest first."""
        return (await self.log.latest(OURS, webhook=None, at_most=10_000))[::-1]

    def scheduler(
        self,
        client: HookClient,
        *,
        wall: bool = False,
        within: float = 10.0,
        limits: DeliveryLimits | None = None,
        longest: float = LONGEST_PAUSE,
        clock: SchedulerClock | None = None,
    ) -> DeliveryScheduler:
        """A scheduler that has not begun."""
        made = DeliveryScheduler(
            self.outbox,
            WebhookSender(client, within=within),
            limits=limits or DeliveryLimits(),
            clock=clock or (EventLoopClock() if wall else self.clock),
            breaker=lambda: CircuitBreaker(lambda: 0.5, longest=longest),
            recent=self.recent,
        )
        self.clock.scheduler = made
        return made

    @asynccontextmanager
    async def open(
        self,
        *,
        wall: bool = False,
        within: float = 10.0,
        limits: DeliveryLimits | None = None,
        client: HookClient | None = None,
        longest: float = LONGEST_PAUSE,
        clock: SchedulerClock | None = None,
    ) -> AsyncIterator[DeliveryScheduler]:
        """Deliver while the block runs. ``wall``: by the wall's clock."""
        async with client or HookClient(allow_private=True) as open_client:
            scheduler = self.scheduler(
                open_client, wall=wall, within=within, limits=limits, longest=longest, clock=clock
            )
            await scheduler.refresh()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(scheduler.run)
                yield scheduler
                tasks.cancel_scope.cancel()
            self.outbox.listeners.remove(scheduler.wake)


async def until(receiver: Receiver, told: Callable[[Receiver], bool]) -> None:
    await anyio.to_thread.run_sync(receiver.wait_for, told)


async def until_taken(receiver: Receiver, count: int) -> None:
    await until(receiver, lambda one: len(one.taken) == count)


async def emptied(office: Office) -> None:
    """Wait until nothing is left in the outbox."""
    with anyio.fail_after(WITHIN):
        while await office.webhooks.waiting():  # noqa: ASYNC110
            await anyio.sleep(0.02)


async def asleep(scheduler: DeliveryScheduler, clock: StandingClock) -> None:
    """Wait until the scheduler has nothing to do, and nobody has woken it."""
    with anyio.fail_after(WITHIN):
        while scheduler.busy or not clock.asleep:  # noqa: ASYNC110
            await anyio.sleep(0.002)
