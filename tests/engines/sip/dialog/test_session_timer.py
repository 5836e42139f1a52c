"""Session timers: what is offered and agreed on, who refreshes, and when a session has expired."""

import pytest
import sipmessage

from callwright.engines.network import Trunk
from callwright.engines.port import Cause, LegId, LegReleased
from callwright.engines.sip.admission.admission import Admission
from callwright.engines.sip.dialog.invite_server import IncomingInvite, InviteServer
from callwright.engines.sip.dialog.session_timer import SessionTerms, WantedInterval, agreed, answer
from callwright.engines.sip.transaction.request_sender import Identity
from callwright.engines.sip.user_agent import UserAgent
from callwright.engines.sip.wire.message import SipRequest, SipResponse
from tests.engines.sip.world import SDP, Packet, World, answered, ask, reply, ringing, talking

UPDATES = "Allow: INVITE, ACK, BYE, UPDATE"


def refused(world: World, min_se: str) -> None:
    invite = world.requests("INVITE")[-1]
    world.hear(reply(invite, 422, "Session Interval Too Small", extra=(f"Min-SE: {min_se}",)))


def expires(request: sipmessage.Request) -> tuple[str, str]:
    return request.headers["Session-Expires"], request.headers["Min-SE"]


def test_an_invite_offers_a_session_timer() -> None:
    world = World()
    world.ring()
    invite = world.requests("INVITE")[0]
    assert expires(invite) == ("1800", "90")
    assert "timer" in invite.headers["Supported"]


def test_a_422_is_answered_with_the_longer_interval() -> None:
    world = World()
    world.ring()
    refused(world, "3600")
    refused(world, "4000")
    first, second, third = world.requests("INVITE")
    assert expires(second) == ("3600", "3600")
    assert expires(third) == ("4000", "4000")
    assert [one.cseq.sequence for one in (first, second, third)] == [1, 2, 3]
    assert {one.call_id for one in (first, second, third)} == {first.call_id}
    assert len(world.requests("ACK")) == 2
    answered(world)
    assert world.told() == ["LegConnected"]


@pytest.mark.parametrize("min_se", ["1800", "90", "x", "999999", "-5", "99999999999"])
def test_a_422_that_makes_no_sense_ends_the_leg(min_se: str) -> None:
    world = World()
    world.ring()
    refused(world, min_se)
    assert len(world.requests("INVITE")) == 1
    assert world.ending().cause is Cause.UNREACHABLE
    assert world.ending().raw == "422 Session Interval Too Small"


def test_an_interval_raised_without_end_is_given_up() -> None:
    world = World()
    world.ring()
    for longer in range(2000, 2100, 10):
        refused(world, str(longer))
    assert len(world.requests("INVITE")) == 5
    assert world.told() == ["LegReleased"]


def test_a_422_after_we_hung_up_is_not_answered() -> None:
    world = World()
    world.ring()
    world.hang_up()
    refused(world, "3600")
    assert len(world.requests("INVITE")) == 1


def test_we_refresh_by_update_at_half_the_interval() -> None:
    world = talking(extra=("Session-Expires: 200;refresher=uac", "Require: timer", UPDATES))
    world.until(99)
    assert world.requests("UPDATE") == []
    world.until(100)
    (update,) = world.requests("UPDATE")
    assert update.headers["Session-Expires"] == "200;refresher=uac"
    assert (update.body, update.headers.get("Content-Type")) == (b"", None)
    assert update.cseq.sequence == 2
    world.hear(reply(update, 200, extra=("Session-Expires: 300;refresher=uac",)))
    world.until(249)
    assert len(world.requests("UPDATE")) == 1
    world.until(250)
    assert len(world.requests("UPDATE")) == 2
    assert world.told() == ["LegConnected"]


