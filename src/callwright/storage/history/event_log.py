"""The log: every account's events in the order they were written, to be read again from any place.

A position is the place of an event in that order: a number of the counter all ids come from, given
when the event is written, by the one writer there is. So positions grow with every commit, over
restarts too, and none is ever given twice; they have gaps. Events of older versions have none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio
from sqlalchemy import Row, exists, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.calls.events import SessionEvent
from callwright.calls.plan import SessionId
from callwright.directory.model import AccountId
from callwright.storage.history.event_codec import decode
from callwright.storage.history.sessions import read_events
from callwright.storage.tables import call_events, call_sessions


@dataclass(frozen=True, slots=True)
class Written:
    """An event that is on disk."""

    position: int
    event: SessionEvent


@dataclass(frozen=True, slots=True)
class Page:
    events: Sequence[Written]
    "In the order of their positions."
    until: int
    "The next page begins after this position."


@dataclass(frozen=True, slots=True)
class StoredEventLog:
    """Reads the log from the database, one reader at a time: calls need connections as well."""

    database: AsyncEngine
    _turn: anyio.Lock = field(default_factory=anyio.Lock)

    async def last(self) -> int:
        """The position of the newest event; 0 if there is none."""
        async with self._turn, self.database.connect() as connection:
            return await connection.scalar(select(func.max(call_events.c.position))) or 0

    async def knows(self, position: int) -> bool:
        """Whether an event of this position is still there, whosever it is."""
        query = select(exists().where(call_events.c.position == position))
        async with self._turn, self.database.connect() as connection:
            return bool(await connection.scalar(query))

    async def has_unplaced(self, account: AccountId) -> bool:
        """Whether an account has events of a version that gave them no positions."""
        # Ids grow, so the oldest session has them if any has.
        oldest = (
            select(call_sessions.c.id)
            .where(call_sessions.c.account_id == account)
            .order_by(call_sessions.c.id)
            .limit(1)
            .scalar_subquery()
        )
        unplaced = exists().where(
            call_events.c.session_id == oldest, call_events.c.position.is_(None)
        )
        async with self._turn, self.database.connect() as connection:
            return bool(await connection.scalar(select(unplaced)))

    async def far_behind(self, after: int, *, at_most: int) -> int | None:
        """Where the newest ``at_most`` events begin; None if no more than that follow ``after``."""
        query = (
            select(call_events.c.position)
            .where(call_events.c.position > after)
            .order_by(call_events.c.position.desc())
            .offset(at_most)
            .limit(1)
        )
        async with self._turn, self.database.connect() as connection:
            return await connection.scalar(query)

    async def page(
        self, account: AccountId, after: int, upto: int, session: SessionId | None, *, at_most: int
    ) -> Page:
        """Read an account's events behind ``after``, up to and with ``upto``; of one session only,
        if one is named. Those this version cannot understand are left out."""
        query = (
            select(call_events)
            .where(
                call_events.c.position > after,
                call_events.c.position <= upto,
                # Not a join: that may be begun with the account's sessions, which are many.
                exists().where(
                    call_sessions.c.id == call_events.c.session_id,
                    call_sessions.c.account_id == account,
                ),
            )
            .order_by(call_events.c.position)
            .limit(at_most)
        )
        if session is not None:
            query = query.where(call_events.c.session_id == session)
        async with self._turn, self.database.connect() as connection:
            rows = (await connection.execute(query)).all()
        until = rows[-1].position if len(rows) == at_most else upto
        return Page([written for row in rows if (written := _written(row))], until)

    async def story(self, session: SessionId, before: int) -> list[SessionEvent]:
        """The events of a session whose numbers are smaller than ``before``."""
        async with self._turn, self.database.connect() as connection:
            story = await read_events(connection, session)
        return [event for event in story if event.sequence < before]


def _written(row: Row[*tuple[object, ...]]) -> Written | None:
    event = decode(SessionId(row.session_id), row.sequence, row.kind, row.data)
    return None if event is None else Written(row.position, event)
