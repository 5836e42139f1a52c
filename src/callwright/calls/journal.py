"""The journal's interface: what calls ask of storage, without the database that keeps it."""

from dataclasses import dataclass
from typing import Protocol

from callwright.calls.events import SessionEvent, SessionStarted
from callwright.calls.plan import SessionId


class JournalUnavailable(Exception):
    """The session could not be put on record (database locked, disk full): nothing is rung."""


@dataclass(frozen=True, slots=True)
class Once:
    """Marks a request that is to begin one session only, however often it is sent."""

    key: str
    "The client's, unique in the account."
    fingerprint: str
    "Tells a repeat from another request with the same key."


@dataclass(frozen=True, slots=True)
class Begun:
    """A session that such a request has begun."""

    session: SessionId
    fingerprint: str


class Journal(Protocol):
    async def begin(self, started: SessionStarted, once: Once | None = None) -> None:
        """Put a session on record before anything rings, and with it what began it, if marked.

        Raises `JournalUnavailable`.
        """

    def hear(self, event: SessionEvent) -> None:
        """Take every later event; written behind the call's back, in order."""
