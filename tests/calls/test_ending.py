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
    "operator_channels_busy",
    "operator_not_responsible",
    "subscriber_number_problems",
    "operator_number_problems",
    "no_resources",
    "internal_error",
    "transfer_disconnects",
    "api_release",
}
# What a leg says for which there are fewer words than for sessions; else it says what these do.
OF_LEGS = {
    (Role.CONTACT, Cause.REJECTED): "subscriber_busy",
    (Role.CONTACT, Cause.UNREACHABLE): "subscriber_not_responsible",
    (Role.CONTACT, Cause.LOOP): "subscriber_not_responsible",
    (Role.CONTACT, Cause.NOT_CONFIRMED): "subscriber_not_responsible",
    (Role.EMPLOYEE, Cause.REJECTED): "operator_busy",
    (Role.EMPLOYEE, Cause.UNREACHABLE): "operator_not_responsible",
    (Role.EMPLOYEE, Cause.LOOP): "operator_not_responsible",
    (Role.EMPLOYEE, Cause.NOT_CONFIRMED): "operator_not_responsible",
    (Role.THIRD, Cause.REJECTED): "operator_busy",
    (Role.THIRD, Cause.UNREACHABLE): "operator_not_responsible",
    (Role.THIRD, Cause.LOOP): "operator_not_responsible",
    (Role.THIRD, Cause.NOT_CONFIRMED): "operator_not_responsible",
    (Role.COACH, Cause.REJECTED): "operator_busy",
    (Role.COACH, Cause.UNREACHABLE): "operator_not_responsible",
    (Role.COACH, Cause.LOOP): "operator_not_responsible",
    (Role.COACH, Cause.NOT_CONFIRMED): "operator_not_responsible",
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
    word = OF_LEGS.get((role, cause), REASONS[role][cause][0])
    assert leg_finish_reason(role, cause, None) == word
    assert other not in word


def test_a_leg_that_we_hung_up_ended_for_the_sessions_reason() -> None:
    assert leg_finish_reason(Role.CONTACT, Cause.RELEASED, RELEASED) == "api_release"
    assert leg_finish_reason(Role.CONTACT, Cause.BUSY, RELEASED) == "subscriber_busy"


def test_a_leg_that_we_hung_up_says_the_same_as_that_which_ended_the_session() -> None:
    for cause in (Cause.REJECTED, Cause.UNREACHABLE, Cause.BUSY):
        verdict = ending_when_left(Role.CONTACT, cause)
        employee = leg_finish_reason(Role.EMPLOYEE, Cause.RELEASED, verdict)
        assert employee == leg_finish_reason(Role.CONTACT, cause, None)


def test_whose_leaving_it_was_is_said() -> None:
    assert leg_finish_reason(Role.CONTACT, Cause.HUNG_UP, None) == "subscriber_disconnects"
    assert leg_finish_reason(Role.EMPLOYEE, Cause.HUNG_UP, None) == "operator_disconnects"
    assert leg_finish_reason(Role.THIRD, Cause.HUNG_UP, None) == "transfer_disconnects"
