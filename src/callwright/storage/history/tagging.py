"""Tagging: tags of sessions that are over, set and taken off by requests.

The story of such a session is told, and nothing is added to it: which tags it has is what
``call_tags`` says, which grew out of the story.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.calls.plan import SessionId
from callwright.directory.model import Tag, User
from callwright.storage.database import writing
from callwright.storage.history.projection import BY_HAND
from callwright.storage.tables import call_sessions, call_tags


@dataclass(frozen=True, slots=True)
class StoredTagging:
    """Answers `callwright.methods.data.communications.Tagging` from the database."""

    database: AsyncEngine
    now: Callable[[], datetime]

    async def session_of(self, account: int, external_id: str) -> SessionId | None:
        query = (
            select(call_sessions.c.id)
            .where(
                call_sessions.c.account_id == account, call_sessions.c.external_id == external_id
            )
            .order_by(call_sessions.c.started_at.desc(), call_sessions.c.id.desc())
            .limit(1)
        )
        async with self.database.connect() as connection:
            found = await connection.scalar(query)
        return None if found is None else SessionId(found)

    async def exists(self, account: int, session: SessionId) -> bool:
        query = select(call_sessions.c.id).where(
            call_sessions.c.id == session, call_sessions.c.account_id == account
        )
        async with self.database.connect() as connection:
            return await connection.scalar(query) is not None

    async def set(self, session: SessionId, tag: Tag, user: User) -> bool:
        async with writing(self.database) as connection:
            known = select(call_tags.c.tag_id).where(
                call_tags.c.session_id == session, call_tags.c.tag_id == tag.id
            )
            if await connection.scalar(known) is not None:
                return False
            await connection.execute(
                insert(call_tags).values(
                    session_id=session,
                    tag_id=tag.id,
                    tag_name=tag.name,
                    tag_type=BY_HAND,
                    set_at=self.now(),
                    user_id=user.id,
                    user_login=user.login,
                )
            )
        return True

    async def unset(self, session: SessionId, tag: int) -> bool:
        async with writing(self.database) as connection:
            removed = await connection.execute(
                delete(call_tags).where(
                    call_tags.c.session_id == session, call_tags.c.tag_id == tag
                )
            )
        return bool(removed.rowcount)

    async def tags_of(self, session: SessionId) -> Mapping[int, str] | None:
        finished = select(call_sessions.c.finished_at).where(call_sessions.c.id == session)
        tags = (
            select(call_tags.c.tag_id, call_tags.c.tag_name)
            .where(call_tags.c.session_id == session)
            .order_by(call_tags.c.set_at, call_tags.c.tag_id)
        )
        async with self.database.connect() as connection:
            if await connection.scalar(finished) is None:
                return None
            return {row.tag_id: row.tag_name for row in await connection.execute(tags)}
