"""Ids: where those of sessions and legs begin, so that none is ever given twice."""

from datetime import UTC, datetime

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.storage.database import DatabaseFault, writing
from callwright.storage.tables import id_blocks

BLOCK_BITS = 32
"Ids of a block run from ``block << 32``: above 2**31, as the API promises, and 4e9 to a start."

_LAST_BLOCK = (1 << (53 - BLOCK_BITS)) - 1


async def reserve_block(database: AsyncEngine) -> int:
    """Reserve the block of this start of the service and return its number, 1 or more.

    Ids run from ``block << 32`` up to but not including ``(block + 1) << 32``; they stay below
    2**53 (call-api 1) for two million starts. Raises `DatabaseFault` after that.
    """
    async with writing(database) as connection:
        row = insert(id_blocks).values(reserved_at=datetime.now(UTC)).returning(id_blocks.c.block)
        block = int((await connection.execute(row)).scalar_one())
        if block > _LAST_BLOCK:
            raise DatabaseFault("every block of ids below 2**53 is used up: start a new database")
    return block
