"""What every session event has: whose it is, its place among them, and its time."""

from dataclasses import dataclass
from datetime import datetime

from callwright.calls.plan import SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    session: SessionId
    sequence: int
    time: datetime
    "UTC, aware."
    offset: float
    "Seconds since the session began, by a clock that is never set back."
