"""What the events of a talk leave in the rows that reports are made of."""

from dataclasses import replace

import anyio
import pytest
from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.calls.events import (
    CallLost,
    RecordingFailed,
    RecordingReady,
    RecordingStarted,
    SessionEvent,
    TagRemoved,
    TagSet,
    TransferFinished,
)
from callwright.calls.plan import SessionId
from callwright.engines.port import LegId, RecordingId
from callwright.storage.history.journal import StoredJournal
from callwright.storage.tables import call_legs, call_recordings, call_sessions, call_tags
from tests.storage.stories import CAPTION, at, later, started

pytestmark = pytest.mark.anyio

EMPLOYEE, CONTACT = LegId(11), LegId(12)


def recording_started(recording: int, sequence: int, *legs: LegId) -> RecordingStarted:
    return RecordingStarted(
        session=SessionId(1),
        sequence=sequence,
        time=at(11),
        offset=11.0,
        recording=RecordingId(recording),
        legs=legs,
        file_name=f"1-{recording}.wav",
    )


def recording_ready(recording: int, sequence: int) -> RecordingReady:
    return RecordingReady(
        session=SessionId(1),
        sequence=sequence,
        time=at(20),
        offset=20.0,
        recording=RecordingId(recording),
        file_name=f"1-{recording}.wav",
        duration=9.5,
    )


def tagged(tag: int, sequence: int) -> TagSet:
    return TagSet(
        session=SessionId(1), sequence=sequence, time=at(12), offset=12.0, tag=tag, name="Lead"
    )


async def write(database: AsyncEngine, *batches: list[SessionEvent]) -> None:
    """Begin session 1 unless it is there, and write events, each batch by a journal of its own."""
    for batch in batches:
        journal = StoredJournal(database)
        if not await rows(database, call_sessions):
            await journal.begin(started(1))
        for event in batch:
            journal.hear(event)
        with anyio.CancelScope() as scope:
            scope.cancel()
            await journal.run()
        assert journal.queued == 0


async def rows(database: AsyncEngine, table: Table) -> list[dict[str, object]]:
    async with database.connect() as connection:
        found = await connection.execute(select(table).order_by(*table.primary_key.columns))
        return [dict(row) for row in found.mappings()]


async def test_legs_say_whose_they_are_and_when_they_talked(database: AsyncEngine) -> None:
    await write(database, later(1))
    employee, contact = await rows(database, call_legs)
    assert employee["account_id"] == contact["account_id"] == CAPTION.account
    assert employee["talked_at"] == contact["talked_at"] == at(10.5)
    assert (employee["offered"], employee["is_transferred"]) == (False, False)


async def test_a_talk_that_begins_again_does_not_begin_later(database: AsyncEngine) -> None:
    story = later(1)
    again = replace(story[6], sequence=13, time=at(15))
    await write(database, [*story, again])
    employee, _ = await rows(database, call_legs)
    assert employee["talked_at"] == at(10.5)


async def test_quality_stands_in_columns(database: AsyncEngine) -> None:
    await write(database, later(1))
    employee, contact = await rows(database, call_legs)
    names = ("loss", "far_loss", "jitter", "round_trip", "mos")
    assert [contact[name] for name in names] == [round(5 / 575, 4), 0.0, 0.002, 0.03, 4.3]
    assert [employee[name] for name in names] == [None] * 5


async def test_a_session_says_what_has_brought_it_about(database: AsyncEngine) -> None:
    journal = StoredJournal(database)
    methods = {
        "start.employee_call": "callapi_management_call",
        "start.informer_call": "callapi_informer_call",
        "start.scenario_call": "callapi_scenario_call",
        "inbound": "va",
        "start.something_new": "callapi",
    }
    for session, method in enumerate(methods, start=1):
        await journal.begin(started(session, replace(CAPTION, method=method)))
    sessions = await rows(database, call_sessions)
    assert [row["source"] for row in sessions] == list(methods.values())
    assert {(row["is_lost"], row["is_transfer"]) for row in sessions} == {(False, False)}


