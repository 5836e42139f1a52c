"""Calls against far ends that lose, repeat, fork, cross, challenge and lie."""

import re

import pytest
import sipmessage
from hypothesis import given, settings
from hypothesis import strategies as st

from callwright.engines.media.media import RtpStream
from callwright.engines.port import (
    Cause,
    DtmfFailed,
    DtmfReceived,
    DtmfSent,
    LegHeld,
    LegId,
    LegReleased,
    LegResumed,
)
from callwright.engines.sip.dialog.call_leg import StreamAgreed
from callwright.engines.sip.dialog.info_dtmf import QUEUE_AT_MOST
from callwright.engines.sip.dialog.invite_client import InviteTarget
from callwright.engines.sip.transaction.digest_client import DigestClient
from tests.engines.sip.challenges import challenge, proves
from tests.engines.sip.world import (
    CONTACT,
    FAR,
    SDP,
    Packet,
    World,
    answered,
    answering,
    answers,
    ask,
    reply,
    ringing,
    talking,
)

VIDEO = SDP.replace("RTP/AVP 8 101", "RTP/AVP 31").replace("rtpmap:8 PCMA", "rtpmap:31 H261")


def test_a_call_rings_is_answered_and_hung_up_by_us() -> None:
    world = World(answering)
    world.ring()
    world.until(1)
    assert world.told() == ["LegRinging", "LegConnected"]
    world.hang_up()
    assert world.told() == ["LegRinging", "LegConnected", "LegReleased"]
    assert world.ending() == LegReleased(LegId(1), Cause.RELEASED)
    world.until(100)
    assert len(world.requests("BYE")) == 1


def test_nothing_is_left_behind() -> None:
    world = World(answering)
    world.ring()
    world.until(1)
    world.hang_up()
    world.until(100)
    layer = world.agent.layer
    assert not layer.waiting()
    assert layer.next_timer() is None
    assert (layer._clients, layer._servers, world.agent._calls) == ({}, {}, {})


@pytest.mark.parametrize("symmetric", [True, False])
def test_audio_through_a_trunk_is_taken_as_its_setting_says(symmetric: bool) -> None:
    world = World()
    whom = InviteTarget("sip:25@127.0.0.1:6000", FAR, "sip:74950000000@127.0.0.1")
    world.calls[LegId(1)] = world.agent.ring(
        LegId(1), [whom], DigestClient(None, None), ("127.0.0.1", 16384), 0.0,
        symmetric_rtp=symmetric,
    )  # fmt: skip
    world.until(0.0)
    world._pump()
    answered(world)
    assert [one.symmetric for one in streams(world)] == [symmetric]


def test_the_audio_is_agreed_on_before_the_answer_is_told() -> None:
    world = talking()
    stream = RtpStream(("127.0.0.9", 7000), "PCMA", 8, 101)
    assert world.facts[0] == StreamAgreed(LegId(1), stream)
    assert world.told() == ["LegConnected"]


def test_the_first_two_invites_are_lost() -> None:
    world = World()
    world.ring()
    world.until(1.6)
    assert world.times("INVITE") == [0.0, 0.5, 1.5]
    answered(world)
    world.until(10)
    assert world.told() == ["LegConnected"]
    assert len(world.requests("INVITE")) == 3


def test_nobody_replies() -> None:
    world = World()
    world.ring()
    world.until(40)
    assert world.times("INVITE") == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert world.ending() == LegReleased(LegId(1), Cause.UNREACHABLE, "no reply")


def test_the_network_refuses_the_invite() -> None:
    world = World()
    world.ring()
    layer = world.agent.layer
    (held,) = layer._clients.values()
    held.transaction.unsent(0.0)
    layer.on_timer(1.0)
    assert world.told() == ["LegReleased"]


def test_ringing_may_last_longer_than_any_timer() -> None:
    world = World()
    world.ring()
    ringing(world)
    world.until(600)
    assert world.told() == ["LegRinging"]
    answered(world)
    assert world.told() == ["LegRinging", "LegConnected"]


def test_a_200_repeated_is_acknowledged_each_time_and_told_once() -> None:
    world = talking()
    answered(world)
    changed = SDP.replace("7000", "7002")
    answered(world, sdp=changed, extra=("X-Changed: yes",))
    acks = world.requests("ACK")
    assert len(acks) == 3
    assert len({bytes(ack) for ack in acks}) == 1
    assert world.told() == ["LegConnected"]
    assert len(world.facts) == 2


def test_requests_follow_two_record_routes_to_a_foreign_contact() -> None:
    world = World()
    world.ring()
    invite = world.requests("INVITE")[0]
    world.hear(
        reply(
            invite,
            200,
            contact="<sip:far@127.0.0.77:7777;transport=UDP>",
            sdp=SDP,
            extra=(
                "Record-Route: <sip:127.0.0.21:5021;lr>, <sip:127.0.0.22;lr>",
                "Record-Route: <sip:127.0.0.23:5023;lr=on>",
            ),
        )
    )
    world.hang_up()
    for method in ("ACK", "BYE"):
        (request,) = world.requests(method)
        assert str(request.uri) == "sip:far@127.0.0.77:7777;transport=UDP"
        routes = request.headers.getlist("Route")
        assert [re.findall(r"127\.0\.0\.\d+", route)[0] for route in routes] == [
            "127.0.0.23",
            "127.0.0.22",
            "127.0.0.21",
        ]
        assert world.hops(method) == [("127.0.0.23", 5023)]
    assert world.requests("ACK")[0].cseq.sequence == 1
    assert world.requests("BYE")[0].cseq.sequence == 2


def test_a_strict_router_finds_itself_in_the_request_line() -> None:
    world = World()
    world.ring()
    world.hear(
        reply(
            world.requests("INVITE")[0],
            200,
            sdp=SDP,
            extra=("Record-Route: <sip:127.0.0.22:5022;lr>, <sip:127.0.0.21:5021>",),
        )
    )
    (ack,) = world.requests("ACK")
    assert str(ack.uri) == "sip:127.0.0.21:5021"
    assert ack.headers.getlist("Route") == ["<sip:127.0.0.22:5022;lr>", CONTACT]
    assert world.hops("ACK") == [("127.0.0.21", 5021)]


