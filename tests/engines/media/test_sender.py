"""What a leg is sent, packet by packet, at a time made by hand."""

import pytest

from callwright.engines.media.codec import PCMA
from callwright.engines.media.g711 import FRAME, SILENCE, TRANSLATION, Law
from callwright.engines.media.key_queue import KEYS_WAITING
from callwright.engines.media.rtp import Packet, build
from callwright.engines.media.tones import tone_frames
from callwright.engines.port import DtmfReceived, DtmfSent, LegId, PlaybackFinished, PlaybackId

from .desk import EVENT, Desk, Talker, assert_one_stream, clip

ALAW, ULAW = 8, 0
HELLO = b"\x22"


@pytest.fixture
def desk() -> Desk:
    return Desk()


def elapsed(first: Packet, last: Packet) -> int:
    return (last.timestamp - first.timestamp) & 0xFFFFFFFF


def sounds(packets: list[Packet]) -> list[int]:
    """The first byte of each packet: our sounds are constant."""
    return [packet.payload[0] for packet in packets]


def test_silence_is_sent_from_the_connection_on_each_20_ms(desk: Desk) -> None:
    desk.leg(1)
    assert len(desk.sent[1]) == 1  # at once
    desk.pass_time(1.0)
    packets = desk.all(1)
    assert_one_stream(packets)
    assert 49 <= len(packets) <= 51
    assert {packet.payload for packet in packets} == {SILENCE[Law.A]}
    assert {elapsed(one, other) for one, other in zip(packets, packets[1:], strict=False)} == {160}
    assert [packet.marker for packet in packets] == [True] + [False] * (len(packets) - 1)


def test_a_playback_is_heard_to_its_end_and_then_silence(desk: Desk) -> None:
    desk.leg(1)
    desk.pass_time(0.1)
    desk.play(1, clip(HELLO * FRAME * 10))
    desk.pass_time(0.5)
    packets = desk.all(1)
    assert_one_stream(packets)
    heard = [number for number, packet in enumerate(packets) if packet.payload == HELLO * FRAME]
    assert heard == list(range(heard[0], heard[0] + 10))
    assert packets[heard[0]].marker
    assert desk.events == [PlaybackFinished(LegId(1), PlaybackId(1))]


def test_a_playback_is_finished_only_when_the_far_end_has_had_its_last_20_ms(desk: Desk) -> None:
    desk.leg(1)
    desk.play(1, clip(HELLO * FRAME * 3))
    while not desk.events:
        desk.pass_time(0.005)
    last = max(at for at, packet in desk.sent[1] if packet.payload == HELLO * FRAME)
    assert desk.now - last >= 0.02 - 1e-9


def test_a_playback_begins_within_20_ms(desk: Desk) -> None:
    desk.leg(1)
    desk.pass_time(0.1)
    desk.play(1, clip(HELLO * FRAME))
    at = desk.now
    desk.pass_time(0.1)
    first = next(sent for sent, packet in desk.sent[1] if packet.payload[0] == HELLO[0])
    assert first - at <= 0.02 + 1e-9


def test_a_looped_playback_never_finishes_until_it_is_stopped(desk: Desk) -> None:
    leg = desk.leg(1)
    music = desk.play(1, clip(b"\x01" * 100 + b"\x02" * 100), loop=True)
    desk.pass_time(2.0)
    assert desk.events == []
    sound = b"".join(packet.payload for packet in desk.all(1)[1:])
    assert sound == ((b"\x01" * 100 + b"\x02" * 100) * len(sound))[: len(sound)]
    leg.sender.stop(music)
    before = len(desk.sent[1])
    desk.pass_time(0.1)
    assert {packet.payload for packet in desk.all(1)[before:]} == {SILENCE[Law.A]}
    assert desk.events == []


