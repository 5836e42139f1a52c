"""Webhook messages: what a webhook is told of an event, in its own words or in ours."""

import json
from dataclasses import dataclass
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from callwright.directory.webhook import Verb, Webhook
from callwright.public_events.notice import Notice
from callwright.public_events.parameters import Sending, read_template_of, values_of
from callwright.public_events.template import Form, Template


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    form: Form
    text: str
    "Body of a POST, query of a GET."


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A webhook whose template has been read."""

    webhook: Webhook
    template: Template | None

    @classmethod
    def of(cls, webhook: Webhook) -> "Endpoint":
        """Raises `callwright.public_events.template.TemplateFault`."""
        text = webhook.template
        return cls(webhook, None if text is None else read_template_of(text, webhook.verb))

    def wants(self, event_type: str) -> bool:
        return not self.webhook.event_types or event_type in self.webhook.event_types

    def delivery_id(self, event_id: str) -> str:
        """The id of an event's delivery: the same however often it is sent, also after a crash."""
        return f"wh{self.webhook.id}-{event_id}"

    def message(self, notice: Notice, delivery_id: str) -> WebhookMessage:
        if self.template is not None:
            zone = ZoneInfo(self.webhook.timezone)
            values = values_of(Sending(notice, self.webhook.name, delivery_id, zone))
            return WebhookMessage(self.template.form, self.template.render(values))
        told = {"delivery_id": delivery_id, **notice.as_json()}
        if self.webhook.verb is Verb.POST:
            return WebhookMessage(Form.JSON, _json(told))
        pairs = {
            name: value if isinstance(value, str) else _json(value) for name, value in told.items()
        }
        return WebhookMessage(Form.PAIRS, urlencode(pairs))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
