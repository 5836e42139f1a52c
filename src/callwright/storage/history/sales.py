"""Sales: what a session has led to, as requests say; one of each session, the latest."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.calls.plan import SessionId
from callwright.storage.database import writing
from callwright.storage.tables import call_sessions


@dataclass(frozen=True, slots=True)
class StoredSales:
    """Answers `callwright.methods.data.sales.SalesOfCalls` from the database.

    ``next_id``: ids that are never given twice.
    """

    database: AsyncEngine
    next_id: Callable[[], int]

    async def set(
        self, account: int, session: SessionId, at: datetime, value: float, comment: str | None
    ) -> int | None:
        id = self.next_id()
        change = (
            update(call_sessions)
            .where(call_sessions.c.id == session, call_sessions.c.account_id == account)
            .values(sale_id=id, sale_date=at, sale_cost=value, sale_comment=comment)
        )
        async with writing(self.database) as connection:
            changed = await connection.execute(change)
        return id if changed.rowcount else None