def test_a_200_without_contact_is_hung_up_at_the_address_that_was_rung() -> None:
    world = World()
    world.ring()
    world.hear(reply(world.requests("INVITE")[0], 200, contact=None, sdp=SDP))
    world.hang_up()
    assert str(world.requests("BYE")[0].uri) == "sip:25@127.0.0.1:6000"


def test_a_200_with_a_contact_nobody_can_follow_ends_the_leg() -> None:
    world = World()
    world.ring()
    world.hear(reply(world.requests("INVITE")[0], 200, contact="<tel:+74950000000>", sdp=SDP))
    assert world.ending().cause is Cause.UNREACHABLE
    assert sum(world.agent.layer.dropped.values()) == 1
    # Whoever has answered is not left with a call that is none.
    assert [world.hops(method) for method in ("ACK", "BYE")] == [[FAR.place], [FAR.place]]


def test_several_branches_of_a_fork_ring_and_one_answers() -> None:
    world = World()
    world.ring()
    for tag in ("one", "two", "three"):
        ringing(world, tag=tag)
    answered(world, tag="two")
    assert world.told() == ["LegRinging", "LegConnected"]
    world.hang_up()
    (bye,) = world.requests("BYE")
    assert bye.to_address.parameters["tag"] == "two"


def test_a_late_second_200_of_a_fork_is_acknowledged_and_hung_up() -> None:
    world = World()
    world.ring()
    answered(world, tag="one")
    world.until(0.3)
    answered(world, tag="two")
    answered(world, tag="two")
    assert world.told() == ["LegConnected"]
    tags = [ack.to_address.parameters["tag"] for ack in world.requests("ACK")]
    assert tags == ["one", "two", "two"]
    (bye,) = world.requests("BYE")
    assert bye.to_address.parameters["tag"] == "two"


def test_a_fork_without_end_is_bounded() -> None:
    world = World()
    world.ring()
    for number in range(50):
        ringing(world, tag=f"t{number}")
    assert len(world.calls[LegId(1)].invite.dialogs()) == 16
    assert world.agent.layer.dropped["too many forks"] == 34


def test_a_cancel_waits_for_a_provisional_response() -> None:
    world = World()
    world.ring()
    world.hang_up()
    assert world.told() == ["LegReleased"]
    assert world.requests("CANCEL") == []
    ringing(world, 100)
    invite = world.requests("INVITE")[0]
    (cancel,) = world.requests("CANCEL")
    assert cancel.cseq.sequence == invite.cseq.sequence
    assert cancel.headers["Via"] == invite.headers["Via"]
    world.hear(reply(cancel, 200), reply(invite, 487, "Request Terminated"))
    assert len(world.requests("ACK")) == 1
    world.until(100)
    assert world.told() == ["LegReleased"]
    assert len(world.requests("CANCEL")) == 1


def test_a_cancel_goes_out_once_however_often_it_rings() -> None:
    world = World()
    world.ring()
    ringing(world)
    world.hang_up()
    ringing(world)
    ringing(world, 183, sdp=SDP)
    cancels = {bytes(one) for one in world.requests("CANCEL")}
    assert len(cancels) == 1
    assert world.told() == ["LegRinging", "LegReleased"]


def test_a_200_that_crosses_the_cancel_is_acknowledged_and_hung_up() -> None:
    world = World()
    world.ring()
    ringing(world)
    world.hang_up()
    answered(world)
    answered(world)
    assert len(world.requests("ACK")) == 2
    assert len(world.requests("BYE")) == 1
    assert world.told() == ["LegRinging", "LegReleased"]


def test_a_200_for_a_call_given_up_before_any_reply_is_hung_up() -> None:
    world = World()
    world.ring()
    world.hang_up()
    answered(world)
    assert [len(world.requests(method)) for method in ("CANCEL", "ACK", "BYE")] == [0, 1, 1]


def test_a_cancelled_call_that_never_ends_is_let_go() -> None:
    world = World()
    world.ring()
    ringing(world)
    world.hang_up()
    assert world.agent.layer.waiting()
    world.until(100)
    assert not world.agent.layer.waiting()
    assert world.agent.layer._clients == {}


def test_our_bye_is_lost_twice() -> None:
    world = talking()
    world.hang_up()
    world.until(2)
    byes = world.requests("BYE")
    assert len(byes) == 3
    world.hear(reply(byes[-1], 200, contact=None))
    world.until(100)
    assert len(world.requests("BYE")) == 3


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (300, Cause.UNREACHABLE),
        (302, Cause.UNREACHABLE),
        (400, Cause.UNREACHABLE),
        (401, Cause.UNREACHABLE),
        (403, Cause.REJECTED),
        (404, Cause.WRONG_NUMBER),
        (407, Cause.UNREACHABLE),
        (408, Cause.NO_ANSWER),
        (410, Cause.WRONG_NUMBER),
        (480, Cause.NO_ANSWER),
        (484, Cause.WRONG_NUMBER),
        (486, Cause.BUSY),
        (487, Cause.NO_ANSWER),
        (488, Cause.UNREACHABLE),
        (499, Cause.UNREACHABLE),
        (500, Cause.UNREACHABLE),
        (503, Cause.UNREACHABLE),
        (600, Cause.BUSY),
        (603, Cause.REJECTED),
        (604, Cause.WRONG_NUMBER),
        (606, Cause.UNREACHABLE),
        (699, Cause.BUSY),
    ],
)
def test_a_refusal_ends_the_leg(status: int, cause: Cause) -> None:
    world = World()
    world.ring()
    world.hear(reply(world.requests("INVITE")[0], status, "As Said"))
    assert world.ending() == LegReleased(LegId(1), cause, f"{status} As Said")
    assert len(world.requests("ACK")) == 1


