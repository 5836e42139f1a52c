"""History: what earlier sessions say of a contact."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.storage.tables import call_sessions

NUMBERS_AT_MOST = 100
"Of virtual numbers that are told of one contact."


@dataclass(frozen=True, slots=True)
class StoredHistory:
    """Answers `callwright.methods.own_numbers.History` from the database."""

    database: AsyncEngine

    async def numbers_used_with(self, account: int, contact: str) -> Sequence[str]:
        latest = func.max(call_sessions.c.started_at)
        query = (
            select(call_sessions.c.virtual_number)
            .where(
                call_sessions.c.account_id == account,
                call_sessions.c.contact_number == contact,
            )
            .group_by(call_sessions.c.virtual_number)
            .order_by(latest.desc())
            .limit(NUMBERS_AT_MOST)
        )
        async with self.database.connect() as connection:
            return (await connection.scalars(query)).all()
