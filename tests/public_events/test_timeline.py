"""The timeline of a session speaks as the events do, and leaves nothing out."""

from typing import Any, get_args

import pytest

from callwright.calls import events
from callwright.calls.events import SessionEvent
from callwright.calls.plan import Role
from callwright.public_events.catalogue import TYPES
from callwright.public_events.event_fold import notices
from callwright.public_events.timeline import TIMELINE_ONLY, timeline
from tests.public_events.test_catalogue import ANNA, ONE, OTHER, leg, story
from tests.public_events.test_catalogue import TIMELINE_ONLY as TOLD_TO_NOBODY
from tests.storage.stories import later, started


def no_link(recording: int) -> str:
    return f"link {recording}"


def test_what_is_told_stands_in_the_timeline_in_the_same_words() -> None:
    whole = [started(1), *later(1)]
    told = {notice.sequence: notice for notice in notices(whole)}
    shown = list(timeline(whole, no_link))
    assert [entry["sequence"] for entry in shown] == [event.sequence for event in whole]
    for entry, event in zip(shown, whole, strict=True):
        notice = told[event.sequence].as_json()
        data: Any = notice["data"]
        assert entry["type"] == notice["type"]
        assert entry["time"] == notice["time"]
        assert str(entry["time"]).endswith("Z")
        assert entry["offset"] == event.offset
        own = entry.keys() - {"type", "sequence", "time", "offset"}
        assert {name: entry[name] for name in own} == {name: data[name] for name in own}
    assert shown[5] == {
        "type": "leg.answered",
        "sequence": 6,
        "time": "2026-05-01T12:00:09.250Z",
        "offset": whole[5].offset,
        "leg_id": 12,
        "role": "contact",
        "calling_phone_number": "74993720692",
        "called_phone_number": "79260000000",
    }


@pytest.mark.parametrize(
    ("kind", "facts", "shown"),
    [
        (events.MusicStarted, {"label": "music"}, {"type": "music.started", "label": "music"}),
        (events.MusicStopped, {"label": "music"}, {"type": "music.stopped", "label": "music"}),
        (events.EarlyMediaHeard, {}, {"type": "early_media.heard"}),
        (
            events.EarlyMediaJoined,
            {"heard": OTHER},
            {"type": "early_media.joined", "heard_leg_id": OTHER},
        ),
    ],
)
def test_what_nobody_is_told_has_a_type_of_the_same_form(
    kind: type[SessionEvent], facts: dict[str, Any], shown: dict[str, object]
) -> None:
    whole = story(
        (events.LegStarted, leg(Role.EMPLOYEE, "79260000001", ANNA, leg=ONE)),
        (kind, {"leg": ONE, **facts}),
    )
    entry = list(timeline(whole, no_link))[-1]
    assert shown.items() <= entry.items()
    assert (entry["leg_id"], entry["role"]) == (ONE, "employee")
    assert entry["called_phone_number"] == "79260000001"


def test_every_kind_of_event_has_a_type() -> None:
    only = {payload.type for payload in TIMELINE_ONLY}
    assert not only & set(TYPES)
    assert len(only) == len(TOLD_TO_NOBODY)
    assert set(get_args(SessionEvent)) >= TOLD_TO_NOBODY


def test_a_recording_that_is_ready_has_its_link() -> None:
    recording = {"recording": 7, "file_name": "7.wav"}
    whole = story(
        (events.RecordingStarted, {**recording, "legs": (ONE, OTHER), "record": "secret"}),
        (events.RecordingReady, {**recording, "duration": 2.0}),
    )
    ready = list(timeline(whole, no_link))[-1]
    assert (ready["type"], ready["file_link"]) == ("recording.ready", "link 7")
    assert ready["leg_ids"] == [ONE, OTHER]


def test_a_story_without_its_beginning_is_none() -> None:
    with pytest.raises(ValueError, match="begins with SessionStarted"):
        list(timeline(later(1), no_link))