def test_a_looped_clip_of_nothing_never_finishes_either(desk: Desk) -> None:
    desk.leg(1)
    desk.play(1, clip(b""), loop=True)
    desk.pass_time(0.1)
    assert desk.events == []
    assert {packet.payload for packet in desk.all(1)} == {SILENCE[Law.A]}


def test_a_new_playback_replaces_the_old_one_which_does_not_finish(desk: Desk) -> None:
    desk.leg(1)
    desk.play(1, clip(b"\x01" * FRAME * 50), playback=1)
    desk.pass_time(0.1)
    desk.play(1, clip(b"\x02" * FRAME * 5), playback=2)
    desk.pass_time(0.3)
    assert_one_stream(desk.all(1))
    heard = sounds(desk.all(1))
    assert heard.index(2) > max(n for n, sound in enumerate(heard) if sound == 1)
    assert desk.events == [PlaybackFinished(LegId(1), PlaybackId(2))]


def test_bridged_far_ends_hear_each_other_packet_for_packet(desk: Desk) -> None:
    desk.leg(1)
    desk.leg(2)
    desk.pass_time(0.1)
    desk.bridge(1, 2)
    ann, bob = Talker(desk, 1, b"\x0a"), Talker(desk, 2, b"\x0b")
    for _ in range(50):
        desk.arrive(1, ann.packet())
        desk.pass_time(0.007)
        desk.arrive(2, bob.packet())
        desk.pass_time(0.013)
    for leg, sound in ((1, 0x0B), (2, 0x0A)):
        packets = desk.all(leg)
        assert_one_stream(packets)
        heard = sounds(packets)
        joined = heard.index(sound)
        assert packets[joined].marker
        # From the first packet on nothing but the other: the clock's silence is left out.
        assert heard[joined:] == [sound] * 50
        assert elapsed(packets[joined], packets[-1]) == 49 * FRAME


def test_a_bridge_between_the_laws_translates(desk: Desk) -> None:
    desk.leg(1, "PCMA")
    desk.leg(2, "PCMU")
    desk.bridge(1, 2)
    Talker(desk, 1, b"\x33").talk(0.2)
    to_ulaw, to_alaw = TRANSLATION[Law.A, Law.U], TRANSLATION[Law.U, Law.A]
    assert to_ulaw
    assert to_alaw
    assert (b"\x33" * FRAME).translate(to_ulaw) in [p.payload for p in desk.audio(2, ULAW)]
    Talker(desk, 2, b"\x44", ULAW).talk(0.2)
    assert (b"\x44" * FRAME).translate(to_alaw) in [p.payload for p in desk.audio(1, ALAW)]
    for leg in (1, 2):
        assert_one_stream(desk.all(leg))


def test_packets_of_other_lengths_are_relayed_as_they_are(desk: Desk) -> None:
    desk.leg(1)
    desk.leg(2)
    desk.bridge(1, 2)
    for number in range(20):
        sound = b"\x0c" * 240
        desk.arrive(1, build(Packet(8, number, number * 240, 9, sound)))
        desk.pass_time(0.03)
    assert_one_stream(desk.all(2))
    assert [len(p.payload) for p in desk.all(2)[-19:]] == [240] * 19


def test_lost_packets_leave_a_gap_in_time_but_none_in_sequence(desk: Desk) -> None:
    desk.leg(1)
    desk.leg(2)
    desk.bridge(1, 2)
    ann = Talker(desk, 1)
    ann.talk(0.1)
    before = len(desk.sent[2])
    desk.pass_time(0.04)
    desk.arrive(1, ann.packet(skip=2))
    assert_one_stream(desk.all(2))
    assert len(desk.sent[2]) == before + 1
    assert elapsed(desk.all(2)[-2], desk.all(2)[-1]) == 3 * FRAME


