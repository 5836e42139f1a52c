"""The log of webhooks: every attempt to tell one something, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, exists, func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.calls.plan import SessionId
from callwright.directory.model import AccountId
from callwright.directory.webhook import Verb, WebhookId
from callwright.storage.database import writing
from callwright.storage.prepared_writes import PreparedWrite
from callwright.storage.tables import webhook_log

ENTRIES_AT_MOST = 100_000
"Of all webhooks together; the oldest go first."
KEPT_FOR = timedelta(days=30)


class AttemptOutcome(StrEnum):
    SENT = "sent"
    "The receiver has taken it."
    FAILED = "failed"
    "It is tried again."
    GIVEN_UP = "given_up"
    "It is not tried any more."


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request that was made, or that was not made because nothing was taken for so long."""

    webhook: WebhookId
    webhook_name: str
    account: AccountId
    session: SessionId
    event_id: str
    event_type: str
    event_time: datetime
    delivery_id: str
    number: int
    "From 1; 0: no request was made, or it was made by hand."
    outcome: AttemptOutcome
    verb: Verb
    url: str
    form: str
    "Content type of what was sent."
    content: str
    "Body, or query."
    started_at: datetime
    duration: float
    "Seconds."
    status: int | None
    "Of HTTP; None: there was no answer."
    answer: str | None
    "The beginning of what was answered."
    error_type: str | None = None
    error_message: str | None = None


@dataclass(frozen=True, slots=True)
class LoggedAttempt:
    """An attempt as it stands in the log."""

    id: int
    attempt: Attempt


_ATTEMPTS = PreparedWrite(
    insert(webhook_log),
    (
        *("account_id", "webhook_id", "webhook_name", "session_id"),
        *("event_id", "event_type", "event_time", "delivery_id"),
        *("attempt", "outcome", "method", "url", "form", "content"),
        *("started_at", "duration", "status", "answer", "error_type", "error_message"),
    ),
)


def write_attempts(connection: Connection, attempts: Sequence[Attempt]) -> None:
    if attempts:
        _ATTEMPTS.carry_out(connection, [_columns(one) for one in attempts])


def is_logged(connection: Connection, attempt: Attempt) -> bool:
    """Whether an attempt stands in the log already, and so all that were written with it."""
    same = exists().where(
        webhook_log.c.account_id == attempt.account,
        webhook_log.c.started_at == attempt.started_at,
        webhook_log.c.webhook_id == attempt.webhook,
        webhook_log.c.delivery_id == attempt.delivery_id,
        webhook_log.c.attempt == attempt.number,
    )
    return bool(connection.scalar(select(same)))


def trim(connection: Connection, now: datetime) -> None:
    """Remove what is older than `KEPT_FOR`, and what is more than `ENTRIES_AT_MOST`."""
    last, outdated = func.max(webhook_log.c.id), webhook_log.c.started_at < now - KEPT_FOR
    newest = connection.execute(select(last)).scalar() or 0
    old = connection.execute(select(last).where(outdated)).scalar() or 0
    connection.execute(
        delete(webhook_log).where(webhook_log.c.id <= max(old, newest - ENTRIES_AT_MOST))
    )


class StoredWebhookLog:
    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def add(self, attempt: Attempt) -> int:
        """Write an attempt made by hand; return its number."""
        async with writing(self._database) as connection:
            result = await connection.execute(
                insert(webhook_log).values(**_columns(attempt)).returning(webhook_log.c.id)
            )
            return int(result.scalar_one())

    async def latest(
        self, account: AccountId, *, webhook: WebhookId | None, at_most: int
    ) -> list[LoggedAttempt]:
        """Return the latest entries, the newest first."""
        query = select(webhook_log).where(webhook_log.c.account_id == account)
        if webhook is not None:
            query = query.where(webhook_log.c.webhook_id == webhook)
        query = query.order_by(webhook_log.c.id.desc()).limit(at_most)
        async with self._database.connect() as connection:
            return [_entry(dict(row)) for row in (await connection.execute(query)).mappings()]

    async def entry(self, account: AccountId, number: int) -> LoggedAttempt | None:
        query = select(webhook_log).where(
            webhook_log.c.account_id == account, webhook_log.c.id == number
        )
        async with self._database.connect() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else _entry(dict(row))


def _columns(attempt: Attempt) -> dict[str, object]:
    return {
        "account_id": attempt.account,
        "webhook_id": attempt.webhook,
        "webhook_name": attempt.webhook_name,
        "session_id": attempt.session,
        "event_id": attempt.event_id,
        "event_type": attempt.event_type,
        "event_time": attempt.event_time,
        "delivery_id": attempt.delivery_id,
        "attempt": attempt.number,
        "outcome": attempt.outcome.value,
        "method": attempt.verb.value,
        "url": attempt.url,
        "form": attempt.form,
        "content": attempt.content,
        "started_at": attempt.started_at,
        "duration": round(attempt.duration, 3),
        "status": attempt.status,
        "answer": attempt.answer,
        "error_type": attempt.error_type,
        "error_message": attempt.error_message,
    }


def _entry(row: dict[str, Any]) -> LoggedAttempt:
    return LoggedAttempt(
        row["id"],
        Attempt(
            webhook=WebhookId(row["webhook_id"]),
            webhook_name=row["webhook_name"],
            account=AccountId(row["account_id"]),
            session=SessionId(row["session_id"]),
            event_id=row["event_id"],
            event_type=row["event_type"],
            event_time=row["event_time"],
            delivery_id=row["delivery_id"],
            number=row["attempt"],
            outcome=AttemptOutcome(row["outcome"]),
            verb=Verb(row["method"]),
            url=row["url"],
            form=row["form"],
            content=row["content"],
            started_at=row["started_at"],
            duration=row["duration"],
            status=row["status"],
            answer=row["answer"],
            error_type=row["error_type"],
            error_message=row["error_message"],
        ),
    )
