"""Keys over a bridge: one key of a far end is one on the other's wire, whoever sends it how."""

import pytest

from callwright.engines.media.codec import PCMA
from callwright.engines.media.engine import RtpEngine
from callwright.engines.media.g711 import FRAME
from callwright.engines.media.key_presses import SAME_WITHIN
from callwright.engines.media.media import KeyForwarded, RtpStream
from callwright.engines.media.rtp import Packet, build
from callwright.engines.media.sender import QUIET_AFTER
from callwright.engines.media.tones import tone_frames
from callwright.engines.port import DtmfReceived, LegId

from .desk import EVENT, Desk, Talker, assert_one_stream, far

ANN, BOB = LegId(1), LegId(2)
END = 0x80


@pytest.fixture
def desk() -> Desk:
    return Desk()


def bridged(desk: Desk, *, ann: RtpStream | None = None, bob: RtpStream | None = None) -> Talker:
    """Two legs that hear each other; Ann has begun to speak."""
    for leg, stream in ((1, ann), (2, bob)):
        desk.leg(leg)
        if stream is not None:
            desk.legs[leg].connect(stream, desk.now)
    desk.bridge(1, 2)
    ann_talks = Talker(desk, 1)
    ann_talks.talk(0.1)
    return ann_talks


def event(
    talker: Talker,
    code: int,
    timestamp: int,
    duration: int,
    *,
    begins: bool = False,
    ends: bool = False,
    number: int = EVENT,
) -> None:
    """One packet of a key arrives from the talker's far end."""
    talker.sequence = (talker.sequence + 1) & 0xFFFF
    payload = bytes([code, (END if ends else 0) | 10]) + duration.to_bytes(2)
    packet = Packet(number, talker.sequence, timestamp & 0xFFFFFFFF, talker.ssrc, payload, begins)
    talker.desk.arrive(talker.leg, build(packet))


def press(talker: Talker, code: int, *, steps: int = 5, number: int = EVENT) -> None:
    """A key in the place of the sound, as most phones send it."""
    beginning = talker.timestamp + FRAME
    for step in range(1, steps + 3):
        duration = FRAME * min(step, steps)
        ends = step >= steps
        event(talker, code, beginning, duration, begins=step == 1, ends=ends, number=number)
        talker.desk.pass_time(0.02)
    talker.timestamp = (beginning + FRAME * (steps + 2)) & 0xFFFFFFFF


def keys_on_the_wire(desk: Desk, leg: int, number: int = EVENT) -> list[str]:
    """What a far end makes of it: one key for each timestamp that telephone-events have."""
    found: dict[int, int] = {}
    for packet in desk.audio(leg, number):
        found.setdefault(packet.timestamp, packet.payload[0])
    return ["0123456789*#ABCD"[code] for code in found.values()]


def keys_told(desk: Desk) -> list[str]:
    return [told.key for told in desk.events if isinstance(told, DtmfReceived)]


def test_an_event_before_the_audio_of_its_timestamp_is_one_key(desk: Desk) -> None:
    """As baresip does: its audio goes on beside the key, and each packet of the key comes first."""
    ann = bridged(desk)
    for code in (1, 2, 3):
        beginning = ann.timestamp + FRAME
        for step in range(1, 13):
            event(ann, code, beginning, FRAME * step, begins=step == 1, ends=step >= 10)
            desk.arrive(1, ann.packet())
            desk.pass_time(0.02)
        ann.talk(0.1)
    assert keys_on_the_wire(desk, 2) == ["1", "2", "3"]
    assert [packet.marker for packet in desk.audio(2, EVENT)].count(True) == 3
    assert keys_told(desk) == ["1", "2", "3"]
    assert_one_stream(desk.all(2))
    audio = desk.audio(2, PCMA.payload_type)
    assert sum(packet.marker for packet in audio) <= 2, "the audio went on without a break"


