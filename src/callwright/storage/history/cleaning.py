"""Cleaning: what is older than it is to be kept goes, a little at a time."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
from sqlalchemy import Connection, delete, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.storage.database_faults import reason
from callwright.storage.orphaned_files import collect_media, collect_recordings, remove
from callwright.storage.tables import (
    accounts,
    api_requests,
    call_events,
    call_legs,
    call_recordings,
    call_sessions,
    call_tags,
    employee_status_changes,
)
from callwright.storage.writer import Writer

log = logging.getLogger(__name__)

SESSIONS_AT_ONCE = 50
"With some two thousand rows: a transaction that calls hardly notice."
REQUESTS_AT_ONCE = 1000
BETWEEN = 0.2
"Seconds between transactions, in which calls write."
EVERY, AT_LEAST_EVERY = timedelta(hours=1), timedelta(days=1)
"Between looks at what has become too old, where something will soon be, and where nothing will."


@dataclass(frozen=True, slots=True)
class Cleaner:
    """Removes sessions with all that belongs to them, recordings included, logged requests, and
    changes of employees' statuses.

    ``turn``: what writers of this process wait for each other by. ``now``: UTC, aware.
    """

    database: AsyncEngine
    writer: Writer
    turn: anyio.Lock
    recordings: Path
    media: Path
    "Folders of the recordings and of the media files' audio."
    sessions_kept: timedelta
    "Counted from their beginning; a session that is not over stays."
    requests_kept: timedelta
    now: Callable[[], datetime]
    collect_copies: Callable[[], int]
    "Removes what has been made of files that are no more, in a thread; returns how many."

    async def run(self) -> None:
        """Clean now and then until cancelled. A database that cannot be written is waited for."""
        collected = False
        while True:
            pause = EVERY
            try:
                if not collected:
                    await self.collect()
                    collected = True
                await self.clean()
                await anyio.to_thread.run_sync(self.collect_copies)
                pause = await self.until_next()
            except (SQLAlchemyError, OSError) as fault:
                log.warning("what is too old could not be removed: %s", reason(fault))
            await anyio.sleep(pause.total_seconds())

    async def collect(self) -> None:
        """Remove files whose rows have gone without them: the process died before it came to it."""
        before = self.now() - self.sessions_kept
        recordings = await collect_recordings(self.database, self.recordings, before)
        media = await collect_media(self.database, self.media)
        if recordings or media:
            log.info("removed as nobody's: %d recordings, %d media files", recordings, media)

    async def clean(self, between: float = BETWEEN) -> tuple[int, int]:
        """Remove all that is too old; return how many sessions and requests that was."""
        async with self.database.connect() as connection:
            all_accounts = (await connection.scalars(select(accounts.c.id))).all()
        sessions = requests = 0
        for account in all_accounts:
            while removed := await self._clean_sessions(account):
                sessions += removed
                await anyio.sleep(between)
            while removed := await self._clean_requests(account):
                requests += removed
                await anyio.sleep(between)
            await self._clean_statuses(account)
        if sessions or requests:
            log.info("removed as too old: %d sessions, %d logged requests", sessions, requests)
        return sessions, requests

    async def until_next(self) -> timedelta:
        """How long nothing will be too old yet, between an hour and a day."""
        now = self.now()
        due = [now + AT_LEAST_EVERY]
        async with self.database.connect() as connection:
            for account in (await connection.scalars(select(accounts.c.id))).all():
                for table, began, kept in (
                    (call_sessions, call_sessions.c.started_at, self.sessions_kept),
                    (api_requests, api_requests.c.time, self.requests_kept),
                ):
                    of_account = select(func.min(began)).where(table.c.account_id == account)
                    if oldest := await connection.scalar(of_account):
                        due.append(oldest + kept)
        return max(EVERY, min(due) - now)

    async def _clean_sessions(self, account: int) -> int:
        old = (
            select(call_sessions.c.id)
            .where(
                call_sessions.c.account_id == account,
                call_sessions.c.started_at < self.now() - self.sessions_kept,
                call_sessions.c.finish_reason.is_not(None),
            )
            .order_by(call_sessions.c.started_at)
            .limit(SESSIONS_AT_ONCE)
        )
        async with self.database.connect() as connection:
            sessions = (await connection.scalars(old)).all()
            names = select(call_recordings.c.file_name).where(
                call_recordings.c.session_id.in_(sessions)
            )
            files = (await connection.scalars(names)).all()
        if not sessions:
            return 0
        async with self.turn:
            await self.writer.write(partial(_delete_sessions, sessions))
        await anyio.to_thread.run_sync(remove, self.recordings, files)
        return len(sessions)

    async def _clean_requests(self, account: int) -> int:
        old = (
            select(api_requests.c.id)
            .where(
                api_requests.c.account_id == account,
                api_requests.c.time < self.now() - self.requests_kept,
            )
            .limit(REQUESTS_AT_ONCE)
        )
        async with self.database.connect() as connection:
            requests = (await connection.scalars(old)).all()
        if requests:
            async with self.turn:
                await self.writer.write(partial(_delete_requests, requests))
        return len(requests)

    async def _clean_statuses(self, account: int) -> None:
        """Remove changes of statuses as old as sessions; the first that stays knows what was.

        As many as one transaction should; the rest goes the next time.
        """
        old = (
            select(employee_status_changes.c.id)
            .where(
                employee_status_changes.c.account_id == account,
                employee_status_changes.c.at < self.now() - self.sessions_kept,
            )
            .limit(REQUESTS_AT_ONCE)
        )
        async with self.database.connect() as connection:
            changes = (await connection.scalars(old)).all()
        if changes:
            async with self.turn:
                await self.writer.write(partial(_delete_statuses, changes))


def _delete_sessions(sessions: Sequence[int], connection: Connection) -> None:
    for table in (call_events, call_legs, call_recordings, call_tags):
        connection.execute(delete(table).where(table.c.session_id.in_(sessions)))
    connection.execute(delete(call_sessions).where(call_sessions.c.id.in_(sessions)))


def _delete_requests(requests: Sequence[int], connection: Connection) -> None:
    connection.execute(delete(api_requests).where(api_requests.c.id.in_(requests)))


def _delete_statuses(changes: Sequence[int], connection: Connection) -> None:
    known = employee_status_changes.c.id
    connection.execute(delete(employee_status_changes).where(known.in_(changes)))
