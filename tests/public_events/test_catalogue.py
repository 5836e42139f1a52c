import json
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from callwright.calls import events
from callwright.calls.events import SessionEvent
from callwright.calls.plan import Direction, EmployeeRef, Role, SessionId
from callwright.engines.port import LegId, RecordingId
from callwright.public_events.catalogue import CATALOGUE, TYPES
from callwright.public_events.event_fold import EventFold, EventFolds, notices
from callwright.public_events.notice import Notice
from tests.storage.stories import CAPTION, at, later, started

ONE, OTHER, THIRD = LegId(1), LegId(2), LegId(3)
TIMELINE_ONLY = {
    events.EarlyMediaHeard,
    events.EarlyMediaJoined,
    events.MusicStarted,
    events.MusicStopped,
}


def leg(role: Role, number: str, employee: EmployeeRef | None, **facts: Any) -> dict[str, Any]:
    return {
        "role": role,
        "calling_number": "74993720692",
        "called_number": number,
        "employee_id": employee.id if employee else None,
        "employee_full_name": employee.full_name if employee else None,
        **facts,
    }


def story(*told: tuple[type[SessionEvent], dict[str, Any]]) -> list[SessionEvent]:
    """Events of session 1 after its beginning, a second apart."""
    later = [
        kind(session=SessionId(1), sequence=n, time=at(n), offset=float(n), **facts)
        for n, (kind, facts) in enumerate(told, start=2)
    ]
    return [started(1), *later]


def of_type(told: Sequence[Notice], kind: str) -> list[Notice]:
    return [notice for notice in told if notice.type == kind]


ANNA, BORIS = EmployeeRef(25, "Anna Ivanova"), EmployeeRef(26, "Boris")
VERDICT = {
    "finish_reason": "subscriber_disconnects",
    "ended_by": "contact",
    "fault": "nobody",
    "detail": "",
    "wait_duration": 4.0,
    "talk_duration": 6.0,
    "total_duration": 12.0,
}


def test_a_call_is_told_from_its_beginning_to_its_verdict() -> None:
    told = notices([started(1), *later(1)])
    assert [notice.type for notice in told] == [
        "session.started",
        "leg.started",
        "leg.rang",
        "leg.answered",
        "leg.started",
        "leg.answered",
        "key.sent",
        "talk.started",
        "talk.finished",
        "leg.ended",
        "leg.ended",
        "session.finished",
    ]
    assert [notice.sequence for notice in told] == list(range(1, 13))
    answered = told[5]
    assert json.loads(json.dumps(answered.as_json())) == {
        "event_id": "1-6",
        "type": "leg.answered",
        "sequence": 6,
        "time": "2026-05-01T12:00:09.250Z",
        "call_session_id": 1,
        "external_id": "334otr01",
        "data": {
            "direction": "in",
            "method": "start.employee_call",
            "start_time": "2026-05-01T12:00:00.250Z",
            "virtual_phone_number": "74993720692",
            "contact_phone_number": "79260000000",
            "employee_id": 25,
            "employee_full_name": "Anna Ivanova",
            "employee_phone_number": "79260000001",
            "leg_id": 12,
            "role": "contact",
            "calling_phone_number": "74993720692",
            "called_phone_number": "79260000000",
        },
    }
    talk = told[8]
    assert talk.data["leg_ids"] == [11, 12]
    assert talk.data["talk_time_duration"] == 10.0
    quality = told[9].data["quality"]
    assert isinstance(quality, dict)
    assert quality["mos"] == 4.3
    verdict = told[-1].data
    assert (verdict["wait_time_duration"], verdict["talk_time_duration"]) == (11, 10)
    assert verdict["total_time_duration"] == 21
    assert verdict["last_talked_employee_id"] == 25
    assert verdict["employee_ids"] == [25]
    assert (verdict["is_lost"], verdict["is_transfer"]) == (False, False)


def test_the_employee_is_whoever_talks_with_the_contact() -> None:
    told = notices(
        story(
            (events.LegStarted, {"leg": ONE, **leg(Role.CONTACT, "79260000000", None)}),
            (events.LegStarted, {"leg": OTHER, **leg(Role.EMPLOYEE, "101", ANNA)}),
            (events.TalkStarted, {"legs": (ONE, OTHER)}),
            (events.TalkFinished, {"legs": (ONE, OTHER), "duration": 1.0}),
            (events.LegStarted, {"leg": THIRD, **leg(Role.THIRD, "102", BORIS)}),
            (events.TalkStarted, {"legs": (OTHER, THIRD)}),
            (events.TagSet, {"tag": 7, "name": "Lead"}),
            (events.TalkFinished, {"legs": (OTHER, THIRD), "duration": 1.0}),
            (events.TransferFinished, {"leg": OTHER, "to": THIRD}),
            (events.TalkStarted, {"legs": (ONE, THIRD)}),
            (events.SessionFinished, VERDICT),
        )
    )
    numbers = {notice.sequence: notice.data["employee_phone_number"] for notice in told}
    assert numbers[1] is None
    assert numbers[2] is None
    assert numbers[3] == "101"
    # A consultation: the contact's employee is still the first one.
    assert numbers[7] == "101"
    assert numbers[11] == "102"
    [moved] = of_type(told, "transfer.finished")
    assert (moved.data["leg_id"], moved.data["to_leg_id"]) == (2, 3)
    assert moved.data["to_employee_full_name"] == "Boris"
    verdict = told[-1].data
    assert verdict["employee_id"] == 26
    assert verdict["last_talked_employee_id"] == 26
    assert verdict["employee_ids"] == [25, 26]
    assert verdict["is_transfer"] is True
    assert (verdict["tag_ids"], verdict["tag_names"]) == ([7], ["Lead"])


