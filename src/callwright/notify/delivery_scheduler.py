"""Delivery scheduler: events go out of the outbox to webhooks, in order, until they are taken.

The events of a session go to a webhook one after another; sessions go side by side, as many at
once as the limits allow. What is not taken is tried again, later and later, for `RETRIED_FOR`; then
it is given up, and the session goes on with its next event (`callwright.notify.session_delivery`).
A webhook that takes nothing is tried by one request at a time (`callwright.notify.breaker`).
"""

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import anyio

from callwright.clock import utc_now
from callwright.figures import Figure
from callwright.notify.breaker import CircuitBreaker
from callwright.notify.http_sender import WebhookSender
from callwright.notify.message import Endpoint
from callwright.notify.session_delivery import RETRIED_FOR, DeliveryRoute, SessionDelivery
from callwright.public_events.notice import RecordingLink
from callwright.public_events.recent_notices import EventTypes, RecentNotices
from callwright.public_events.template import TemplateFault
from callwright.storage.webhooks.outbox import OutboxUnavailable, StoredOutbox, WaitingSession

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from callwright.calls.plan import SessionId
    from callwright.directory.model import AccountId
    from callwright.directory.webhook import WebhookId

log = logging.getLogger(__name__)

TRIMMED_EVERY = timedelta(hours=1)
TRIMMED_AFTER = 5000
"Attempts, if that comes first."
READ_AGAIN_AFTER = timedelta(seconds=1)
"When the database could not be read."
COUNTED_AT_MOST = 100_000
"Sessions that wait, for the figure: more make no difference to whoever watches, and take time."
WRITTEN_WITHIN = 2.0
"Seconds there are to write down what has been sent when the service stops."


class SchedulerClock(Protocol):
    """Time as the scheduler knows it, so that a day of attempts can be had in a moment."""

    @property
    def now(self) -> Callable[[], datetime]:
        """UTC, aware."""

    async def wait(self, woken: anyio.Event, until: datetime) -> None:
        """Return when ``woken`` is set, or it is ``until``."""


class EventLoopClock:
    """Waits as the event loop does; ``now`` tells the same time in UTC."""

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self.now = now

    async def wait(self, woken: anyio.Event, until: datetime) -> None:
        with anyio.move_on_after(max(0.0, (until - self.now()).total_seconds())):
            await woken.wait()


@dataclass(frozen=True, slots=True)
class DeliveryLimits:
    """Requests that are under way at once."""

    of_all: int = 32
    of_each: int = 4