def test_duplicates_and_overtaken_packets_are_not_relayed(desk: Desk) -> None:
    desk.leg(1)
    desk.leg(2)
    desk.bridge(1, 2)
    ann = Talker(desk, 1)
    ann.talk(0.1)
    late, newer = ann.packet(), ann.packet()
    before = len(desk.sent[2])
    for packet in (newer, late, newer, late):
        desk.arrive(1, packet)
    assert len(desk.sent[2]) == before + 1
    assert_one_stream(desk.all(2))
    assert desk.tally.overtaken == 3


def test_when_the_bridge_falls_quiet_silence_fills_in_and_time_goes_on(desk: Desk) -> None:
    desk.leg(1)
    desk.leg(2)
    desk.bridge(1, 2)
    ann = Talker(desk, 1)
    ann.talk(0.2)
    quiet_from, at = desk.all(2)[-1], desk.now
    desk.pass_time(1.0)
    ann.timestamp = (ann.timestamp + 8000) & 0xFFFFFFFF  # a phone that suppresses silence
    ann.talk(0.2)
    packets = desk.all(2)
    assert_one_stream(packets)
    after = [(sent, p) for sent, p in desk.sent[2] if sent > at]
    assert after[0][1].payload == SILENCE[Law.A]
    assert after[0][0] - at <= 0.085
    again = next(p for _, p in after if p.payload != SILENCE[Law.A])
    assert again.marker
    assert abs(elapsed(quiet_from, again) - round(1.02 * 8000)) <= 2 * FRAME


def test_after_hundreds_of_talk_spurts_timestamps_still_follow_the_time(desk: Desk) -> None:
    """Each change of source may cost up to a frame; it must not add up."""
    desk.leg(1)
    desk.leg(2)
    desk.bridge(1, 2)
    ann = Talker(desk, 1)
    for number in range(300):
        ann.talk(0.06)
        desk.pass_time(0.1 + number % 20 / 1000)
        ann.timestamp = (ann.timestamp + 5000) & 0xFFFFFFFF
    (began, first), (ended, last) = desk.sent[2][0], desk.sent[2][-1]
    assert_one_stream(desk.all(2))
    assert abs(elapsed(first, last) - (ended - began) * 8000) <= 3 * FRAME


def test_sources_that_change_just_after_a_packet_do_not_run_ahead_of_the_time(desk: Desk) -> None:
    desk.leg(1)
    desk.leg(2)
    ann = Talker(desk, 1)
    for _ in range(50):
        sent = len(desk.sent[2])
        while len(desk.sent[2]) == sent:
            desk.pass_time(0.005)
        desk.bridge(1, 2)
        desk.arrive(1, ann.packet())
        desk.part(1, 2)
        desk.pass_time(0.03)
        ann.timestamp += 240
    assert_one_stream(desk.all(2))
    (began, first), (ended, last) = desk.sent[2][0], desk.sent[2][-1]
    assert abs(elapsed(first, last) - (ended - began) * 8000) <= 3 * FRAME


def test_a_connection_while_the_clock_is_behind_sends_nothing_of_the_past(desk: Desk) -> None:
    desk.leg(2)
    desk.pass_time(0.1)
    desk.now += 0.055
    desk.leg(1)
    desk.clock.advance(lambda: desk.now)
    assert len(desk.sent[1]) == 1
    desk.pass_time(0.1)
    (began, first), (ended, last) = desk.sent[1][0], desk.sent[1][-1]
    assert abs(elapsed(first, last) - (ended - began) * 8000) <= FRAME


def test_a_bridge_to_another_with_the_same_ssrc_is_another_source(desk: Desk) -> None:
    for leg in (1, 2, 3):
        desk.leg(leg)
    ann, carl = Talker(desk, 1), Talker(desk, 3)
    carl.ssrc, carl.timestamp = ann.ssrc, (ann.timestamp + 4000) & 0xFFFFFFFF
    desk.bridge(1, 2)
    ann.talk(0.1)
    desk.part(1, 2)
    desk.bridge(3, 2)
    before = len(desk.sent[2])
    carl.talk(0.1)
    assert_one_stream(desk.all(2))
    assert desk.all(2)[before].marker
    assert elapsed(desk.all(2)[before - 1], desk.all(2)[before]) <= 2 * FRAME


