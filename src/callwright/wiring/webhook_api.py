"""The methods of webhooks put together."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.methods.data.list_methods import Rows, list_method
from callwright.methods.data.notifications import notifications
from callwright.methods.data.webhooks import GET_WEBHOOKS, WEBHOOKS, Webhooks
from callwright.methods.method import Method
from callwright.storage.lists.select import Source
from callwright.storage.webhooks import webhook_sources
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
