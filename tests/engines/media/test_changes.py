"""What a far end may change in mid-call, and ways of speaking that are not ours."""

from dataclasses import replace

import pytest

from callwright.engines.media.g711 import FRAME
from callwright.engines.media.rtp import Packet, build
from callwright.engines.port import DtmfReceived, LegId
from tests.engines.media.desk import EVENT, Desk, Talker, assert_one_stream, far

KEY_FIVE = bytes.fromhex("050a00a0")


@pytest.mark.parametrize("milliseconds", [10, 30, 40, 60])
def test_packets_of_another_length_are_relayed_whole(milliseconds: int) -> None:
    desk = Desk()
    desk.leg(1)
    desk.leg(2)
    desk.bridge(1, 2)
    samples = 8 * milliseconds
    for number in range(50):
        sound = bytes((number,)) * samples
        packet = Packet(8, number, samples * number, 0xABC, sound, marker=number == 0)
        desk.arrive(1, build(packet))
        desk.pass_time(milliseconds / 1000)
    heard = [packet for packet in desk.audio(2, 8) if len(packet.payload) == samples]
    assert [packet.payload[0] for packet in heard] == list(range(50))
    assert_one_stream(desk.all(2))


def test_keys_come_under_the_number_that_was_agreed_on_last() -> None:
    desk = Desk()
    leg = desk.leg(1)
    desk.arrive(1, build(Packet(EVENT, 1, 0, 1, KEY_FIVE, marker=True)))
    leg.connect(desk.stream(1, dtmf=96), desk.now)
    desk.arrive(1, build(Packet(EVENT, 2, 3200, 1, KEY_FIVE, marker=True)))
    desk.arrive(1, build(Packet(96, 3, 6400, 1, KEY_FIVE, marker=True)))
    assert desk.events == [DtmfReceived(LegId(1), "5")] * 2


def test_a_far_end_that_moves_is_heard_from_its_new_address_alone() -> None:
    desk = Desk()
    leg = desk.leg(1)
    desk.leg(2)
    desk.bridge(1, 2)
    talker = Talker(desk, 1)
    talker.talk(0.1)
    moved = ("192.0.2.77", 7700)
    leg.connect(replace(desk.stream(1), remote=moved), desk.now)
    desk.pass_time(0.02)
    assert desk.sent_to[1][-1] == moved
    desk.arrive(1, talker.packet(), moved)
    forged = desk.tally.forged
    desk.arrive(1, talker.packet(), far(1))
    assert desk.tally.forged == forged + 1


def test_a_stream_goes_on_under_another_codec() -> None:
    desk = Desk()
    leg = desk.leg(1)
    desk.pass_time(0.1)
    leg.connect(desk.stream(1, "PCMU"), desk.now)
    desk.pass_time(0.1)
    assert_one_stream(desk.all(1))
    assert {packet.payload_type for packet in desk.all(1)[-4:]} == {0}
    assert {len(packet.payload) for packet in desk.all(1)} == {FRAME}
