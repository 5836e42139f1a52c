"""Void beginnings: those whose client was told of a failure, while their commit may have succeeded.

A connection that is lost with a COMMIT on its way leaves that open. Nothing has rung and nothing
will, so what may be on record is struck out, before anybody could take it for a call.
"""

from collections.abc import Callable, Iterable, Sequence

import anyio
from sqlalchemy import Connection, delete
from sqlalchemy.exc import DBAPIError

from callwright.calls.plan import SessionId
from callwright.storage.tables import call_events, call_sessions, idempotency_keys

AGAIN_AFTER = 1.0
"Seconds until it is done once more: a server that had stopped still finds the COMMIT waiting."


class VoidBeginnings:
    """``noted`` is called when there is one more; ``clock`` gives seconds, from any start."""

    def __init__(
        self, noted: Callable[[], None], clock: Callable[[], float] = anyio.current_time
    ) -> None:
        self._noted = noted
        self._clock = clock
        self._struck_at: dict[SessionId, float | None] = {}

    def __bool__(self) -> bool:
        return bool(self._struck_at)

    def __contains__(self, session: object) -> bool:
        return session in self._struck_at

    def note(self, sessions: Iterable[SessionId], fault: Exception) -> None:
        """Note what failed, if it is not known to have."""
        if isinstance(fault, DBAPIError) and fault.connection_invalidated:
            self._struck_at.update(dict.fromkeys(sessions))
            self._noted()

    def all(self) -> Sequence[SessionId]:
        return tuple(self._struck_at)

    def due(self) -> bool:
        """Whether any is to be struck out now."""
        latest = self._clock() - AGAIN_AFTER
        return any(at is None or at <= latest for at in self._struck_at.values())

    def settle(self, struck: Iterable[SessionId]) -> None:
        """Called when a transaction that has struck them out is committed."""
        now = self._clock()
        for session in struck:
            at = self._struck_at.get(session)
            if at is None:
                self._struck_at[session] = now
            elif now - at >= AGAIN_AFTER:
                del self._struck_at[session]


def strike(connection: Connection, sessions: Sequence[SessionId]) -> None:
    """Remove what a beginning has written."""
    if sessions:
        for table in (idempotency_keys, call_events):
            connection.execute(delete(table).where(table.c.session_id.in_(sessions)))
        connection.execute(delete(call_sessions).where(call_sessions.c.id.in_(sessions)))
