import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import count as counter
from pathlib import Path

import anyio
import pytest
from sqlalchemy import Connection, Engine, event, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.calls.events import (
    CallLost,
    KeySent,
    LegEnded,
    LegStarted,
    RecordingFailed,
    RecordingReady,
    RecordingStarted,
    SessionEvent,
    SessionFinished,
)
from callwright.calls.journal import JournalUnavailable
from callwright.calls.plan import Role, SessionId
from callwright.engines.port import LegId, RecordingId
from callwright.storage.history import journal as journal_module
from callwright.storage.history.journal import StoredJournal
from callwright.storage.tables import call_events, call_legs, call_recordings, call_sessions
from callwright.storage.writer import Writer
from tests.storage.stories import BEGAN, CAPTION, at, later, started
from tests.waiting import WITHIN

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["by a thread of its own", "by any driver"])
def written_by(request: pytest.FixtureRequest, database: AsyncEngine, twin: Engine) -> Engine:
    """What the journal writes by."""
    return twin if request.param == "by a thread of its own" else database.sync_engine


@pytest.fixture
def journal(database: AsyncEngine, twin: Engine, written_by: Engine) -> Iterator[StoredJournal]:
    writer = Writer(database, twin if written_by is twin else None)
    yield StoredJournal(database, writer)
    writer.close()


@pytest.fixture
def impatient(written_by: Engine) -> None:
    """Connections that give up on a lock after 20 ms instead of 2 s."""

    def prepare(connection: Connection) -> None:
        cursor = connection.connection.cursor()
        cursor.execute("PRAGMA busy_timeout = 20")
        cursor.close()

    event.listen(written_by, "begin", prepare)


@pytest.fixture
def page_limit(written_by: Engine) -> Callable[[int | None], None]:
    """Set the size at which SQLite says that the disk is full, in pages; None: no limit."""
    limit = [0x7FFFFFFF]

    def prepare(connection: Connection) -> None:
        cursor = connection.connection.cursor()
        cursor.execute(f"PRAGMA max_page_count = {limit[0]}")
        cursor.close()

    event.listen(written_by, "begin", prepare)

    def set_limit(pages: int | None) -> None:
        limit[0] = 0x7FFFFFFF if pages is None else pages

    return set_limit


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the writer's lock from outside, as another program would."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(WITHIN):
        while not condition():  # noqa: ASYNC110 - plain counts, that have no event
            await anyio.sleep(0.002)


async def write_all(journal: StoredJournal) -> None:
    """Run the journal until nothing waits."""
    async with anyio.create_task_group() as group:
        group.start_soon(journal.run)
        await until(lambda: journal.queued == 0)
        group.cancel_scope.cancel()


async def count(database: AsyncEngine) -> int:
    async with database.connect() as connection:
        return (
            await connection.execute(select(func.count()).select_from(call_events))
        ).scalar_one()


async def test_a_beginning_is_on_record_when_begin_returns(
    journal: StoredJournal, database_path: Path
) -> None:
    await journal.begin(started(1))
    with closing(sqlite3.connect(database_path)) as other:
        rows = other.execute(
            "SELECT id, account_id, method, direction, virtual_number, contact_number,"
            " external_id, employee_id, employee_full_name, finished_at FROM call_sessions"
        ).fetchall()
        events = other.execute("SELECT session_id, sequence, kind FROM call_events").fetchall()
    assert rows == [
        (
            1,
            1,
            "start.employee_call",
            "in",
            "74993720692",
            "79260000000",
            "334otr01",
            25,
            "Anna Ivanova",
            None,
        )
    ]
    assert events == [(1, 1, "SessionStarted")]


async def test_a_story_comes_back_as_it_was_told(journal: StoredJournal) -> None:
    await journal.begin(started(1))
    for fact in later(1):
        journal.hear(fact)
    await write_all(journal)
    assert await journal.events_of(SessionId(1), 1) == [started(1), *later(1)]


async def test_a_story_is_its_accounts_own(journal: StoredJournal) -> None:
    await journal.begin(started(1))
    assert await journal.events_of(SessionId(1), 2) is None
    assert await journal.events_of(SessionId(2), 1) is None


async def test_what_is_not_written_yet_belongs_to_the_story(journal: StoredJournal) -> None:
    await journal.begin(started(1))
    await journal.begin(started(2))
    for fact in [*later(1), *later(2)]:
        journal.hear(fact)
    assert journal.queued == 22
    assert await journal.events_of(SessionId(2), 1) == [started(2), *later(2)]


