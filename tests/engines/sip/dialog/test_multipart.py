"""Gateways with SIP-I: SDP beside ISUP in every message that has an offer or an answer."""

import pytest

from callwright.engines.port import Cause
from callwright.engines.sip.dialog.call_leg import StreamAgreed
from callwright.engines.sip.wire.hop import Hop
from tests.engines.sip.dialog.test_invite_server import CALLED, CARRIER, CONTACT, House
from tests.engines.sip.guest import request
from tests.engines.sip.world import FAR, SDP, World, ask, reply, talking

KIND = "multipart/mixed;boundary=gw"
ISUP = "--gw\r\nContent-Type: application/ISUP;version=itu-t92+;base=itu-t92+\r\n"
ISUP += "Content-Disposition: signal;handling=required\r\n\r\n\x10\x14\x01\r\n"
BOTH = f"{ISUP}--gw\r\nContent-Type: application/sdp\r\n\r\n{SDP}\r\n--gw--\r\n"
ALONE = f"{ISUP}--gw--\r\n"


def wrapped(data: bytes) -> bytes:
    """The same message as a gateway with SIP-I writes it."""
    head, end, body = data.partition(b"\r\n\r\n")
    kind = f"MIME-Version: 1.0\r\nContent-Type: {KIND}".encode()
    return head.replace(b"Content-Type: application/sdp", kind) + end + body


class Gateway(House):
    """Calls come in from a gateway."""

    def hear(self, *messages: bytes, source: Hop = FAR) -> None:
        super().hear(*map(wrapped, messages), source=source)


def streams(world: World) -> list[tuple[str, int]]:
    return [one.stream.remote for one in world.facts if isinstance(one, StreamAgreed)]


def test_a_call_that_comes_in() -> None:
    gateway = Gateway()
    gateway.called(body=BOTH)
    gateway.answer()
    assert gateway.final().code == 200
    assert streams(gateway) == [("127.0.0.9", 7000)]


@pytest.mark.parametrize("body", [ALONE, ""])
def test_a_call_that_comes_in_without_an_offer(body: str) -> None:
    gateway = Gateway()
    gateway.called(body=body)
    gateway.answer()
    assert b"m=audio" in gateway.final().body
    gateway.ask("ACK", body=BOTH)
    assert streams(gateway) == [("127.0.0.9", 7000)]
    assert gateway.told() == ["LegConnected"]


def test_early_media_and_an_answer() -> None:
    world = World()
    world.ring()
    invite = world.requests("INVITE")[0]
    world.hear(wrapped(reply(invite, 183, sdp=BOTH)))
    assert world.told() == ["EarlyMediaStarted"]
    world.hear(wrapped(reply(invite, 200, sdp=BOTH)))
    assert world.told() == ["EarlyMediaStarted", "LegConnected"]
    assert streams(world) == [("127.0.0.9", 7000)]


def test_a_200_with_isup_alone_is_answered_by_the_183_before_it() -> None:
    world = World()
    world.ring()
    invite = world.requests("INVITE")[0]
    world.hear(wrapped(reply(invite, 183, sdp=BOTH)))
    world.hear(wrapped(reply(invite, 200, sdp=ALONE)))
    assert world.told() == ["EarlyMediaStarted", "LegConnected"]


def test_a_200_with_isup_alone_is_no_answer() -> None:
    world = World()
    world.ring()
    world.hear(wrapped(reply(world.requests("INVITE")[0], 200, sdp=ALONE)))
    assert (world.ending().cause, world.ending().raw) == (
        Cause.UNREACHABLE,
        "488 no SDP in the answer",
    )


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_a_change_inside_the_call(method: str) -> None:
    world = talking()
    moved = BOTH.replace("7000", "7500")
    invite = world.requests("INVITE")[0]
    world.hear(wrapped(ask(invite, method, cseq=5, body=moved)))
    assert world.responses()[-1].code == 200
    assert streams(world)[-1] == ("127.0.0.9", 7500)


def test_a_change_that_only_tells_of_the_telephone_network() -> None:
    world = talking()
    world.hear(wrapped(ask(world.requests("INVITE")[0], "UPDATE", cseq=5, body=ALONE)))
    assert world.responses()[-1].code == 200
    assert world.responses()[-1].body == b""


def test_a_body_of_another_kind_is_refused_by_name() -> None:
    house = House()
    house.hear(
        request("INVITE", uri=CALLED, source=CARRIER, contact=CONTACT, body=SDP).replace(
            b"application/sdp", b"text/plain"
        ),
        source=CARRIER,
    )
    refused = house.final()
    assert (refused.code, refused.headers["Accept"]) == (415, "application/sdp, multipart/mixed")
    assert refused.headers["Accept-Encoding"] == "identity"
