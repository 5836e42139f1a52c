"""Random sequences of commands against a model of the states: whatever comes, calls end clean."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import event as reached

from callwright.calls.commands import ALLOWED
from callwright.calls.events import LegEnded, LegStarted, StateEntered
from callwright.calls.session import Session
from callwright.calls.state import TRANSITIONS, State
from callwright.engines.port import LegId
from tests.calls.random_calls import RandomCall, carried_out, commands_of, random_calls
from tests.calls.stage import Props, Stage


def check(scene: Stage, session: Session) -> None:
    story = scene.journal.stories[session.id]
    state = State.SESSION
    for event in story:
        if isinstance(event, StateEntered):
            assert event.state in TRANSITIONS[state]
            state = event.state
            reached(f"reached {state}")
    begun = [event.leg for event in story if isinstance(event, LegStarted)]
    ended = [event.leg for event in story if isinstance(event, LegEnded)]
    assert sorted(begun) == sorted(ended), "every leg ends, once"
    assert not scene.engine.legs, "no leg is left over"
    assert not session.playing
    assert not session.recorder.unfinished
    assert session.record.verdict is not None


def test_every_command_there_is_may_be_asked_for(tmp_path: Path) -> None:
    conversation = Props(tmp_path).plan().conversation
    kinds = [type(one) for one in commands_of(0, [LegId(1)], conversation)]
    assert sorted(kinds, key=str) == sorted(ALLOWED, key=str)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(random_calls)
def test_whatever_is_asked_every_call_ends_clean(call: RandomCall) -> None:
    carried_out(call, check)
