"""The office: the courier and the client it goes out with, as the settings say."""

from collections.abc import Callable
from datetime import datetime

from callwright.config import WebhookSettings
from callwright.hooks.client import HookClient
from callwright.notify.courier import Courier, EventLoopClock, Limits
from callwright.notify.postman import Postman
from callwright.public_events.linked import RecordingLink
from callwright.storage.webhooks.outbox import StoredOutbox


def webhook_client(settings: WebhookSettings) -> HookClient:
    """What requests to webhooks are made with; to be entered before anything is sent."""
    return HookClient(allow_private=settings.allow_private, connections_at_most=settings.parallel)


def courier_with(
    client: HookClient,
    outbox: StoredOutbox,
    settings: WebhookSettings,
    now: Callable[[], datetime],
    link: RecordingLink,
) -> Courier:
    """``link``: where recordings are fetched."""
    return Courier(
        outbox,
        Postman(client, within=settings.within),
        limits=Limits(settings.parallel, settings.parallel_per_webhook),
        clock=EventLoopClock(now),
        link=link,
    )
