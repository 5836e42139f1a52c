"""What another process is told of the trunks, and when it is told nothing."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.engines.network import TrunkRegistration, TrunkState
from callwright.storage.database import writing
from callwright.storage.plain_statements import in_transaction
from callwright.storage.tables import trunk_states
from callwright.storage.trunk_state_reads import HOLDS_FOR, read_trunk_states
from callwright.storage.trunk_states import keep_trunk_states
from tests.waiting import WITHIN

pytestmark = pytest.mark.anyio

CARRIER = TrunkState(
    "carrier",
    TrunkRegistration.REGISTERED,
    registered_for=240.0,
    reachable=True,
    round_trip=0.012,
)
PBX = TrunkState("pbx", TrunkRegistration.OFF, reachable=False, detail="no reply")
SHY = TrunkState(
    "shy",
    TrunkRegistration.OFF,
    reachable=True,
    ping_refusal="401 Unauthorized",
    call_refusal="403 Forbidden",
)


async def read(database: AsyncEngine) -> Mapping[str, TrunkState]:
    url = database.url.render_as_string(hide_password=False)
    return await anyio.to_thread.run_sync(in_transaction, url, read_trunk_states)


async def until(database: AsyncEngine, wanted: Sequence[str]) -> None:
    with anyio.fail_after(WITHIN):
        while list(await read(database)) != list(wanted):  # noqa: ASYNC110
            await anyio.sleep(0.02)


async def test_what_the_engine_says_is_read_by_others(database: AsyncEngine) -> None:
    told = [CARRIER]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keep_trunk_states, database, lambda: told)
        await until(database, ["carrier"])
        told_of = (await read(database))["carrier"]
        assert told_of.registration is TrunkRegistration.REGISTERED
        assert told_of.registered_for == pytest.approx(240, abs=5)
        assert (told_of.reachable, told_of.round_trip, told_of.detail) == (True, 0.012, "")
        told.append(PBX)
        await until(database, ["carrier", "pbx"])
        assert (await read(database))["pbx"] == PBX
        told.append(SHY)
        await until(database, ["carrier", "pbx", "shy"])
        assert (await read(database))["shy"] == SHY
        told[-1] = replace(SHY, call_refusal="")
        with anyio.fail_after(WITHIN):
            while (await read(database))["shy"] == SHY:  # noqa: ASYNC110
                await anyio.sleep(0.02)
        tasks.cancel_scope.cancel()
    assert await read(database) == {}


async def test_what_a_crashed_service_left_is_not_believed(database: AsyncEngine) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keep_trunk_states, database, lambda: [CARRIER])
        await until(database, ["carrier"])
        old = datetime.now(UTC) - timedelta(seconds=HOLDS_FOR + 1)
        async with writing(database) as connection:
            await connection.execute(update(trunk_states).values(known_at=old))
        assert await read(database) == {}
        tasks.cancel_scope.cancel()


async def test_a_locked_database_is_waited_for(
    database: AsyncEngine, database_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    locker = sqlite3.connect(database_path)
    locker.execute("BEGIN IMMEDIATE")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keep_trunk_states, database, lambda: [CARRIER])
        with anyio.fail_after(WITHIN):
            while "it is locked by another program" not in caplog.text:  # noqa: ASYNC110
                await anyio.sleep(0.02)
        locker.rollback()
        locker.close()
        await until(database, ["carrier"])
        tasks.cancel_scope.cancel()
