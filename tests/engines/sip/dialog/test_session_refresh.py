"""Our own requests inside a call: glares, copies, challenges, and what comes out changed."""

import pytest
import sipmessage

from callwright.engines.media.media import RtpStream
from callwright.engines.port import Cause, LegId, LegReleased
from callwright.engines.sip.dialog.call_leg import StreamAgreed
from tests.engines.sip.challenges import challenge, proves
from tests.engines.sip.world import SDP, Packet, World, ask, reply, talking

TIMED = "Session-Expires: 200;refresher=uac"
UPDATES = "Allow: INVITE, ACK, BYE, UPDATE"


def refreshing(*, extra: tuple[str, ...] = (), user: str | None = None) -> World:
    """A world in which our first refresh, due at 100 s, has just gone out."""
    world = talking(extra=(TIMED, *extra), user=user)
    world.until(100)
    return world


def latest(world: World, method: str = "INVITE") -> sipmessage.Request:
    return world.requests(method)[-1]


def test_the_2xx_to_a_reinvite_is_acknowledged_as_often_as_it_comes() -> None:
    world = refreshing()
    ok = reply(latest(world), 200, sdp=SDP, extra=(TIMED,))
    world.hear(ok, ok, ok)
    acks = world.requests("ACK")[1:]
    assert len(acks) == 3
    assert len({bytes(ack) for ack in acks}) == 1
    assert acks[0].cseq.sequence == latest(world).cseq.sequence
    # Each is a refresh, but one only.
    world.until(199)
    assert len({one.cseq.sequence for one in world.requests("INVITE")}) == 2


def test_a_reinvite_is_sent_again_until_something_comes() -> None:
    world = refreshing()
    world.until(101.6)
    assert world.times("INVITE")[1:] == [100.0, 100.5, 101.5]
    world.hear(reply(latest(world), 100, tag=""))
    world.until(110)
    assert len(world.requests("INVITE")) == 4


def test_a_refresh_may_move_the_far_end_and_change_its_codec() -> None:
    world = refreshing()
    moved = SDP.replace("RTP/AVP 8 101", "RTP/AVP 0 101").replace("7000", "7100")
    world.hear(reply(latest(world), 200, sdp=moved, contact="<sip:far@127.0.0.6:6006>"))
    assert world.facts[-1] == StreamAgreed(LegId(1), RtpStream(("127.0.0.9", 7100), "PCMU", 0, 101))
    world.hang_up()
    assert world.hops("ACK")[-1] == ("127.0.0.6", 6006)
    assert world.hops("BYE") == [("127.0.0.6", 6006)]


def test_an_update_moves_the_target_too() -> None:
    world = refreshing(extra=(UPDATES,))
    world.hear(reply(latest(world, "UPDATE"), 200, contact="<sip:far@127.0.0.6:6006>"))
    world.hang_up()
    assert world.hops("BYE") == [("127.0.0.6", 6006)]


@pytest.mark.parametrize(
    "contact", ["<tel:+74950000000>", "<sip:far@127.0.0.6:6006", "<sip:x@127.0.0.6;transport=ws>"]
)
def test_a_contact_nobody_can_follow_leaves_the_target(contact: str) -> None:
    world = refreshing()
    world.hear(reply(latest(world), 200, sdp=SDP, contact=contact))
    assert world.hops("ACK")[-1] == ("127.0.0.1", 6000)
    assert world.told() == ["LegConnected"]


def test_a_2xx_with_an_answer_nobody_can_use_ends_the_call() -> None:
    world = refreshing()
    world.hear(reply(latest(world), 200, sdp=SDP.replace("RTP/AVP 8", "RTP/AVP 18")))
    assert world.ending() == LegReleased(LegId(1), Cause.UNREACHABLE, "488 no common codec")
    assert [len(world.requests(method)) for method in ("ACK", "BYE")] == [2, 1]


