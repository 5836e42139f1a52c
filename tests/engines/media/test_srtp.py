"""SRTP: what goes out is unreadable to others, what comes in is genuine or dropped."""

import secrets
from dataclasses import replace
from pathlib import Path

import pylibsrtp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callwright.engines.media.leg import LegMedia
from callwright.engines.media.media import RtpStream, SrtpKeys, SrtpSuite
from callwright.engines.media.rtcp import SenderInfo
from callwright.engines.media.rtcp import build as build_rtcp
from callwright.engines.media.rtcp import parse as parse_rtcp
from callwright.engines.media.rtp import Packet, build, parse
from callwright.engines.media.srtp import REPLAY_WINDOW, Srtp
from callwright.engines.port import BridgeId, LegId, Media, PlaybackFinished, PlaybackId

from .desk import Desk, Talker, assert_one_stream, clip, far
from .phones import ANN, BOB, MESSAGE, Phone, only
from .test_clips import write_wav
from .test_engine import ONE, OTHER, Switchboard, story

SUITES = list(SrtpSuite)
PROFILES = {
    SrtpSuite.AES_80: pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    SrtpSuite.AES_32: pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
}
THIEF = ("203.0.113.66", 5555)
HELLO = b"\x22" * 160


def keys(suite: SrtpSuite = SrtpSuite.AES_80) -> SrtpKeys:
    return SrtpKeys(suite, secrets.token_bytes(30), secrets.token_bytes(30))


def turned(ours: SrtpKeys) -> SrtpKeys:
    """The same keys as the far end sees them."""
    return SrtpKeys(ours.suite, ours.theirs, ours.ours)


