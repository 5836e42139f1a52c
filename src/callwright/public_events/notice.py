"""Public events (notices): what the outside is told of a call, in the form it is told in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from pydantic import JsonValue

from callwright.calls.plan import SessionId
from callwright.directory.model import AccountId
from callwright.public_events.payloads import RecordingReadyPayload

RecordingLink: TypeAlias = Callable[[int], str]
"Where a recording is fetched, by its id. See `callwright.downloads.links`."


@dataclass(frozen=True, slots=True)
class Notice:
    """One public event; `callwright.public_events.catalogue` says which there are."""

    event_id: str
    "``<session>-<sequence>``: the same whenever, and however often, the event is told."
    type: str
    "A past participle: ``leg.answered``."
    account: AccountId
    "Whose event it is; nobody else's business, and not told."
    session: SessionId
    sequence: int
    """Place among the events of the session, from 1. Numbers are missing where something happened
    that is nobody's business outside."""
    time: datetime
    "UTC, aware."
    external_id: str | None
    "What the client gave the session at its start."
    data: Mapping[str, JsonValue]
    "Facts of the call and of this event."

    def as_json(self) -> dict[str, JsonValue]:
        """Return the notice as it is sent; ``time`` is ISO 8601, UTC, with milliseconds."""
        return {
            "event_id": self.event_id,
            "type": self.type,
            "sequence": self.sequence,
            "time": iso(self.time),
            "call_session_id": self.session,
            "external_id": self.external_id,
            "data": dict(self.data),
        }


def iso(time: datetime) -> str:
    """Write an aware UTC time with milliseconds: ``2026-05-01T12:00:00.250Z``."""
    return time.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def linked(notice: Notice, link: RecordingLink | None) -> Notice:
    """Return the notice as it is to be sent: that of a recording says where its file is fetched.

    A link holds for a while only, so it is made when a notice is sent, not when it is thought of:
    what is told again days later has a good one, too. Without ``link`` there is none.
    """
    recording = notice.data.get("recording_id")
    if link is None or notice.type != RecordingReadyPayload.type or not isinstance(recording, int):
        return notice
    return replace(notice, data={**notice.data, "file_link": link(recording)})