def test_the_q850_cause_rides_along() -> None:
    world = World()
    world.ring()
    reason = 'Reason: SIP;cause=480, Q.850 ;cause=18 ;text="no user"'
    world.hear(reply(world.requests("INVITE")[0], 480, "Gone", extra=(reason,)))
    assert world.ending().raw == "480 Gone, Q.850 18"


def test_an_answer_without_sdp_is_hung_up() -> None:
    world = talking(sdp="")
    assert world.ending() == LegReleased(LegId(1), Cause.UNREACHABLE, "488 no SDP in the answer")
    assert [len(world.requests(method)) for method in ("ACK", "BYE")] == [1, 1]


def test_an_answer_without_a_common_codec_is_hung_up() -> None:
    world = talking(sdp=VIDEO)
    assert world.ending() == LegReleased(LegId(1), Cause.UNREACHABLE, "488 no common codec")
    assert [len(world.requests(method)) for method in ("ACK", "BYE")] == [1, 1]


def test_early_media_is_told_once_and_serves_an_answer_without_sdp() -> None:
    world = World()
    world.ring()
    ringing(world, 183, sdp=SDP)
    ringing(world, 183, sdp=SDP)
    assert world.told() == ["EarlyMediaStarted"]
    answered(world, sdp="")
    assert world.told() == ["EarlyMediaStarted", "LegConnected"]
    assert sum(isinstance(fact, StreamAgreed) for fact in world.facts) == 1


def test_early_media_moves_with_a_later_183() -> None:
    world = World()
    world.ring()
    ringing(world, 183, sdp=SDP)
    ringing(world, 183, sdp=SDP.replace("7000", "7004"))
    assert world.told() == ["EarlyMediaStarted"]
    streams = [fact.stream for fact in world.facts if isinstance(fact, StreamAgreed)]
    assert [stream.remote[1] for stream in streams] == [7000, 7004]


def test_a_183_that_cannot_be_used_disturbs_nothing() -> None:
    world = World()
    world.ring()
    ringing(world, 183, sdp=VIDEO)
    answered(world)
    assert world.told() == ["LegConnected"]


def test_a_reliable_provisional_response_is_acknowledged_once() -> None:
    world = World()
    world.ring()
    invite = world.requests("INVITE")[0]

    def reliable(number: int, tag: str = "far") -> bytes:
        extra = ("Require: 100rel", f"RSeq: {number}")
        return reply(invite, 183, tag=tag, sdp=SDP, extra=extra)

    world.hear(reliable(70), reliable(70), reliable(72), reliable(71), reliable(5, "other"))
    pracks = world.requests("PRACK")
    assert [prack.headers["RAck"] for prack in pracks] == [
        "70 1 INVITE",
        "71 1 INVITE",
        "5 1 INVITE",
    ]
    assert str(pracks[0].uri) == "sip:far@127.0.0.1:6000"
    for prack in pracks:
        world.hear(reply(prack, 200, contact=None))
    answered(world, sdp="")
    assert world.requests("ACK")[0].cseq.sequence == 1
    world.hang_up()
    assert world.requests("BYE")[0].cseq.sequence == 4


def test_a_prack_is_sent_again_until_it_is_answered() -> None:
    """RFC 3262 4: the far end's copies are not answered anew; the transaction repeats the PRACK."""
    world = World()
    world.ring()
    invite = world.requests("INVITE")[0]
    rings = reply(invite, 183, sdp=SDP, extra=("Require: 100rel", "RSeq: 70"))
    world.hear(rings)
    world.until(0.4)
    world.hear(rings)
    world.until(2.0)
    pracks = world.requests("PRACK")
    assert world.times("PRACK") == [0.0, 0.5, 1.5]
    assert len({bytes(prack) for prack in pracks}) == 1
    world.hear(reply(pracks[0], 200, contact=None))
    world.until(30)
    assert len(world.requests("PRACK")) == 3


def test_a_prack_that_nobody_answers_ends_no_call() -> None:
    world = World()
    world.ring()
    extra = ("Require: 100rel", "RSeq: 70")
    world.hear(reply(world.requests("INVITE")[0], 183, sdp=SDP, extra=extra))
    world.until(40)
    assert "LegReleased" not in world.told()
    answered(world)
    assert world.told()[-1] == "LegConnected"


def test_an_invite_and_its_bye_answer_challenges() -> None:
    world = World()
    world.ring(user="carol")
    first = world.requests("INVITE")[0]
    world.hear(reply(first, 407, extra=(challenge(407, "n1"),)))
    second = world.requests("INVITE")[1]
    assert proves(second, "n1") == "00000001"
    assert second.cseq.sequence == 2
    assert second.headers["Call-ID"] == first.headers["Call-ID"]
    assert second.headers["From"] == first.headers["From"]
    assert "tag=" not in second.headers["To"]
    world.hear(reply(second, 200, sdp=SDP))
    ack = world.requests("ACK")[-1]
    assert ack.headers["Proxy-Authorization"] == second.headers["Proxy-Authorization"]

    world.hang_up()
    bye = world.requests("BYE")[0]
    assert proves(bye, "n1") == "00000002"
    world.hear(reply(bye, 407, contact=None, extra=(challenge(407, "n2", more=", stale=TRUE"),)))
    again = world.requests("BYE")[1]
    assert proves(again, "n2") == "00000001"
    assert again.cseq.sequence == bye.cseq.sequence + 1
    assert world.told() == ["LegConnected", "LegReleased"]


def test_a_bye_challenged_out_of_the_blue_is_answered() -> None:
    world = World()
    world.ring(user="carol")
    answered(world)
    world.hang_up()
    bye = world.requests("BYE")[0]
    world.hear(reply(bye, 407, contact=None, extra=(challenge(407, "n9"),)))
    assert proves(world.requests("BYE")[1], "n9") == "00000001"


