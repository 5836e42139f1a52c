"""Endings are called by the words that clients of the published API know."""

from collections.abc import Iterator

import pytest

from callwright.calls import ending, options, scenario
from callwright.calls import scenario_script as course
from callwright.calls.ending import REASONS, Ending, leg_finish_reason, released_leg
from callwright.calls.plan import Role
from callwright.engines.port import Cause
from callwright.methods import inbound_calls

# Those of the published API that we have an occasion for, out of 92.
KNOWN = {
    "another_operator_answer",
    "call_enqueued",
    "disconnect_before_call_processing",
    "internal_error",
    "locked_numb",
    "max_transition_count_exceeded",
    "no_active_scenario",
    "no_operation",
    "no_operator_confirmation",
    "no_resources",
    "no_success_operator_call",
    "no_success_subscriber_call",
    "numa_in_black_list",
    "numb_is_inactive",
    "operator_busy",
    "operator_channels_busy",
    "operator_disconnects",
    "operator_not_responsible",
    "operator_number_problems",
    "scenario_disconnects",
    "subscriber_busy",
    "subscriber_disconnects",
    "subscriber_not_responsible",
    "subscriber_number_problems",
    "success_finish",
    "timeout",
    "transfer_disconnects",
}
OURS = {"api_release"}
# Those of the 64 for legs that we have an occasion for.
KNOWN_OF_LEGS = {
    "another_operator_answer",
    "call_enqueued",
    "in_call_not_allowed",
    "internal_error",
    "locked_numb",
    "max_transition_count_exceeded",
    "no_operation",
    "no_resources",
    "operator_busy",
    "operator_channels_busy",
    "operator_disconnects",
    "operator_not_responsible",
    "operator_number_problems",
    "scenario_disconnects",
    "scenario_not_found",
    "subscriber_busy",
    "subscriber_disconnects",
    "subscriber_not_responsible",
    "subscriber_number_problems",
    "timeout",
    "transfer_disconnects",
}


def said() -> Iterator[str]:
    for reasons in REASONS.values():
        yield from (reason for reason, _ in reasons.values())
    yield ending.ANOTHER_ANSWERED
    yield from (one.finish_reason for one in endings())


def endings() -> Iterator[Ending]:
    for module in (ending, course, options, scenario, inbound_calls):
        yield from (one for one in vars(module).values() if isinstance(one, Ending))


def said_of_legs() -> Iterator[str]:
    for role in Role:
        for cause in Cause:
            yield leg_finish_reason(role, cause, None)
            yield released_leg(ending.ending_when_left(role, cause))
    yield from (released_leg(one) for one in endings())
    yield from (ending.ANOTHER_ANSWERED, ending.TRANSFERRED)


@pytest.mark.parametrize("reason", sorted(set(said())))
def test_an_ending_has_a_published_word(reason: str) -> None:
    assert reason in KNOWN | OURS


def test_no_word_is_listed_for_nothing() -> None:
    assert set(said()) == KNOWN | OURS


def test_a_leg_ends_by_a_word_published_for_legs() -> None:
    assert set(said_of_legs()) == KNOWN_OF_LEGS | OURS
