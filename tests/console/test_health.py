"""How it stands with a trunk, in words: the worst that is known of it comes first."""

import pytest

from callwright.console.health import trunk_words
from callwright.engines.network import TrunkRegistration, TrunkState

OFF, REGISTERED = TrunkRegistration.OFF, TrunkRegistration.REGISTERED


@pytest.mark.parametrize(
    ("trunk", "words"),
    [
        (TrunkState("t", OFF), ("", "has not been asked yet")),
        (TrunkState("t", OFF, reachable=True), ("good", "answers")),
        (TrunkState("t", OFF, reachable=False), ("bad", "does not answer")),
        (TrunkState("t", REGISTERED, reachable=True), ("good", "has us registered")),
        (TrunkState("t", REGISTERED, reachable=False), ("bad", "does not answer")),
        (TrunkState("t", TrunkRegistration.TRYING), ("waiting", "is being registered with")),
        (TrunkState("t", TrunkRegistration.REFUSED), ("bad", "refuses to register us")),
        (TrunkState("t", REGISTERED, call_refusal="403"), ("bad", "does not take our calls")),
    ],
)
def test_a_trunk_is_told_in_words(trunk: TrunkState, words: tuple[str, str]) -> None:
    assert trunk_words(trunk) == words
