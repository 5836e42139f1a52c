"""The journal: how what happens in calls reaches the database without a call ever waiting for it.

A session's beginning is written before anything rings, together with the others that are asked for
at the moment. Everything later is queued and written behind, in order. While the database does not
take it, no new session can begin, so what must be kept of the live ones is bounded by their number;
the rest is left out once the queue is full.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from math import inf
from typing import Protocol

import anyio
import anyio.to_thread
from sqlalchemy import Connection
from sqlalchemy.exc import (
    SQLAlchemyError,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.calls.events import (
    CallLost,
    LegAnswered,
    LegEnded,
    LegStarted,
    RecordingReady,
    RecordingStarted,
    SessionEvent,
    SessionFinished,
    SessionStarted,
    TagRemoved,
    TagSet,
    TalkFinished,
    TalkStarted,
    TransferFinished,
)
from callwright.calls.journal import Once
from callwright.calls.plan import SessionId
from callwright.directory.prices import PriceList
from callwright.figures import Figure
from callwright.storage.database import UNWRITABLE, reason, writing
from callwright.storage.history.beginnings import Beginnings
from callwright.storage.history.crash_recovery import closing_events, kept_recordings
from callwright.storage.history.event_log import Written
from callwright.storage.history.sessions import (
    FREE,
    is_of_account,
    read_events,
    unfinished,
    write_events,
)
from callwright.storage.history.void_beginnings import AGAIN_AFTER, VoidBeginnings, strike
from callwright.storage.writer import Writer

log = logging.getLogger(__name__)

QUEUED_AT_MOST = 50_000
"Events that wait before details are left out: some minutes of 200 calls, some 25 MB."
WRITTEN_AT_ONCE = 500
GATHERED_FOR = 0.005
"Seconds events are gathered before they are written: one commit for what a call tells at once."
BETWEEN_WRITES = 0.012
"Seconds from one write to the next at least: one commit for what many calls tell."
FLUSHED_WITHIN = 2.0
"Seconds the journal may still write when the service ends."
CAUGHT_UP_WITHIN = 0.5
"Seconds a reader waits for what has been told to be written."
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0

# What get.call, reports and bills are made of. The rest are details of the timeline.
_ESSENTIAL = (
    LegStarted,
    LegAnswered,
    LegEnded,
    TalkStarted,
    TalkFinished,
    TransferFinished,
    RecordingStarted,
    RecordingReady,
    TagSet,
    TagRemoved,
    CallLost,
    SessionFinished,
)


class Outbox(Protocol):
    """The outbox of webhooks, as far as it is filled in the transaction that writes the events."""

    @property
    def wanted(self) -> bool:
        """Whether there is anybody to put anything for."""
        ...

    def put(self, connection: Connection, events: Sequence[SessionEvent]) -> None:
        """Note, in the transaction that writes them, that these events are to be told."""
        ...

    def wake(self) -> None:
        """Called when the transaction of a `put` is over."""
        ...


class StoredJournal:
    """Keeps `callwright.calls.journal.Journal` and the stories of sessions in the database.

    ``run`` must be running for anything but beginnings to be written. ``next_position`` gives the
    positions of events in the log; without it they have none, and ``readers`` are told nothing.
    ``outbox``: what is put into with the events, where there are webhooks. ``turn``: what writers
    of one process wait for each other at. ``prices``: what legs are charged by.
    """

    def __init__(
        self,
        database: AsyncEngine,
        writer: Writer | None = None,
        *,
        queued_at_most: int = QUEUED_AT_MOST,
        gathered_for: float = GATHERED_FOR,
        next_position: Callable[[], int] | None = None,
        outbox: Outbox | None = None,
        turn: anyio.Lock | None = None,
        prices: PriceList = FREE,
    ) -> None:
        self._prices = prices
        self.left_out = 0
        "Details of timelines that were never written because the queue was full."
        self.readers: list[Callable[[Sequence[Written]], None]] = []
        "Called with what has been written, at once and in order; must neither wait nor raise."
        self._next_position = next_position
        self._database = database
        self._writer = writer or Writer(database)
        self._queued_at_most = queued_at_most
        self._gathered_for = gathered_for
        self._queue: deque[SessionEvent] = deque()
        self._filled = anyio.Event()
        self._closing = anyio.Event()
        self._wanted = anyio.Event()
        "Somebody waits for what is being gathered."
        self._wrote = anyio.Event()
        self._queued_so_far = self._written_so_far = 0
        # Writers of one process wait for each other here, in order, rather than by SQLite's
        # polling, which is unfair and slow.
        self._turn = turn or anyio.Lock()
        self._void = VoidBeginnings(lambda: self._filled.set())
        self._beginnings = Beginnings(
            self._writer, self._turn, self._positions, self._tell, self._void
        )
        self._outbox = outbox
        self._may_write_at = 0.0
        self._one_by_one = 0
        self._noted_as_full = False

    @property
    def queued(self) -> int:
        """Events that are not written yet."""
        return len(self._queue)

    def figures(self) -> Iterator[Figure]:
        """See `callwright.figures.Measured`."""
        yield Figure(
            "callwright_journal_queue", "Events that are not written yet.", len(self._queue)
        )
        yield Figure(
            "callwright_journal_left_out_total",
            "Details of timelines that were never written because the queue was full.",
            self.left_out,
        )

    async def begin(self, started: SessionStarted, once: Once | None = None) -> None:
        """Write the session's row and first event; they are on disk when this returns.

        Raises `JournalUnavailable`, at the latest after twice the database's busy timeout. Once
        the write has begun, a cancellation waits for it: a session is on record or it is not.
        """
        await self._beginnings.begin(started, once)

    def is_void(self, session: SessionId) -> bool:
        """Whether a session that may be on record was never begun: its client was told so."""
        return session in self._void

    def hear(self, event: SessionEvent) -> None:
        """Queue an event. When the queue is full, details are left out and counted."""
        if isinstance(event, _ESSENTIAL) or len(self._queue) < self._queued_at_most:
            self._queue.append(event)
            self._queued_so_far += 1
            self._filled.set()
            return
        self.left_out += 1
        if not self._noted_as_full:
            self._noted_as_full = True
            log.error("%s events wait for the database: details are left out", len(self._queue))

    async def catch_up(self) -> None:
        """Wait until what has been heard by now is written, for `CAUGHT_UP_WITHIN` at most.

        For readers of the database, who are not to miss a call that they know is over.
        """
        told = self._queued_so_far
        with anyio.move_on_after(CAUGHT_UP_WITHIN):
            while self._written_so_far < told:
                self._wanted.set()
                await self._wrote.wait()

    async def run(self) -> None:
        """Write what is heard until cancelled, then what is left, for `FLUSHED_WITHIN` seconds."""
        async with anyio.create_task_group() as group:
            writer = anyio.CancelScope(shield=True)
            group.start_soon(self._write_until_closed, writer)
            try:
                await anyio.sleep_forever()
            finally:
                writer.deadline = anyio.current_time() + FLUSHED_WITHIN
                self._closing.set()
                self._wanted.set()
                self._filled.set()

    async def close_unfinished(
        self,
        lasted: Callable[[str], float | None] = lambda file_name: None,
        alive: datetime | None = None,
    ) -> list[SessionFinished]:
        """Give every session without a verdict its end, and return those verdicts.

        For the start of the service, before calls: what is unfinished then, a crash has cut off.
        ``lasted`` tells of the file of a recording how many seconds it holds, None if it holds
        none; called in a thread. ``alive``: when the service lived last, if that is known.
        """
        verdicts = []
        async with writing(self._database) as connection:
            for session, started_at in await unfinished(connection):
                story = await read_events(connection, session)
                kept = await anyio.to_thread.run_sync(kept_recordings, story, lasted)
                events = closing_events(session, started_at, story, kept, alive)
                positions = self._positions(len(events))
                await connection.run_sync(write_events, events, positions)
                if self._outbox and self._outbox.wanted:
                    await connection.run_sync(self._outbox.put, events)
                verdicts += [one for one in events if isinstance(one, SessionFinished)]
        for verdict in verdicts:
            log.warning("%s closed: %s", verdict.session, verdict.detail)
        return verdicts

    def queued_recording(self, recording: int) -> str | None:
        """The file of a recording that is ready, if that is not written yet."""
        return next(
            (
                event.file_name
                for event in self._queue
                if isinstance(event, RecordingReady) and event.recording == recording
            ),
            None,
        )

    async def events_of(self, session: SessionId, account: int) -> list[SessionEvent] | None:
        """Return a session's story so far; None if the account has no such session."""
        # Before the database is read: an event is in the queue until after it has been written.
        queued = [event for event in self._queue if event.session == session]
        async with self._database.connect() as connection:
            if not await is_of_account(connection, session, account):
                return None
            story = await read_events(connection, session)
        written = {event.sequence for event in story}
        story += [event for event in queued if event.sequence not in written]
        return story

    async def _write_until_closed(self, scope: anyio.CancelScope) -> None:
        pause = FIRST_PAUSE
        with scope:
            while self._queue or not self._closing.is_set():
                if not self._queue and not self._void.due():
                    with anyio.move_on_after(AGAIN_AFTER if self._void else inf):
                        await self._filled.wait()
                    self._filled = anyio.Event()
                    await self._gather()
                    continue
                fault = await self._write_some()
                if fault is None:
                    pause = FIRST_PAUSE
                    continue
                log.warning("%s events wait for the database: %s", len(self._queue), fault)
                await self._pause(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        if self._queue:
            log.error(
                "%s events could not be written; the next start closes their sessions",
                len(self._queue),
            )

    async def _gather(self) -> None:
        if not self._gathered_for:
            return
        loop = asyncio.get_running_loop()
        ready = max(loop.time() + self._gathered_for, self._may_write_at)
        # A time limit would do as well, but it ends in a cancellation, which costs more than this.
        timer = loop.call_at(ready, self._wanted.set)
        try:
            await self._wanted.wait()
        finally:
            timer.cancel()
        if not self._closing.is_set():
            self._wanted = anyio.Event()

    async def _pause(self, seconds: float) -> None:
        if self._closing.is_set():
            await anyio.sleep(FIRST_PAUSE)
            return
        with anyio.move_on_after(seconds):
            await self._closing.wait()

    async def _write_some(self) -> str | None:
        """Write the oldest events. Returns why that is impossible for now, or None."""
        batch = list(islice(self._queue, 1 if self._one_by_one else WRITTEN_AT_ONCE))
        try:
            await self._write(batch)
        except UNWRITABLE as fault:
            if len(batch) > 1:
                self._one_by_one = len(batch)
                return None
            log.error(
                "%s: event %s, %s, is lost, it cannot be written: %s",
                batch[0].session,
                batch[0].sequence,
                type(batch[0]).__name__,
                reason(fault),
            )
        except SQLAlchemyError as fault:
            return reason(fault)
        self._may_write_at = anyio.current_time() + BETWEEN_WRITES
        for _ in batch:
            self._queue.popleft()
        self._written_so_far += len(batch)
        self._wrote.set()
        self._wrote = anyio.Event()
        self._one_by_one = max(0, self._one_by_one - len(batch))
        if self._noted_as_full and len(self._queue) < self._queued_at_most // 2:
            self._noted_as_full = False
            log.warning("the database takes events again; %s details are missing", self.left_out)
        return None

    async def _write(self, events: Sequence[SessionEvent]) -> None:
        outbox = self._outbox if events and self._outbox and self._outbox.wanted else None
        async with self._turn:
            # Taken in turn: positions grow in the order of the commits.
            positions = self._positions(len(events))
            void = self._void.all()

            def work(connection: Connection) -> None:
                strike(connection, void)
                if events:
                    write_events(connection, events, positions, self._prices)
                if outbox:
                    outbox.put(connection, events)

            await self._writer.write(work)
            self._void.settle(void)
            self._tell(events, positions)
        if outbox:
            outbox.wake()

    def _positions(self, count: int) -> list[int | None]:
        return [self._next_position() if self._next_position else None for _ in range(count)]

    def _tell(self, events: Sequence[SessionEvent], positions: Sequence[int | None]) -> None:
        written = [
            Written(position, event)
            for position, event in zip(positions, events, strict=True)
            if position is not None
        ]
        for reader in self.readers:
            reader(written)
