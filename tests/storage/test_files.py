"""The shelf: a link leads to the file it was made for, and never out of its folder."""

from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.calls.events import RecordingReady, RecordingStarted
from callwright.calls.plan import SessionId
from callwright.engines.port import LegId, RecordingId
from callwright.storage.history.files import StoredShelf
from callwright.storage.history.journal import StoredJournal
from callwright.storage.tables import call_recordings
from tests.storage.stories import at, later, started

pytestmark = pytest.mark.anyio

RECORDINGS, MEDIA = Path("/var/recordings"), Path("/var/media")
BEGUN = RecordingStarted(
    session=SessionId(1), sequence=13, time=at(11), offset=11.0,
    recording=RecordingId(7), legs=(LegId(11), LegId(12)), file_name="1-7.wav",
)  # fmt: skip
READY = RecordingReady(
    session=SessionId(1), sequence=14, time=at(20), offset=20.0,
    recording=RecordingId(7), file_name="1-7.wav", duration=9.0,
)  # fmt: skip


@pytest.fixture
async def journal(database: AsyncEngine) -> StoredJournal:
    journal = StoredJournal(database, gathered_for=0)
    await journal.begin(started(1))
    for fact in (*later(1), BEGUN):
        journal.hear(fact)
    await write(journal)
    return journal


@pytest.fixture
def shelf(database: AsyncEngine, journal: StoredJournal) -> StoredShelf:
    return StoredShelf(database, RECORDINGS, MEDIA, journal.queued_recording)


async def write(journal: StoredJournal) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(journal.run)
        await journal.catch_up()
        group.cancel_scope.cancel()
    assert journal.queued == 0


async def test_a_recording_is_found_as_soon_as_it_is_ready(
    shelf: StoredShelf, journal: StoredJournal
) -> None:
    assert await shelf.recording(7) is None, "it is still being made"
    journal.hear(READY)
    assert journal.queued == 1
    assert await shelf.recording(7) == RECORDINGS / "1-7.wav"
    assert await shelf.recording(8) is None
    await write(journal)
    assert await shelf.recording(7) == RECORDINGS / "1-7.wav"
    assert await shelf.recording(8) is None


async def test_no_name_leads_out_of_the_folder(
    shelf: StoredShelf, journal: StoredJournal, database: AsyncEngine
) -> None:
    journal.hear(replace(READY, file_name="../secret.wav"))
    assert await shelf.recording(7) is None
    await write(journal)
    async with database.begin() as connection:
        await connection.execute(update(call_recordings).values(file_name="../secret.wav"))
    assert await shelf.recording(7) is None


async def test_there_is_no_media_file_of_an_unknown_number(shelf: StoredShelf) -> None:
    assert await shelf.media_file(7) is None