def test_a_2xx_without_an_answer_is_still_a_refresh() -> None:
    world = refreshing()
    world.hear(reply(latest(world), 200, extra=(TIMED,)))
    world.until(199)
    assert world.told() == ["LegConnected"]


@pytest.mark.parametrize("status", [300, 400, 403, 488, 500, 503, 600, 603])
def test_a_refused_refresh_leaves_the_session_as_it_was(status: int) -> None:
    world = refreshing()
    facts = list(world.facts)
    world.hear(reply(latest(world), status))
    assert world.facts == facts
    assert len(world.requests("ACK")) == 2
    world.hear(ask(world.requests("INVITE")[0], "UPDATE", body=SDP))
    assert world.responses()[0].code == 200


def test_offers_that_cross_ours_are_refused_until_it_is_answered() -> None:
    world = refreshing()
    invite = world.requests("INVITE")[0]
    world.hear(
        ask(invite, "INVITE", cseq=1, body=SDP),
        ask(invite, "UPDATE", cseq=2, body=SDP),
        ask(invite, "INVITE", cseq=3),
        ask(invite, "UPDATE", cseq=4),
    )
    assert [one.code for one in world.responses()] == [491, 491, 491, 200]
    world.hear(reply(latest(world), 200, sdp=SDP, extra=(TIMED,)))
    world.hear(ask(invite, "INVITE", cseq=5, body=SDP))
    assert world.responses()[-1].code == 200


def test_an_update_without_an_offer_stands_in_nobodys_way() -> None:
    world = refreshing(extra=(UPDATES,))
    world.hear(ask(world.requests("INVITE")[0], "INVITE", body=SDP))
    assert world.responses()[0].code == 200


def test_after_a_glare_we_wait_longer_than_the_other_side() -> None:
    """RFC 3261 14.1: who made the Call-ID waits between 2.1 and 4 s."""
    waits = set()
    for seed in range(40):
        world = World(seed=seed)
        world.ring()
        world.hear(reply(latest(world), 200, sdp=SDP, extra=(TIMED,)))
        world.until(100)
        world.hear(reply(latest(world), 491, contact=None))
        world.far = lambda request: [Packet(reply(request, 100, tag=""))]
        world.until(105)
        waits.add(round(world.times("INVITE")[2] - 100, 3))
        assert len(world.requests("INVITE")) == 3
        assert latest(world).cseq.sequence == 3
    assert min(waits) >= 2.1
    assert max(waits) <= 4.0
    assert len(waits) > 20
    assert all(round(one * 100) == pytest.approx(one * 100) for one in waits)


def test_who_did_not_make_the_call_id_waits_less() -> None:
    waits = set()
    for seed in range(40):
        world = World(seed=seed)
        world.ring()
        world.hear(reply(latest(world), 200, sdp=SDP, extra=(TIMED,)))
        dialog = world.calls[LegId(1)].dialog
        assert dialog is not None
        dialog.ours = False
        world.until(100)
        world.hear(reply(latest(world), 491, contact=None))
        world.far = lambda request: [Packet(reply(request, 100, tag=""))]
        world.until(105)
        waits.add(round(world.times("INVITE")[2] - 100, 3))
    assert max(waits) <= 2.0
    assert min(waits) < 0.5


def test_a_refresh_of_the_far_end_after_a_glare_spares_us_ours() -> None:
    world = refreshing()
    invite = world.requests("INVITE")[0]
    world.hear(reply(latest(world), 491, contact=None))
    world.hear(
        ask(invite, "INVITE", body=SDP, extra=("Supported: timer", "x: 200;refresher=uas")),
        ask(invite, "ACK"),
    )
    world.until(199)
    assert len(world.requests("INVITE")) == 2
    world.until(200)
    assert len(world.requests("INVITE")) == 3


