"""Calls handed back to us: by a carrier that passes our mark on, and by one that does not."""

from collections.abc import Iterator

import pytest

from callwright.calls.events import CallLost, LegEnded, LegStarted, SessionFinished
from callwright.engines.simulated.far_end import answers, never_answers
from callwright.engines.trail import Trail
from tests.api.house import DIRECTORY, House, house

OWN, MENU = "74993720692", "74993720693"
OUTSIDE, NOBODY = "79261234567", "79267654321"
LOOPED = "a call of ours has come back to us"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    far_ends = {OUTSIDE: never_answers(), NOBODY: never_answers(), OWN: answers(after=0.01)}
    with house(tmp_path_factory.mktemp("house"), far_ends) as built:
        # Whoever calls makes somebody ring, who may be in several calls.
        built.apply(
            DIRECTORY.replace("scenario = 1", "scenario = 2")
            .replace("employees = [25]", f'numbers = ["{NOBODY}"]')
            .replace(f'number = "{MENU}"', f'number = "{MENU}"\nscenario = 1')
        )
        yield built


def come_in(home: House, caller: str, trail: Trail, called: str = OWN) -> int:
    """Let a call come in; return its session."""
    before = {event.session for event in home.news.all if isinstance(event, LegStarted)}
    home.calls_in(caller=caller, called=called, trunk="carrier", trail=trail)
    started = home.news.wait_for(
        lambda event: (
            isinstance(event, LegStarted) and event.offered and event.session not in before
        )
    )
    return started.session


def rung_by(home: House, session: int) -> Trail:
    """Wait until a session rings somebody; return what that bears."""
    leg = home.news.wait_for(
        lambda event: (
            isinstance(event, LegStarted) and event.session == session and not event.offered
        )
    )
    assert isinstance(leg, LegStarted)
    return next(rung.trail for rung in home.engine.rung if rung.id == leg.leg)


def refused(home: House, session: int) -> None:
    finished = home.wait_for(session, SessionFinished)
    assert isinstance(finished, SessionFinished)
    assert (finished.finish_reason, finished.detail) == ("no_success_subscriber_call", LOOPED)
    home.wait_for(session, LegEnded, cause="loop")
    call = home.succeeds("get.call", {"call_session_id": session})
    assert len(call["legs"]) == 1
    assert not any(
        isinstance(event, CallLost) and event.session == session for event in home.news.all
    )


def released(home: House, *sessions: int) -> None:
    for session in sessions:
        home.succeeds("release.call", {"call_session_id": session})
        home.until_finished(session)


def test_a_call_that_bears_our_mark_has_come_back(home: House) -> None:
    first = home.start_simple_call("74991110000", OUTSIDE)
    trail = rung_by(home, first)
    assert len(trail.marks) == 1
    assert trail.hops_left == 70
    refused(home, come_in(home, "79265555555", Trail(trail.marks, 60)))
    released(home, first)


def test_what_a_call_has_come_through_is_carried_on(home: House) -> None:
    session = come_in(home, "79265555555", Trail(("0123456789ab",), 42))
    carried = rung_by(home, session)
    assert carried.marks[0] == "0123456789ab"
    assert len(carried.marks) == 2
    assert carried.hops_left == 41
    refused(home, come_in(home, "79265555555", carried))
    released(home, session)


def test_a_call_that_has_come_too_far_rings_nobody(home: House) -> None:
    session = come_in(home, "79265555555", Trail((), 1))
    ended = home.news.wait_for(
        lambda event: isinstance(event, LegEnded) and event.session == session
    )
    assert isinstance(ended, LegEnded)
    assert (ended.cause, ended.raw) == ("loop", "483 Too Many Hops")
    home.until_finished(session)


def test_a_carrier_that_passes_no_mark_on_hands_a_call_back_twice_at_most(home: House) -> None:
    first = home.start_simple_call("74991110000", OUTSIDE)
    rung_by(home, first)
    # It comes back from the number that the phone is shown, and makes a phone ring anew.
    second = come_in(home, OWN, Trail())
    rung_by(home, second)
    third = come_in(home, OWN, Trail())
    rung_by(home, third)
    refused(home, come_in(home, OWN, Trail()))
    released(home, third, second, first)
    # Nobody rings any more: the same number may call again.
    again = come_in(home, OWN, Trail())
    rung_by(home, again)
    released(home, again)


def test_calls_that_come_back_side_by_side_are_counted_together(home: House) -> None:
    """However many phones ring for one call: each may come back."""
    first = home.start_simple_call("74991110000", OUTSIDE)
    rung_by(home, first)
    # These ring nobody themselves: neither of them comes of the other.
    two = [come_in(home, OWN, Trail(), MENU) for _ in range(2)]
    refused(home, come_in(home, OWN, Trail(), MENU))
    released(home, *two, first)


def test_calls_without_a_number_make_phones_outside_ring_five_times_at_most(home: House) -> None:
    """Whoever hands calls back may show none; all that is known then is that it goes on."""
    five = []
    for _ in range(5):
        five.append(come_in(home, "", Trail()))
        rung_by(home, five[-1])
    refused(home, come_in(home, "", Trail()))
    other = come_in(home, "79265555556", Trail())
    rung_by(home, other)
    released(home, *five, other)


def test_a_phone_may_divert_a_call_and_bears_on_what_it_has_come_through(home: House) -> None:
    home.calls_in(caller="2502", called="2901", trunk=None, trail=Trail(("0123456789ab",), 9))
    started = home.news.wait_for(
        lambda event: isinstance(event, LegStarted) and event.calling_number == "2502"
    )
    carried = rung_by(home, started.session)
    assert carried.marks[0] == "0123456789ab"
    assert (len(carried.marks), carried.hops_left) == (2, 8)
    released(home, started.session)
