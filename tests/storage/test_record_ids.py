"""Ids of recordings that cannot be guessed: those there are get theirs by a migration."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

import callwright.storage.database
from callwright.calls.events import RecordingStarted
from callwright.calls.plan import SessionId
from callwright.storage.database import migrate, open_database, writing
from callwright.storage.history.sessions import read_events
from callwright.storage.tables import call_recordings

pytestmark = pytest.mark.anyio

BEFORE = "0013"
STARTED = (
    '{"time": "2026-05-01T12:00:11.250000Z", "offset": 11.0, '
    '"recording": 7, "legs": [11, 12], "file_name": "1-7.wav"}'
)

ACCOUNT = "INSERT INTO accounts (id, name, active) VALUES (1, 'House', 1)"
SESSION = """
INSERT INTO call_sessions
(id, account_id, method, direction, virtual_number, contact_number, started_at)
VALUES (1, 1, 'inbound', 'in', '1', '2', '2026-05-01 12:00:00')
"""
RECORDINGS = """
INSERT INTO call_recordings (id, session_id, kind, legs, file_name, started_at, duration) VALUES
(7, 1, 'talk', '[11, 12]', '1-7.wav', '2026-05-01 12:00:11', 9.5),
(8, 1, 'talk', '[11, 12]', '1-8.wav', '2026-05-01 12:00:21', 9.5)
"""


@pytest.fixture
async def old(database_path: Path) -> AsyncIterator[AsyncEngine]:
    """A database of before, with a recording and the event it began with."""
    database = open_database(f"sqlite+aiosqlite:///{database_path}")
    async with writing(database) as connection:
        await connection.run_sync(_made)
    yield database
    await database.dispose()


def _made(connection: Connection) -> None:
    config = Config()
    folder = Path(callwright.storage.database.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    config.attributes["connection"] = connection
    command.upgrade(config, BEFORE)
    for statement in (ACCOUNT, SESSION, RECORDINGS):
        connection.execute(text(statement))
    connection.execute(
        text(
            "INSERT INTO call_events (session_id, sequence, kind, data) "
            "VALUES (1, 2, 'RecordingStarted', :data)"
        ).bindparams(data=STARTED)
    )


async def test_recordings_there_are_get_an_id_which_their_event_tells_too(old: AsyncEngine) -> None:
    await migrate(old)
    async with old.connect() as connection:
        in_order = select(call_recordings.c.record).order_by(call_recordings.c.id)
        records = (await connection.scalars(in_order)).all()
        [begun] = await read_events(connection, SessionId(1))
    assert isinstance(begun, RecordingStarted)
    assert begun.record == records[0]
    assert all(len(one) == 32 for one in records)
    assert len({*records}) == 2