def test_a_401_behind_a_407_is_answered_with_both() -> None:
    world = World()
    world.ring(user="carol")
    world.hear(reply(world.requests("INVITE")[0], 407, extra=(challenge(407, "proxy"),)))
    world.hear(reply(world.requests("INVITE")[1], 401, extra=(challenge(401, "server"),)))
    last = world.requests("INVITE")[2]
    assert proves(last, "server", "Authorization") == "00000001"
    assert proves(last, "proxy") == "00000002"


def test_a_wrong_password_ends_the_leg() -> None:
    world = World()
    world.ring(user="carol")
    for number in (0, 1):
        world.hear(reply(world.requests("INVITE")[number], 401, extra=(challenge(401, "n"),)))
    assert len(world.requests("INVITE")) == 2
    assert world.ending().cause is Cause.UNREACHABLE


def test_a_server_that_challenges_for_ever_is_given_up() -> None:
    world = World()
    world.ring(user="carol")
    for number in range(4):
        extra = (challenge(401, f"n{number}"),)
        world.hear(reply(world.requests("INVITE")[number], 401, extra=extra))
    assert len(world.requests("INVITE")) == 4
    assert world.told() == ["LegReleased"]


def test_a_challenge_after_we_hung_up_is_not_answered() -> None:
    world = World()
    world.ring(user="carol")
    world.hang_up()
    world.hear(reply(world.requests("INVITE")[0], 407, extra=(challenge(407, "n"),)))
    assert len(world.requests("INVITE")) == 1


class Phone:
    """A far end that answers at once and sends its 200 again until the ACK (RFC 3261 13.3.1.4)."""

    def __init__(self) -> None:
        self._acknowledged: set[str] = set()
        self._answered: set[str] = set()

    def __call__(self, request: sipmessage.Request) -> list[Packet]:
        call = request.call_id
        if request.method == "ACK":
            self._acknowledged.add(call)
            return []
        if request.method != "INVITE" or call in self._answered:
            return [Packet(one) for one in answers(request)]
        self._answered.add(call)
        ringing, ok = answers(request)
        return [
            Packet(ringing),
            *(
                Packet(ok, after=after, unless=lambda: call in self._acknowledged)
                for after in (0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5)
            ),
        ]


@pytest.mark.parametrize("seed", range(3))
def test_thirty_calls_of_thirty_are_answered_at_15_percent_loss(seed: int) -> None:
    world = World(Phone(), loss=0.15, seed=seed)
    for leg in range(30):
        world.ring(leg)
    world.until(35)
    assert world.told().count("LegConnected") == 30
    for leg in range(30):
        world.hang_up(leg)
    world.until(200)
    assert world.told().count("LegReleased") == 30
    assert world.agent.layer.next_timer() is None
    assert world.agent.layer._clients == {}


def test_the_far_end_hangs_up() -> None:
    world = talking()
    invite = world.requests("INVITE")[0]
    bye = ask(invite, "BYE", extra=("Reason: Q.850;cause=16",))
    world.hear(bye, bye)
    assert [one.code for one in world.responses()] == [200, 200]
    assert world.ending() == LegReleased(LegId(1), Cause.HUNG_UP, "Q.850 16")
    assert world.requests("BYE") == []


def test_two_byes_cross() -> None:
    world = talking()
    world.hang_up()
    world.hear(ask(world.requests("INVITE")[0], "BYE"))
    assert [one.code for one in world.responses()] == [200]
    assert world.told() == ["LegConnected", "LegReleased"]


def test_a_bye_before_the_answer_is_refused() -> None:
    world = World()
    world.ring()
    ringing(world)
    world.hear(ask(world.requests("INVITE")[0], "BYE"))
    assert [one.code for one in world.responses()] == [481]
    assert world.told() == ["LegRinging"]


@pytest.mark.parametrize(
    ("method", "status"),
    [
        ("OPTIONS", 200),
        ("INFO", 200),
        ("UPDATE", 200),
        ("NOTIFY", 489),
        ("SUBSCRIBE", 489),
        ("MESSAGE", 405),
        ("REFER", 400),
        ("REGISTER", 405),
        ("PRACK", 481),
        ("DANCE", 501),
    ],
)
def test_every_request_inside_a_call_is_answered(method: str, status: int) -> None:
    world = talking()
    world.hear(ask(world.requests("INVITE")[0], method))
    (response,) = world.responses()
    assert response.code == status
    if status in (405, 501) or method == "OPTIONS":
        assert "INVITE" in response.headers["Allow"]
    assert world.told() == ["LegConnected"]


def test_an_old_cseq_is_refused() -> None:
    world = talking()
    invite = world.requests("INVITE")[0]
    world.hear(ask(invite, "OPTIONS", cseq=5), ask(invite, "OPTIONS", cseq=4))
    assert [one.code for one in world.responses()] == [200, 500]


def test_an_extension_we_lack_is_refused_by_name() -> None:
    world = talking()
    world.hear(ask(world.requests("INVITE")[0], "OPTIONS", extra=("Require: foo, 100rel",)))
    (response,) = world.responses()
    assert (response.code, response.headers["Unsupported"]) == (420, "foo")


@pytest.mark.parametrize(
    ("body", "kind", "key"),
    [
        ("Signal=5\r\nDuration=160\r\n", "application/dtmf-relay", "5"),
        ("Signal= * \r\nDuration= 100", "Application/DTMF-Relay;charset=x", "*"),
        ("signal=11", "application/dtmf-relay", "#"),
        ("d", "application/dtmf", "D"),
    ],
)
def test_keys_come_as_info(body: str, kind: str, key: str) -> None:
    world = talking()
    world.hear(ask(world.requests("INVITE")[0], "INFO", body=body, kind=kind))
    assert world.responses()[0].code == 200
    assert world.facts[-1] == DtmfReceived(LegId(1), key)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("Signal=55", "application/dtmf-relay", 400),
        ("Signal=", "application/dtmf-relay", 400),
        ("55", "application/dtmf", 400),
        ("<xml/>", "application/media_control+xml", 415),
    ],
)
def test_other_infos_are_refused(body: str, kind: str, status: int) -> None:
    world = talking()
    world.hear(ask(world.requests("INVITE")[0], "INFO", body=body, kind=kind))
    assert world.responses()[0].code == status
    assert world.told() == ["LegConnected"]


