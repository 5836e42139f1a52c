"""The record a session leaves: what calls ask of storage, without the database that keeps it."""

from typing import Protocol

from callwright.calls.events import SessionEvent, SessionStarted


class JournalUnavailable(Exception):
    """The session could not be put on record (database locked, disk full): nothing is rung."""


class Journal(Protocol):
    async def begin(self, started: SessionStarted) -> None:
        """Put a session on record before anything rings. Raises `JournalUnavailable`."""

    def hear(self, event: SessionEvent) -> None:
        """Take every later event; written behind the call's back, in order."""
