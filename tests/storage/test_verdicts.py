"""Verdicts of calls of before: the migration tells what is written at the end of each call now."""

import random
from pathlib import Path

import anyio
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

import callwright.storage.database
from callwright.storage.database import migrate, open_database, writing
from callwright.storage.history.journal import StoredJournal
from callwright.storage.tables import call_legs, call_sessions
from tests.storage.stories import started
from tests.storage.test_report_equivalence import PRICES, story

pytestmark = pytest.mark.anyio

BEFORE = "0028"
TABLES = (call_sessions, call_legs)
SESSIONS = 30
ACCOUNT = "INSERT INTO accounts (id, name, active) VALUES (1, 'House', 1)"

Rows = list[dict[str, object]]


async def rows(database: AsyncEngine) -> list[Rows]:
    async with database.connect() as connection:
        return [
            [dict(row) for row in (await connection.execute(select(table))).mappings()]
            for table in TABLES
        ]


def _made_before(connection: Connection) -> None:
    config = Config()
    folder = Path(callwright.storage.database.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    config.attributes["connection"] = connection
    command.upgrade(config, BEFORE)
    connection.execute(text(ACCOUNT))


async def test_calls_of_before_are_told_as_those_of_now(
    database: AsyncEngine, database_path: Path, tmp_path: Path
) -> None:
    chance = random.Random(3)
    for session in range(1, SESSIONS + 1):
        journal = StoredJournal(database, prices=PRICES)
        await journal.begin(started(session))
        for event in story(session, chance):
            journal.hear(event)
        with anyio.CancelScope() as scope:
            scope.cancel()
            await journal.run()
    expected = await rows(database)
    # All of that, as it would have been written before.
    old = open_database(f"sqlite+aiosqlite:///{tmp_path / 'old.db'}")
    async with writing(old) as connection:
        await connection.run_sync(_made_before)
        await connection.exec_driver_sql("COMMIT")
        await connection.exec_driver_sql(f"ATTACH '{database_path}' AS now")
        for table in TABLES:
            told = await connection.exec_driver_sql(f"PRAGMA main.table_info({table.name})")
            names = ", ".join(row.name for row in told)
            await connection.exec_driver_sql(
                f"INSERT INTO main.{table.name} ({names}) SELECT {names} FROM now.{table.name}"
            )
    await migrate(old)
    found = await rows(old)
    await old.dispose()
    assert found == expected
    assert len({row["last_talked_employee_id"] for row in expected[0]}) > 2
    assert {row["total_charge"] for row in expected[1]} > {0.0}