def version(response: sipmessage.Response) -> int:
    found = re.search(rb"o=\S+ \d+ (\d+) ", response.body)
    assert found is not None
    return int(found[1])


def holds(world: World) -> list[type]:
    return [type(fact) for fact in world.facts if isinstance(fact, LegHeld | LegResumed)]


@pytest.mark.parametrize(
    "hold",
    [
        SDP + "a=sendonly\r\n",
        SDP + "a=inactive\r\n",
        SDP.replace("c=IN IP4 127.0.0.9", "c=IN IP4 0.0.0.0"),
        SDP.replace("c=IN IP4 127.0.0.9", "c=IN IP4 0.0.0.0") + "a=sendonly\r\n",
    ],
)
@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_a_hold_is_told_once_however_it_is_said(hold: str, method: str) -> None:
    world = talking()
    invite = world.requests("INVITE")[0]
    for number, body in enumerate((SDP, hold, hold, SDP, SDP), start=1):
        world.hear(ask(invite, method, cseq=number, body=body))
        world.hear(ask(invite, "ACK", cseq=number))
    assert holds(world) == [LegHeld, LegResumed]


def test_a_hold_may_end_by_an_offer_of_ours() -> None:
    """A re-INVITE without an offer: the far end answers ours in its ACK."""
    world = talking()
    invite = world.requests("INVITE")[0]
    world.hear(ask(invite, "INVITE", cseq=1, body=SDP + "a=sendonly\r\n"))
    world.hear(ask(invite, "ACK", cseq=1))
    world.hear(ask(invite, "INVITE", cseq=2), ask(invite, "ACK", cseq=2, body=SDP))
    assert holds(world) == [LegHeld, LegResumed]


@pytest.mark.parametrize("direction", ["sendonly", "inactive", "recvonly"])
def test_a_first_answer_that_is_one_way_is_no_hold(direction: str) -> None:
    """An announcement."""
    world = talking(sdp=SDP + f"a={direction}\r\n")
    assert holds(world) == []


def test_a_phone_that_only_mutes_itself_does_not_hold() -> None:
    world = talking()
    invite = world.requests("INVITE")[0]
    world.hear(ask(invite, "INVITE", cseq=1, body=SDP + "a=recvonly\r\n"))
    assert holds(world) == []


def test_the_far_end_holds_and_resumes() -> None:
    world = talking()
    invite = world.requests("INVITE")[0]
    hold = SDP + "a=sendonly\r\n"
    world.hear(ask(invite, "INVITE", cseq=1, body=hold), ask(invite, "ACK", cseq=1))
    world.hear(ask(invite, "INVITE", cseq=2, body=hold), ask(invite, "ACK", cseq=2))
    world.hear(ask(invite, "UPDATE", cseq=3, body=SDP))
    held, again, resumed = world.responses()
    assert [one.code for one in (held, again, resumed)] == [200, 200, 200]
    assert b"a=recvonly" in held.body
    assert b"a=sendrecv" in resumed.body
    assert version(again) == version(held)
    assert version(resumed) == version(held) + 1
    streams = [fact.stream for fact in world.facts if isinstance(fact, StreamAgreed)]
    assert [(one.sends, one.receives) for one in streams] == [
        (True, True),
        (False, True),
        (True, True),
    ]


def test_a_copy_of_a_reinvite_gets_a_copy_of_its_answer() -> None:
    world = talking()
    reinvite = ask(world.requests("INVITE")[0], "INVITE", body=SDP)
    world.hear(reinvite, reinvite)
    first, second = world.responses()
    assert bytes(first) == bytes(second)


def test_a_reinvite_moves_the_target() -> None:
    world = talking()
    invite = world.requests("INVITE")[0]
    moved = ("Contact: <sip:far@127.0.0.5:5555>",)
    world.hear(ask(invite, "INVITE", body=SDP, extra=moved), ask(invite, "ACK"))
    world.hang_up()
    assert world.hops("BYE") == [("127.0.0.5", 5555)]


def test_a_reinvite_we_cannot_follow_changes_nothing() -> None:
    world = talking()
    invite = world.requests("INVITE")[0]
    world.hear(
        ask(invite, "INVITE", cseq=1, body=VIDEO),
        ask(invite, "INVITE", cseq=2, body="hello", kind="text/plain"),
        ask(invite, "INVITE", cseq=3, body=SDP, extra=("Contact: <tel:1>",)),
    )
    assert [one.code for one in world.responses()] == [488, 415, 400]
    assert len(world.facts) == 2


def test_a_reinvite_without_sdp_gets_our_offer_and_answers_in_the_ack() -> None:
    world = talking()
    invite = world.requests("INVITE")[0]
    world.hear(ask(invite, "INVITE", cseq=1))
    assert b"m=audio 16384 RTP/AVP 8 0 101" in world.responses()[0].body
    # Our offer is open: another offer now would cross it.
    world.hear(ask(invite, "UPDATE", cseq=2, body=SDP), ask(invite, "INVITE", cseq=3, body=SDP))
    assert [one.code for one in world.responses()] == [200, 491, 491]
    world.hear(ask(invite, "ACK", cseq=1, body=SDP.replace("7000", "7008")))
    last = world.facts[-1]
    assert isinstance(last, StreamAgreed)
    assert last.stream.remote == ("127.0.0.9", 7008)
    world.hear(ask(invite, "UPDATE", cseq=4, body=SDP))
    assert world.responses()[-1].code == 200


def test_an_ack_with_the_branch_of_its_invite_still_brings_the_answer() -> None:
    world = talking()
    invite = world.requests("INVITE")[0]
    moved = SDP.replace("7000", "7008")
    world.hear(ask(invite, "INVITE", branch="same"), ask(invite, "ACK", branch="same", body=moved))
    last = world.facts[-1]
    assert isinstance(last, StreamAgreed)
    assert last.stream.remote == ("127.0.0.9", 7008)
    world.until(100)
    assert len(world.responses()) == 1
    assert world.told() == ["LegConnected"]


