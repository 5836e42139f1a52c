"""What is older than it is to be kept goes, with all that belongs to it; nothing else does."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import anyio
import pytest
from sqlalchemy import Table, func, insert, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.calls.events import RecordingReady, RecordingStarted, SessionEvent, TagSet
from callwright.calls.plan import SessionId
from callwright.engines.port import LegId, RecordingId
from callwright.storage.history.cleaning import SESSIONS_AT_ONCE, Cleaner
from callwright.storage.history.journal import StoredJournal
from callwright.storage.tables import (
    api_requests,
    call_events,
    call_legs,
    call_recordings,
    call_sessions,
    call_tags,
    employee_status_changes,
    employees,
)
from callwright.storage.writer import Writer
from tests.storage.conftest import failing_commits
from tests.storage.stories import BEGAN, CAPTION, later, started

pytestmark = pytest.mark.anyio

HISTORY = (call_sessions, call_events, call_legs, call_recordings, call_tags)
DAY = timedelta(days=1)


def cleaner(database: AsyncEngine, recordings: Path, now: datetime) -> Cleaner:
    return Cleaner(
        database,
        Writer(database),
        anyio.Lock(),
        recordings,
        recordings.parent / "media",
        30 * DAY,
        3 * DAY,
        lambda: now,
        lambda: 0,
    )


async def tell(
    database: AsyncEngine,
    session: int,
    *,
    began: datetime = BEGAN,
    account: int = 1,
    over: bool = True,
) -> None:
    """Put a session on record, with a recording and a tag."""
    shift = began - BEGAN
    caption = replace(CAPTION, account=account)
    first = replace(started(session, caption), time=began)
    recording = RecordingStarted(
        session=SessionId(session),
        sequence=13,
        time=BEGAN,
        offset=0.0,
        recording=RecordingId(session * 10 + 3),
        legs=(LegId(session * 10 + 1), LegId(session * 10 + 2)),
        file_name=f"{session}-1.wav",
    )
    story: list[SessionEvent] = [
        *later(session)[: None if over else -1],
        recording,
        RecordingReady(
            session=SessionId(session),
            sequence=14,
            time=BEGAN,
            offset=0.0,
            recording=recording.recording,
            file_name=recording.file_name,
            duration=1.0,
        ),
        TagSet(session=SessionId(session), sequence=15, time=BEGAN, offset=0.0, tag=7, name="Lead"),
    ]
    journal = StoredJournal(database)
    await journal.begin(first)
    for event in story:
        journal.hear(replace(event, time=event.time + shift))
    with anyio.CancelScope() as scope:
        scope.cancel()
        await journal.run()


async def sessions(database: AsyncEngine, table: Table) -> set[int]:
    column = table.c.id if table is call_sessions else table.c.session_id
    async with database.connect() as connection:
        return set(await connection.scalars(select(column)))


async def test_old_sessions_go_with_all_that_belongs_to_them(
    database: AsyncEngine, tmp_path: Path
) -> None:
    now = BEGAN + 30 * DAY + timedelta(seconds=1)
    await tell(database, 1)
    await tell(database, 2, account=2)
    await tell(database, 3, began=BEGAN + timedelta(seconds=2))
    for session in (1, 2, 3):
        (tmp_path / f"{session}-1.wav").write_bytes(b"RIFF")
    assert await cleaner(database, tmp_path, now).clean(between=0) == (2, 0)
    for table in HISTORY:
        assert await sessions(database, table) == {3}, table.name
    assert [path.name async for path in anyio.Path(tmp_path).glob("*.wav")] == ["3-1.wav"]
    assert await cleaner(database, tmp_path, now).clean(between=0) == (0, 0)


async def test_a_session_that_is_not_over_stays(database: AsyncEngine, tmp_path: Path) -> None:
    await tell(database, 1, over=False)
    assert await cleaner(database, tmp_path, BEGAN + 99 * DAY).clean(between=0) == (0, 0)
    assert await sessions(database, call_sessions) == {1}


async def test_what_cannot_be_removed_from_the_database_keeps_its_recordings(
    database: AsyncEngine, tmp_path: Path
) -> None:
    await tell(database, 1)
    (tmp_path / "1-1.wav").write_bytes(b"RIFF")
    with failing_commits(database), pytest.raises(OperationalError):
        await cleaner(database, tmp_path, BEGAN + 99 * DAY).clean(between=0)
    assert await sessions(database, call_sessions) == {1}
    assert await anyio.Path(tmp_path / "1-1.wav").exists()


async def test_a_recording_that_is_gone_already_is_no_hindrance(
    database: AsyncEngine, tmp_path: Path
) -> None:
    await tell(database, 1)
    assert await cleaner(database, tmp_path, BEGAN + 99 * DAY).clean(between=0) == (1, 0)


async def test_many_go_in_several_transactions(database: AsyncEngine, tmp_path: Path) -> None:
    many = 2 * SESSIONS_AT_ONCE + 1
    rows = [
        {
            "id": number,
            "account_id": 1,
            "method": "inbound",
            "direction": "in",
            "virtual_number": "7",
            "contact_number": "7",
            "started_at": BEGAN,
            "finished_at": BEGAN,
            "finish_reason": "no_operation",
        }
        for number in range(1, many + 1)
    ]
    async with database.begin() as connection:
        await connection.execute(insert(call_sessions), rows)
    assert await cleaner(database, tmp_path, BEGAN + 99 * DAY).clean(between=0) == (many, 0)
    assert await sessions(database, call_sessions) == set()


async def request(database: AsyncEngine, time: datetime, *, account: int = 1) -> None:
    """Log a request."""
    row = {
        "account_id": account,
        "time": time,
        "api": "v4.0",
        "method": "list.calls",
        "ip": "192.0.2.1",
        "user_id": 1,
        "user_login": "crm",
        "duration": 1.0,
    }
    async with database.begin() as connection:
        await connection.execute(insert(api_requests).values(**row))


async def test_old_requests_go(database: AsyncEngine, tmp_path: Path) -> None:
    for account in (1, 2):
        for age in (0 * DAY, DAY, 2 * DAY):
            await request(database, BEGAN + age, account=account)
    now = BEGAN + 4 * DAY
    assert await cleaner(database, tmp_path, now).clean(between=0) == (0, 2)
    async with database.connect() as connection:
        query = select(func.count()).select_from(api_requests)
        assert (await connection.execute(query)).scalar_one() == 4


@pytest.mark.parametrize(
    ("age", "pause"),
    [
        (timedelta(0), DAY),
        (29 * DAY + timedelta(hours=20), timedelta(hours=4)),
        (30 * DAY - timedelta(minutes=5), timedelta(hours=1)),
    ],
)
async def test_it_looks_again_when_the_oldest_is_too_old(
    database: AsyncEngine, tmp_path: Path, age: timedelta, pause: timedelta
) -> None:
    await tell(database, 1)
    await tell(database, 2, began=BEGAN + age / 2)
    assert await cleaner(database, tmp_path, BEGAN + age).until_next() == pause


async def test_logged_requests_are_looked_after_too(database: AsyncEngine, tmp_path: Path) -> None:
    await request(database, BEGAN)
    assert await cleaner(database, tmp_path, BEGAN + 2.5 * DAY).until_next() == DAY / 2


async def test_where_nothing_is_kept_a_day_goes_by(database: AsyncEngine, tmp_path: Path) -> None:
    assert await cleaner(database, tmp_path, BEGAN).until_next() == DAY


class CollectedCopies(Exception):
    """Ends what would go on for ever."""


async def test_copies_of_what_is_gone_go_after_it(database: AsyncEngine, tmp_path: Path) -> None:
    await tell(database, 1)
    recording = tmp_path / "1-1.wav"
    recording.touch()
    there_then: list[bool] = []

    def collect() -> int:
        there_then.append(recording.exists())
        raise CollectedCopies

    now = BEGAN + 30 * DAY + timedelta(seconds=1)
    with pytest.raises(CollectedCopies):
        await replace(cleaner(database, tmp_path, now), collect_copies=collect).run()
    assert there_then == [False]


async def test_old_changes_of_statuses_go_and_what_was_before_is_known(
    database: AsyncEngine, tmp_path: Path
) -> None:
    changes = employee_status_changes
    async with database.begin() as connection:
        person = {"id": 25, "account_id": 1, "full_name": "Anna", "active": True}
        await connection.execute(insert(employees).values(person))
        for at, before, after in (
            (BEGAN, None, "available"),
            (BEGAN + 20 * DAY, "available", "break"),
        ):
            row = {"account_id": 1, "employee_id": 25, "at": at, "before": before, "after": after}
            await connection.execute(insert(changes).values(row))
    await cleaner(database, tmp_path, BEGAN + 31 * DAY).clean(between=0)
    async with database.connect() as connection:
        kept = (await connection.execute(select(changes.c.before, changes.c.after))).all()
    assert [tuple(row) for row in kept] == [("available", "break")]
