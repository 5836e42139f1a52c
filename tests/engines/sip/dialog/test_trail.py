"""What a call has come through stands in every INVITE that is sent because of it."""

from callwright.engines.trail import Trail
from tests.engines.sip.challenges import challenge
from tests.engines.sip.world import World, reply

ONE, TWO = "0123456789ab", "ba9876543210"


def test_an_invite_bears_what_its_call_has_come_through_also_with_a_password() -> None:
    world = World()
    world.ring(user="carol", trail=Trail((ONE, TWO), 41))
    world.hear(reply(world.requests("INVITE")[0], 407, extra=(challenge(407, "n1"),)))
    first, second = world.requests("INVITE")
    for invite in (first, second):
        assert invite.headers["X-Callwright-Trail"] == f"{ONE}, {TWO}"
        assert invite.headers["Max-Forwards"] == "41"


def test_a_call_that_nothing_is_known_of_says_nothing() -> None:
    world = World()
    world.ring()
    [invite] = world.requests("INVITE")
    assert invite.headers.get("X-Callwright-Trail") is None
    assert invite.headers["Max-Forwards"] == "70"