async def test_rows_of_session_and_legs_say_what_the_events_said(
    journal: StoredJournal, database: AsyncEngine
) -> None:
    await journal.begin(started(1))
    for fact in later(1):
        journal.hear(fact)
    await write_all(journal)
    async with database.connect() as connection:
        session = (await connection.execute(select(call_sessions))).one()
        legs = (await connection.execute(select(call_legs).order_by(call_legs.c.id))).all()
    assert (session.started_at, session.finished_at) == (BEGAN, at(20.7))
    assert (session.finish_reason, session.ended_by, session.fault) == (
        "subscriber_disconnects",
        "contact",
        "nobody",
    )
    assert (session.wait_duration, session.talk_duration, session.total_duration) == (
        10.5,
        10.0,
        20.7,
    )
    employee, contact = legs
    assert (employee.role, employee.employee_id) == ("employee", 25)
    assert (employee.started_at, employee.rang_at) == (at(0.5), at(1))
    assert (employee.answered_at, employee.ended_at) == (at(4), at(20.6))
    assert (contact.role, contact.rang_at, contact.employee_id) == ("contact", None, None)
    assert (contact.calling_number, contact.called_number) == ("74993720692", "79260000000")
    assert (contact.cause, contact.raw, contact.finish_reason) == (
        "hung_up",
        "BYE",
        "subscriber_disconnects",
    )
    assert (contact.talk_duration, contact.total_duration) == (11.5, 16.0)


async def test_what_waits_is_written_on_cancellation(
    journal: StoredJournal, database: AsyncEngine
) -> None:
    await journal.begin(started(1))
    async with anyio.create_task_group() as group:
        group.start_soon(journal.run)
        await anyio.lowlevel.checkpoint()
        for fact in later(1):
            journal.hear(fact)
        group.cancel_scope.cancel()
    assert journal.queued == 0
    assert await count(database) == 12


async def test_many_sessions_at_once_are_all_on_record(
    journal: StoredJournal, database: AsyncEngine
) -> None:
    async def call(session: int) -> None:
        await journal.begin(started(session))
        for fact in later(session):
            journal.hear(fact)

    async with anyio.create_task_group() as group:
        group.start_soon(journal.run)
        async with anyio.create_task_group() as calls:
            for session in range(1, 101):
                calls.start_soon(call, session)
        await until(lambda: journal.queued == 0)
        group.cancel_scope.cancel()
    assert await count(database) == 1200


async def test_a_locked_database_lets_no_session_begin(
    journal: StoredJournal, database_path: Path
) -> None:
    with (
        locked(database_path),
        anyio.fail_after(WITHIN),
        pytest.raises(JournalUnavailable, match="it is locked by another program"),
    ):
        await journal.begin(started(1))
    await journal.begin(started(1))


