"""The delivery of webhooks put together, as the settings say."""

from collections.abc import Callable
from datetime import datetime

from callwright.config import WebhookSettings
from callwright.hooks.client import HookClient
from callwright.notify.delivery_scheduler import DeliveryLimits, DeliveryScheduler, EventLoopClock
from callwright.notify.http_sender import WebhookSender
from callwright.public_events.notice import RecordingLink
from callwright.public_events.recent_notices import RecentNotices
from callwright.storage.webhooks.outbox import StoredOutbox


def scheduler_with(
    client: HookClient,
    outbox: StoredOutbox,
    settings: WebhookSettings,
    now: Callable[[], datetime],
    link: RecordingLink,
    recent: RecentNotices,
) -> DeliveryScheduler:
    """``link``: where recordings are fetched. ``recent``: what listeners are told."""
    return DeliveryScheduler(
        outbox,
        WebhookSender(client, within=settings.within),
        limits=DeliveryLimits(settings.parallel, settings.parallel_per_webhook),
        clock=EventLoopClock(now),
        link=link,
        recent=recent,
    )