def test_a_reinvite_may_overtake_the_ack_of_the_one_before() -> None:
    world = talking()
    invite = world.requests("INVITE")[0]
    world.hear(
        ask(invite, "INVITE", cseq=1, body=SDP),
        ask(invite, "INVITE", cseq=2, body=SDP),
        ask(invite, "ACK", cseq=1),
        ask(invite, "ACK", cseq=2),
    )
    world.until(100)
    assert [one.code for one in world.responses()] == [200, 200]
    assert world.told() == ["LegConnected"]


def test_reinvites_that_are_never_acknowledged_are_bounded() -> None:
    world = talking()
    invite = world.requests("INVITE")[0]
    for number in range(1, 11):
        world.hear(ask(invite, "INVITE", cseq=number, body=SDP))
    assert [one.code for one in world.responses()] == [200] * 8 + [500] * 2
    assert world.responses()[-1].headers["Retry-After"] == "5"


def test_a_refusal_that_is_never_acknowledged_ends_nothing() -> None:
    world = talking()
    world.hear(ask(world.requests("INVITE")[0], "INVITE", body=VIDEO))
    world.until(100)
    assert {one.code for one in world.responses()} == {488}
    assert len(world.responses()) == 11
    assert world.told() == ["LegConnected"]


def test_a_refused_reinvite_does_not_move_the_target() -> None:
    world = talking()
    invite = world.requests("INVITE")[0]
    moved = ("Contact: <sip:far@127.0.0.5:5555>",)
    world.hear(ask(invite, "INVITE", body=VIDEO, extra=moved), ask(invite, "UPDATE", cseq=2))
    assert [one.code for one in world.responses()] == [488, 200]
    world.hang_up()
    assert world.hops("BYE") == [("127.0.0.1", 6000)]


def streams(world: World) -> list[RtpStream]:
    return [fact.stream for fact in world.facts if isinstance(fact, StreamAgreed)]


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
@pytest.mark.parametrize(
    ("sdp", "stream"),
    [
        (SDP.replace("AVP 8 101", "AVP 0 101"), RtpStream(("127.0.0.9", 7000), "PCMU", 0, 101)),
        (SDP.replace("AVP 8 101", "AVP 0 8 101"), RtpStream(("127.0.0.9", 7000), "PCMU", 0, 101)),
        (SDP.replace("101", "96"), RtpStream(("127.0.0.9", 7000), "PCMA", 8, 96)),
        (SDP.replace(" 8 101", " 8"), RtpStream(("127.0.0.9", 7000), "PCMA", 8)),
        (SDP.replace("7000", "7002"), RtpStream(("127.0.0.9", 7002), "PCMA", 8, 101)),
        (SDP.replace("127.0.0.9", "127.0.0.8"), RtpStream(("127.0.0.8", 7000), "PCMA", 8, 101)),
        (
            SDP.replace("c=IN IP4 127.0.0.9", "c=IN IP4 0.0.0.0"),
            RtpStream(("0.0.0.0", 7000), "PCMA", 8, 101, sends=False),
        ),
        (
            SDP + "a=inactive\r\n",
            RtpStream(("127.0.0.9", 7000), "PCMA", 8, 101, sends=False, receives=False),
        ),
    ],
)
def test_the_far_end_changes_the_audio_and_changes_it_back(
    method: str, sdp: str, stream: RtpStream
) -> None:
    world = talking()
    invite = world.requests("INVITE")[0]
    before = streams(world)[0]
    for number, body in enumerate((sdp, sdp, SDP), 1):
        world.hear(ask(invite, method, cseq=number, body=body))
        if method == "INVITE":
            world.hear(ask(invite, "ACK", cseq=number))
    assert [one.code for one in world.responses()] == [200] * 3
    assert streams(world) == [before, stream, before]


def test_video_is_refused_in_its_place_and_stays_there() -> None:
    world = talking()
    invite = world.requests("INVITE")[0]
    video = "m=video 7100 RTP/AVP 31\r\n"
    world.hear(ask(invite, "INVITE", cseq=1, body=SDP + video), ask(invite, "ACK", cseq=1))
    # Our own offer, when we are asked for one, keeps the line (RFC 3264 section 8).
    world.hear(ask(invite, "INVITE", cseq=2), ask(invite, "ACK", cseq=2, body=SDP + video))
    for response in world.responses():
        assert re.findall(rb"m=(\w+) (\d+)", response.body) == [
            (b"audio", b"16384"),
            (b"video", b"0"),
        ]
    assert world.told() == ["LegConnected"]


def test_a_challenge_ends_the_early_dialogs_of_its_attempt() -> None:
    world = World()
    world.ring(user="carol")
    first = world.requests("INVITE")[0]
    world.hear(reply(first, 183, sdp=SDP, extra=("Require: 100rel", "RSeq: 1")))
    world.hear(reply(first, 407, extra=(challenge(407, "n"),)))
    # RFC 3261 12.3: the second attempt starts anew, also with the same tag and a lower RSeq.
    again = reply(world.requests("INVITE")[1], 183, sdp=SDP, extra=("Require: 100rel", "RSeq: 1"))
    world.hear(again)
    pracks = world.requests("PRACK")
    assert [prack.headers["RAck"] for prack in pracks] == ["1 1 INVITE", "1 2 INVITE"]
    answered(world)
    world.hang_up()
    cseqs = [world.requests(method)[-1].cseq.sequence for method in ("INVITE", "PRACK", "BYE")]
    assert cseqs == [2, 3, 4]