def test_a_far_end_without_update_is_refreshed_by_an_invite_that_changes_nothing() -> None:
    world = talking(extra=("Session-Expires: 200;refresher=uac",))
    first = world.requests("INVITE")[0]
    world.until(100)
    again = world.requests("INVITE")[1]
    assert again.body == first.body
    assert again.to_address.parameters["tag"] == "far"
    assert again.cseq.sequence == 2
    world.hear(reply(again, 200, sdp=SDP, extra=("Session-Expires: 200;refresher=uac",)))
    assert world.requests("ACK")[-1].cseq.sequence == 2
    world.until(200)
    assert len(world.requests("INVITE")) == 3
    assert world.told() == ["LegConnected"]
    assert len(world.facts) == 2  # the stream is the same, so nobody is told of one


def test_the_hold_we_agreed_to_is_repeated_in_a_refresh() -> None:
    world = talking(extra=("Session-Expires: 200;refresher=uac",))
    invite = world.requests("INVITE")[0]
    hold = ask(invite, "INVITE", body=SDP + "a=sendonly\r\n", extra=("Session-Expires: 200",))
    world.hear(hold, ask(invite, "ACK"))
    said = world.responses()[0].body
    world.until(150)
    assert world.requests("INVITE")[-1].body == said
    assert b"a=recvonly" in said


def test_the_far_end_refreshes() -> None:
    world = talking(extra=("Session-Expires: 300;refresher=uas", "Require: timer", UPDATES))
    invite = world.requests("INVITE")[0]
    for number, at in enumerate((150, 300, 450), 1):
        world.until(at)
        refresh = ("Session-Expires: 300;refresher=uac", "Supported: timer")
        world.hear(ask(invite, "UPDATE", cseq=number, extra=refresh))
    assert [one.code for one in world.responses()] == [200, 200, 200]
    assert world.responses()[-1].headers["Session-Expires"] == "300;refresher=uac"
    assert world.responses()[-1].headers["Require"] == "timer"
    assert world.requests("UPDATE") == []
    # It dies. RFC 4028 section 10: BYE at 300 - min(32, 300 / 3) seconds after the last refresh.
    world.until(450 + 267)
    assert world.told() == ["LegConnected"]
    world.until(450 + 268)
    assert world.ending() == LegReleased(LegId(1), Cause.UNREACHABLE, "session timer")
    assert len(world.requests("BYE")) == 1


def test_a_short_session_that_nobody_refreshes() -> None:
    world = talking(extra=("Session-Expires: 90;refresher=uas",))
    world.until(59)
    assert world.told() == ["LegConnected"]
    world.until(60)
    assert world.ending().raw == "session timer"


def test_a_phone_without_session_timers_is_looked_after_all_the_same() -> None:
    world = talking()
    world.until(900)
    again = world.requests("INVITE")[1]
    world.hear(reply(again, 200, sdp=SDP))
    world.until(1800)
    assert len(world.requests("INVITE")) == 3
    # It is gone: nothing comes of this one.
    world.until(1840)
    assert world.ending() == LegReleased(LegId(1), Cause.UNREACHABLE, "no reply to INVITE")


def test_a_refusal_proves_that_somebody_is_there() -> None:
    world = talking()
    for number in (1, 2, 3):
        world.until(900 * number)
        world.hear(reply(world.requests("INVITE")[number], 488, contact=None))
    world.until(3000)
    assert world.told() == ["LegConnected"]


def test_a_session_that_is_refused_its_refresh_expires() -> None:
    world = talking(extra=("Session-Expires: 200;refresher=uac", UPDATES))
    world.far = lambda update: [Packet(reply(update, 500, contact=None))]
    world.until(199)
    # At half of what is left, again and again, but not in its last seconds.
    assert [round(at) for at in world.times("UPDATE")] == [100, 150, 175, 188, 194]
    assert world.told() == ["LegConnected"]
    world.until(200)
    assert world.ending().raw == "session timer"