def test_an_event_after_the_audio_of_its_timestamp_is_one_key(desk: Desk) -> None:
    ann = bridged(desk)
    beginning = ann.timestamp + FRAME
    for step in range(1, 13):
        desk.arrive(1, ann.packet())
        event(ann, 7, beginning, FRAME * step, begins=step == 1, ends=step >= 10)
        desk.pass_time(0.02)
    ann.talk(0.1)
    assert keys_on_the_wire(desk, 2) == ["7"]
    assert_one_stream(desk.all(2))


@pytest.mark.parametrize("pause", [QUIET_AFTER + 0.03, 0.5, 2.0])
def test_a_pause_inside_a_key_leaves_it_one(desk: Desk, pause: float) -> None:
    """As Twinkle does: it says the beginning of a key, and then nothing until its end."""
    ann = bridged(desk)
    for code in (1, 2, 3):
        beginning = ann.timestamp + FRAME
        event(ann, code, beginning, FRAME, begins=True)
        desk.pass_time(pause)
        length = round(pause * 8000)
        for _ in range(3):
            event(ann, code, beginning, length, ends=True)
        ann.timestamp = (beginning + length) & 0xFFFFFFFF
        ann.talk(0.2)
    assert keys_on_the_wire(desk, 2) == ["1", "2", "3"]
    assert_one_stream(desk.all(2))


def test_a_new_beginning_of_the_audio_leaves_the_key_one(desk: Desk) -> None:
    """The audio's own clock jumps in the middle of a key."""
    ann = bridged(desk)
    beginning = ann.timestamp + FRAME
    event(ann, 5, beginning, FRAME, begins=True)
    ann.timestamp = (ann.timestamp + 0x1000000) & 0xFFFFFFFF
    ann.talk(0.04)
    event(ann, 5, beginning, 3 * FRAME)
    event(ann, 5, beginning, 5 * FRAME, ends=True)
    assert keys_on_the_wire(desk, 2) == ["5"]


def test_a_key_of_several_segments_stays_one(desk: Desk) -> None:
    """RFC 4733 section 2.5.1.3: the next segment begins where the last one ended."""
    ann = bridged(desk)
    beginning = ann.timestamp + FRAME
    event(ann, 5, beginning, 0xFFFF, begins=True)
    desk.pass_time(0.1)
    event(ann, 5, beginning + 0xFFFF, FRAME)
    event(ann, 5, beginning + 0xFFFF, 2 * FRAME, ends=True)
    first, second = {packet.timestamp: None for packet in desk.audio(2, EVENT)}
    assert (second - first) & 0xFFFFFFFF == 0xFFFF
    assert keys_told(desk) == ["5"]


def test_two_keys_that_begin_together_have_timestamps_of_their_own(desk: Desk) -> None:
    ann = bridged(desk)
    event(ann, 5, ann.timestamp + 0x10000000, FRAME, begins=True)
    event(ann, 6, ann.timestamp + 0x20000000, FRAME, begins=True)
    assert keys_on_the_wire(desk, 2) == ["5", "6"]


def test_a_key_belongs_to_whom_its_beginning_was_for(desk: Desk) -> None:
    """The key that takes a call joins two; what is left of it is nobody's business."""
    desk.leg(1)
    desk.leg(2)
    ann = Talker(desk, 1)
    ann.talk(0.1)
    beginning = ann.timestamp + FRAME
    event(ann, 5, beginning, FRAME, begins=True)
    desk.bridge(1, 2)
    event(ann, 5, beginning, 2 * FRAME)
    event(ann, 5, beginning, 3 * FRAME, ends=True)
    assert keys_on_the_wire(desk, 2) == []
    ann.timestamp = beginning + 8 * FRAME
    press(ann, 6)
    assert keys_on_the_wire(desk, 2) == ["6"]


