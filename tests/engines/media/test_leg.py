"""What a leg makes of the packets that come in."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.engines.media.codec import PCMA
from callwright.engines.media.dtmf import event_payloads
from callwright.engines.media.g711 import FRAME, SILENCE, Law
from callwright.engines.media.latch import PROOF
from callwright.engines.media.media import MediaLost
from callwright.engines.media.rtcp import ReportBlock, SenderInfo, parse
from callwright.engines.media.rtcp import build as build_rtcp
from callwright.engines.media.rtp import HEADER, Packet, build
from callwright.engines.media.tones import tone_frames
from callwright.engines.port import DtmfReceived, LegId
from callwright.engines.quality import Quality

from .desk import EVENT, Desk, Talker, assert_one_stream, far

THIEF = ("203.0.113.66", 5555)
SPEECH = b"\x31"


def event(sequence: int, timestamp: int, payload: bytes, marker: bool = False) -> bytes:
    return build(Packet(EVENT, sequence & 0xFFFF, timestamp, 1, payload, marker))


def test_a_forged_packet_steals_nothing_and_is_counted() -> None:
    desk = Desk()
    desk.leg(1)
    desk.leg(2)
    desk.bridge(1, 2)
    Talker(desk, 1).talk(0.1)
    sent_before = len(desk.sent[2])
    forged = Talker(desk, 1, b"\x66")
    for _ in range(5):
        desk.arrive(1, forged.packet(), source=THIEF)
    desk.arrive(1, event(1, 1, b"\x05\x0a\x00\xa0", True), source=THIEF)
    assert desk.tally.forged == 6
    assert len(desk.sent[2]) == sent_before
    assert desk.events == []
    desk.pass_time(0.2)
    assert THIEF not in desk.sent_to[1]


def test_packets_go_where_they_come_from_when_sdp_names_a_private_address() -> None:
    desk = Desk()
    desk.leg(1)
    nat = ("198.51.100.9", 61234)
    talker = Talker(desk, 1)
    for _ in range(10):
        desk.arrive(1, talker.packet(), source=nat)
        desk.pass_time(0.02)
    assert desk.sent_to[1][0] == far(1)
    assert set(desk.sent_to[1][PROOF + 1 :]) == {nat}
    leg = desk.legs[1]
    leg.connect(desk.stream(1), desk.now)  # the same address again: still the same far end
    desk.pass_time(0.1)
    assert desk.sent_to[1][-1] == nat


def test_only_packets_of_the_agreed_kinds_say_where_the_far_end_is() -> None:
    desk = Desk()
    desk.leg(1)
    desk.arrive(1, build(Packet(77, 1, 1, 1, b"?")), source=THIEF)
    desk.pass_time(0.1)
    assert set(desk.sent_to[1]) == {far(1)}
    assert desk.tally.forged == 1


def test_packets_before_the_connection_are_ignored() -> None:
    desk = Desk()
    leg = desk.open(1)
    desk.arrive(1, Talker(desk, 1).packet())
    assert leg.quality() == Quality()


def test_a_key_is_received_once_with_all_its_end_packets_lost_or_doubled() -> None:
    desk = Desk()
    desk.leg(1)
    payloads = [payload for payload in event_payloads("3") if payload]
    for number, payload in enumerate(payloads[:4]):
        desk.arrive(1, event(number, 500, payload, number == 0))
    for number, payload in enumerate(payloads):
        for _ in range(2):
            desk.arrive(1, event(100 + number, 500 + 1280, payload, number == 0))
    for payload in payloads[4:]:  # across a jump of the sequence numbers, beginning lost
        desk.arrive(1, event(40000, 500 + 5000, payload))
    assert desk.events == [DtmfReceived(LegId(1), "3")] * 3


@given(st.lists(st.binary(max_size=60)))
def test_garbage_from_the_network_never_raises(datagrams: list[bytes]) -> None:
    desk = Desk()
    desk.leg(1)
    desk.leg(2)
    desk.bridge(1, 2)
    for data in datagrams:
        desk.arrive(1, data)
        desk.buffer[: len(data)] = data
        desk.legs[1].rtcp_arrived(len(data), far(1), desk.now)
        desk.pass_time(0.02)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 8, 13, EVENT, 8 | 0x80, EVENT | 0x80, 200]),
            st.integers(0, 0xFFFF),
            st.integers(0, 0xFFFFFFFF),
            st.integers(0, 2),
            st.binary(max_size=30),
        ),
        max_size=60,
    )
)
def test_whatever_a_far_end_sends_the_other_gets_one_stream(
    packets: list[tuple[int, int, int, int, bytes]],
) -> None:
    desk = Desk()
    desk.leg(1)
    desk.leg(2)
    desk.bridge(1, 2)
    for second, sequence, timestamp, ssrc, payload in packets:
        desk.arrive(1, HEADER.pack(0x80, second, sequence, timestamp, ssrc) + payload)
        desk.pass_time(0.007)
    sent = desk.all(2)
    assert {packet.ssrc for packet in sent} == {desk.legs[2].sender.ssrc}
    steps = {b.sequence - a.sequence & 0xFFFF for a, b in zip(sent, sent[1:], strict=False)}
    assert steps <= {1}


def test_what_is_no_rtp_is_counted_as_malformed() -> None:
    desk = Desk()
    desk.leg(1)
    for data in (
        b"",
        b"\x80\x08",
        b"hello, is this a phone?",
        b"\x81\x08" + bytes(11),
        bytes(2048),
    ):
        desk.arrive(1, data)
    assert desk.tally.malformed == 5


def sound(desk: Desk, leg: int, key: str, number: int) -> None:
    """Let a far end sound a key: the packets from the ``number``-th on."""
    for place, payload in enumerate(tone_frames(key, PCMA)):
        at = number + place
        desk.arrive(leg, build(Packet(8, at, at * FRAME, 0xABC, payload, False)))
        desk.pass_time(0.02)


def test_tones_are_keys_only_without_telephone_events_and_only_while_wanted() -> None:
    desk = Desk()
    leg = desk.leg(1, dtmf=None)
    other = desk.leg(2, dtmf=EVENT)
    sound(desk, 1, "1", 0)
    assert desk.events == [], "nobody wants them"
    for each in (leg, other):
        each.listen_for_keys(wanted=True)
    sound(desk, 1, "2", 8)
    sound(desk, 2, "3", 0)
    assert desk.events == [DtmfReceived(LegId(1), "2")], "the other says it has events"
    other.connect(desk.stream(2, dtmf=None), desk.now)
    leg.connect(desk.stream(1, dtmf=EVENT), desk.now)
    sound(desk, 1, "4", 16)
    sound(desk, 2, "5", 8)
    assert desk.events[1:] == [DtmfReceived(LegId(2), "5")], "what is agreed on may change"
    other.listen_for_keys(wanted=False)
    sound(desk, 2, "6", 16)
    assert len(desk.events) == 2


def test_a_key_that_is_sounded_is_heard_by_the_other_as_it_is() -> None:
    """It is not sent on a second time as a key of ours."""
    desk = Desk()
    desk.leg(1, dtmf=None).listen_for_keys(wanted=True)
    desk.leg(2, dtmf=EVENT)
    desk.bridge(1, 2)
    sound(desk, 1, "7", 0)
    assert desk.events == [DtmfReceived(LegId(1), "7")]
    assert desk.audio(2, EVENT) == []
    relayed = [packet.payload for packet in desk.audio(2, 8)]
    assert all(payload in relayed for payload in tone_frames("7", PCMA)[:5])


def test_comfort_noise_is_heard_of_but_not_relayed() -> None:
    desk = Desk(lost_after=1.0)
    leg = desk.leg(1)
    desk.leg(2)
    desk.bridge(1, 2)
    leg.answered(desk.now)
    Talker(desk, 1).talk(0.1)
    noise = Talker(desk, 1, payload_type=13)
    for _ in range(20):
        desk.arrive(1, noise.packet())
        desk.pass_time(0.1)
        leg.tick(desk.now, 0.0)
    assert desk.events == []
    assert desk.audio(2, 13) == []


def test_media_is_lost_once_and_only_after_the_answer() -> None:
    desk = Desk(lost_after=2.0)
    leg = desk.leg(1)

    def wait(seconds: float) -> None:
        for _ in range(round(seconds / 0.25)):
            desk.pass_time(0.25)
            leg.tick(desk.now, 0.0)

    wait(5.0)
    assert desk.events == []
    leg.answered(desk.now)
    wait(1.75)
    assert desk.events == []
    Talker(desk, 1).talk(0.1)
    wait(1.75)
    assert desk.events == []
    wait(0.5)
    assert desk.events == [MediaLost(LegId(1))]
    Talker(desk, 1).talk(0.1)
    wait(5.0)
    assert desk.events == [MediaLost(LegId(1))]


def test_rtcp_keeps_a_silent_far_end_alive_and_hold_expects_nothing() -> None:
    desk = Desk(lost_after=1.0)
    leg = desk.leg(1)
    leg.answered(desk.now)
    report = build_rtcp(5, "x", None, None, bye=False)
    for _ in range(10):
        desk.pass_time(0.5)
        desk.buffer[: len(report)] = report
        leg.rtcp_arrived(len(report), (far(1)[0], 4999), desk.now)
        leg.tick(desk.now, 0.0)
    assert desk.events == []
    for sends, receives in ((True, False), (False, True), (False, False)):
        leg.connect(desk.stream(1, sends=sends, receives=receives), desk.now)
        desk.pass_time(5.0)
        leg.tick(desk.now, 0.0)
    leg.connect(desk.stream(1), desk.now)
    desk.pass_time(0.5)
    leg.tick(desk.now, 0.0)
    assert desk.events == []
    desk.pass_time(0.6)
    leg.tick(desk.now, 0.0)
    assert desk.events == [MediaLost(LegId(1))]


def test_a_far_end_that_names_no_address_owes_nothing() -> None:
    """Hold in the way of RFC 2543: the connection address is 0.0.0.0."""
    desk = Desk(lost_after=1.0)
    leg = desk.leg(1)
    leg.answered(desk.now)
    leg.connect(replace(desk.stream(1, sends=False), remote=("0.0.0.0", 4000)), desk.now)
    before = len(desk.sent[1])
    desk.pass_time(5.0)
    leg.tick(desk.now, 0.0)
    assert desk.events == []
    assert len(desk.sent[1]) == before


@pytest.mark.parametrize(("of_sound", "of_keys"), [(128, 101), (8, -1)])
def test_an_impossible_payload_type_is_refused_before_anything_is_sent(
    of_sound: int, of_keys: int
) -> None:
    desk = Desk()
    leg = desk.open(1)
    wrong = replace(desk.stream(1), payload_type=of_sound, dtmf_payload_type=of_keys)
    with pytest.raises(ValueError, match="no RTP payload type"):
        leg.connect(wrong, desk.now)
    leg.sender.tick(desk.now)
    assert desk.sent[1] == []


def test_rtcp_of_strangers_keeps_nothing_alive() -> None:
    desk = Desk(lost_after=1.0)
    leg = desk.leg(1)
    leg.answered(desk.now)
    desk.pass_time(1.5)
    report = build_rtcp(5, "x", None, None, bye=False)
    desk.buffer[: len(report)] = report
    leg.rtcp_arrived(len(report), THIEF, desk.now)
    leg.tick(desk.now, 0.0)
    assert desk.events == [MediaLost(LegId(1))]
    assert desk.tally.forged == 1


def test_reports_are_sent_about_every_five_seconds_and_say_what_was_lost() -> None:
    desk = Desk()
    leg = desk.leg(1)
    talker = Talker(desk, 1)
    for number in range(3000):
        desk.arrive(1, talker.packet(skip=1 if number % 10 == 9 else 0))
        desk.pass_time(0.02)
        leg.tick(desk.now, 1_700_000_000.0)
    assert 8 <= len(desk.reports[1]) <= 20
    report = parse(desk.reports[1][-1])
    assert report is not None
    (block,) = report.blocks
    assert report.ssrc == leg.sender.ssrc
    assert block.ssrc == talker.ssrc
    assert 0.05 < block.fraction_lost < 0.12
    assert 250 <= block.lost <= 300
    assert report.ntp
    assert leg.quality().lost == 300
    assert leg.quality().received == 3000


def test_reports_go_where_sdp_says() -> None:
    """RFC 3605; behind a NAT what SDP says of ports holds for neither of the two."""
    desk = Desk()
    for number, rtcp_port in ((1, None), (2, 7100), (3, 7100)):
        desk.leg(number).connect(replace(desk.stream(number), rtcp_port=rtcp_port), desk.now)
    nat = ("198.51.100.9", 61234)
    talker = Talker(desk, 3)
    for _ in range(PROOF):
        desk.arrive(3, talker.packet(), source=nat)
    desk.pass_time(0.1)
    for leg in desk.legs.values():
        leg.reports.leave(desk.now, 0.0)
    host, port = far(1)
    assert desk.reported_to[1] == {(host, port + 1)}
    assert desk.reported_to[2] == {(far(2)[0], 7100)}
    assert desk.reported_to[3] == {(nat[0], nat[1] + 1)}


def test_a_report_answers_the_far_ends_and_keeps_the_loss_it_tells() -> None:
    desk = Desk()
    leg = desk.leg(1)
    Talker(desk, 1).talk(0.1)
    theirs = build_rtcp(
        5, "x", SenderInfo(10.0, 0, 0, 0), ReportBlock(leg.sender.ssrc, 0.1, 17, 0, 0), bye=False
    )
    desk.buffer[: len(theirs)] = theirs
    leg.rtp_arrived(len(theirs), far(1), desk.now)  # RTP and RTCP on one port, RFC 5761
    assert leg.reports.far_lost == 17
    desk.pass_time(2.0)
    leg.reports.leave(desk.now, 0.0)
    report = parse(desk.reports[1][-1])
    assert report is not None
    assert report.bye
    told = parse(theirs)
    assert told is not None
    assert report.blocks[0].last_report == told.ntp
    assert abs(report.blocks[0].since_last_report - 2.0) < 0.01


def test_the_round_trip_is_timed_by_the_far_ends_answers_to_our_reports() -> None:
    desk = Desk()
    leg = desk.leg(1)
    assert leg.quality().round_trip is None

    def answered(after: float, held: float, ntp: int = 0) -> float | None:
        """Our report is on its way for a while, together with the answer, and held by them."""
        desk.reports[1].clear()
        while not desk.reports[1]:
            desk.pass_time(1.0)
            leg.tick(desk.now, 1_700_000_000.0 + desk.now)
        ours = parse(desk.reports[1][-1])
        assert ours is not None
        desk.pass_time(after)
        block = ReportBlock(leg.sender.ssrc, 0.0, 0, 0, 0, ntp or ours.ntp, held)
        theirs = build_rtcp(5, "x", None, block, bye=False)
        desk.buffer[: len(theirs)] = theirs
        leg.rtcp_arrived(len(theirs), far(1), desk.now)
        return leg.quality().round_trip

    assert answered(0.5, 0.42) == pytest.approx(0.08, abs=1e-4)
    assert answered(0.62, 0.5) == pytest.approx(0.1, abs=1e-4)
    assert answered(0.5, 0.1, ntp=77) == pytest.approx(0.1, abs=1e-4)  # to no report of ours
    assert answered(0.1, 9.0) == pytest.approx(0.2 / 3, abs=1e-4)  # held before it was sent


def test_the_opinion_is_of_the_worse_direction_and_of_what_was_heard() -> None:
    desk = Desk()
    leg = desk.leg(1)
    assert leg.quality().mos is None
    Talker(desk, 1).talk(2.0)
    clean = leg.quality().mos
    assert clean is not None
    assert clean > 4.3
    for lost, at_most in ((10, 4.0), (1_000_000, 1.7)):
        theirs = build_rtcp(5, "x", None, ReportBlock(leg.sender.ssrc, 0.1, lost, 0, 0), bye=False)
        desk.buffer[: len(theirs)] = theirs
        leg.rtcp_arrived(len(theirs), far(1), desk.now)
        quality = leg.quality()
        assert quality.far_lost == min(lost, quality.sent)
        assert quality.mos is not None
        assert 1.0 <= quality.mos < at_most


def test_comfort_noise_is_taken_but_not_sent_on_as_sound() -> None:
    """A far end that stops sending over a pause says so by RFC 3389, also if nobody asked."""
    desk = Desk(lost_after=1.0)
    leg, other = desk.leg(1), desk.leg(2)
    desk.bridge(1, 2)
    leg.answered(desk.now)
    other.answered(desk.now)
    talker = Talker(desk, 1)
    noise = Talker(desk, 1, b"\x40", payload_type=13)
    noise.payload = noise.payload[:1]

    def pause(seconds: float) -> None:
        for _ in range(round(seconds / 0.2)):
            noise.sequence, noise.timestamp = talker.sequence, talker.timestamp
            desk.arrive(1, noise.packet())
            talker.sequence, talker.timestamp = noise.sequence, noise.timestamp + 9 * FRAME
            desk.pass_time(0.2)
            leg.tick(desk.now, 0.0)

    pause(0.4)  # it may come first of all
    assert desk.tally.forged == 0
    talker.talk(0.5)
    before = len(desk.sent[2])
    pause(3.0)
    assert desk.events == []
    filled = desk.all(2)[before + 3 :]
    assert len(filled) > 100
    assert {packet.payload for packet in filled} == {SILENCE[Law.A]}
    talker.talk(0.2)
    assert [packet.payload for packet in desk.all(2)[-5:]] == [talker.payload] * 5
    assert_one_stream(desk.all(2))
    assert leg.quality().lost == 0


def test_who_sends_nothing_reports_as_a_receiver() -> None:
    desk = Desk()
    leg = desk.leg(1)
    told = []
    for sends in (True, False):
        leg.connect(desk.stream(1, sends=sends), desk.now)
        desk.pass_time(10.0)
        leg.tick(desk.now, 0.0)
        desk.pass_time(10.0)
        leg.tick(desk.now, 0.0)
        report = parse(desk.reports[1][-1])
        assert report is not None
        told.append(report.ntp != 0)
    assert told == [True, False]


def test_a_leg_that_never_spoke_says_no_good_bye() -> None:
    desk = Desk()
    leg = desk.leg(1, sends=False)
    leg.reports.leave(desk.now, 0.0)
    assert desk.reports[1] == []


def test_speech_in_the_other_static_law_is_understood() -> None:
    desk = Desk()
    desk.leg(1)
    desk.leg(2)
    desk.bridge(1, 2)
    Talker(desk, 1, payload_type=0).talk(0.1)
    assert len([p for p in desk.audio(2, 8) if p.payload[0] != 0xD5]) == 5