class FarEnd:
    """The other side of a leg, with sessions of its own."""

    def __init__(self, ours: SrtpKeys) -> None:
        self.out = self._session(ours, ours.theirs, pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
        self.in_ = self._session(ours, ours.ours, pylibsrtp.Policy.SSRC_ANY_INBOUND)

    @staticmethod
    def _session(ours: SrtpKeys, key: bytes, direction: int) -> pylibsrtp.Session:
        policy = pylibsrtp.Policy(key=key, ssrc_type=direction, srtp_profile=PROFILES[ours.suite])
        return pylibsrtp.Session(policy)

    def hears(self, packets: list[Packet]) -> list[Packet]:
        heard = [parse(self.in_.unprotect(build(packet))) for packet in packets]
        return [packet for packet in heard if packet is not None]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def secure_leg(desk: Desk, number: int, ours: SrtpKeys, codec: str = "PCMA") -> LegMedia:
    leg = desk.open(number)
    leg.connect(replace(Desk.stream(number, codec), srtp=ours), desk.now)
    desk.clock.add(leg.sender, desk.now)
    leg.sender.tick(desk.now)
    return leg


@pytest.mark.parametrize("suite", SUITES)
def test_what_goes_out_is_read_with_the_key_alone(desk: Desk, suite: SrtpSuite) -> None:
    ours = keys(suite)
    secure_leg(desk, 1, ours)
    desk.play(1, clip(HELLO * 10))
    desk.pass_time(0.5)
    packets = desk.all(1)
    tag = 10 if suite is SrtpSuite.AES_80 else 4  # RFC 3711 section 4.2.1, RFC 4568 section 6.2
    assert {len(packet.payload) for packet in packets} == {160 + tag}
    assert not [packet for packet in packets if HELLO[:16] in packet.payload]
    heard = FarEnd(ours).hears(packets)
    assert_one_stream(heard)
    assert [packet.payload for packet in heard].count(HELLO) == 10
    with pytest.raises(pylibsrtp.Error, match="authentication"):
        FarEnd(keys(suite)).hears(packets)


@pytest.mark.parametrize("suite", SUITES)
def test_what_comes_in_with_the_key_is_heard(desk: Desk, suite: SrtpSuite) -> None:
    ours = keys(suite)
    secure_leg(desk, 1, ours)
    desk.leg(2)
    desk.bridge(1, 2)
    ann, session = Talker(desk, 1, b"\x0a"), FarEnd(ours).out
    for _ in range(20):
        desk.arrive(1, session.protect(ann.packet()))
        desk.pass_time(0.02)
    heard = [packet.payload for packet in desk.all(2)]
    assert heard.count(b"\x0a" * 160) == 20
    assert desk.tally.unauthentic == 0


def test_two_secure_legs_hear_each_other_each_by_its_own_keys(desk: Desk) -> None:
    one, other = keys(), keys(SrtpSuite.AES_32)
    secure_leg(desk, 1, one)
    secure_leg(desk, 2, other)
    desk.bridge(1, 2)
    ann, session = Talker(desk, 1, b"\x0a"), FarEnd(one).out
    for _ in range(20):
        desk.arrive(1, session.protect(ann.packet()))
        desk.pass_time(0.02)
    heard = FarEnd(other).hears(desk.all(2))
    assert_one_stream(heard)
    assert [packet.payload for packet in heard].count(b"\x0a" * 160) == 20


def test_forged_packets_are_counted_and_move_nothing(desk: Desk) -> None:
    ours = keys()
    leg = secure_leg(desk, 1, ours)
    desk.leg(2)
    desk.bridge(1, 2)
    before = len(desk.sent[2])
    forger = FarEnd(keys()).out
    for _ in range(30):
        talker = Talker(desk, 1, b"\x66")
        desk.arrive(1, forger.protect(talker.packet()), THIEF)
        forger = FarEnd(keys()).out
        desk.arrive(1, talker.packet(), THIEF)  # not protected at all
        desk.arrive(1, talker.packet(), far(1))  # nor this, though from where it should be
    assert desk.tally.unauthentic == 90
    assert leg.sender.far == far(1)
    assert len(desk.sent[2]) == before
    assert leg.reception.received == 0
    genuine = FarEnd(ours).out
    desk.arrive(1, genuine.protect(Talker(desk, 1).packet()), far(1))
    assert leg.reception.received == 1


def test_a_packet_counts_once(desk: Desk) -> None:
    ours = keys()
    leg = secure_leg(desk, 1, ours)
    ann, session = Talker(desk, 1), FarEnd(ours).out
    packets = [session.protect(ann.packet()) for _ in range(REPLAY_WINDOW * 2)]
    for packet in packets:
        desk.arrive(1, packet)
    for packet in packets[:3] + packets[-3:]:
        desk.arrive(1, packet)
    assert desk.tally.unauthentic == 6
    assert leg.reception.received == len(packets)


def test_reports_are_protected_both_ways(desk: Desk) -> None:
    ours = keys()
    leg, end = secure_leg(desk, 1, ours), FarEnd(ours)
    desk.pass_time(1.0)
    leg.reports.leave(desk.now, 1e9)
    (report,) = desk.reports[1]
    with pytest.raises(pylibsrtp.Error):
        FarEnd(keys()).in_.unprotect_rtcp(report)
    read = parse_rtcp(end.in_.unprotect_rtcp(report))
    assert read is not None
    assert read.bye

    theirs = build_rtcp(7, "far", SenderInfo(1e9, 5, 6, 7), None, bye=False)
    for receive in (leg.rtcp_arrived, leg.rtp_arrived):  # RFC 5761: on RTP's port as well
        before = (desk.tally.unauthentic, desk.tally.malformed)
        protected = end.out.protect_rtcp(theirs)
        desk.buffer[: len(protected)] = protected
        receive(len(protected), far(1), desk.now)
        assert (desk.tally.unauthentic, desk.tally.malformed) == before
        desk.buffer[: len(theirs)] = theirs
        receive(len(theirs), far(1), desk.now)
        assert (desk.tally.unauthentic, desk.tally.malformed) == (before[0] + 1, before[1])


def test_the_same_keys_agreed_on_again_change_nothing(desk: Desk) -> None:
    """Not even after sequence numbers have begun anew, which the cipher counts (section 3.3.1)."""
    ours = keys()
    leg, end = secure_leg(desk, 1, ours), FarEnd(ours)
    ann = Talker(desk, 1)
    first = end.out.protect(ann.packet())
    desk.arrive(1, first)
    for _ in range(20):  # over 65535
        desk.arrive(1, end.out.protect(ann.packet()))
    desk.pass_time(0.2)
    leg.connect(replace(Desk.stream(1), srtp=ours), desk.now)
    desk.arrive(1, first)
    assert desk.tally.unauthentic == 1
    desk.arrive(1, end.out.protect(ann.packet()))
    assert leg.reception.received == 22
    desk.pass_time(0.2)
    assert len(end.hears(desk.all(1))) == len(desk.all(1))


def test_a_new_key_of_the_far_end_leaves_ours_alone(desk: Desk) -> None:
    ours = keys()
    leg, end = secure_leg(desk, 1, ours), FarEnd(ours)
    desk.pass_time(0.1)
    anew = replace(ours, theirs=secrets.token_bytes(30))
    leg.connect(replace(Desk.stream(1), srtp=anew), desk.now)
    desk.arrive(1, FarEnd(anew).out.protect(Talker(desk, 1).packet()))
    assert leg.reception.received == 1
    desk.pass_time(0.1)
    assert len(end.hears(desk.all(1))) == len(desk.all(1))


def test_a_leg_may_become_secure_and_plain_again(desk: Desk) -> None:
    leg = desk.leg(1)
    ours = keys()
    leg.connect(replace(Desk.stream(1), srtp=ours), desk.now)
    before = len(desk.sent[1])
    desk.pass_time(0.1)
    FarEnd(ours).hears(desk.all(1)[before:])
    leg.connect(Desk.stream(1), desk.now)
    before = len(desk.sent[1])
    desk.pass_time(0.1)
    assert {packet.payload for packet in desk.all(1)[before:]} == {b"\xd5" * 160}


def test_ssrcs_without_end_take_no_room_without_end() -> None:
    ours = keys()
    srtp, end = Srtp(ours), FarEnd(ours)
    for ssrc in range(200):
        packet = build(Packet(8, 1, 1, ssrc, HELLO))
        assert srtp.unprotect(end.out.protect(packet)) == packet
    assert srtp.unprotect(end.out.protect(build(Packet(8, 2, 1, 199, HELLO)))) is not None
    assert len(srtp._streams) <= 16


def test_a_packet_too_long_to_be_protected_is_left_out() -> None:
    srtp = Srtp(keys())
    assert srtp.protect(build(Packet(8, 1, 1, 1, bytes(1490)))) is None
    assert srtp.unprotect(bytes(2000)) is None
    assert srtp.protect_rtcp(bytes(2000)) is None


@settings(deadline=None)
@given(st.binary(max_size=2048))
def test_any_bytes_are_refused(data: bytes) -> None:
    srtp = Srtp(keys())
    assert srtp.unprotect(data) is None
    assert srtp.unprotect_rtcp(data) is None


def test_keys_are_never_shown() -> None:
    ours = keys()
    stream = RtpStream(far(1), "PCMA", 8, srtp=ours)
    shown = f"{stream!r} {stream} {ours!r} {Srtp(ours)!r}"
    for secret in (ours.ours, ours.theirs):
        assert repr(secret) not in shown
        assert secret.hex() not in shown


@pytest.mark.parametrize("suite", SUITES)
def test_two_engines_of_ours_over_srtp(tmp_path: Path, suite: SrtpSuite) -> None:
    """Two legs of one switchboard that face each other, and a phone behind each."""
    message = Media(write_wav(tmp_path / "message.wav", 0.3, MESSAGE))
    ours = keys(suite)

    async def tell(board: Switchboard) -> None:
        here, there = LegId(11), LegId(12)
        engine = board.engine
        async with Phone(ANN) as ann, Phone(BOB, "PCMU") as bob:
            board.up(ONE, ann)
            board.up(OTHER, bob)
            at, to = engine.open(here), engine.open(there)
            engine.connect(here, RtpStream(to, "PCMA", 8, 101, srtp=ours))
            engine.connect(there, RtpStream(at, "PCMA", 8, 101, srtp=turned(ours)))
            engine.bridge(BridgeId(1), ONE, here)
            engine.bridge(BridgeId(2), there, OTHER)
            await ann.until(lambda: ann.tones(-10)[BOB])
            await bob.until(lambda: bob.tones(-10)[ANN])
            assert await ann.hear(10) == only(BOB)
            assert await bob.hear(10) == only(ANN)
            ann.hush()
            await bob.until(lambda: not bob.tones(-10)[ANN])
            engine.play(here, PlaybackId(1), message, loop=False)
            await bob.until(lambda: bob.tones(-8)[MESSAGE])
            await board.told(PlaybackFinished(here, PlaybackId(1)))
            assert engine.packets_unauthentic == 0

    story(tell)
