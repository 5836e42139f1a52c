"""Manual deliveries: a sample to a webhook, or once more what was sent before.

One attempt each, which is not repeated and goes past the order of events.
"""

from dataclasses import replace
from datetime import datetime

from callwright.config import WebhookSettings
from callwright.directory.webhook import Webhook
from callwright.notify.http_sender import SendResult, WebhookSender, attempt_of, webhook_client
from callwright.notify.message import Endpoint, WebhookMessage
from callwright.public_events.sample import sample
from callwright.public_events.template import Form
from callwright.storage.webhooks.webhook_log import Attempt, AttemptOutcome

USUAL_SAMPLE = "session.finished"


async def send_sample(
    settings: WebhookSettings, webhook: Webhook, event_type: str | None, now: datetime
) -> Attempt:
    """Send a sample event, signed like any other; None: of a type that is sent to this webhook."""
    endpoint = Endpoint.of(webhook)
    notice = sample(event_type or _usual_type(webhook), webhook.account, now)
    delivery_id = endpoint.delivery_id(notice.event_id)
    message = endpoint.message(notice, delivery_id)
    result = await _send(settings, webhook, delivery_id, message)
    outcome = _outcome(result)
    return attempt_of(webhook, notice, delivery_id, message, result, now, number=0, outcome=outcome)


async def send_again(
    settings: WebhookSettings, webhook: Webhook, before: Attempt, now: datetime
) -> Attempt:
    """Send what was sent before, under the same id, to where the webhook is now."""
    message = WebhookMessage(Form(before.form), before.content)
    result = await _send(settings, webhook, before.delivery_id, message)
    return replace(
        before,
        webhook_name=webhook.name,
        number=0,
        outcome=_outcome(result),
        verb=webhook.verb,
        url=webhook.url,
        started_at=now,
        duration=result.duration,
        status=result.status,
        answer=result.answer,
        error_type=result.error_type,
        error_message=result.error_message,
    )


def _usual_type(webhook: Webhook) -> str:
    types = sorted(webhook.event_types)
    return USUAL_SAMPLE if not types or USUAL_SAMPLE in types else types[0]


def _outcome(result: SendResult) -> AttemptOutcome:
    return AttemptOutcome.SENT if result.taken else AttemptOutcome.GIVEN_UP


async def _send(
    settings: WebhookSettings, webhook: Webhook, delivery_id: str, message: WebhookMessage
) -> SendResult:
    async with webhook_client(settings) as client:
        return await WebhookSender(client, within=settings.within).send(
            webhook, delivery_id, message
        )
