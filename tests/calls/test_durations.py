"""How long what has lasted: one fold, whatever the story."""

from dataclasses import replace
from typing import Any

import pytest

from callwright.calls import events
from callwright.calls.durations import Durations, whole_seconds
from callwright.calls.events import SessionEvent
from callwright.calls.plan import Role, SessionId
from callwright.engines.port import LegId
from tests.storage.stories import at, later, started

CONTACT, OPERATOR, THIRD = LegId(11), LegId(12), LegId(13)


def told(*story: tuple[float, type[SessionEvent], dict[str, Any]]) -> list[SessionEvent]:
    """Events at these offsets, after the beginning of a session."""
    return [
        kind(session=SessionId(1), sequence=sequence, time=at(offset), offset=offset, **facts)
        for sequence, (offset, kind, facts) in enumerate(story, start=2)
    ]


def leg(leg: LegId, role: Role, *, offered: bool = False) -> dict[str, Any]:
    return {
        "leg": leg,
        "role": role,
        "calling_number": "1",
        "called_number": "2",
        "employee_id": None,
        "employee_full_name": None,
        "offered": offered,
    }


CONSULTATION = told(
    (0.0, events.LegStarted, leg(CONTACT, Role.CONTACT)),
    (0.0, events.LegStarted, leg(OPERATOR, Role.EMPLOYEE)),
    (5.0, events.TalkStarted, {"legs": (CONTACT, OPERATOR)}),
    (15.0, events.TalkFinished, {"legs": (CONTACT, OPERATOR), "duration": 10.0}),
    (15.0, events.HoldStarted, {"leg": CONTACT}),
    (16.0, events.LegStarted, leg(THIRD, Role.THIRD)),
    (20.0, events.TalkStarted, {"legs": (OPERATOR, THIRD)}),
)


def test_what_operators_say_among_themselves_is_no_talk_of_the_contacts() -> None:
    durations = Durations.of(CONSULTATION)
    assert durations.talk(120.0) == 10.0
    over = told((120.0, events.TalkFinished, {"legs": (OPERATOR, THIRD), "duration": 100.0}))
    durations.take(replace(over[0], sequence=9))
    assert durations.talk(130.0) == 10.0
    assert durations.wait(130.0) == 5.0


def test_a_talk_counts_while_it_goes_on() -> None:
    durations = Durations.of([started(1), *later(1)[:7]])
    assert [durations.talk(now) for now in (10.5, 12.0, 20.5)] == [0.0, 1.5, 10.0]
    finished = Durations.of([started(1), *later(1)])
    assert (finished.wait(99.0), finished.talk(99.0)) == (10.5, 10.0)


def test_whoever_has_called_in_and_talked_with_nobody_is_lost() -> None:
    came_in = told((0.0, events.LegStarted, leg(CONTACT, Role.CONTACT, offered=True)))
    durations = Durations.of(came_in)
    assert durations.is_lost
    assert durations.wait(7.0) == 7.0
    durations.take(told((8.0, events.TalkStarted, {"legs": (CONTACT, OPERATOR)}))[0])
    assert not durations.is_lost


def test_a_leg_whose_beginning_could_not_be_kept_counts_as_the_contacts() -> None:
    [began] = told((8.0, events.TalkStarted, {"legs": (CONTACT, OPERATOR)}))
    assert Durations.of([began]).talk(9.0) == 1.0


def test_dialling_lasts_until_the_answer_or_else_the_end() -> None:
    story = later(1)
    assert Durations.of(story[:2]).legs[LegId(11)].dialling is None
    assert Durations.of(story).legs[LegId(11)].dialling == 3.5
    without_answer = [event for event in story if not isinstance(event, events.LegAnswered)]
    assert Durations.of(without_answer).legs[LegId(11)].dialling == 20.1


@pytest.mark.parametrize(
    ("kind", "facts", "borne"),
    [
        (events.TalkFinished, {"legs": (OPERATOR, THIRD)}, {"duration": 10.001}),
        (events.HoldFinished, {"leg": CONTACT}, {"duration": 15.001}),
        (events.LegEnded, {"leg": THIRD}, {"talk_duration": 0.0, "total_duration": 14.001}),
        (events.CallLost, {}, {"wait_duration": 5.0}),
        (
            events.SessionFinished,
            {},
            {"wait_duration": 5.0, "talk_duration": 10.0, "total_duration": 30.001},
        ),
        (events.LegRang, {"leg": THIRD}, {}),
    ],
)
def test_an_event_bears_the_durations_of_what_it_ends(
    kind: type[SessionEvent], facts: dict[str, Any], borne: dict[str, float]
) -> None:
    assert Durations.of(CONSULTATION).measured(kind, 30.001, facts) == {**facts, **borne}


@pytest.mark.parametrize(("duration", "whole"), [(0.0, 0), (0.499, 0), (0.5, 1), (2.5, 3)])
def test_halves_of_seconds_are_rounded_up(duration: float, whole: int) -> None:
    assert whole_seconds(duration) == whole