def test_what_is_no_key_is_not_sent_on(desk: Desk) -> None:
    ann = bridged(desk)
    event(ann, 16, ann.timestamp + FRAME, FRAME, begins=True)  # a hook flash: 0-15 was agreed on
    assert desk.audio(2, EVENT) == []


def test_keys_by_the_number_of_our_own_offer_count(desk: Desk) -> None:
    """A far end that answered telephone-event with 96 and sends it under 101, which we offered."""
    stream = RtpStream(far(1), "PCMA", 8, 96, own_dtmf_payload_type=101)
    ann = bridged(desk, ann=stream)
    press(ann, 1, number=101)
    ann.talk(0.1)
    press(ann, 2, number=96)
    assert keys_told(desk) == ["1", "2"]
    assert keys_on_the_wire(desk, 2) == ["1", "2"]


def test_keys_named_by_info_are_passed_on_as_events(desk: Desk) -> None:
    bridged(desk)
    desk.legs[1].key_named("4", desk.now)
    desk.legs[1].key_named("4", desk.now)
    desk.pass_time(0.5)
    assert keys_told(desk) == ["4", "4"]
    assert keys_on_the_wire(desk, 2) == ["4", "4"]


def test_keys_named_by_info_are_passed_on_as_tones_where_there_are_no_events(desk: Desk) -> None:
    bridged(desk, bob=RtpStream(far(2), "PCMA", 8))
    desk.legs[1].key_named("4", desk.now)
    desk.pass_time(0.3)
    sound = b"".join(packet.payload for packet in desk.all(2))
    assert sound.count(b"".join(tone_frames("4", PCMA))) == 1


def test_keys_for_a_far_end_that_takes_info_go_by_the_signalling(desk: Desk) -> None:
    ann = bridged(desk, bob=RtpStream(far(2), "PCMA", 8, keys_by_info=True))
    press(ann, 9)
    desk.legs[1].key_named("#", desk.now + SAME_WITHIN)
    assert desk.events == [
        DtmfReceived(ANN, "9"),
        KeyForwarded(BOB, "9"),
        DtmfReceived(ANN, "#"),
        KeyForwarded(BOB, "#"),
    ]


@pytest.mark.parametrize("info_first", [True, False])
def test_a_key_said_by_event_and_info_counts_once(desk: Desk, info_first: bool) -> None:
    ann = bridged(desk)
    for code in (1, 1, 2):
        if info_first:
            desk.legs[1].key_named(str(code), desk.now)
        press(ann, code)
        ann.talk(0.06)
        if not info_first:
            desk.legs[1].key_named(str(code), desk.now)
    desk.pass_time(0.5)
    assert keys_told(desk) == ["1", "1", "2"]
    assert keys_on_the_wire(desk, 2) == ["1", "1", "2"]


def test_an_info_that_comes_when_a_held_key_is_let_go_is_the_same_key(desk: Desk) -> None:
    ann = bridged(desk)
    press(ann, 8, steps=200)
    desk.legs[1].key_named("8", desk.now)
    assert keys_told(desk) == ["8"]


def test_a_key_said_by_tone_and_info_counts_once(desk: Desk) -> None:
    bridged(desk, ann=RtpStream(far(1), "PCMA", 8))
    desk.legs[1].listen_for_keys(wanted=True)
    ann = Talker(desk, 1)
    ann.ssrc += 1
    desk.legs[1].key_named("5", desk.now)
    for frame in [*tone_frames("5", PCMA), *[PCMA.silence] * 5]:
        ann.payload = frame
        ann.talk(0.02)
    assert keys_told(desk) == ["5"]
    desk.pass_time(SAME_WITHIN)
    desk.legs[1].key_named("5", desk.now)
    assert keys_told(desk) == ["5", "5"]


def test_what_is_no_key_cannot_be_named() -> None:
    engine = RtpEngine("127.0.0.1", None, (20000, 20001), lost_after=30.0)
    with pytest.raises(ValueError, match="no DTMF key"):
        engine.key_named(ANN, "12")
