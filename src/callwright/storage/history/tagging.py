"""Tagging: tags of sessions that are over, set and taken off by requests.

The story of such a session is told, and nothing is added to it: which tags it has is what
``call_tags`` says, which grew out of the story.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.calls.plan import SessionId
from callwright.directory.model import Tag, User
from callwright.storage.database import writing
from callwright.storage.history.projection import BY_HAND
from callwright.storage.tables import call_sessions, call_tags

_NAMES = select(call_tags.c.tag_id, call_tags.c.tag_name).order_by(
    call_tags.c.set_at, call_tags.c.tag_id
)


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
            await connection.execute(insert(call_tags), self._row(session, tag, user))
        return True

    async def set_all(
        self, session: SessionId, tags: Sequence[Tag], user: User, *, only: bool
    ) -> Mapping[int, str]:
        of_session = call_tags.c.session_id == session
        wanted = {tag.id: tag for tag in tags}
        async with writing(self.database) as connection:
            if only:
                others = call_tags.c.tag_id.not_in(wanted)
                await connection.execute(delete(call_tags).where(of_session, others))
            known = await connection.execute(_NAMES.where(of_session))
            there = {row.tag_id for row in known}
            new = [self._row(session, wanted[id], user) for id in wanted if id not in there]
            if new:
                await connection.execute(insert(call_tags), new)
            told = await connection.execute(_NAMES.where(of_session))
            return {row.tag_id: row.tag_name for row in told}

    def _row(self, session: SessionId, tag: Tag, user: User) -> dict[str, object]:
        return {
            "session_id": session,
            "tag_id": tag.id,
            "tag_name": tag.name,
            "tag_type": BY_HAND,
            "set_at": self.now(),
            "user_id": user.id,
            "user_login": user.login,
        }

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
        tags = _NAMES.where(call_tags.c.session_id == session)
        async with self.database.connect() as connection:
            if await connection.scalar(finished) is None:
                return None
            return {row.tag_id: row.tag_name for row in await connection.execute(tags)}
