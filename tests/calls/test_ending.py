"""Every way a leg can end has a word of the API's and somebody whose fault it is."""

import pytest

from callwright.calls.ending import RELEASED, ending_when_left, leg_finish_reason
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
    assert other not in leg_finish_reason(role, cause, None)


def test_a_leg_that_we_hung_up_ended_for_the_sessions_reason() -> None:
    assert leg_finish_reason(Role.CONTACT, Cause.RELEASED, RELEASED) == "api_release"
    assert leg_finish_reason(Role.CONTACT, Cause.BUSY, RELEASED) == "subscriber_busy"


def test_a_leg_that_we_hung_up_says_the_same_as_that_which_ended_the_session() -> None:
    for cause in (Cause.REJECTED, Cause.UNREACHABLE, Cause.BUSY):
        verdict = ending_when_left(Role.CONTACT, cause)
        employee = leg_finish_reason(Role.EMPLOYEE, Cause.RELEASED, verdict)
        assert employee == leg_finish_reason(Role.CONTACT, cause, None)


@pytest.mark.parametrize(
    ("role", "cause", "word"),
    [
        (Role.CONTACT, Cause.HUNG_UP, "subscriber_disconnects"),
        (Role.CONTACT, Cause.REJECTED, "subscriber_busy"),
        (Role.CONTACT, Cause.UNREACHABLE, "subscriber_not_responsible"),
        (Role.EMPLOYEE, Cause.REJECTED, "operator_busy"),
        (Role.EMPLOYEE, Cause.UNREACHABLE, "operator_not_responsible"),
        (Role.EMPLOYEE, Cause.NOT_CONFIRMED, "operator_not_responsible"),
        (Role.THIRD, Cause.HUNG_UP, "transfer_disconnects"),
        (Role.COACH, Cause.REJECTED, "operator_busy"),
    ],
)
def test_a_leg_says_what_sessions_have_another_word_for(
    role: Role, cause: Cause, word: str
) -> None:
    assert leg_finish_reason(role, cause, None) == word
