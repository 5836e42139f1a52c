"""Trunk states: what the running service knows of its trunks, told to other processes.

The service writes what its engine says, behind the calls' back; a command reads it
(`callwright.storage.trunk_state_reads`).
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import anyio
from sqlalchemy import delete, insert
from sqlalchemy.exc import SQLAlchemyError

from callwright.engines.network import TrunkState
from callwright.storage.database import writing
from callwright.storage.database_faults import reason
from callwright.storage.tables import trunk_states

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

log = logging.getLogger(__name__)

LOOKED_AT_EVERY = 1.0
"Seconds between looks at the engine; what has changed is written at once."
WRITTEN_EVERY = 15.0
"Seconds after which it is written although nothing has changed, to say that it still holds."
CLEARED_WITHIN = 2.0


async def keep_trunk_states(
    database: "AsyncEngine",
    states: Callable[[], Sequence[TrunkState]],
    every: float = LOOKED_AT_EVERY,
) -> None:
    """Write what ``states`` tells until cancelled, looked at ``every`` seconds; then clear it."""
    written: Sequence[object] | None = None
    written_at = 0.0
    try:
        while True:
            told, now = states(), anyio.current_time()
            news = [replace(one, registered_for=None, round_trip=None) for one in told]
            due = news != written or now - written_at >= WRITTEN_EVERY
            if due and await _write(database, told):
                written, written_at = news, now
            await anyio.sleep(every)
    finally:
        with anyio.move_on_after(CLEARED_WITHIN, shield=True):
            await _write(database, ())


async def _write(database: "AsyncEngine", states: Sequence[TrunkState]) -> bool:
    now = datetime.now(UTC)
    rows = [
        {
            "trunk": state.name,
            "registration": state.registration.value,
            "registered_until": now + timedelta(seconds=state.registered_for)
            if state.registered_for is not None
            else None,
            "reachable": state.reachable,
            "round_trip": state.round_trip,
            "detail": state.detail,
            "ping_refusal": state.ping_refusal,
            "call_refusal": state.call_refusal,
            "known_at": now,
        }
        for state in states
    ]
    try:
        async with writing(database) as connection:
            await connection.execute(delete(trunk_states))
            if rows:
                await connection.execute(insert(trunk_states), rows)
    except SQLAlchemyError as fault:
        log.warning("the states of the trunks are not written: %s", reason(fault))
        return False
    return True
