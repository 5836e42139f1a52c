"""Parameters of templates: what they are for an event."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from callwright.directory.model import AccountId
from callwright.public_events.parameters import Sending, values_of
from callwright.public_events.sample import sample

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("method", "source"),
    [
        ("inbound", "va"),
        ("phone", "sip"),
        ("start.employee_call", "callapi"),
        ("start.informer_call", "callapi"),
    ],
)
def test_where_a_session_comes_from(method: str, source: str) -> None:
    notice = sample("session.finished", AccountId(1), NOW)
    of_method = replace(notice, data={**notice.data, "method": method})
    sending = Sending(of_method, "hook", "wh1", ZoneInfo("Europe/Moscow"))
    assert values_of(sending)["call_source"] == source
