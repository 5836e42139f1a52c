"""Transactional outbox: of which sessions a webhook has something still to be told.

The events themselves stand in the journal already, so a row here is a pointer: session, webhook,
and the last event that is done with. It is written in the transaction that writes the events, and
goes when nothing is left. One row to a session and webhook keeps the session's events in order. A
call of an account without webhooks costs nothing here.
"""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import anyio
from sqlalchemy import (
    Connection,
    Integer,
    bindparam,
    delete,
    exists,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from callwright.calls.events import SessionEvent
from callwright.calls.plan import SessionId
from callwright.clock import utc_now
from callwright.directory.webhook import Webhook, WebhookId
from callwright.storage.database import reason
from callwright.storage.history.sessions import read_events_at_hand
from callwright.storage.prepared_writes import PreparedWrite, postgresql_insert
from callwright.storage.synchronous_reads import (
    PreparedStatement,
    ReadRow,
    RowsAtHand,
    Values,
)
from callwright.storage.tables import call_events, call_sessions, webhook_outbox, webhooks
from callwright.storage.webhooks.stored import StoredWebhooks
from callwright.storage.webhooks.webhook_log import Attempt, is_logged, trim, write_attempts
from callwright.storage.writer import Writer

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0
"Seconds between attempts to write to a database that does not take it."


@dataclass(frozen=True, slots=True)
class WaitingSession:
    """A session of which a webhook has something still to be told."""

    webhook: WebhookId
    session: SessionId
    after: int
    "Sequence number of the last event that is done with."
    queued_at: datetime
    due_at: datetime
    "Not to be tried before."
    attempts: int = 0
    "Failed ones of the next event."
    failing_since: datetime | None = None
    "The first of the failed attempts since something was taken."


@dataclass(frozen=True, slots=True)
class DeliveryStep:
    """What has become of one, to be written down."""

    waiting: WaitingSession
    "As it is now."
    attempts: Sequence[Attempt] = ()
    "For the log."
    finished: bool = False
    "Nothing is left after ``waiting.after``, unless something has come in the meantime."


class OutboxUnavailable(Exception):
    """The database does not do what it is asked at the moment."""


_KEY = (webhook_outbox.c.session_id == bindparam("of_session")) & (
    webhook_outbox.c.webhook_id == bindparam("of_webhook")
)
_MOVE = PreparedWrite(
    update(webhook_outbox)
    .where(_KEY)
    .values({name: bindparam(name) for name in ("after", "attempts", "failing_since", "due_at")})
)
_FINISH = PreparedWrite(
    delete(webhook_outbox).where(
        _KEY,
        ~exists().where(
            call_events.c.session_id == webhook_outbox.c.session_id,
            call_events.c.sequence > webhook_outbox.c.after,
        ),
    )
)
_OF_WEBHOOK = webhook_outbox.c.webhook_id == bindparam("of_webhook")
_AT_MOST = bindparam("at_most", type_=Integer)
_DUE = PreparedStatement(
    select(webhook_outbox)
    .where(_OF_WEBHOOK, webhook_outbox.c.due_at <= bindparam("by"))
    .order_by(webhook_outbox.c.due_at, webhook_outbox.c.session_id)
    .limit(_AT_MOST)
)
_OLDER = PreparedStatement(
    select(webhook_outbox)
    .where(_OF_WEBHOOK, webhook_outbox.c.queued_at <= bindparam("before"))
    .limit(_AT_MOST)
)
_NEXT_DUE = PreparedStatement(
    select(func.min(webhook_outbox.c.due_at).label("due_at")).where(
        _OF_WEBHOOK, webhook_outbox.c.due_at > bindparam("later_than")
    )
)
_ROWS = (
    select(
        call_sessions.c.id,
        webhooks.c.id,
        bindparam("done", type_=webhook_outbox.c.after.type),
        literal(0),
        bindparam("now", type_=webhook_outbox.c.queued_at.type),
        bindparam("now", type_=webhook_outbox.c.due_at.type),
    )
    .join(webhooks, webhooks.c.account_id == call_sessions.c.account_id)
    .where(call_sessions.c.id == bindparam("of_session"), webhooks.c.active)
)

_INTO = ("session_id", "webhook_id", "after", "attempts", "queued_at", "due_at")
_PUT = PreparedWrite(
    sqlite.insert(webhook_outbox).from_select(_INTO, _ROWS).on_conflict_do_nothing(),
    elsewhere=lambda: (
        postgresql_insert(webhook_outbox).from_select(_INTO, _ROWS).on_conflict_do_nothing()
    ),
)


class StoredOutbox:
    """``turn``: what writers of this process wait for each other at."""

    def __init__(
        self,
        database: AsyncEngine,
        writer: Writer,
        turn: anyio.Lock,
        now: Callable[[], datetime] = utc_now,
        rows: RowsAtHand | None = None,
    ) -> None:
        self.wanted = False
        "Whether any webhook is active, as far as this process knows."
        self.listeners: list[Callable[[], None]] = []
        "Called when something has been put, and is on disk."
        self._database = database
        self._writer = writer
        self._rows = rows or RowsAtHand(database)
        self._webhooks = StoredWebhooks(database)
        self._turn = turn
        self._now = now
        # Reading is to leave connections to those who make calls.
        self._reader = anyio.Lock()
        self._steps: list[tuple[DeliveryStep, anyio.Event]] = []
        self._unheard = 0
        "How many were being written when the database was lost: they may be there."
        self.untrimmed = 0
        "Attempts that were written to the log since it was trimmed."

    async def webhooks(self) -> list[Webhook]:
        """Return all active webhooks; from then on, what is put is put for them."""
        active = [one for one in await self._webhooks.all() if one.active]
        self.wanted = bool(active)
        return active

    def put(self, connection: Connection, events: Sequence[SessionEvent]) -> None:
        """Note, in the transaction that writes them, that these events are to be told."""
        first: dict[SessionId, int] = {}
        for event in events:
            first.setdefault(event.session, event.sequence)
        now = self._now()
        rows = [
            # The first event of all is written by itself before anything rings, and goes with the
            # second. A row that is there keeps its place, which is before this one.
            {"of_session": session, "done": 0 if sequence <= 2 else sequence - 1, "now": now}
            for session, sequence in first.items()
        ]
        _PUT.carry_out(connection, rows)

    def wake(self) -> None:
        """Tell the listeners that the transaction of a `put` is over."""
        for listener in self.listeners:
            listener()

    async def due(self, webhook: WebhookId, by: datetime, *, at_most: int) -> list[WaitingSession]:
        """Return what may be tried for a webhook by then, what is due first first."""
        found = await self._read(_DUE, {"of_webhook": webhook, "by": by, "at_most": at_most})
        return [_waiting(row) for row in found]

    async def older(
        self, webhook: WebhookId, before: datetime, *, at_most: int
    ) -> list[WaitingSession]:
        """Return what has waited for a webhook since before then."""
        values: Values = {"of_webhook": webhook, "before": before, "at_most": at_most}
        return [_waiting(row) for row in await self._read(_OLDER, values)]

    async def count(self, *, at_most: int) -> int:
        """Count what waits for all webhooks together, as far as ``at_most``."""
        some = select(literal(1)).select_from(webhook_outbox).limit(at_most).subquery()
        query = select(func.count()).select_from(some)
        try:
            async with self._reading() as connection:
                return (await connection.execute(query)).scalar_one()
        except SQLAlchemyError as fault:
            raise OutboxUnavailable(_said(fault)) from fault

    async def next_due(self, webhook: WebhookId, after: datetime) -> datetime | None:
        """Return when the next one may be tried that may not be tried yet."""
        [row] = await self._read(_NEXT_DUE, {"of_webhook": webhook, "later_than": after})
        found: datetime | None = row.due_at
        return found

    async def story(self, session: SessionId) -> list[SessionEvent]:
        """Return a session's events so far; none if the session has been removed."""
        try:
            return await read_events_at_hand(self._rows, session)
        except SQLAlchemyError as fault:
            raise OutboxUnavailable(_said(fault)) from fault

    async def note(self, step: DeliveryStep) -> None:
        """Write a step down; it is on disk when this returns, however long that takes.

        Whoever has the turn writes for all who wait for it, in one transaction.
        """
        written = anyio.Event()
        self._steps.append((step, written))
        await self._flush_until(written)

    async def flush(self) -> None:
        """Write down the steps whose noting was cut short."""
        if self._steps:
            await self._flush_until(self._steps[-1][1])

    async def hasten(self, webhook: WebhookId, now: datetime) -> None:
        """Let everything that waits for a webhook be tried now. Raises `OutboxUnavailable`."""
        statement = (
            update(webhook_outbox)
            .where(webhook_outbox.c.webhook_id == webhook, webhook_outbox.c.due_at > now)
            .values(due_at=now)
        )
        try:
            async with self._turn:
                await self._writer.write(lambda connection: connection.execute(statement).close())
        except SQLAlchemyError as fault:
            raise OutboxUnavailable(_said(fault)) from fault

    async def trim_log(self, now: datetime) -> None:
        """Remove what the log need not keep any more. Raises `OutboxUnavailable`."""
        try:
            async with self._turn:
                await self._writer.write(lambda connection: trim(connection, now))
                self.untrimmed = 0
        except SQLAlchemyError as fault:
            raise OutboxUnavailable(_said(fault)) from fault

    async def _flush_until(self, written: anyio.Event) -> None:
        pause = FIRST_PAUSE
        while not await self._flush(written):
            await anyio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _flush(self, written: anyio.Event) -> bool:
        async with self._turn:
            if written.is_set():
                return True
            steps = self._steps[:]
            try:
                await self._writer.write(
                    partial(_write, [step for step, _ in steps], self._unheard)
                )
            except SQLAlchemyError as fault:
                self._unheard = self._unheard or len(steps)
                log.warning(
                    "%d steps of webhooks wait for the database: %s", len(steps), _said(fault)
                )
                return False
            self._unheard = 0
            self.untrimmed += sum(len(step.attempts) for step, _ in steps)
            del self._steps[: len(steps)]
            for _, event in steps:
                event.set()
            return True

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        async with self._reader:
            # A statement that is cancelled leaves its connection in the air.
            with anyio.CancelScope(shield=True):
                async with self._database.connect() as connection:
                    yield connection

    async def _read(self, question: PreparedStatement, values: Values) -> Sequence[ReadRow]:
        try:
            return await self._rows.read(question, values)
        except SQLAlchemyError as fault:
            raise OutboxUnavailable(_said(fault)) from fault


def _waiting(row: ReadRow) -> WaitingSession:
    return WaitingSession(
        webhook=WebhookId(row.webhook_id),
        session=SessionId(row.session_id),
        after=row.after,
        queued_at=row.queued_at,
        due_at=row.due_at,
        attempts=row.attempts,
        failing_since=row.failing_since,
    )


def _said(fault: SQLAlchemyError) -> str:
    return reason(fault) if isinstance(fault, DBAPIError) else str(fault)


def _write(steps: Sequence[DeliveryStep], unheard: int, connection: Connection) -> None:
    """``unheard``: how many of them may be written already."""
    moved = [
        {
            "of_session": step.waiting.session,
            "of_webhook": step.waiting.webhook,
            "after": step.waiting.after,
            "attempts": step.waiting.attempts,
            "failing_since": step.waiting.failing_since,
            "due_at": step.waiting.due_at,
        }
        for step in steps
    ]
    _MOVE.carry_out(connection, moved)
    if finished := [
        {"of_session": step.waiting.session, "of_webhook": step.waiting.webhook}
        for step in steps
        if step.finished
    ]:
        _FINISH.carry_out(connection, finished)
    before = [one for step in steps[:unheard] for one in step.attempts]
    if before and not is_logged(connection, before[0]):
        write_attempts(connection, before)
    write_attempts(connection, [one for step in steps[unheard:] for one in step.attempts])
