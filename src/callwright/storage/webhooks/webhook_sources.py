"""Where in the database webhooks and their log have their rows."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Integer, String, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callwright.storage.lists.select import Source
from callwright.storage.tables import webhook_log, webhooks

WEBHOOKS = Source(
    webhooks,
    account=webhooks.c.account_id,
    key=webhooks.c.id,
    columns={
        name: webhooks.c[name]
        for name in ("id", "name", "url", "event_types", "method", "template", "active")
    },
)


async def _event_types(connection: AsyncConnection, entries: Sequence[int]) -> Mapping[int, object]:
    query = select(webhook_log.c.id, webhook_log.c.event_type).where(webhook_log.c.id.in_(entries))
    return {
        entry: {"value": event_type, "value_id": event_type}
        for entry, event_type in await connection.execute(query)
    }


NOTIFICATIONS = Source(
    webhook_log,
    account=webhook_log.c.account_id,
    key=webhook_log.c.id,
    columns={
        "id": webhook_log.c.id,
        "notification_id": webhook_log.c.webhook_id,
        "notification_name": webhook_log.c.webhook_name,
        "notification_delay": literal_column("0", Integer()),
        "notification_message": webhook_log.c.content,
        "notification_send_to": webhook_log.c.url,
        "event_mnemonic": webhook_log.c.event_type,
        "communication_id": webhook_log.c.session_id,
        "communication_type": literal_column("'call'", String()),
        "notification_status": webhook_log.c.outcome,
        "notification_channel": literal_column("'http_request'", String()),
        "notification_error_type": webhook_log.c.error_type,
        "notification_error_message": webhook_log.c.error_message,
        "start_time": webhook_log.c.event_time,
        "send_time": webhook_log.c.started_at,
        "delivery_id": webhook_log.c.delivery_id,
        "event_id": webhook_log.c.event_id,
        "attempt": webhook_log.c.attempt,
        "http_method": webhook_log.c.method,
        "http_status": webhook_log.c.status,
        "answer": webhook_log.c.answer,
        "duration": webhook_log.c.duration,
    },
    details={"event_type": _event_types},
)