def test_a_glare_without_end_is_given_up() -> None:
    world = refreshing()
    world.far = lambda request: [Packet(reply(request, 491, contact=None))]
    world.hear(reply(latest(world), 491, contact=None))
    world.until(149)
    assert len(world.requests("INVITE")) == 10
    world.until(200)
    assert world.ending().raw == "session timer"


def test_our_reinvite_waits_for_the_ack_of_theirs() -> None:
    world = talking(extra=(TIMED,))
    invite = world.requests("INVITE")[0]
    world.until(95)
    world.hear(ask(invite, "INVITE", body=SDP, extra=("Supported: timer", "x: 90;refresher=uas")))
    world.until(120)
    assert len(world.requests("INVITE")) == 1
    world.hear(ask(invite, "ACK"))
    world.until(140)
    assert len(world.requests("INVITE")) == 2


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_a_refresh_is_challenged(method: str) -> None:
    world = refreshing(user="carol", extra=(UPDATES,) if method == "UPDATE" else ())
    first = latest(world, method)
    world.hear(reply(first, 407, contact=None, extra=(challenge(407, "n1"),)))
    second = latest(world, method)
    assert proves(second, "n1") == "00000001"
    assert second.cseq.sequence == first.cseq.sequence + 1
    stale = challenge(407, "n2", more=", stale=true")
    world.hear(reply(second, 407, contact=None, extra=(stale,)))
    third = latest(world, method)
    assert proves(third, "n2") == "00000001"
    world.hear(reply(third, 200, sdp=SDP if method == "INVITE" else "", extra=(TIMED,)))
    if method == "INVITE":
        ack = world.requests("ACK")[-1]
        assert ack.headers["Proxy-Authorization"] == third.headers["Proxy-Authorization"]
        assert ack.cseq.sequence == third.cseq.sequence
    world.until(199)
    assert world.told() == ["LegConnected"]


def test_a_refresh_that_crosses_our_bye_is_acknowledged_and_forgotten() -> None:
    world = refreshing()
    reinvite = latest(world)
    world.hang_up()
    world.hear(reply(world.requests("BYE")[0], 200, contact=None))
    world.hear(reply(reinvite, 200, sdp=SDP.replace("7000", "7100")))
    assert len(world.requests("ACK")) == 2
    world.until(300)
    assert world.told() == ["LegConnected", "LegReleased"]
    assert world.agent.layer._clients == {}
    assert world.agent.layer.next_timer() is None


def test_nothing_pending_is_asked_again_after_the_end() -> None:
    world = refreshing(user="carol")
    reinvite = latest(world)
    world.hang_up()
    world.hear(reply(world.requests("BYE")[0], 200, contact=None))
    world.hear(reply(reinvite, 407, contact=None, extra=(challenge(407, "n1"),)))
    assert len(world.requests("INVITE")) == 2

    world = refreshing()
    world.hear(reply(latest(world), 491, contact=None))
    world.hear(ask(world.requests("INVITE")[0], "BYE"))
    world.until(300)
    assert len(world.requests("INVITE")) == 2
    assert world.agent.layer.next_timer() is None


def test_a_reinvite_that_is_only_said_100_to_is_cancelled() -> None:
    world = refreshing()
    reinvite = latest(world)
    world.hear(reply(reinvite, 100, tag=""))
    world.until(131)
    assert world.requests("CANCEL") == []
    world.until(132)
    cancel = world.requests("CANCEL")[0]
    assert cancel.cseq.sequence == reinvite.cseq.sequence
    world.hear(reply(cancel, 200), reply(reinvite, 487, contact=None))
    assert world.told() == ["LegConnected"]
    assert len(world.requests("ACK")) == 2


def test_a_far_end_that_is_dead_behind_a_proxy_that_says_100() -> None:
    world = talking()
    world.until(900)
    world.hear(reply(latest(world), 100, tag=""))
    world.until(964)
    assert world.ending() == LegReleased(LegId(1), Cause.UNREACHABLE, "no reply to INVITE")
    world.until(1100)
    assert world.agent.layer._clients == {}