class DeliveryScheduler:
    """``breaker`` makes one for each webhook. ``link``: where recordings are fetched.

    ``recent``: what the stream of events tells, which need not be read again.
    """

    def __init__(
        self,
        outbox: StoredOutbox,
        sender: WebhookSender,
        *,
        limits: DeliveryLimits,
        clock: SchedulerClock,
        breaker: Callable[[], CircuitBreaker] = CircuitBreaker,
        link: RecordingLink | None = None,
        recent: RecentNotices | None = None,
    ) -> None:
        self._outbox = outbox
        self._recent = recent or RecentNotices()
        self._delivery = SessionDelivery(outbox, sender, clock.now, link, self._recent)
        self._limits = limits
        self._clock = clock
        self._breaker = breaker
        self._routes: dict[WebhookId, DeliveryRoute] = {}
        self._busy: defaultdict[WebhookId, set[SessionId]] = defaultdict(set)
        "Sessions that somebody is at. Kept for a webhook that goes and comes back, too."
        self._waiting: int | None = None
        "Sessions that had something to be told when they were last counted; None: nobody knows."
        self._woken = anyio.Event()
        self._trim_at = self._clock.now()
        outbox.listeners.append(self.wake)

    @property
    def busy(self) -> int:
        """Sessions that are being told at this moment."""
        return sum(map(len, self._busy.values()))

    def figures(self) -> Iterator[Figure]:
        """See `callwright.figures.Measured`."""
        given_up = sum(route.breaker.tries_at is not None for route in self._routes.values())
        for state, count in (("up", len(self._routes) - given_up), ("given_up", given_up)):
            yield Figure(
                "callwright_webhooks",
                "Webhooks that take what they are sent, and those that are given up for a while.",
                count,
                {"state": state},
            )
        yield Figure(
            "callwright_webhook_sessions_under_way",
            "Sessions whose events a webhook is being told at this moment.",
            self.busy,
        )
        if self._waiting is not None:
            yield Figure(
                "callwright_webhook_queue",
                "Sessions of which a webhook has something still to be told; 100000 at most.",
                self._waiting,
            )

    async def count(self) -> None:
        """See `callwright.figures.Counted`."""
        try:
            self._waiting = await self._outbox.count(at_most=COUNTED_AT_MOST)
        except OutboxUnavailable as fault:
            self._waiting = None
            log.warning("webhooks wait for the database: %s", fault)

    def wake(self) -> None:
        """Look into the outbox."""
        self._woken.set()

    async def refresh(self) -> None:
        """Go by the webhooks that there are now; for whoever has changed them."""
        found = {one.id: one for one in await self._outbox.webhooks()}
        for gone in self._routes.keys() - found.keys():
            self._end_route(gone)
        for webhook in found.values():
            try:
                endpoint = Endpoint.of(webhook)
            except TemplateFault as fault:
                # Written by a version that knew other parameters.
                log.error("webhook %s is told nothing, its template: %s", webhook.id, fault)
                self._end_route(webhook.id)
                continue
            route = self._routes.get(webhook.id)
            if route is None or route.endpoint.webhook.url != webhook.url:
                if route is not None:
                    route.is_over = True
                self._routes[webhook.id] = DeliveryRoute(endpoint, self._breaker())
            else:
                route.endpoint = endpoint
        self._recent.keep_for(_wanted(route.endpoint for route in self._routes.values()))
        self.wake()

    def _end_route(self, webhook: "WebhookId") -> None:
        if route := self._routes.pop(webhook, None):
            route.is_over = True

    async def run(self) -> None:
        """Deliver until cancelled."""
        try:
            async with anyio.create_task_group() as tasks:
                await self._begin_for_ever(tasks)
        finally:
            with anyio.move_on_after(WRITTEN_WITHIN, shield=True):
                await self._outbox.flush()

    async def _begin_for_ever(self, tasks: "TaskGroup") -> None:
        while True:
            # Before the look: what comes during it is looked for once more.
            self._woken = anyio.Event()
            try:
                until = await self._begin_what_is_due(tasks)
            except OutboxUnavailable as fault:
                log.warning("webhooks wait for the database: %s", fault)
                until = self._clock.now() + READ_AGAIN_AFTER
            await self._clock.wait(self._woken, until)

    async def _begin_what_is_due(self, tasks: "TaskGroup") -> datetime:
        """Begin what may be begun; return when there may be more, unless something ends before."""
        now = self._clock.now()
        if now >= self._trim_at or self._outbox.untrimmed >= TRIMMED_AFTER:
            await self._outbox.trim_log(now)
            self._trim_at = now + TRIMMED_EVERY
        until = self._trim_at
        for webhook, route in list(self._routes.items()):
            tries_at = route.breaker.tries_at
            if tries_at is not None and now < tries_at:
                until = min(until, tries_at)
                await self._begin_to_give_up(tasks, route, now)
                continue
            if route.came_back:
                await self._outbox.hasten(webhook, now)
                route.came_back = False
            room = route.breaker.room(
                now, busy=len(self._busy[webhook]), limit=self._limits.of_each
            )
            # Whether it is back is found out with whatever waits, even if that was put off.
            due_by = now if tries_at is None else now + RETRIED_FOR
            for waiting in await self._free(route, min(room, self._room()), due_by):
                self._begin(tasks, self._delivery.tell, route, waiting)
            if next_due := await self._outbox.next_due(webhook, now):
                until = min(until, next_due)
        # Whoever came first this time comes last the next: places may not do for all.
        if self._routes:
            first = next(iter(self._routes))
            self._routes[first] = self._routes.pop(first)
        return until

    def _room(self) -> int:
        return self._limits.of_all - self.busy

    async def _free(
        self, route: DeliveryRoute, room: int, due_by: datetime
    ) -> list[WaitingSession]:
        """What is due by then, and nobody is at."""
        if room <= 0:
            return []
        webhook = route.endpoint.webhook.id
        # As of before the look: whoever comes from a session during it has written down more than
        # is read here, and wakes us.
        busy = frozenset(self._busy[webhook])
        found = await self._outbox.due(webhook, due_by, at_most=room + len(busy))
        return [one for one in found if one.session not in busy][:room]

    async def _begin_to_give_up(
        self, tasks: "TaskGroup", route: DeliveryRoute, now: datetime
    ) -> None:
        """Give up what has waited for a webhook that has taken nothing for all that time."""
        since, cutoff = route.breaker.failing_since, now - RETRIED_FOR
        if since is None or since > cutoff:
            return
        webhook = route.endpoint.webhook.id
        # As of before the look, as above.
        busy = frozenset(self._busy[webhook])
        room = min(self._limits.of_each - len(busy), self._room())
        if room > 0:
            for waiting in await self._outbox.older(webhook, cutoff, at_most=room):
                if waiting.session not in busy:
                    self._begin(tasks, self._delivery.give_up, route, waiting)

    def _begin(
        self,
        tasks: "TaskGroup",
        work: Callable[[DeliveryRoute, WaitingSession], Awaitable[None]],
        route: DeliveryRoute,
        waiting: WaitingSession,
    ) -> None:
        self._busy[waiting.webhook].add(waiting.session)
        tasks.start_soon(self._do, work, route, waiting)

    async def _do(
        self,
        work: Callable[[DeliveryRoute, WaitingSession], Awaitable[None]],
        route: DeliveryRoute,
        waiting: WaitingSession,
    ) -> None:
        try:
            await work(route, waiting)
        except OutboxUnavailable as fault:
            log.warning("webhook %s waits for the database: %s", waiting.webhook, fault)
        except Exception:
            # One session that cannot be told is not to cost all others their events.
            log.exception("session %s cannot be told to a webhook", waiting.session)
            await self._delivery.put_off(waiting)
        finally:
            self._busy[waiting.webhook].discard(waiting.session)
            self.wake()


def _wanted(endpoints: Iterable[Endpoint]) -> "dict[AccountId, EventTypes | None]":
    """Which types of events each account's webhooks want; None: all."""
    found: dict[AccountId, EventTypes | None] = {}
    for endpoint in endpoints:
        webhook = endpoint.webhook
        types = found.get(webhook.account, frozenset())
        if types is not None:
            types = types.union(webhook.event_types) if webhook.event_types else None
        found[webhook.account] = types
    return found