@pytest.mark.parametrize("method", ["PRACK", "INFO", "BYE"])
def test_a_nonce_gone_stale_is_replaced_on_every_method(method: str) -> None:
    world = World()
    world.ring(user="carol")
    world.hear(reply(world.requests("INVITE")[0], 407, extra=(challenge(407, "n1"),)))
    if method == "PRACK":
        ringing_reliably = reply(
            world.requests("INVITE")[1], 183, extra=("Require: 100rel", "RSeq: 1")
        )
        world.hear(ringing_reliably)
    else:
        answered(world, sdp=NO_KEYS, extra=("Allow: INVITE, INFO",))
    if method == "INFO":
        world.calls[LegId(1)].send_key("1", world.now)
        world._pump()
    if method == "BYE":
        world.hang_up()
    asked = world.requests(method)[-1]
    assert proves(asked, "n1") == "00000002"
    stale = challenge(407, "n2", more=", stale=true")
    world.hear(reply(asked, 407, contact=None, extra=(stale,)))
    again = world.requests(method)[-1]
    assert proves(again, "n2") == "00000001"
    assert again.cseq.sequence == asked.cseq.sequence + 1


def test_sha_256_is_answered_where_both_are_offered() -> None:
    world = World()
    world.ring(user="carol")
    md5, sha = challenge(401, "m"), challenge(401, "s", more=", algorithm=SHA-256")
    world.hear(reply(world.requests("INVITE")[0], 401, extra=(md5, sha)))
    assert proves(world.requests("INVITE")[1], "s", "Authorization") == "00000001"


def test_offers_before_the_answer_to_ours_are_refused() -> None:
    world = World()
    world.ring()
    ringing(world)
    invite = world.requests("INVITE")[0]
    world.hear(ask(invite, "UPDATE", cseq=1, body=SDP), ask(invite, "INVITE", cseq=2, body=SDP))
    assert [one.code for one in world.responses()] == [491, 491]


def test_early_media_may_be_changed_by_an_update() -> None:
    world = World()
    world.ring()
    ringing(world, 183, sdp=SDP)
    moved = SDP.replace("7000", "7010")
    world.hear(ask(world.requests("INVITE")[0], "UPDATE", body=moved))
    assert world.responses()[0].code == 200
    answered(world, sdp="")
    last = [fact for fact in world.facts if isinstance(fact, StreamAgreed)][-1]
    assert last.stream.remote == ("127.0.0.9", 7010)


def test_a_2xx_of_ours_that_nobody_acknowledges_ends_the_call() -> None:
    world = talking()
    world.hear(ask(world.requests("INVITE")[0], "INVITE", body=SDP))
    world.until(40)
    assert len(world.responses()) == 11
    assert world.ending().cause is Cause.UNREACHABLE
    assert len(world.requests("BYE")) >= 1


NO_KEYS = SDP.replace(" 101", "").replace("a=rtpmap telephone-event/8000\r\n", "")


def test_keys_go_as_info_where_there_is_nothing_better() -> None:
    world = talking(sdp=NO_KEYS, extra=("Allow: INVITE, ACK, BYE, INFO",))
    call = world.calls[LegId(1)]
    assert call.keys_by_info
    for key in "1#7":
        call.send_key(key, world.now)
    world._pump()
    assert len(world.requests("INFO")) == 1
    world.until(0.4)
    assert len({one.cseq.sequence for one in world.requests("INFO")}) == 1
    world.hear(reply(world.requests("INFO")[0], 200, contact=None))
    assert world.requests("INFO")[-1].body == b"Signal=#\r\nDuration=100\r\n"
    world.hear(reply(world.requests("INFO")[-1], 200, contact=None))
    assert len({one.cseq.sequence for one in world.requests("INFO")}) == 2
    world.until(0.6)
    assert world.requests("INFO")[-1].body == b"Signal=7\r\nDuration=100\r\n"
    sent = [fact.key for fact in world.facts if isinstance(fact, DtmfSent)]
    assert sent == ["1", "#", "7"]


def test_the_next_key_waits_for_the_final_answer_to_info() -> None:
    world = talking(sdp=NO_KEYS, extra=("Allow: INVITE, ACK, BYE, INFO",))
    for key in "12":
        world.calls[LegId(1)].send_key(key, world.now)
    world._pump()
    world.hear(reply(world.requests("INFO")[0], 100, contact=None))
    world.until(0.6)
    assert {one.body for one in world.requests("INFO")} == {b"Signal=1\r\nDuration=100\r\n"}
    world.hear(reply(world.requests("INFO")[0], 200, contact=None))
    world.until(0.8)
    assert world.requests("INFO")[-1].body == b"Signal=2\r\nDuration=100\r\n"


@pytest.mark.parametrize("status", [405, 415, 489, 501, 400, 500])
def test_a_key_that_is_refused_is_told(status: int) -> None:
    world = talking(sdp=NO_KEYS, extra=("Allow: INVITE, ACK, BYE, INFO",))
    call = world.calls[LegId(1)]
    call.send_key("1", world.now)
    world._pump()
    world.hear(reply(world.requests("INFO")[0], status, contact=None))
    [failed] = [fact for fact in world.facts if isinstance(fact, DtmfFailed)]
    assert (failed.leg, failed.key) == (LegId(1), "1")
    assert failed.reason.startswith(f"{status} ")
    assert failed.reason.endswith(" to INFO")
    assert not call.ended
    # Who does not know INFO, or this body, gets tones from now on.
    takes_info = status in (400, 500)
    agreed = [fact.stream for fact in world.facts if isinstance(fact, StreamAgreed)][-1]
    assert agreed.keys_by_info is call.keys_by_info is takes_info


def test_a_key_that_finds_too_many_waiting_is_told() -> None:
    world = talking(sdp=NO_KEYS, extra=("Allow: INVITE, ACK, BYE, INFO",))
    call = world.calls[LegId(1)]
    for _ in range(QUEUE_AT_MOST + 2):
        call.send_key("1", world.now)
    failed = [fact for fact in world.facts if isinstance(fact, DtmfFailed)]
    assert failed == [DtmfFailed(LegId(1), "1", "too many keys wait to be sent")]


