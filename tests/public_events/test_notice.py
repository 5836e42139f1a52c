from datetime import UTC, datetime

import pytest

from callwright.calls.plan import SessionId
from callwright.directory.model import AccountId
from callwright.public_events.notice import Notice, linked


def notice(kind: str) -> Notice:
    data = {"recording_id": 9, "file_link": None}
    moment = datetime(2026, 5, 1, tzinfo=UTC)
    return Notice("1-2", kind, AccountId(1), SessionId(1), 2, moment, None, data)


def test_a_recording_that_is_ready_says_where_it_is_fetched() -> None:
    sent = linked(notice("recording.ready"), lambda recording: f"https://example.com/{recording}")
    assert sent.data == {"recording_id": 9, "file_link": "https://example.com/9"}
    assert sent.event_id == "1-2"


@pytest.mark.parametrize("kind", ["recording.started", "recording.failed"])
def test_other_notices_stay_as_they_are(kind: str) -> None:
    told = notice(kind)
    assert linked(told, lambda recording: "https://example.com/") is told


def test_without_a_link_there_is_none() -> None:
    assert linked(notice("recording.ready"), None).data["file_link"] is None