@pytest.mark.parametrize("status", [405, 501])
def test_a_far_end_that_announced_update_and_does_not_take_it(status: int) -> None:
    world = talking(extra=("Session-Expires: 200;refresher=uac", UPDATES))
    world.until(100)
    world.hear(reply(world.requests("UPDATE")[0], status, contact=None))
    again = world.requests("INVITE")[1]
    world.hear(reply(again, 200, sdp=SDP, extra=("Session-Expires: 200",)))
    world.until(200)
    assert len(world.requests("INVITE")) == 3
    assert world.told() == ["LegConnected"]


def test_a_refresh_too_frequent_for_a_proxy_is_sent_again_for_longer() -> None:
    world = talking(extra=("Session-Expires: 200;refresher=uac", UPDATES))
    world.until(100)
    world.hear(reply(world.requests("UPDATE")[0], 422, contact=None, extra=("Min-SE: 2000",)))
    assert expires(world.requests("UPDATE")[1]) == ("2000;refresher=uac", "2000")


@pytest.mark.parametrize("status", [408, 481])
def test_a_refresh_of_a_call_the_far_end_does_not_know(status: int) -> None:
    world = talking(extra=(UPDATES,))
    world.until(900)
    world.hear(reply(world.requests("UPDATE")[0], status, contact=None))
    assert world.ending() == LegReleased(LegId(1), Cause.UNREACHABLE, f"{status} to UPDATE")
    assert len(world.requests("BYE")) == 1


def test_no_timer_outlives_its_call() -> None:
    world = talking(extra=("Session-Expires: 300;refresher=uas",))
    world.hear(ask(world.requests("INVITE")[0], "BYE"))
    world.until(100)
    assert world.agent.layer.next_timer() is None
    assert world.agent._calls == {}


@pytest.mark.parametrize(
    ("extra", "status", "said", "required"),
    [
        ((), 200, None, None),
        (("Supported: timer",), 200, "1800;refresher=uas", None),
        (("Supported: timer", "Min-SE: 2400"), 200, "2400;refresher=uas", None),
        (("Supported: timer", "x: 120"), 200, "120;refresher=uac", "timer"),
        (("Supported: timer", "x: 120;refresher=uac"), 200, "120;refresher=uac", "timer"),
        (("Supported: timer", "x: 120;refresher=UAS"), 200, "120;refresher=uas", None),
        # A proxy has put it there.
        (("Session-Expires: 120",), 200, "120;refresher=uas", None),
        (("Session-Expires: 60",), 200, "60;refresher=uas", None),
        (("Require: timer", "Supported: timer", "x: 90"), 200, "90;refresher=uac", "timer"),
        (("Supported: timer", "x: soon"), 200, "1800;refresher=uas", None),
        (("Supported: timer", "x: 90;;"), 200, "90;refresher=uac", "timer"),
        (("Supported: timer", "x: 89"), 422, None, None),
    ],
)
@pytest.mark.parametrize("method", ["UPDATE", "INVITE"])
def test_what_we_answer_to_a_refresh(
    method: str, extra: tuple[str, ...], status: int, said: str | None, required: str | None
) -> None:
    world = talking()
    body = SDP if method == "INVITE" else ""
    world.hear(ask(world.requests("INVITE")[0], method, body=body, extra=extra))
    response = world.responses()[0]
    assert response.code == status
    assert response.headers.get("Session-Expires") == said
    assert response.headers.get("Require") == required
    if status == 422:
        assert response.headers["Min-SE"] == "90"
    else:
        assert "timer" in response.headers["Supported"]


def test_an_update_of_early_media_agrees_on_no_timer_yet() -> None:
    world = World()
    world.ring()
    ringing(world, 183, sdp=SDP)
    refresh = ("Supported: timer", "Session-Expires: 90")
    world.hear(ask(world.requests("INVITE")[0], "UPDATE", extra=refresh))
    assert world.responses()[0].code == 200
    assert world.responses()[0].headers.get("Session-Expires") is None
    world.until(600)
    assert world.told() == ["EarlyMediaStarted"]


