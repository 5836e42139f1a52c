"""Every way a leg can end has a word of the API's and somebody whose fault it is."""

import pytest

from callwright.calls.ending import REASONS, RELEASED, ending_when_left, leg_finish_reason
from callwright.calls.plan import Role
from callwright.engines.port import Cause

# Choreography 7, to the letter.
WORDS = {
    "subscriber_disconnects",
    "operator_disconnects",
    "no_success_subscriber_call",
    "no_success_operator_call",
    "no_operator_confirmation",
    "subscriber_busy",
    "subscriber_not_responsible",
    "operator_busy",
    "operator_not_responsible",
    "subscriber_number_problems",
    "operator_number_problems",
    "no_resources",
    "internal_error",
    "transfer_disconnects",
    "api_release",
}
FAULTS = {"nobody", "contact", "employee", "third", "network", "service"}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("cause", Cause)
def test_each_cause_has_its_word(role: Role, cause: Cause) -> None:
    ending = ending_when_left(role, cause)
    assert ending.finish_reason in WORDS
    assert ending.fault in FAULTS
    other = "operator" if role is Role.CONTACT else "subscriber"
    assert other not in ending.finish_reason
    assert leg_finish_reason(role, cause, None) == REASONS[role][cause][0]


def test_a_leg_that_we_hung_up_ended_for_the_sessions_reason() -> None:
    assert leg_finish_reason(Role.CONTACT, Cause.RELEASED, RELEASED) == "api_release"
    assert leg_finish_reason(Role.CONTACT, Cause.BUSY, RELEASED) == "subscriber_busy"
