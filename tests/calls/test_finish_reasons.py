"""Endings are called by the words that clients of the published API know."""

from collections.abc import Iterator

import pytest

from callwright.calls import course, ending, options, scenario
from callwright.calls.ending import REASONS, Ending
from callwright.methods import inbound_calls

# Those of the published API that we have an occasion for, out of 92.
KNOWN = {
    "another_operator_answer",
    "call_enqueued",
    "disconnect_before_call_processing",
    "internal_error",
    "max_transition_count_exceeded",
    "no_active_scenario",
    "no_operation",
    "no_operator_confirmation",
    "no_resources",
    "no_success_operator_call",
    "no_success_subscriber_call",
    "numa_in_black_list",
    "operator_busy",
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


def said() -> Iterator[str]:
    for reasons in REASONS.values():
        yield from (reason for reason, _ in reasons.values())
    yield ending.ANOTHER_ANSWERED
    for module in (ending, course, options, scenario, inbound_calls):
        yield from (one.finish_reason for one in vars(module).values() if isinstance(one, Ending))


@pytest.mark.parametrize("reason", sorted(set(said())))
def test_an_ending_has_a_published_word(reason: str) -> None:
    assert reason in KNOWN | OURS


def test_no_word_is_listed_for_nothing() -> None:
    assert set(said()) == KNOWN | OURS