def test_keys_of_the_other_far_end_go_as_info_and_are_not_told_as_ours() -> None:
    world = talking(sdp=NO_KEYS, extra=("Allow: INVITE, ACK, BYE, INFO",))
    (agreed,) = {fact.stream for fact in world.facts if isinstance(fact, StreamAgreed)}
    assert agreed.keys_by_info
    world.calls[LegId(1)].send_key("5", world.now, announced=False)
    world._pump()
    assert world.requests("INFO")[-1].body == b"Signal=5\r\nDuration=100\r\n"
    assert not [fact for fact in world.facts if isinstance(fact, DtmfSent)]


def test_a_far_end_that_knows_no_such_call_ends_it() -> None:
    world = talking(sdp=NO_KEYS, extra=("Allow: INVITE, INFO",))
    world.calls[LegId(1)].send_key("1", world.now)
    world._pump()
    world.hear(reply(world.requests("INFO")[0], 481, contact=None))
    assert world.ending() == LegReleased(LegId(1), Cause.UNREACHABLE, "481 to INFO")


@pytest.mark.parametrize(
    ("sdp", "allow"),
    [(NO_KEYS, "INVITE, BYE"), (SDP, "INVITE, INFO")],
)
def test_keys_are_the_medias_affair_otherwise(sdp: str, allow: str) -> None:
    world = talking(sdp=sdp, extra=(f"Allow: {allow}",))
    assert not world.calls[LegId(1)].keys_by_info


def stranger(method: str, *, to_tag: str = "", extra: str = "") -> bytes:
    return (
        f"{method} sip:callwright@127.0.0.1 SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 127.0.0.1:1;rport;branch=z9hG4bKs\r\n"
        f"From: <sip:x@127.0.0.1>;tag=x\r\nTo: <sip:y@127.0.0.1>{to_tag}\r\n"
        f"Call-ID: nobody\r\nCSeq: 1 {method}\r\n{extra}Content-Length: 0\r\n\r\n"
    ).encode()


@pytest.mark.parametrize(
    ("method", "to_tag", "status"),
    [
        ("OPTIONS", "", 200),
        ("INVITE", "", 403),
        ("BYE", "", 481),
        ("BYE", ";tag=t", 481),
        ("INVITE", ";tag=t", 481),
        ("OPTIONS", ";tag=t", 481),
        ("CANCEL", "", 481),
        ("INFO", "", 481),
        ("UPDATE", "", 481),
        ("PRACK", "", 481),
        ("NOTIFY", "", 489),
        ("SUBSCRIBE", "", 489),
        ("REGISTER", "", 405),
        ("MESSAGE", "", 405),
        ("DANCE", "", 501),
    ],
)
def test_strangers_are_answered_and_nothing_is_kept(method: str, to_tag: str, status: int) -> None:
    world = World()
    world.hear(stranger(method, to_tag=to_tag), stranger(method, to_tag=to_tag))
    first, second = world.responses()
    assert first.code == status
    assert bytes(first) == bytes(second)
    assert first.to_address.parameters["tag"]
    assert first.via[0].parameters["rport"] == str(FAR.port)
    assert {hop for _, _, hop in world.sent} == {FAR}
    assert world.agent.layer._servers == {}
    assert world.agent.layer.next_timer() is None


def test_a_stranger_may_not_require_what_we_lack() -> None:
    world = World()
    world.hear(stranger("OPTIONS", extra="Require: nothingSupportsThis\r\n"))
    assert world.responses()[0].headers["Unsupported"] == "nothingsupportsthis"


def test_garbage_is_counted_and_nothing_else() -> None:
    world = talking()
    world.hear(b"", b"\r\n\r\n", b"\0\0\0\0")
    assert sum(world.agent.layer.dropped.values()) == 0
    garbage = [b"hello", b"\xff" * 900, b"SIP/2.0 200 OK\r\n\r\n", stranger("ACK"), b"A" * 70000]
    world.hear(*garbage)
    world.hear(reply(world.requests("ACK")[0], 200))
    assert sum(world.agent.layer.dropped.values()) == 6
    assert len(world.responses()) == 0
    assert world.told() == ["LegConnected"]


def test_a_number_cannot_smuggle_a_header() -> None:
    world = talking()
    invite = world.requests("INVITE")[0]
    evil = ask(invite, "OPTIONS").replace(b"CSeq: 1 OPTIONS", b"CSeq: 1 OPTIONS\nX: y")
    world.hear(evil)
    assert world.responses() == []
    assert world.agent.layer.dropped["malformed: bare CR or LF"] == 1


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_any_damage_to_the_far_ends_messages_leaves_us_standing(data: st.DataObject) -> None:
    world = World()
    world.ring(user="carol")
    invite = world.requests("INVITE")[0]
    messages = [
        reply(invite, 183, sdp=SDP, extra=("Require: 100rel", "RSeq: 1")),
        reply(invite, 407, extra=(challenge(407, "n"),)),
        reply(invite, 200, sdp=SDP, extra=("Record-Route: <sip:127.0.0.2;lr>", "Allow: INFO")),
        ask(invite, "INVITE", cseq=1, body=SDP, extra=(f"Contact: {CONTACT}",)),
        ask(invite, "ACK", cseq=1),
        ask(invite, "UPDATE", cseq=2, body=SDP),
        ask(invite, "INFO", cseq=3, body="Signal=1", kind="application/dtmf-relay"),
        ask(invite, "BYE", cseq=4),
    ]
    for message in messages:
        whole = bytearray(message)
        for _ in range(data.draw(st.integers(0, 3))):
            at = data.draw(st.integers(0, len(whole) - 1))
            whole[at] = data.draw(st.sampled_from(b'\0\r\n "<>;,:=@%9a\xff'))
        world.agent.receive(bytes(whole), FAR, world.now)
        world.agent.layer.to_send.clear()
    world.now = 200.0
    world.agent.layer.on_timer(world.now)
    ended = [fact for fact in world.facts if isinstance(fact, LegReleased)]
    assert len(ended) <= 1
    assert not ended or world.facts[-1] == ended[0]
