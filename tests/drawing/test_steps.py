"""The ladder's words where a phone has called in, and where it has been rung."""

from typing import Any

from callwright.drawing.call import Call, Who
from callwright.drawing.steps import Step, steps

CONTACT, EMPLOYEE = 1, 2


def call_of(*timeline: dict[str, Any]) -> Call:
    told = [{"time": "2026-05-01T12:00:00Z", "offset": 0.0, **entry} for entry in timeline]
    facts = {"call_session_id": 7, "state": "finished", "direction": "in", "external_id": None}
    numbers = {"virtual_phone_number": "74993720692", "contact_phone_number": "79261234567"}
    return Call.model_validate({**facts, **numbers, "finish_reason": None, "timeline": told})


def started(leg: int, role: str, *, offered: bool) -> dict[str, Any]:
    numbers = {"calling_number": "79261234567", "called_number": "74993720692"}
    return {"event": "leg_started", "leg": leg, "role": role, "offered": offered, **numbers}


def seen(step: Step) -> tuple[Who, Who, str]:
    return step.source, step.to, step.text


def test_whoever_calls_in_is_seen_to_call_and_to_be_answered() -> None:
    rungs = steps(
        call_of(
            {"event": "session_started"},
            started(CONTACT, "contact", offered=True),
            {"event": "leg_answered", "leg": CONTACT},
            started(EMPLOYEE, "employee", offered=False),
            {"event": "leg_answered", "leg": EMPLOYEE},
        )
    )
    us = Who.CALLWRIGHT
    assert [seen(rung) for rung in rungs] == [
        (us, us, "a call comes in"),
        (Who.CONTACT, us, "calls 74993720692"),
        (us, Who.CONTACT, "is answered"),
        (us, Who.EMPLOYEE, "call from 79261234567"),
        (Who.EMPLOYEE, us, "answers"),
    ]


def test_a_request_that_rings_a_phone_is_one_whoever_calls_later() -> None:
    rungs = steps(
        call_of(
            {"event": "session_started"},
            started(EMPLOYEE, "employee", offered=False),
            started(CONTACT, "contact", offered=True),
        )
    )
    assert [rung.text for rung in rungs] == [
        "request accepted",
        "call from 79261234567",
        "calls 74993720692",
    ]