@pytest.mark.parametrize("ppm", [3000, -3000])
def test_a_far_end_with_a_fast_or_slow_clock_leaves_no_hole_when_the_talk_ends(
    desk: Desk, ppm: int
) -> None:
    desk.leg(1)
    desk.leg(2)
    desk.bridge(1, 2)
    ann = Talker(desk, 1)
    for _ in range(3000):  # a minute, 180 ms off in the end: as an hour at 50 ppm
        desk.arrive(1, ann.packet())
        desk.pass_time(0.02 * (1 - ppm / 1e6))
    assert sounds(desk.all(2)).count(0x11) == 3000
    desk.part(1, 2)
    at = desk.now
    before = len(desk.sent[2])
    desk.pass_time(0.2)
    assert_one_stream(desk.all(2))
    assert desk.sent[2][before][0] - at <= 0.025
    assert len(desk.sent[2]) - before >= 9


def test_a_far_end_that_begins_anew_is_still_heard(desk: Desk) -> None:
    desk.leg(1)
    desk.leg(2)
    desk.bridge(1, 2)
    ann = Talker(desk, 1, b"\x01")
    ann.talk(0.2)
    ann.ssrc, ann.sequence, ann.timestamp, ann.payload = 77, 5, 5, b"\x02" * FRAME
    ann.talk(0.2)
    ann.timestamp += 123456789  # and one that only sets its timestamps anew
    ann.payload = b"\x03" * FRAME
    ann.talk(0.2)
    (began, first), (ended, last) = desk.sent[2][0], desk.sent[2][-1]
    assert abs(elapsed(first, last) - (ended - began) * 8000) <= 2 * FRAME
    assert_one_stream(desk.all(2))
    heard = sounds(desk.all(2))
    assert [heard.count(sound) for sound in (1, 2, 3)] == [10, 10, 10]


def test_a_playback_goes_before_the_bridge_and_the_other_still_hears_the_leg(desk: Desk) -> None:
    desk.leg(1)
    desk.leg(2)
    desk.bridge(1, 2)
    ann, bob = Talker(desk, 1, b"\x0a"), Talker(desk, 2, b"\x0b")

    def talk(frames: int) -> None:
        for _ in range(frames):
            desk.arrive(1, ann.packet())
            desk.arrive(2, bob.packet())
            desk.pass_time(0.02)

    talk(10)
    desk.play(1, clip(HELLO * FRAME * 10))
    talk(30)
    assert_one_stream(desk.all(1))
    assert_one_stream(desk.all(2))
    heard = sounds(desk.all(1))
    first = heard.index(0x22)
    assert heard[first : first + 10] == [0x22] * 10
    assert set(heard[first + 10 :]) == {0x0B}
    assert heard.count(0x0B) >= 28
    assert sounds(desk.all(2)).count(0x0A) == 40


def test_playback_bridge_playback_silence_is_one_stream_by_elapsed_time(desk: Desk) -> None:
    leg = desk.leg(1)
    desk.leg(2)
    bob = Talker(desk, 2, b"\x0b")
    for number in range(30):
        desk.pass_time(0.033)
        playing = desk.play(1, clip(HELLO * FRAME * 100), playback=number)
        desk.pass_time(0.047)
        desk.bridge(1, 2)
        leg.sender.stop(playing)
        bob.talk(0.1)
        desk.pass_time(0.003)
        desk.part(1, 2)
    packets = desk.all(1)
    assert_one_stream(packets)
    (began, first), (ended, last) = desk.sent[1][0], desk.sent[1][-1]
    assert abs(elapsed(first, last) - (ended - began) * 8000) <= 3 * FRAME


