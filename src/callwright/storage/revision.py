"""Revision: counted up by every change of the directory, so that its readers notice."""

from datetime import UTC, datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from callwright.storage.tables import directory_revision


async def touch(connection: AsyncConnection) -> None:
    """Count up the directory's revision, by which a running service notices a change."""
    await connection.execute(
        update(directory_revision).values(
            revision=directory_revision.c.revision + 1, changed_at=datetime.now(UTC)
        )
    )
