"""HTTP sender of webhooks: one signed request, and what came of it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from callwright.clock import utc_now
from callwright.config import WebhookSettings
from callwright.directory.webhook import Verb, Webhook
from callwright.hooks.answer import HttpAnswer, NotReached
from callwright.hooks.client import HookClient
from callwright.notify.message import WebhookMessage
from callwright.notify.signing import signed
from callwright.public_events.notice import Notice
from callwright.storage.webhooks.webhook_log import Attempt, AttemptOutcome

ANSWER_KEPT = 2000
"Bytes of an answer that are read, and characters of it that are kept."
PUT_OFF_AT_MOST = 3600.0
"Seconds a receiver may ask us to wait for."


@dataclass(frozen=True, slots=True)
class SendResult:
    duration: float
    "Seconds."
    status: int | None = None
    "Of HTTP; None: there was no answer."
    answer: str | None = None
    error_type: str | None = None
    "None: the receiver has taken it."
    error_message: str | None = None
    put_off: float = 0.0
    "Seconds the receiver asks us to wait for (RFC 9110 section 10.2.3)."

    @property
    def taken(self) -> bool:
        return self.error_type is None


class WebhookSender:
    """``within``: seconds a receiver has to answer.

    ``now`` is the time that is signed. Receivers compare it with theirs, so it is never that of a
    clock that runs faster.
    """

    def __init__(
        self,
        client: HookClient,
        *,
        within: float,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._client = client
        self._within = within
        self._now = now

    async def send(self, webhook: Webhook, delivery_id: str, message: WebhookMessage) -> SendResult:
        """Make the request. Every 2xx takes it; nothing is raised."""
        now = self._now()
        content = message.text.encode()
        headers = signed(delivery_id, now, content, webhook.secrets(now))
        url, body = webhook.url, b""
        match webhook.verb:
            case Verb.POST:
                headers.append((b"content-type", f"{message.form}; charset=utf-8".encode()))
                body = content
            case Verb.GET:
                url += ("&" if "?" in url else "?") + message.text
        began = time.monotonic()
        try:
            answer = await self._client.send(
                webhook.verb.value, url, headers, body, within=self._within, at_most=ANSWER_KEPT
            )
        except NotReached as fault:
            spent = time.monotonic() - began
            return SendResult(spent, error_type=fault.fault.value, error_message=str(fault))
        return _result(answer, time.monotonic() - began)


def _result(answer: HttpAnswer, duration: float) -> SendResult:
    # Neither database takes NUL everywhere.
    text = answer.body.decode(errors="replace").replace("\0", "\ufffd")
    if 200 <= answer.status < 300:
        return SendResult(duration, answer.status, text)
    return SendResult(
        duration,
        answer.status,
        text,
        error_type="http_status",
        error_message=f"it answered {answer.status}",
        put_off=_retry_after(answer.headers),
    )


def _retry_after(headers: Sequence[tuple[bytes, bytes]]) -> float:
    """Read the seconds of a Retry-After; dates are passed over."""
    for name, value in headers:
        if name.lower() == b"retry-after" and value.isdigit() and len(value) < 10:
            return min(float(value), PUT_OFF_AT_MOST)
    return 0.0


def attempt_of(
    webhook: Webhook,
    notice: Notice,
    delivery_id: str,
    message: WebhookMessage,
    result: SendResult,
    began: datetime,
    *,
    number: int,
    outcome: AttemptOutcome,
) -> Attempt:
    """Put an attempt in the words of the log."""
    return Attempt(
        webhook=webhook.id,
        webhook_name=webhook.name,
        account=webhook.account,
        session=notice.session,
        event_id=notice.event_id,
        event_type=notice.type,
        event_time=notice.time,
        delivery_id=delivery_id,
        number=number,
        outcome=outcome,
        verb=webhook.verb,
        url=webhook.url,
        form=message.form.value,
        content=message.text,
        started_at=began,
        duration=result.duration,
        status=result.status,
        answer=result.answer,
        error_type=result.error_type,
        error_message=result.error_message,
    )


def webhook_client(settings: WebhookSettings) -> HookClient:
    """What requests to webhooks are made with; to be entered before anything is sent."""
    return HookClient(allow_private=settings.allow_private, connections_at_most=settings.parallel)
