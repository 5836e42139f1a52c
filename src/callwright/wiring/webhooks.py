"""Webhooks put together: their methods, and their delivery as the settings say."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.config import WebhookSettings
from callwright.hooks.client import HookClient
from callwright.methods.data.list_methods import Rows, list_method
from callwright.methods.data.notifications import notifications
from callwright.methods.data.webhooks import GET_WEBHOOKS, WEBHOOKS, Webhooks
from callwright.methods.method import Method
from callwright.notify.delivery_scheduler import DeliveryLimits, DeliveryScheduler, EventLoopClock
from callwright.notify.http_sender import WebhookSender
from callwright.public_events.notice import RecordingLink
from callwright.storage.lists.select import Source
from callwright.storage.webhooks import webhook_sources
from callwright.storage.webhooks.outbox import StoredOutbox
from callwright.storage.webhooks.stored import StoredWebhooks


def webhook_methods(
    database: AsyncEngine,
    refresh: Callable[[], Awaitable[None]],
    rows: Callable[[Source], Rows],
) -> Sequence[Method[Any]]:
    """``refresh``: lets what is set up hold at once; ``rows``: reads the rows of a list."""
    return [
        list_method(GET_WEBHOOKS, WEBHOOKS, rows(webhook_sources.WEBHOOKS)),
        *Webhooks(StoredWebhooks(database), refresh).methods(),
        notifications(rows(webhook_sources.NOTIFICATIONS)),
    ]


def courier_with(
    client: HookClient,
    outbox: StoredOutbox,
    settings: WebhookSettings,
    now: Callable[[], datetime],
    link: RecordingLink,
) -> DeliveryScheduler:
    """``link``: where recordings are fetched."""
    return DeliveryScheduler(
        outbox,
        WebhookSender(client, within=settings.within),
        limits=DeliveryLimits(settings.parallel, settings.parallel_per_webhook),
        clock=EventLoopClock(now),
        link=link,
    )