async def test_recordings_are_listed_with_what_became_of_them(database: AsyncEngine) -> None:
    failed = RecordingFailed(
        session=SessionId(1),
        sequence=6,
        time=at(20),
        offset=20.0,
        recording=RecordingId(33),
        file_name="1-33.wav",
        reason="the disk is full",
    )
    await write(
        database,
        [recording_started(31, 2, EMPLOYEE, CONTACT)],
        # One that ends and one that is whole, in one batch.
        [
            recording_ready(31, 3),
            recording_started(32, 4, CONTACT),
            recording_started(33, 5, CONTACT, EMPLOYEE),
            failed,
            replace(recording_ready(32, 7), fault="the disk is full"),
        ],
    )
    found = await rows(database, call_recordings)
    assert [(row["id"], row["kind"], row["duration"], row["fault"]) for row in found] == [
        (31, "talk", 9.5, None),
        (32, "voicemail", 9.5, "the disk is full"),
        (33, "talk", None, "the disk is full"),
    ]
    assert found[0]["legs"] == [EMPLOYEE, CONTACT]
    assert (found[0]["file_name"], found[0]["started_at"]) == ("1-31.wav", at(11))


async def test_tags_are_listed_as_they_were_called(database: AsyncEngine) -> None:
    await write(database, [tagged(7, 2), tagged(8, 3)])
    found = await rows(database, call_tags)
    assert [(row["tag_id"], row["tag_name"], row["tag_type"], row["set_at"]) for row in found] == [
        (7, "Lead", "manual", at(12)),
        (8, "Lead", "manual", at(12)),
    ]


def untagged(tag: int, sequence: int) -> TagRemoved:
    return TagRemoved(
        session=SessionId(1), sequence=sequence, time=at(13), offset=13.0, tag=tag, name="Lead"
    )


@pytest.mark.parametrize("apart", [False, True])
async def test_tags_come_and_go_in_the_order_of_events(
    database: AsyncEngine, *, apart: bool
) -> None:
    """Also where all of it is written at once, rows to be added before those to be removed."""
    story: list[SessionEvent] = [
        tagged(7, 2),
        untagged(7, 3),
        tagged(7, 4),
        tagged(8, 5),
        untagged(8, 6),
    ]
    await write(database, *([one] for one in story)) if apart else await write(database, story)
    assert [row["tag_id"] for row in await rows(database, call_tags)] == [7]


async def test_a_transfer_marks_the_session_and_the_leg_that_left(database: AsyncEngine) -> None:
    handed_over = TransferFinished(
        session=SessionId(1), sequence=13, time=at(15), offset=15.0, leg=EMPLOYEE, to=CONTACT
    )
    await write(database, [*later(1), handed_over])
    assert [row["is_transfer"] for row in await rows(database, call_sessions)] == [True]
    assert [row["is_transferred"] for row in await rows(database, call_legs)] == [True, False]


async def test_a_lost_call_is_marked_so(database: AsyncEngine) -> None:
    lost = CallLost(
        session=SessionId(1),
        sequence=2,
        time=at(3),
        offset=3.0,
        finish_reason="no_operation",
        wait_duration=3.0,
    )
    await write(database, [lost])
    assert [row["is_lost"] for row in await rows(database, call_sessions)] == [True]


async def test_events_that_come_once_more_change_nothing(database: AsyncEngine) -> None:
    story = [
        *later(1),
        recording_started(31, 13, EMPLOYEE, CONTACT),
        recording_ready(31, 14),
        tagged(7, 15),
    ]
    await write(database, story)
    tables = (call_sessions, call_legs, call_recordings, call_tags)
    before = [await rows(database, table) for table in tables]
    await write(database, story)
    assert [await rows(database, table) for table in tables] == before
