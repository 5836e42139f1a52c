"""Whoever tells how long a call took says the same: the events, and all that is made of them.

Also of calls that a crash has cut off, wherever that was.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import Connection, Row, create_engine, insert, select

from callwright.calls import events
from callwright.calls.durations import whole_seconds
from callwright.calls.events import SessionEvent, SessionFinished, SessionStarted
from callwright.calls.plan import Role, SessionId
from callwright.calls.record import CallRecord
from callwright.calls.session import Session
from callwright.directory.model import Account, AccountId, User, UserId
from callwright.engines.port import LegId
from callwright.methods.data.call_legs_report import GET_CALL_LEGS_REPORT
from callwright.methods.data.call_timeline import CallTimelines, GetCallTimeline
from callwright.methods.data.calls_report import GET_CALLS_REPORT
from callwright.methods.data.list_method import ListDeclaration
from callwright.methods.method import Caller
from callwright.public_events.event_fold import notices
from callwright.public_events.notice import iso
from callwright.storage.history.crash_recovery import closing_events
from callwright.storage.history.event_log import Written
from callwright.storage.history.sessions import insert_session, write_events
from callwright.storage.lists.source import StoredList
from callwright.storage.tables import accounts, call_legs, call_sessions, metadata
from callwright.watch.meter import Meter
from callwright.watch.traces import Traces
from callwright.wiring.data_api import SOURCES
from tests.calls.random_calls import RandomCall, carried_out, random_calls
from tests.calls.stage import Stage
from tests.watch.test_meter import heard

Legs = tuple[LegId, LegId]


@dataclass
class Watched:
    """What an onlooker with a stopwatch writes down of a call; knows nothing of the code."""

    began: dict[LegId, float] = field(default_factory=dict)
    answered: dict[LegId, float] = field(default_factory=dict)
    ended: dict[LegId, float] = field(default_factory=dict)
    contacts: set[LegId] = field(default_factory=set)
    talks: list[tuple[Legs, float, float]] = field(default_factory=list)
    "Who talked, from when to when."
    came_in: bool = False
    over: float = 0.0

    @property
    def with_contact(self) -> list[tuple[float, float]]:
        return [(one, other) for legs, one, other in self.talks if self.contacts & {*legs}]

    @property
    def talked(self) -> float:
        return round(sum(until - since for since, until in self.with_contact), 3)

    @property
    def waited(self) -> float:
        return min((since for since, _ in self.with_contact), default=self.over)

    @property
    def lost(self) -> bool:
        return self.came_in and not self.with_contact


def watched(story: Sequence[SessionEvent]) -> Watched:
    """Watch a whole story, and compare every event with the stopwatch on the way."""
    seen, running, held = Watched(), dict[Legs, float](), dict[LegId, float]()
    for event in story:
        assert event.time - story[0].time == timedelta(seconds=event.offset)
        match event:
            case events.LegStarted(leg=leg):
                seen.began[leg] = event.offset
                seen.came_in |= event.offered
                if event.role is Role.CONTACT:
                    seen.contacts.add(leg)
            case events.LegAnswered(leg=leg):
                seen.answered[leg] = event.offset
            case events.LegEnded(leg=leg):
                seen.ended[leg] = event.offset
                answered = seen.answered.get(leg, event.offset)
                assert event.talk_duration == round(event.offset - answered, 3)
                assert event.total_duration == round(event.offset - seen.began[leg], 3)
            case events.TalkStarted(legs=legs):
                running[legs] = event.offset
            case events.TalkFinished(legs=legs):
                since = running.pop(legs)
                seen.talks.append((legs, since, event.offset))
                assert event.duration == round(event.offset - since, 3)
            case events.HoldStarted(leg=leg):
                held[leg] = event.offset
            case events.HoldFinished(leg=leg):
                assert event.duration == round(event.offset - held.pop(leg), 3)
            case events.SessionFinished():
                seen.over = event.offset
            case _:
                pass
    assert not running, "every talk has its end"
    assert not held
    assert seen.ended.keys() == seen.began.keys()
    return seen


def all_agree(story: list[SessionEvent]) -> None:
    """Ask everybody who tells of a call that is over."""
    seen, verdict, begun = watched(story), story[-1], story[0]
    assert isinstance(verdict, SessionFinished)
    assert isinstance(begun, SessionStarted)
    figures = seen.waited, seen.talked, seen.over
    assert (verdict.wait_duration, verdict.talk_duration, verdict.total_duration) == figures
    assert [one.wait_duration for one in story if isinstance(one, events.CallLost)] == (
        [seen.waited] if seen.lost else []
    )
    durations = CallRecord.of(story).durations
    assert (durations.wait(seen.over), durations.talk(seen.over)) == figures[:2]
    the_details_agree(story, seen)
    the_webhooks_agree(story, seen)
    the_reports_agree(begun, story, seen)
    the_traces_agree(story, seen)
    the_metrics_agree(story, seen)


class Kept:
    def __init__(self, story: list[SessionEvent]) -> None:
        self._story = story

    async def events_of(self, session: SessionId, account: int) -> list[SessionEvent]:
        return self._story


def the_details_agree(story: list[SessionEvent], seen: Watched) -> None:
    account = Account(AccountId(1), "Horns", timezone=ZoneInfo("Europe/Moscow"))
    user = User(UserId(1), account.id, "anna", None, (), frozenset())
    caller = Caller(user, account, "", "127.0.0.1")
    asked = GetCallTimeline.model_validate({"call_session_id": story[0].session})
    [details] = anyio.run(CallTimelines(Kept(story)).serve, caller, asked)
    told = [(one["event_mnemonic"], one["duration"]) for one in details["call_events"]]
    assert told[-1] == ("finish", whole_seconds(seen.over))
    begun = [event.legs for event in story if isinstance(event, events.TalkStarted)]
    assert [lasted for what, lasted in told if what == "talk_started"] == [
        whole_seconds(round(until - since, 3))
        for _, since, until in sorted(seen.talks, key=lambda one: one[1])
    ]
    assert len(begun) == len(seen.talks)
    assert [lasted for what, lasted in told if what == "call_placed"] == [
        whole_seconds(round(seen.answered.get(leg, seen.ended[leg]) - began, 3))
        for leg, began in seen.began.items()
    ]


def the_webhooks_agree(story: Sequence[SessionEvent], seen: Watched) -> None:
    told = notices(story)
    verdict = told[-1]
    assert verdict.type == "session.finished"
    assert iso(verdict.time) == iso(story[0].time + timedelta(seconds=seen.over))
    assert verdict.data["is_lost"] is seen.lost
    names = ("wait_time_duration", "talk_time_duration", "total_time_duration")
    watched_for = map(whole_seconds, (seen.waited, seen.talked, seen.over))
    assert [verdict.data[name] for name in names] == [*watched_for]
    assert [one.data["talk_time_duration"] for one in told if one.type == "talk.finished"] == [
        whole_seconds(round(until - since, 3)) for _, since, until in seen.talks
    ]


@contextmanager
def written(begun: SessionStarted, story: Sequence[SessionEvent]) -> Iterator[Connection]:
    """A database that has taken the story."""
    database = create_engine("sqlite://")
    try:
        with database.begin() as connection:
            metadata.create_all(connection)
            connection.execute(insert(accounts), {"id": 1, "name": "Horns", "active": True})
            insert_session(connection, begun)
            write_events(connection, story[1:], [None] * (len(story) - 1))
            yield connection
    finally:
        database.dispose()


def length(since: datetime | None, until: datetime) -> float:
    return 0.0 if since is None else (until - since).total_seconds()


def the_reports_agree(begun: SessionStarted, story: Sequence[SessionEvent], seen: Watched) -> None:
    with written(begun, story) as connection:
        row = connection.execute(select(call_sessions)).one()
        shown = _shown(
            connection, GET_CALLS_REPORT, "wait_duration", "talk_duration", "total_duration"
        )
        legs = connection.execute(select(call_legs).order_by(call_legs.c.id)).all()
        of_legs = _shown(connection, GET_CALL_LEGS_REPORT, "id", "duration", "total_duration")
    assert (row.wait_duration, row.talk_duration) == (seen.waited, seen.talked)
    assert row.total_duration == seen.over == length(row.started_at, row.finished_at)
    assert [tuple(one) for one in shown] == [
        tuple(map(whole_seconds, (seen.waited, seen.talked, seen.over)))
    ]
    for leg in legs:
        assert leg.talk_duration == length(leg.answered_at, leg.ended_at)
        assert leg.total_duration == length(leg.started_at, leg.ended_at)
    assert sorted(map(tuple, of_legs)) == [
        (leg.id, whole_seconds(leg.talk_duration), whole_seconds(leg.total_duration))
        for leg in legs
    ]


def _shown(
    connection: Connection, declared: ListDeclaration[Any], *names: str
) -> Sequence[Row[Any]]:
    assert declared.table
    columns = StoredList.of(SOURCES[declared.table], declared.listing.fields.values()).columns
    return connection.execute(select(*(columns[name] for name in names))).all()


def the_traces_agree(story: Sequence[SessionEvent], seen: Watched) -> None:
    exporter = InMemorySpanExporter()
    traces = Traces(SimpleSpanProcessor(exporter))
    traces.hear([Written(n, event) for n, event in enumerate(story, start=1)])
    traces.close()
    spans = exporter.get_finished_spans()
    assert [_lasted(span) for span in spans if span.name == "session"] == [seen.over]
    assert sorted(_lasted(span) for span in spans if span.name == "talk") == sorted(
        round(until - since, 3) for _, since, until in seen.talks
    )
    assert sorted(_lasted(span) for span in spans if span.name == "leg") == sorted(
        round(seen.ended[leg] - began, 3) for leg, began in seen.began.items()
    )


def _lasted(span: ReadableSpan) -> float:
    assert span.start_time is not None
    assert span.end_time is not None
    return round((span.end_time - span.start_time) / 1e9, 3)


def the_metrics_agree(story: Sequence[SessionEvent], seen: Watched) -> None:
    found = heard(Meter(), story)
    assert found.get("callwright_calls_lost_total", 0.0) == seen.lost
    name = "callwright_cut_through_seconds"
    assert found[f"{name}_count"] == bool(seen.with_contact)
    if seen.with_contact:
        [legs] = [legs for legs, since, _ in seen.talks if since == seen.waited][:1]
        answered = max(seen.answered[leg] for leg in legs)
        assert found[f"{name}_sum"] == pytest.approx(seen.waited - answered)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    call=random_calls,
    cut=st.floats(0.0, 1.0),
    recorded=st.floats(0.0, 20.0),
    alive=st.none() | st.floats(-10.0, 60.0),
)
def test_everybody_tells_the_same_of_every_call(
    call: RandomCall, cut: float, recorded: float, alive: float | None
) -> None:
    def check(scene: Stage, session: Session) -> None:
        stories.append(list(scene.journal.stories[session.id]))

    stories: list[list[SessionEvent]] = []
    carried_out(call, check)
    [whole] = stories
    all_agree(whole)

    # The crash: some of what was told is on record, perhaps a recording was under way, and perhaps
    # it is known when the service lived last.
    known = whole[: 1 + int(cut * (len(whole) - 1))]
    if isinstance(known[-1], SessionFinished):
        return
    begun = [one for one in known if isinstance(one, events.RecordingStarted)]
    kept = {begun[-1].recording: round(recorded, 3)} if begun else {}
    began = whole[0].time
    lived = None if alive is None else began + timedelta(seconds=alive)
    all_agree([*known, *closing_events(whole[0].session, began, known, kept, lived)])
