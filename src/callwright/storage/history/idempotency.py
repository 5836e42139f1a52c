"""Idempotency keys: which session a request has begun, so that its repeats begin no other."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.calls.events import SessionStarted
from callwright.calls.journal import Begun, Once
from callwright.calls.plan import SessionId
from callwright.directory.model import AccountId
from callwright.storage.prepared_writes import PreparedWrite
from callwright.storage.tables import idempotency_keys

KEPT = timedelta(hours=24)

_EXPIRED = PreparedWrite(
    delete(idempotency_keys).where(idempotency_keys.c.expires_at <= bindparam("now"))
)
_NEW_KEY = PreparedWrite(
    insert(idempotency_keys), ("account_id", "key", "fingerprint", "session_id", "expires_at")
)


def keep_key(connection: Connection, started: SessionStarted, once: Once) -> None:
    """Write a key beside its session's row; those of all accounts that have expired go.

    That keeps the table within what accounts may start in a day.
    """
    _EXPIRED.carry_out(connection, [{"now": started.time}])
    row = {
        "account_id": started.caption.account,
        "key": once.key,
        "fingerprint": once.fingerprint,
        "session_id": started.session,
        "expires_at": started.time + KEPT,
    }
    _NEW_KEY.carry_out(connection, [row])


@dataclass(frozen=True, slots=True)
class StoredKeys:
    """Answers `callwright.methods.idempotency.Record` from the database."""

    database: AsyncEngine
    is_void: Callable[[SessionId], bool] = lambda session: False
    "Whether a session was never begun, though it may be on record."

    async def begun_with(self, account: AccountId, key: str, now: datetime) -> Begun | None:
        query = select(idempotency_keys.c.session_id, idempotency_keys.c.fingerprint).where(
            idempotency_keys.c.account_id == account,
            idempotency_keys.c.key == key,
            idempotency_keys.c.expires_at > now,
        )
        async with self.database.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None or self.is_void(SessionId(row.session_id)):
            return None
        return Begun(SessionId(row.session_id), row.fingerprint)