def test_terms_are_kept_within_reason() -> None:
    world = talking(extra=("Session-Expires: 1;refresher=uac",))
    world.until(14)
    assert len(world.requests("INVITE")) == 1
    world.until(15)
    assert len(world.requests("INVITE")) == 2


def test_the_table_of_roles() -> None:
    """RFC 4028 table 2, and what it leaves open."""
    wanted = WantedInterval(1800)

    def terms(*, supported: bool, given: str) -> SessionTerms:
        headers = {"supported": ["timer"] if supported else [""], "session-expires": [given]}
        return answer(SipRequest("UPDATE", "sip:x@y", headers), wanted)[0]

    assert terms(supported=True, given="90").we_refresh is False
    assert terms(supported=True, given="90;refresher=uas").we_refresh is True
    assert terms(supported=False, given="90;refresher=uac").we_refresh is True
    assert agreed(SipResponse(200, "OK", {}), wanted) == SessionTerms(
        1800, we_refresh=True, binding=False
    )
    said = SipResponse(200, "OK", {"session-expires": ["600"]})
    assert agreed(said, wanted) == SessionTerms(600, we_refresh=True, binding=True)


def theirs(world: World, method: str, *extra: str, cseq: int = 1, body: str = SDP) -> bytes:
    """A request of somebody who calls us."""
    to = "<sip:100@127.0.0.1>"
    if world.responses():
        to = world.responses()[-1].headers["To"]
    lines = (
        f"{method} sip:100@127.0.0.1 SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bK{method}{cseq}",
        "From: <sip:far@127.0.0.1>;tag=far",
        f"To: {to}",
        "Call-ID: theirs",
        f"CSeq: {cseq} {method}",
        "Contact: <sip:far@127.0.0.1:6000>",
        "Content-Type: application/sdp",
        *extra,
    )
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def called(*extra: str) -> World:
    """A world that is called and answers."""
    world = World()

    def take(arrival: IncomingInvite, now: float) -> None:
        call = world.agent.take(LegId(1), arrival, ("127.0.0.1", 16384), now)
        assert call is not None
        world.calls[LegId(1)] = call
        assert isinstance(call.invite, InviteServer)
        call.invite.answer(now)

    admission = Admission("callwright", b"secret")
    admission.use_trunks([Trunk("in", "127.0.0.1", 6000)])
    identity = Identity("127.0.0.1", 5060, "callwright")
    world.agent = UserAgent(identity, world._fact, admission=admission, called=take)
    world.hear(theirs(world, "INVITE", *extra))
    return world


def test_who_calls_us_and_asks_to_refresh_does_so() -> None:
    world = called("Supported: timer", "Session-Expires: 300;refresher=uac")
    ok = world.responses()[-1]
    assert (ok.code, ok.headers["Session-Expires"]) == (200, "300;refresher=uac")
    assert ok.headers["Require"] == "timer"
    world.hear(theirs(world, "ACK", body=""))
    world.until(267)
    assert world.told() == ["LegConnected"]
    world.until(268)
    assert world.ending().raw == "session timer"


def test_who_calls_us_and_knows_no_timers_is_refreshed() -> None:
    world = called("Allow: INVITE, UPDATE")
    assert world.responses()[-1].headers.get("Session-Expires") is None
    world.hear(theirs(world, "ACK", body=""))
    world.until(900)
    (update,) = world.requests("UPDATE")
    assert update.headers["Session-Expires"] == "1800;refresher=uac"
    world.hear(reply(update, 200, tag="", extra=("Session-Expires: 1800;refresher=uac",)))
    world.until(1799)
    assert len(world.requests("UPDATE")) == 1
    assert world.told() == ["LegConnected"]


def test_who_calls_us_and_asks_for_too_much_is_told_so() -> None:
    world = called("Supported: timer", "Session-Expires: 60")
    (refusal,) = world.responses()
    assert (refusal.code, refusal.headers["Min-SE"]) == (422, "90")
    assert world.told() == []