def test_parted_far_ends_hear_silence(desk: Desk) -> None:
    desk.leg(1)
    desk.leg(2)
    desk.bridge(1, 2)
    ann = Talker(desk, 1)
    ann.talk(0.2)
    desk.part(1, 2)
    before = len(desk.sent[2])
    ann.talk(0.4)
    after = desk.all(2)[before:]
    assert len(after) >= 18
    assert {packet.payload for packet in after} == {SILENCE[Law.A]}
    assert_one_stream(desk.all(2))


def test_a_flood_does_not_pass_the_bridge(desk: Desk) -> None:
    desk.leg(1)
    desk.leg(2)
    desk.bridge(1, 2)
    ann = Talker(desk, 1)
    for _ in range(1000):
        for _ in range(10):
            desk.arrive(1, ann.packet())
        desk.pass_time(0.02)
    assert len(desk.sent[2]) <= 1000 * 4 + 100


def test_keys_are_sent_100_ms_long_and_60_ms_apart(desk: Desk) -> None:
    leg = desk.leg(1)
    desk.pass_time(0.1)
    leg.sender.press("1")
    leg.sender.press("#")
    pressed = desk.now
    desk.pass_time(0.5)
    assert_one_stream(desk.all(1))
    events = [(at, packet) for at, packet in desk.sent[1] if packet.payload_type == EVENT]
    assert events[0][0] - pressed <= 0.02 + 1e-9
    for number, key in enumerate((1, 11)):
        packets = [packet for _, packet in events[7 * number : 7 * number + 7]]
        assert [packet.payload[0] for packet in packets] == [key] * 7
        assert len({packet.timestamp for packet in packets}) == 1
        assert [packet.marker for packet in packets] == [True] + [False] * 6
        assert [int.from_bytes(packet.payload[2:]) for packet in packets] == [
            160,
            320,
            480,
            640,
            800,
            800,
            800,
        ]
        assert [packet.payload[1] >> 7 for packet in packets] == [0, 0, 0, 0, 1, 1, 1]
    assert elapsed(events[0][1], events[7][1]) == 160 * 8
    times = [at for at, _ in events[:7]]
    assert [round(b - a, 6) for a, b in zip(times, times[1:], strict=False)] == [0.02] * 6
    assert desk.events == [DtmfSent(LegId(1), "1"), DtmfSent(LegId(1), "#")]


def test_a_key_takes_the_place_of_the_sound_and_delays_nothing(desk: Desk) -> None:
    """Keys may overlap a message; they never delay the join (choreography 3)."""
    leg = desk.leg(1)
    sound = bytes(range(50))
    desk.play(1, clip(b"".join(bytes([value]) * FRAME for value in sound)))
    desk.pass_time(0.2)
    leg.sender.press("5")
    desk.pass_time(0.7)
    assert not any(isinstance(event, PlaybackFinished) for event in desk.events)
    desk.pass_time(0.2)
    assert PlaybackFinished(LegId(1), PlaybackId(1)) in desk.events
    packets = desk.all(1)
    assert_one_stream(packets)
    key = [number for number, packet in enumerate(packets) if packet.payload_type == EVENT]
    assert key == list(range(key[0], key[0] + 7))
    assert packets[key[-1] + 1].payload[0] == packets[key[0] - 1].payload[0] + 8


def test_a_key_goes_over_the_bridge_to_its_leg_alone(desk: Desk) -> None:
    leg = desk.leg(1)
    desk.leg(2)
    desk.bridge(1, 2)
    ann, bob = Talker(desk, 1), Talker(desk, 2)
    for number in range(40):
        if number == 10:
            leg.sender.press("7")
        desk.arrive(1, ann.packet())
        desk.arrive(2, bob.packet())
        desk.pass_time(0.02)
    assert_one_stream(desk.all(1))
    assert [p.payload_type for p in desk.all(1)].count(EVENT) == 7
    first = next(n for n, p in enumerate(desk.all(1)) if p.payload_type == EVENT)
    assert [p.payload_type for p in desk.all(1)[first : first + 8]] == [EVENT] * 7 + [8]
    assert desk.audio(2, EVENT) == []
    assert sounds(desk.all(2)).count(0x11) == 40