@pytest.mark.usefixtures("impatient")
async def test_a_locked_database_makes_events_wait_in_order(
    journal: StoredJournal,
    database: AsyncEngine,
    database_path: Path,
    written_by: Engine,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await journal.begin(started(1))
    tries: list[Connection] = []
    event.listen(written_by, "rollback", tries.append)
    async with anyio.create_task_group() as group:
        group.start_soon(journal.run)
        with locked(database_path):
            for fact in later(1)[:6]:
                journal.hear(fact)
            await until(lambda: len(tries) >= 2)
            # Neither readers nor the loop wait for the lock.
            assert await journal.events_of(SessionId(1), 1) == [started(1), *later(1)[:6]]
            for fact in later(1)[6:]:
                journal.hear(fact)
            assert await count(database) == 1
        await until(lambda: journal.queued == 0)
        group.cancel_scope.cancel()
    said = {record.getMessage().partition(": ")[2] for record in caplog.records}
    assert said == {"it is locked by another program"}
    assert await journal.events_of(SessionId(1), 1) == [started(1), *later(1)]


@pytest.mark.sqlite
async def test_a_full_disk_lets_no_session_begin(
    journal: StoredJournal, page_limit: Callable[[int | None], None], database: AsyncEngine
) -> None:
    page_limit(1)
    long = replace(CAPTION, external_id="x" * 50_000)
    with pytest.raises(JournalUnavailable, match="the disk is full"):
        await journal.begin(started(1, long))
    assert await count(database) == 0
    page_limit(None)
    await journal.begin(started(1, long))
    assert await count(database) == 1


@pytest.mark.sqlite
async def test_a_full_disk_makes_events_wait_in_order(
    journal: StoredJournal,
    page_limit: Callable[[int | None], None],
    database: AsyncEngine,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await journal.begin(started(1))
    story = later(1)
    ended = story[8]
    assert isinstance(ended, LegEnded)
    story[8] = replace(ended, raw="x" * 50_000)
    page_limit(1)
    async with anyio.create_task_group() as group:
        group.start_soon(journal.run)
        for fact in story:
            journal.hear(fact)
        await until(lambda: caplog.text.count("the disk is full") >= 2)
        assert await count(database) == 1
        page_limit(None)
        await until(lambda: journal.queued == 0)
        group.cancel_scope.cancel()
    assert await journal.events_of(SessionId(1), 1) == [started(1), *story]


async def test_a_full_queue_leaves_out_details_and_nothing_else(
    database: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    journal = StoredJournal(database, queued_at_most=4)
    await journal.begin(started(1))
    story = later(1)
    key = story[5]
    assert isinstance(key, KeySent)
    for fact in story:
        journal.hear(fact)
    for sequence in range(13, 20):
        journal.hear(replace(key, sequence=sequence))
    assert journal.left_out == 8
    assert caplog.text.count("details are left out") == 1

    await write_all(journal)
    assert await journal.events_of(SessionId(1), 1) == [
        started(1),
        *(fact for fact in story if fact is not key),
    ]
    assert "the database takes events again; 8 details are missing" in caplog.text


async def test_an_event_that_cannot_be_written_does_not_stop_the_others(
    journal: StoredJournal, database: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    await journal.begin(started(1))
    for fact in [*later(1)[:3], *later(9)[:1], *later(1)[3:]]:
        journal.hear(fact)
    with caplog.at_level(logging.ERROR):
        await write_all(journal)
    assert await journal.events_of(SessionId(1), 1) == [started(1), *later(1)]
    assert await count(database) == 12
    assert "9: event 2, LegStarted, is lost" in caplog.text
    assert "79260000001" not in caplog.text


async def test_events_that_come_once_more_change_nothing(
    journal: StoredJournal, database: AsyncEngine
) -> None:
    await journal.begin(started(1))
    for _ in range(2):
        for fact in later(1):
            journal.hear(fact)
        await write_all(journal)
    assert await count(database) == 12


async def test_a_beginning_of_an_unknown_account_is_refused(journal: StoredJournal) -> None:
    with pytest.raises(JournalUnavailable, match="(?i)foreign key"):
        await journal.begin(started(1, replace(CAPTION, account=77)))


@pytest.mark.usefixtures("impatient")
async def test_the_end_of_the_service_does_not_wait_for_a_locked_database(
    journal: StoredJournal, database_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await journal.begin(started(1))
    with locked(database_path), anyio.fail_after(WITHIN):
        async with anyio.create_task_group() as group:
            group.start_soon(journal.run)
            await anyio.lowlevel.checkpoint()
            for fact in later(1):
                journal.hear(fact)
            group.cancel_scope.cancel()
    assert journal.queued == 11
    assert "11 events could not be written; the next start closes their sessions" in caplog.text

    verdicts = await journal.close_unfinished()
    assert [verdict.session for verdict in verdicts] == [1]


async def test_a_beginning_that_is_cancelled_while_it_waits_is_not_on_record(
    journal: StoredJournal, database: AsyncEngine
) -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        await journal.begin(started(1))
    assert scope.cancelled_caught
    assert await count(database) == 0
    await journal.begin(started(1))


async def test_a_beginning_that_is_cancelled_while_it_is_written_is_on_record(
    journal: StoredJournal, database: AsyncEngine, written_by: Engine
) -> None:
    """The caller goes on at once with what is on record, so the session gets its verdict."""
    returned, loop = False, asyncio.get_running_loop()
    with anyio.CancelScope() as scope:

        def cancel(*_: object) -> None:
            if written_by is database.sync_engine:
                scope.cancel()
            else:
                loop.call_soon_threadsafe(scope.cancel)

        event.listen(written_by, "begin", cancel)
        await journal.begin(started(1))
        returned = True
    assert scope.cancel_called
    assert returned
    assert await count(database) == 1


async def test_a_restart_closes_what_was_cut_off_and_only_once(
    journal: StoredJournal, database: AsyncEngine
) -> None:
    """choreography 8: never a session without end, also after a crash of the service."""
    await journal.begin(started(1))
    await journal.begin(started(2))
    cut_off = later(1)[:7]  # Both answered and talking; the crash came after the talk's start.
    for fact in [*cut_off, *later(2)]:
        journal.hear(fact)
    await write_all(journal)

    reopened = StoredJournal(database)
    verdicts = await reopened.close_unfinished()
    assert verdicts == [
        SessionFinished(
            session=SessionId(1),
            sequence=12,
            time=at(10.5),
            offset=10.5,
            finish_reason="internal_error",
            ended_by="service",
            fault="service",
            detail="the service was restarted",
            wait_duration=10.5,
            talk_duration=0.0,
            total_duration=10.5,
        )
    ]
    story = await reopened.events_of(SessionId(1), 1)
    assert story is not None
    assert [fact.sequence for fact in story] == list(range(1, 13))
    ends = [fact for fact in story if isinstance(fact, LegEnded)]
    assert [(end.leg, end.cause, end.talk_duration, end.total_duration) for end in ends] == [
        (11, "engine_lost", 6.5, 10.0),
        (12, "engine_lost", 1.5, 6.0),
    ]
    async with database.connect() as connection:
        unended = await connection.execute(
            select(call_legs.c.id).where(call_legs.c.ended_at.is_(None))
        )
        assert unended.all() == []

    assert await reopened.close_unfinished() == []
    assert await reopened.events_of(SessionId(1), 1) == story
    assert await reopened.events_of(SessionId(2), 1) == [started(2), *later(2)]


async def test_a_call_that_a_crash_cuts_off_lasts_as_long_as_the_service_lived(
    journal: StoredJournal, database: AsyncEngine
) -> None:
    """Nothing is written while two people talk, who are not recorded."""
    await journal.begin(started(1))
    for fact in later(1)[:7]:
        journal.hear(fact)
    await write_all(journal)
    [verdict] = await StoredJournal(database).close_unfinished(alive=at(18.5))
    assert (verdict.offset, verdict.time) == (18.5, at(18.5))
    assert (verdict.talk_duration, verdict.total_duration) == (8.0, 18.5)


async def test_a_proof_of_life_from_before_the_call_proves_nothing(
    journal: StoredJournal, database: AsyncEngine
) -> None:
    await journal.begin(started(1))
    # The clock may have been set back.
    [verdict] = await StoredJournal(database).close_unfinished(alive=at(-3600))
    assert (verdict.offset, verdict.total_duration) == (0.0, 0.0)


async def test_recordings_that_were_cut_off_are_kept_as_far_as_their_files_go(
    journal: StoredJournal, database: AsyncEngine
) -> None:
    await journal.begin(started(1))
    begun = [
        RecordingStarted(
            session=SessionId(1), sequence=sequence, time=at(12), offset=12.0,
            recording=RecordingId(100 + sequence), legs=(LegId(11), LegId(12)), file_name=name,
        )
        for sequence, name in ((9, "1-1.wav"), (10, "1-2.wav"))
    ]  # fmt: skip
    for fact in [*later(1)[:7], *begun]:
        journal.hear(fact)
    await write_all(journal)

    lasted = {"1-1.wav": 6.0, "1-2.wav": None}
    [verdict] = await StoredJournal(database).close_unfinished(lasted.__getitem__)
    story = await journal.events_of(SessionId(1), 1)
    assert story is not None
    assert [fact.sequence for fact in story] == list(range(1, 17))
    ready, failed = story[11:13]
    assert isinstance(ready, RecordingReady)
    assert (ready.recording, ready.file_name, ready.duration) == (109, "1-1.wav", 6.0)
    assert isinstance(failed, RecordingFailed)
    assert (failed.file_name, failed.reason) == ("1-2.wav", "the service was restarted")
    assert (verdict.talk_duration, verdict.total_duration) == (7.5, 18.0), "as long as it was heard"
    async with database.connect() as connection:
        rows = (
            await connection.execute(select(call_recordings).order_by(call_recordings.c.id))
        ).all()
    assert [(row.id, row.duration) for row in rows] == [(109, 6.0), (110, None)]


async def test_a_session_that_only_began_is_closed_too(
    journal: StoredJournal, database: AsyncEngine
) -> None:
    await journal.begin(started(1))
    [verdict] = await StoredJournal(database).close_unfinished()
    assert (verdict.sequence, verdict.offset, verdict.total_duration) == (2, 0.0, 0.0)
    story: list[SessionEvent] = [started(1), verdict]
    assert await journal.events_of(SessionId(1), 1) == story


async def test_a_call_that_came_in_and_was_cut_off_before_a_talk_is_closed_as_lost(
    journal: StoredJournal, database: AsyncEngine
) -> None:
    await journal.begin(started(1))
    came_in = later(1)[0]
    assert isinstance(came_in, LegStarted)
    journal.hear(replace(came_in, role=Role.CONTACT, offered=True))
    await write_all(journal)

    [verdict] = await StoredJournal(database).close_unfinished()
    story = await journal.events_of(SessionId(1), 1)
    assert story is not None
    assert [type(fact) for fact in story[-3:]] == [LegEnded, CallLost, SessionFinished]
    assert [fact.sequence for fact in story] == [1, 2, 3, 4, 5]
    [lost] = [fact for fact in story if isinstance(fact, CallLost)]
    assert (lost.finish_reason, lost.wait_duration) == ("internal_error", verdict.wait_duration)


async def test_beginnings_that_wait_for_the_lock_are_written_together(
    journal: StoredJournal, written_by: Engine, database: AsyncEngine
) -> None:
    commits: list[None] = []
    event.listen(written_by, "commit", lambda _: commits.append(None))
    async with anyio.create_task_group() as calls:
        for session in range(1, 21):
            calls.start_soon(journal.begin, started(session))
    assert len(commits) == 1
    assert await count(database) == 20


async def test_one_that_cannot_be_written_does_not_hold_the_others_up(
    journal: StoredJournal, database: AsyncEngine
) -> None:
    refused: list[int] = []

    async def begin(session: int, account: int) -> None:
        try:
            await journal.begin(started(session, replace(CAPTION, account=account)))
        except JournalUnavailable:
            refused.append(session)

    async with anyio.create_task_group() as calls:
        for session in range(1, 11):
            calls.start_soon(begin, session, 77 if session == 7 else 1)
    assert refused == [7]
    assert await count(database) == 9


def telling_commits(
    database: AsyncEngine, *, gathered_for: float
) -> tuple[StoredJournal, list[int]]:
    """A journal, and how many events each of its commits has brought on record."""
    journal = StoredJournal(database, gathered_for=gathered_for, next_position=counter(1).__next__)
    commits: list[int] = []
    journal.readers.append(lambda written: commits.append(len(written)))
    return journal, commits


async def test_what_many_calls_tell_within_a_moment_is_one_commit(database: AsyncEngine) -> None:
    journal, commits = telling_commits(database, gathered_for=3600)
    for session in (1, 2, 3):
        await journal.begin(started(session))
    commits.clear()
    async with anyio.create_task_group() as group:
        group.start_soon(journal.run)
        # Whatever does not wait for more is at the database after this.
        await anyio.wait_all_tasks_blocked()
        for facts in zip(later(1), later(2), later(3), strict=True):
            for fact in facts:
                journal.hear(fact)
            await anyio.wait_all_tasks_blocked()
        await journal.catch_up()
        group.cancel_scope.cancel()
    assert commits == [33]


async def test_a_commit_is_bounded_and_what_waits_follows_at_once(
    database: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "WRITTEN_AT_ONCE", 4)
    journal, commits = telling_commits(database, gathered_for=3600)
    await journal.begin(started(1))
    commits.clear()
    for fact in later(1):
        journal.hear(fact)
    async with anyio.create_task_group() as group:
        group.start_soon(journal.run)
        await journal.catch_up()
        group.cancel_scope.cancel()
    assert commits == [4, 4, 3]
    assert await journal.events_of(SessionId(1), 1) == [started(1), *later(1)]


async def test_only_the_commit_that_is_refused_is_made_again_event_by_event(
    database: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "WRITTEN_AT_ONCE", 4)
    journal, commits = telling_commits(database, gathered_for=0)
    await journal.begin(started(1))
    commits.clear()
    for fact in [later(1)[0], later(9)[0], *later(1)[1:]]:
        journal.hear(fact)
    await write_all(journal)
    assert commits == [1, 1, 1, 4, 4]
    assert await journal.events_of(SessionId(1), 1) == [started(1), *later(1)]


async def test_whoever_reads_waits_for_what_has_been_told(
    database: AsyncEngine,
) -> None:
    journal = StoredJournal(database, gathered_for=3600)
    await journal.begin(started(1))
    async with anyio.create_task_group() as group:
        group.start_soon(journal.run)
        await journal.catch_up()
        assert await count(database) == 1
        for facts in ([*later(1)][:5], [*later(1)][5:]):
            for fact in facts:
                journal.hear(fact)
            await journal.catch_up()
            assert journal.queued == 0
        assert await count(database) == 1 + len(later(1))
        group.cancel_scope.cancel()


async def test_whoever_reads_does_not_wait_for_a_locked_database(
    journal: StoredJournal, database: AsyncEngine, database_path: Path, impatient: None
) -> None:
    await journal.begin(started(1))
    async with anyio.create_task_group() as group:
        group.start_soon(journal.run)
        with locked(database_path):
            journal.hear(later(1)[0])
            await journal.catch_up()
            assert journal.queued == 1
        await until(lambda: journal.queued == 0)
        group.cancel_scope.cancel()
