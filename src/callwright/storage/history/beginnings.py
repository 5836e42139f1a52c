"""Beginnings of sessions, written before anything rings, together with the others of the moment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

import anyio
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from callwright.calls.events import SessionEvent, SessionStarted
from callwright.calls.journal import JournalUnavailable, Once
from callwright.storage.database import BUSY_TIMEOUT, UNWRITABLE, reason
from callwright.storage.history.idempotency import keep_key
from callwright.storage.history.sessions import insert_session
from callwright.storage.history.void_beginnings import VoidBeginnings, strike
from callwright.storage.writer import Writer


@dataclass(slots=True, eq=False)
class _Beginning:
    started: SessionStarted
    once: Once | None
    patience: anyio.CancelScope
    "In which its client waits; shielded once it is being written."
    fault: Exception | None = None


class Beginnings:
    """Writes the row and the first event of sessions.

    ``turn``: what writers of one process wait for each other at. ``positions`` gives so many places
    in the log, called when it is our turn; ``tell`` is told what has been written, at which places.
    ``void``: those that are to be struck out.
    """

    def __init__(
        self,
        writer: Writer,
        turn: anyio.Lock,
        positions: Callable[[int], list[int | None]],
        tell: Callable[[Sequence[SessionEvent], Sequence[int | None]], None],
        void: VoidBeginnings,
    ) -> None:
        self._writer = writer
        self._turn = turn
        self._positions = positions
        self._tell = tell
        self._void = void
        self._waiting: list[_Beginning] = []

    async def begin(self, started: SessionStarted, once: Once | None) -> None:
        """See `StoredJournal.begin`."""
        patience = anyio.CancelScope(deadline=anyio.current_time() + BUSY_TIMEOUT)
        beginning = _Beginning(started, once, patience)
        self._waiting.append(beginning)
        try:
            with patience:
                async with self._turn:
                    if beginning in self._waiting:
                        await self._write_all()
        finally:
            if beginning in self._waiting:
                self._waiting.remove(beginning)
        if patience.cancelled_caught:
            raise JournalUnavailable("the database does not take what was there before")
        if beginning.fault:
            raise JournalUnavailable(
                f"the database does not take it: {reason(beginning.fault)}"
            ) from beginning.fault

    async def _write_all(self) -> None:
        """Write all that wait, in one transaction; whoever has the turn does so for the others."""
        group, self._waiting = self._waiting, []
        for beginning in group:
            beginning.patience.shield = True
            beginning.patience.deadline = inf
        fault = await self._write(group)
        if isinstance(fault, UNWRITABLE) and len(group) > 1:
            for beginning in group:
                beginning.fault = await self._write([beginning])
            return
        for beginning in group:
            beginning.fault = fault

    async def _write(self, group: Sequence[_Beginning]) -> Exception | None:
        positions = self._positions(len(group))
        void = self._void.all()

        def work(connection: Connection) -> None:
            strike(connection, void)
            for beginning, position in zip(group, positions, strict=True):
                insert_session(connection, beginning.started, position)
                if beginning.once:
                    keep_key(connection, beginning.started, beginning.once)

        try:
            await self._writer.write(work)
        except (SQLAlchemyError, ValueError) as fault:
            self._void.note((beginning.started.session for beginning in group), fault)
            return fault
        self._void.settle(void)
        self._tell([beginning.started for beginning in group], positions)
        return None