@pytest.mark.parametrize("after", range(0, 20, 2))
@pytest.mark.parametrize("begun_at", [0.101, 0.106, 0.111, 0.116])
def test_a_key_begins_within_20_ms_in_the_middle_of_a_talk(
    desk: Desk, begun_at: float, after: int
) -> None:
    """``after``: ms from the talk's last packet, whose 20 ms are not over, to the key."""
    leg = desk.leg(1)
    desk.leg(2)
    desk.pass_time(begun_at)
    desk.bridge(1, 2)
    bob = Talker(desk, 2)
    bob.talk(0.2)
    desk.arrive(2, bob.packet())
    desk.pass_time(after / 1000)
    leg.sender.press("1")
    pressed = desk.now
    desk.pass_time(0.02 - after / 1000)
    bob.talk(0.3)
    assert_one_stream(desk.all(1))
    begun = next(at for at, packet in desk.sent[1] if packet.payload_type == EVENT)
    assert begun - pressed <= 0.02 + 1e-9


def test_without_telephone_events_a_key_is_sent_as_tones(desk: Desk) -> None:
    leg = desk.leg(1, dtmf=None)
    leg.sender.press("9")
    desk.pass_time(0.3)
    assert_one_stream(desk.all(1))
    sound = b"".join(packet.payload for packet in desk.all(1))
    assert b"".join(tone_frames("9", PCMA)) in sound
    assert desk.events == [DtmfSent(LegId(1), "9")]


def test_keys_that_wait_are_bounded(desk: Desk) -> None:
    leg = desk.leg(1)
    for _ in range(KEYS_WAITING + 100):
        leg.sender.press("1")
    desk.pass_time(0.16 * (KEYS_WAITING + 100) + 1)
    sent = [event for event in desk.events if isinstance(event, DtmfSent)]
    assert len(sent) == KEYS_WAITING
    assert len(desk.events) == KEYS_WAITING + 100, "and of the others it is told"


def test_keys_pressed_by_a_bridged_far_end_reach_the_other_under_its_number(desk: Desk) -> None:
    desk.leg(1, dtmf=EVENT)
    desk.leg(2, dtmf=96)
    desk.bridge(1, 2)
    ann = Talker(desk, 1)
    ann.talk(0.1)
    timestamp = (ann.timestamp + FRAME) & 0xFFFFFFFF
    for step in range(1, 8):
        ended = 0x80 if step > 4 else 0
        payload = bytes([4, ended | 10]) + (FRAME * min(step, 5)).to_bytes(2)
        ann.sequence = (ann.sequence + 1) & 0xFFFF
        packet = Packet(EVENT, ann.sequence, timestamp, ann.ssrc, payload, step == 1)
        desk.arrive(1, build(packet))
        desk.arrive(1, build(packet))  # a duplicate is not sent on
        desk.pass_time(0.02)
    ann.timestamp = (timestamp + 6 * FRAME) & 0xFFFFFFFF
    ann.talk(0.1)
    relayed = desk.audio(2, 96)
    assert [packet.payload[0] for packet in relayed] == [4] * 7
    assert [packet.marker for packet in relayed] == [True] + [False] * 6
    assert len({packet.timestamp for packet in relayed}) == 1
    packets = desk.all(2)
    assert [
        b.sequence - a.sequence & 0xFFFF for a, b in zip(packets, packets[1:], strict=False)
    ] == [1] * (len(packets) - 1)
    at = packets.index(relayed[0])
    assert elapsed(packets[at - 1], packets[at]) == FRAME
    assert elapsed(packets[at], packets[at + 7]) == 7 * FRAME
    assert desk.events == [DtmfReceived(LegId(1), "4")]


