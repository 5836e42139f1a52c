"""Listings: the words by which a call and its legs are shown are those of the API."""

from typing import get_args, get_type_hints

from callwright.calls.record import LegState
from callwright.calls.state import State
from callwright.methods.call_queries import LEG_STATES, ListedLeg, ShownCall


def words(shown: type, field: str) -> set[object]:
    return set(get_args(get_type_hints(shown)[field]))


def test_the_states_of_a_call_are_those_that_are_documented() -> None:
    assert {state.value for state in State} | {"finished"} == words(ShownCall, "state")


def test_every_state_of_a_leg_has_a_word_that_is_documented() -> None:
    assert set(LEG_STATES) == set(LegState)
    assert set(LEG_STATES.values()) == words(ListedLeg, "state")
