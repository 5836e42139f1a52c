"""Notices: what the outside is told of a call, in the form it is told in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from callwright.calls.plan import SessionId
from callwright.directory.model import AccountId


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
