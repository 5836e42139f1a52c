"""docs/webhooks.md: its sample verifies what is sent, and its table names every parameter."""

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from callwright.directory.model import AccountId
from callwright.directory.webhook import Verb, Webhook, WebhookId, new_secret
from callwright.notify.message import Endpoint
from callwright.notify.signing import signed
from callwright.public_events.catalogue import TYPES
from callwright.public_events.parameters import FACTS, OWN, PARAMETERS, Sending, values_of
from callwright.public_events.sample import FACTS as SAMPLES
from callwright.public_events.sample import sample

TEXT = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text("utf-8")
NOW = datetime(2026, 5, 1, 12, 0, 4, 250_000, tzinfo=UTC)


def is_from_callwright() -> Any:
    [code] = re.findall(r"^```python\n(.*?)^```", TEXT, re.DOTALL | re.M)
    names: dict[str, Any] = {}
    exec(code, names)
    return names["is_from_callwright"]


def headers(body: bytes, *secrets: str, ago: float = 0) -> dict[str, str]:
    moment = datetime.fromtimestamp(time.time() - ago, UTC)
    return {n.decode(): v.decode() for n, v in signed("wh1-5-2", moment, body, secrets)}


def test_the_sample_verifies_what_is_sent() -> None:
    verify, secret, body = is_from_callwright(), new_secret(), '{"a": "б"}'.encode()
    assert verify(headers(body, secret), body, secret)
    assert verify(headers(body, new_secret(), secret), body, secret)
    assert not verify(headers(body, secret), body + b" ", secret)
    assert not verify(headers(body, secret), body, new_secret())
    assert not verify(headers(body, secret, ago=400), body, secret)


def test_the_table_names_every_parameter() -> None:
    assert sorted(re.findall(r"^\| `(\w+)` \|", TEXT.partition("## Templates")[2], re.M)) == sorted(
        PARAMETERS
    )
    assert not set(OWN) & set(FACTS)


def test_there_is_a_sample_of_every_fact() -> None:
    assert {*SAMPLES, "start_time"} == set(FACTS)


def webhook(**fields: object) -> Webhook:
    facts: dict[str, Any] = {
        "id": WebhookId(1),
        "account": AccountId(1),
        "name": "crm",
        "url": "https://crm.example.com/",
        "verb": Verb.POST,
        "event_types": frozenset(),
        "active": True,
        "template": None,
        "secret": new_secret(),
    }
    return Webhook(**{**facts, **fields})


@pytest.mark.parametrize("event_type", TYPES)
@pytest.mark.parametrize("verb", Verb)
def test_every_type_can_be_told(event_type: str, verb: Verb) -> None:
    endpoint = Endpoint.of(webhook(verb=verb))
    message = endpoint.message(sample(event_type, AccountId(1), NOW), "wh1-test")
    assert event_type in message.text
    assert "wh1-test" in message.text


def test_own_parameters() -> None:
    notice = sample("session.finished", AccountId(7), NOW)
    values = values_of(Sending(notice, "crm", "wh1-x", ZoneInfo("Europe/Moscow")))
    assert {name: values[name] for name in OWN if name != "data"} == {
        "delivery_id": "wh1-x",
        "event_id": notice.event_id,
        "sequence": 1,
        "notification_mnemonic": "session.finished",
        "notification_name": "crm",
        "notification_time": "2026-05-01 15:00:04.250",
        "notification_timestamp": int(NOW.timestamp()),
        "app_id": 7,
        "call_session_id": 1,
        "communication_id": 1,
        "communication_type": "call",
        "external_id": "test",
        "call_source": "callapi",
        "finish_time": "2026-05-01T12:00:04.250Z",
    }
    assert values["data"] == notice.data
    earlier = sample("talk.started", AccountId(7), NOW - timedelta(seconds=1))
    told = values_of(Sending(earlier, "crm", "wh1-x", ZoneInfo("UTC")))
    assert told["finish_time"] is None
    assert "total_time_duration" not in told