def test_a_key_out_of_nowhere_is_put_on_the_time_line_and_takes_its_time(desk: Desk) -> None:
    """A gateway that stamps its keys by another clock than its speech."""
    desk.leg(1)
    desk.leg(2)
    desk.bridge(1, 2)
    ann = Talker(desk, 1)
    ann.talk(0.1)
    wild = (ann.timestamp + 0x40000000) & 0xFFFFFFFF
    key = Packet(EVENT, (ann.sequence + 1) & 0xFFFF, wild, ann.ssrc, b"\x04\x0a\x00\xa0", True)
    desk.arrive(1, build(key))
    desk.part(1, 2)
    desk.pass_time(0.1)
    assert_one_stream(desk.all(2))
    (began, first), (ended, last) = desk.sent[2][0], desk.sent[2][-1]
    assert abs(elapsed(first, last) - (ended - began) * 8000) <= 2 * FRAME
    assert len(desk.audio(2, EVENT)) == 1


def test_keys_for_a_far_end_without_telephone_events_become_tones_once(desk: Desk) -> None:
    desk.leg(1)
    desk.leg(2, dtmf=None)
    desk.bridge(1, 2)
    for step in range(1, 8):
        payload = bytes([4, 10]) + (FRAME * step).to_bytes(2)
        desk.arrive(1, build(Packet(EVENT, step, 1000, 1, payload, step == 1)))
        desk.pass_time(0.02)
    desk.pass_time(0.2)
    sound = b"".join(packet.payload for packet in desk.all(2))
    assert sound.count(b"".join(tone_frames("4", PCMA))) == 1
    assert desk.events == [DtmfReceived(LegId(1), "4")]


def test_on_hold_nothing_is_sent_and_a_message_comes_to_its_end_all_the_same(desk: Desk) -> None:
    leg = desk.leg(1)
    desk.leg(2)
    desk.bridge(1, 2)
    leg.connect(desk.stream(1, sends=False, receives=False), desk.now)
    before = len(desk.sent[1])
    desk.play(1, clip(HELLO * FRAME * 5))
    leg.sender.press("1")
    Talker(desk, 2).talk(0.3)
    assert len(desk.sent[1]) == before
    assert desk.events == [PlaybackFinished(LegId(1), PlaybackId(1))]
    Talker(desk, 1, b"\x7f").talk(0.1)
    assert 0x7F not in sounds(desk.all(2))
    leg.connect(desk.stream(1), desk.now)
    desk.pass_time(0.3)
    assert desk.events[1:] == [DtmfSent(LegId(1), "1")]
    assert_one_stream(desk.all(1))
    first, again = desk.sent[1][before - 1], desk.sent[1][before]
    assert abs(elapsed(first[1], again[1]) - (again[0] - first[0]) * 8000) <= FRAME


def test_the_codec_may_change_and_the_stream_goes_on(desk: Desk) -> None:
    leg = desk.leg(1)
    desk.pass_time(0.1)
    desk.play(1, clip(b"a" * FRAME * 20, b"u" * FRAME * 20))
    desk.pass_time(0.1)
    leg.connect(desk.stream(1, "PCMU"), desk.now)
    desk.pass_time(0.1)
    assert_one_stream(desk.all(1))
    assert b"u" * FRAME in [packet.payload for packet in desk.audio(1, ULAW)]


def test_a_stalled_loop_leaves_a_gap_of_the_time_it_lost(desk: Desk) -> None:
    desk.leg(1)
    desk.pass_time(0.1)
    before = desk.all(1)[-1]
    count = len(desk.sent[1])
    desk.now += 2.0
    desk.pass_time(0.1)
    packets = desk.all(1)
    assert_one_stream(packets)
    assert len(packets) - count <= 9
    assert abs(elapsed(before, packets[-1]) - 2.1 * 8000) <= 2 * FRAME