def test_a_lost_call_is_told_beside_its_verdict() -> None:
    lost = {"finish_reason": "operator_busy", "wait_duration": 12.0}
    told = notices(
        story(
            (events.LegStarted, {"leg": ONE, **leg(Role.CONTACT, "1", None, offered=True)}),
            (events.LegStarted, {"leg": OTHER, **leg(Role.EMPLOYEE, "101", ANNA)}),
            (events.CallLost, lost),
            (events.SessionFinished, {**VERDICT, "talk_duration": 0.0}),
        )
    )
    [first, second] = told[-2:]
    assert (first.type, second.type) == ("call.lost", "session.finished")
    assert first.data["lost_reason"] == "operator_busy"
    assert first.data["wait_time_duration"] == 12.0
    assert first.data["employee_ids"] == [25]
    assert second.data["is_lost"] is True
    assert second.data["last_talked_employee_id"] is None


def test_a_recording_that_is_ready_says_whose_it_is() -> None:
    file = {"recording": RecordingId(9), "file_name": "1-1.wav"}
    told = notices(
        story(
            (events.TagSet, {"tag": 7, "name": "Lead"}),
            (events.RecordingStarted, {**file, "legs": (ONE, OTHER)}),
            (events.RecordingReady, {**file, "duration": 31.5}),
        )
    )
    ready = told[-1].data
    assert (ready["recording_id"], ready["file_name"]) == (9, "1-1.wav")
    assert (ready["file_duration"], ready["leg_ids"]) == (32, [1, 2])
    assert (ready["file_fault"], ready["tag_names"]) == (None, ["Lead"])


def test_of_a_recording_that_was_cut_short_it_is_told_why() -> None:
    file = {"recording": RecordingId(9), "file_name": "1-1.wav"}
    cut = {**file, "duration": 31.5, "fault": "No space left on device"}
    told = notices(
        story(
            (events.RecordingStarted, {**file, "legs": (ONE, OTHER)}),
            (events.RecordingReady, cut),
        )
    )
    assert told[-1].type == "recording.ready"
    assert told[-1].data["file_fault"] == "No space left on device"


def test_an_operator_without_an_employee_has_a_number_alone() -> None:
    caption = replace(CAPTION, employee=None, direction=Direction.OUT, external_id=None)
    ring = {"leg": ONE, **leg(Role.EMPLOYEE, "79261111111", None)}
    told = notices([started(1, caption), *story((events.LegStarted, ring))[1:]])
    assert told[1].external_id is None
    assert told[1].data["direction"] == "out"
    assert told[1].data["employee_id"] is None
    assert told[1].data["employee_full_name"] is None
    assert told[1].data["employee_phone_number"] == "79261111111"


@pytest.mark.parametrize("kind", get_args(SessionEvent), ids=lambda kind: kind.__name__)
@given(data=st.data())
@settings(max_examples=10)
def test_every_event_is_told_in_the_shape_of_its_type(
    kind: type[SessionEvent], data: st.DataObject
) -> None:
    """Also one whose leg is unknown, because its beginning could not be kept."""
    event = data.draw(_any_of(kind, st.datetimes(timezones=st.just(UTC))))
    notice = EventFold(started(1)).tell(event)
    assert (notice is None) == (kind in TIMELINE_ONLY)
    if notice:
        payload = TYPES[notice.type]
        assert list(notice.data) == [field.name for field in fields(payload)]
        TypeAdapter(payload).validate_python(notice.data)


def test_every_type_is_told_by_some_event_and_has_a_name_of_its_own() -> None:
    assert len(TYPES) == len(CATALOGUE)
    told = set()
    for kind in get_args(SessionEvent):
        for muted in (True, False):
            facts = {"muted": muted} if kind is events.LegMuted else {}
            of = {name: st.just(value) for name, value in facts.items()}
            strategy = _any_of(kind, st.just(datetime.now(UTC)), **of)
            if notice := EventFold(started(1)).tell(_one_of(strategy)):
                told.add(notice.type)
    assert told == set(TYPES)


def _any_of(
    kind: type[SessionEvent], time: st.SearchStrategy[datetime], **of: st.SearchStrategy[Any]
) -> st.SearchStrategy[SessionEvent]:
    """Any event of a kind; no duration is endless."""
    durations = {one.name: st.floats(0, 1e6) for one in fields(kind) if one.type is float}
    return st.builds(kind, time=time, **{**durations, **of})


def _one_of(strategy: st.SearchStrategy[SessionEvent]) -> SessionEvent:
    found: list[SessionEvent] = []

    @given(strategy)
    @settings(max_examples=1, database=None)
    def draw(event: SessionEvent) -> None:
        found.append(event)

    draw()
    return found[0]


def test_live_sessions_are_told_apart_and_forgotten_at_their_end() -> None:
    folds = EventFolds()
    for facts in zip([started(1), *later(1)], [started(2), *later(2)], strict=True):
        for event in facts:
            notice = folds.tell(event)
            assert notice
            assert notice.session == event.session
    assert folds.tell(later(1)[-1]) is None


def test_a_story_without_its_beginning_is_no_story() -> None:
    with pytest.raises(ValueError, match="begins with SessionStarted"):
        notices(later(1))
