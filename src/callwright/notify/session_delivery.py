"""Delivery of one session to one webhook: event after event, until they are taken.

What is not taken is to be tried again later, and after `RETRIED_FOR` it is given up, which the log
tells: it is the dead letter queue, and `callwright.notify.manual` sends from it again. What was
sent is written down before the next event goes, so a crash may have an event sent again, and never
lets one fall.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from callwright.notify.breaker import CircuitBreaker, retry_after
from callwright.notify.http_sender import SendResult, WebhookSender, attempt_of
from callwright.notify.message import Endpoint
from callwright.public_events.event_fold import notices
from callwright.public_events.notice import Notice, RecordingLink, linked
from callwright.public_events.recent_notices import RecentNotices, Untold
from callwright.storage.webhooks.outbox import DeliveryStep, StoredOutbox, WaitingSession
from callwright.storage.webhooks.webhook_log import AttemptOutcome

log = logging.getLogger(__name__)

RETRIED_FOR = timedelta(hours=24)


@dataclass(slots=True)
class DeliveryRoute:
    """The way to one webhook while the service runs."""

    endpoint: Endpoint
    breaker: CircuitBreaker
    came_back: bool = True
    "It is new, or takes events again: what was put off need not wait any more."
    is_over: bool = False
    "The webhook is gone, or has another address, to which another route leads."


class SessionDelivery:
    """``now``: UTC, aware. ``link``: where recordings are fetched. ``recent``: may spare a look."""

    def __init__(
        self,
        outbox: StoredOutbox,
        sender: WebhookSender,
        now: Callable[[], datetime],
        link: RecordingLink | None,
        recent: RecentNotices,
    ) -> None:
        self._outbox = outbox
        self._sender = sender
        self._now = now
        self._link = link
        self._recent = recent

    async def tell(self, route: DeliveryRoute, waiting: WaitingSession) -> None:
        """Tell what is left of a session, as far as it is taken. Raises `OutboxUnavailable`."""
        untold = await self._untold(waiting)
        left = _left(route, untold)
        if not left:
            past = _past(waiting, untold, self._now())
            await self._outbox.note(DeliveryStep(past, finished=True))
        for notice in left:
            if route.is_over:
                return
            done = await self._deliver(route, waiting, notice)
            if notice is left[-1] and done.waiting.after == notice.sequence:
                past = _past(done.waiting, untold, done.waiting.due_at)
                done = replace(done, waiting=past, finished=True)
            await self._outbox.note(done)
            if done.waiting.attempts or route.breaker.tries_at is not None:
                return
            waiting = done.waiting

    async def _deliver(
        self, route: DeliveryRoute, waiting: WaitingSession, notice: Notice
    ) -> DeliveryStep:
        """Make one attempt; return what becomes of the session."""
        webhook, began = route.endpoint.webhook, self._now()
        delivery_id = route.endpoint.delivery_id(notice.event_id)
        message = route.endpoint.message(linked(notice, self._link), delivery_id)
        result = await self._sender.send(webhook, delivery_id, message)
        number, now = waiting.attempts + 1, self._now()
        if result.taken:
            outcome = AttemptOutcome.SENT
            after = replace(
                waiting, after=notice.sequence, attempts=0, failing_since=None, due_at=now
            )
            if route.breaker.took():
                log.warning("webhook %s takes events again", webhook.id)
                route.came_back = True
        else:
            since = waiting.failing_since or now
            given_up = now - since >= RETRIED_FOR
            outcome = AttemptOutcome.GIVEN_UP if given_up else AttemptOutcome.FAILED
            pause = max(retry_after(number), timedelta(seconds=result.put_off))
            # What an address has not taken that is not the webhook's any more, says nothing.
            at_once = given_up or route.is_over
            after = replace(
                waiting,
                after=notice.sequence if given_up else waiting.after,
                attempts=0 if given_up else number,
                failing_since=since,
                due_at=now if at_once else now + pause,
            )
            self._tell_log(route, notice, number, result, given_up=given_up, now=now)
        attempt = attempt_of(
            webhook, notice, delivery_id, message, result, began, number=number, outcome=outcome
        )
        return DeliveryStep(after, (attempt,))

    def _tell_log(
        self,
        route: DeliveryRoute,
        notice: Notice,
        number: int,
        result: SendResult,
        *,
        given_up: bool,
        now: datetime,
    ) -> None:
        webhook = route.endpoint.webhook.id
        if given_up:
            log.warning("webhook %s: event %s is given up", webhook, notice.event_id)
        else:
            log.info(
                "webhook %s: event %s, attempt %d: %s",
                webhook,
                notice.event_id,
                number,
                result.error_message,
            )
        if route.breaker.failed(now, notice.session):
            log.warning("webhook %s takes nothing: it is tried from time to time", webhook)

    async def give_up(self, route: DeliveryRoute, waiting: WaitingSession) -> None:
        """Give up all that is left of a session. Raises `OutboxUnavailable`."""
        untold = await self._untold(waiting)
        now = self._now()
        webhook = route.endpoint.webhook
        result = SendResult(0.0, error_type="given_up", error_message="nothing was taken for a day")
        attempts = []
        for notice in _left(route, untold):
            delivery_id = route.endpoint.delivery_id(notice.event_id)
            attempts.append(
                attempt_of(
                    webhook,
                    notice,
                    delivery_id,
                    route.endpoint.message(notice, delivery_id),
                    result,
                    now,
                    number=0,
                    outcome=AttemptOutcome.GIVEN_UP,
                )
            )
        log.warning("webhook %s: session %s is given up", webhook.id, waiting.session)
        await self._outbox.note(DeliveryStep(_past(waiting, untold, now), attempts, finished=True))

    async def _untold(self, waiting: WaitingSession) -> Untold:
        """What has happened behind the event that is done with.

        What comes to disk in this moment may be missing: whoever writes it down wakes us after.
        """
        known = self._recent.after(waiting.session, waiting.after)
        if known is not None:
            return known
        story = await self._outbox.story(waiting.session)
        last = max((event.sequence for event in story), default=0)
        return Untold(notices(story, after=waiting.after), last)

    async def put_off(self, waiting: WaitingSession) -> None:
        """Try a session later that could not be told for a fault of ours."""
        now = self._now()
        later = replace(
            waiting,
            attempts=waiting.attempts + 1,
            failing_since=waiting.failing_since or now,
            due_at=now + retry_after(waiting.attempts + 1),
        )
        await self._outbox.note(DeliveryStep(later))


def _left(route: DeliveryRoute, untold: Untold) -> list[Notice]:
    """What of a session a webhook has still to be told."""
    return [notice for notice in untold.notices if route.endpoint.wants(notice.type)]


def _past(waiting: WaitingSession, untold: Untold, now: datetime) -> WaitingSession:
    """Put a session behind all events that are known of it."""
    return replace(waiting, after=max(waiting.after, untold.last), attempts=0, due_at=now)
