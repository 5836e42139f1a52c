"""Public states of a session, and which of them may follow which (call-api 4)."""

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """A the contact, B the employee or operator, C a third party."""

    SESSION = "session"
    "Being set up: somebody is rung or hears a message."
    TALK = "talk"
    "A talks with B, or after a transfer with C."
    HOLD = "hold"
    "A hears a message and music, B waits."
    DIALING = "dialing"
    "As HOLD, and C is rung."
    OPERATOR_TALK = "operator_talk"
    "B and C talk, A is held."
    FINISHING = "finishing"
    "Everybody is being hung up; a moment later there is a verdict."


LIVE = frozenset(State) - {State.FINISHING}

TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.SESSION: frozenset({State.TALK, State.FINISHING}),
    # Back to SESSION: the operator has left, and the contact's scenario goes on.
    State.TALK: frozenset({State.HOLD, State.DIALING, State.SESSION, State.FINISHING}),
    State.HOLD: frozenset({State.TALK, State.DIALING, State.SESSION, State.FINISHING}),
    State.DIALING: frozenset(
        {State.HOLD, State.TALK, State.OPERATOR_TALK, State.SESSION, State.FINISHING}
    ),
    State.OPERATOR_TALK: frozenset({State.HOLD, State.TALK, State.SESSION, State.FINISHING}),
    State.FINISHING: frozenset(),
}
