"""Legs that differ in codec: what each hears, and that equal ones cost no decoding."""

import wave
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
import pytest

from callwright.engines.media.clips import read_clip
from callwright.engines.media.codec import CODECS, G722, OPUS, PCMA, PCMU, Codec
from callwright.engines.media.coding import make_decoder, make_encoder
from callwright.engines.media.player import Playback
from callwright.engines.media.rtp import Packet, build
from callwright.engines.media.transcode import Transcoder
from callwright.engines.port import (
    DtmfReceived,
    LegId,
    Media,
    PlaybackFinished,
    PlaybackId,
    RecordingFinished,
    RecordingId,
)

from .desk import EVENT, Desk, assert_one_stream
from .ears import sine, strength
from .phones import ANN, BOB, MESSAGE, Phone, only
from .test_clips import write_wav
from .test_engine import BRIDGE, ONE, OTHER, Switchboard, story

EVERY = list(CODECS.values())
WIDE = [G722, OPUS]


def named(codec: Codec) -> str:
    return codec.name


@pytest.fixture
def desk() -> Desk:
    return Desk()


class Speaker:
    """A far end that sends a tone in some codec, at the desk's time."""

    def __init__(self, desk: Desk, leg: int, codec: Codec, hertz: float = 440.0) -> None:
        self.desk, self.leg, self.codec, self.hertz = desk, leg, codec, hertz
        self.sequence, self.timestamp, self.said = 65000, 0xFFFFF000, 0
        self.payloads: list[bytes] = []
        self._encoder = make_encoder(codec)

    def speak(self, codec: Codec) -> None:
        self.codec = codec
        self._encoder = make_encoder(codec)

    def say(self, seconds: float) -> None:
        samples = self.codec.rate // 50
        for _ in range(round(seconds * 50)):
            sound = sine(self.hertz, self.codec.rate, samples, self.said)
            (payload,) = self._encoder.encode(sound)
            self.payloads.append(payload)
            packet = Packet(
                self.codec.payload_type, self.sequence & 0xFFFF, self.timestamp, 77, payload
            )
            self.desk.arrive(self.leg, build(packet))
            self.said += samples
            self.sequence += 1
            self.timestamp = (self.timestamp + self.codec.frame) & 0xFFFFFFFF
            self.desk.pass_time(0.02)


def sound_of(codec: Codec, packets: list[Packet]) -> "np.typing.NDArray[np.int16]":
    decoder = make_decoder(codec)
    sound = b"".join(decoder.decode(packet.payload) for packet in packets)
    return np.frombuffer(sound, dtype=np.int16)


def steps(packets: list[Packet]) -> set[int]:
    return {
        (after.timestamp - before.timestamp) & 0xFFFFFFFF
        for before, after in zip(packets, packets[1:], strict=False)
    }


@pytest.mark.parametrize("codec", EVERY, ids=named)
def test_equal_codecs_are_relayed_untouched(desk: Desk, codec: Codec) -> None:
    desk.leg(1, codec.name)
    desk.leg(2, codec.name)
    desk.bridge(1, 2)
    speaker = Speaker(desk, 1, codec)
    speaker.say(0.5)
    packets = desk.all(2)[1:]
    assert [packet.payload for packet in packets] == speaker.payloads
    assert steps(packets) == {codec.frame}
    assert {packet.payload_type for packet in packets} == {codec.payload_type}


@pytest.mark.parametrize("source", EVERY, ids=named)
@pytest.mark.parametrize("target", EVERY, ids=named)
def test_a_tone_gets_through_every_pair_on_one_time_line(
    desk: Desk, source: Codec, target: Codec
) -> None:
    desk.leg(1, source.name)
    desk.leg(2, target.name)
    desk.bridge(1, 2)
    Speaker(desk, 1, source).say(1.0)
    packets = desk.all(2)[1:]
    assert len(packets) == 50
    assert [packet.marker for packet in packets] == [True] + 49 * [False]
    assert steps(packets) == {target.frame}
    heard = sound_of(target, packets)[target.rate // 5 :]
    assert strength(heard, 440, target.rate) == pytest.approx(8000, rel=0.2)
    assert strength(heard, 1000, target.rate) < 200


@pytest.mark.parametrize("codec", WIDE, ids=named)
def test_after_a_pause_a_transcoded_stream_is_where_the_time_is(desk: Desk, codec: Codec) -> None:
    desk.leg(1, "PCMA")
    desk.leg(2, codec.name)
    desk.bridge(1, 2)
    speaker = Speaker(desk, 1, PCMA)
    for _ in range(5):
        speaker.say(0.2)
        desk.pass_time(1.0)
        speaker.timestamp = (speaker.timestamp + 8000) & 0xFFFFFFFF
    (began, first), (ended, last) = desk.sent[2][0], desk.sent[2][-1]
    elapsed = (last.timestamp - first.timestamp) & 0xFFFFFFFF
    assert abs(elapsed - (ended - began) * codec.clock) <= 3 * codec.frame
    for before, after in zip(desk.all(2), desk.all(2)[1:], strict=False):
        assert after.sequence == (before.sequence + 1) & 0xFFFF
        assert codec.frame <= (after.timestamp - before.timestamp) & 0xFFFFFFFF < codec.clock * 2


def test_packets_of_other_lengths_become_20_ms_each() -> None:
    transcoder = Transcoder(1, PCMA, OPUS)
    sound = make_encoder(PCMA).encode(sine(440, 8000, 8000))
    whole = b"".join(sound)
    made = []
    for at in range(0, 8000 - 240, 240):  # 30 ms
        made += transcoder.take(whole[at : at + 240], (0xFFFFFF00 + at) & 0xFFFFFFFF)
    assert len(made) == 49
    assert {later - earlier for (earlier, _), (later, _) in zip(made, made[1:], strict=False)} == {
        960
    }
    decoder = make_decoder(OPUS)
    heard = np.frombuffer(b"".join(decoder.decode(packet) for _, packet in made), np.int16)
    assert strength(heard[3200:], 440, 16000) > 6000


def test_a_gap_leaves_no_stale_rest_behind() -> None:
    transcoder = Transcoder(1, PCMA, OPUS)
    assert transcoder.take(b"\xd5" * 80, 0) == []
    (((at, _),)) = transcoder.take(b"\xd5" * 160, 8000)
    assert at == 8000 * 6
    # And one that follows on fills the packet up.
    assert transcoder.take(b"\xd5" * 80, 8160) == []
    (((at, _),)) = transcoder.take(b"\xd5" * 80, 8240)
    assert at == 8160 * 6


def test_damaged_opus_is_not_relayed_and_not_heard(desk: Desk) -> None:
    desk.leg(1, "opus")
    desk.leg(2, "opus")
    desk.leg(3, "PCMA")
    for number, hearer in enumerate((2, 3)):
        desk.bridge(1, hearer)
        before = len(desk.sent[hearer])
        for sequence, payload in enumerate((b"\xff\x00", b"\xff", b"")):
            packet = Packet(111, 100 * number + sequence, sequence * 960, 5, payload)
            desk.arrive(1, build(packet))
        assert len(desk.sent[hearer]) == before
        desk.part(1, hearer)


def test_a_far_end_may_send_another_codec_than_it_is_sent(desk: Desk) -> None:
    """A change in the midst of its stream, under the same SSRC."""
    desk.leg(1, "opus")
    desk.leg(2, "G722")
    desk.bridge(1, 2)
    speaker = Speaker(desk, 1, OPUS)
    for codec in (OPUS, PCMU, G722, OPUS):
        speaker.speak(codec)
        speaker.say(0.4)
        heard = sound_of(G722, desk.all(2)[-15:])
        assert strength(heard[1600:], 440, 16000) > 5000, codec
    (began, first), (ended, last) = desk.sent[2][0], desk.sent[2][-1]
    elapsed = (last.timestamp - first.timestamp) & 0xFFFFFFFF
    assert abs(elapsed - (ended - began) * 8000) <= 4 * 160


def test_a_far_end_may_send_opus_under_our_number_or_its_own(desk: Desk) -> None:
    desk.leg(2, "opus")
    leg = desk.open(1)
    stream = Desk.stream(1, "opus")
    leg.connect(type(stream)(stream.remote, "opus", 96, dtmf_clock=48000), desk.now)
    desk.bridge(1, 2)
    before = len(desk.sent[2])
    for sequence, number in enumerate((96, 111, 97)):
        desk.arrive(1, build(Packet(number, sequence, sequence * 960, 5, OPUS.silence)))
    assert len(desk.sent[2]) == before + 2


@pytest.mark.parametrize(("one", "other"), [("PCMA", "opus"), ("opus", "PCMA")])
def test_a_key_between_two_clocks_is_a_key_of_ours(desk: Desk, one: str, other: str) -> None:
    desk.leg(1, one)
    desk.leg(2, other)
    desk.bridge(1, 2)
    clock, ours = CODECS[one].clock, CODECS[other].clock
    for step in range(1, 8):
        flags = 0x80 if step > 4 else 0
        duration = clock // 50 * min(step, 5)
        payload = bytes([4, flags | 10]) + duration.to_bytes(2)
        desk.arrive(1, build(Packet(EVENT, step, 5000, 9, payload, step == 1)))
        desk.pass_time(0.02)
    desk.pass_time(0.3)
    assert desk.events == [DtmfReceived(LegId(1), "4")]
    events = desk.audio(2, EVENT)
    assert [int.from_bytes(event.payload[2:]) for event in events] == [
        ours // 50 * step for step in (1, 2, 3, 4, 5, 5, 5)
    ]
    assert len({event.timestamp for event in events}) == 1


def test_keys_between_opus_legs_are_relayed_and_told_apart(desk: Desk) -> None:
    desk.leg(1, "opus")
    desk.leg(2, "opus")
    desk.bridge(1, 2)
    for key in range(2):
        for step in range(1, 8):
            payload = bytes([4, (0x80 if step > 4 else 0) | 10]) + (960 * min(step, 5)).to_bytes(2)
            sequence, timestamp = 10 * key + step, 90000 + 8 * 960 * key
            desk.arrive(1, build(Packet(EVENT, sequence, timestamp, 9, payload, step == 1)))
            desk.pass_time(0.02)
        desk.pass_time(0.02)
    assert desk.events == [DtmfReceived(LegId(1), "4")] * 2
    assert len({event.timestamp for event in desk.audio(2, EVENT)}) == 2
    assert len(desk.audio(2, EVENT)) == 14


@pytest.mark.parametrize("codec", EVERY, ids=named)
def test_without_telephone_events_keys_are_tones_in_any_codec(desk: Desk, codec: Codec) -> None:
    leg = desk.leg(1, codec.name, dtmf=None)
    desk.pass_time(0.1)
    leg.sender.press("9")
    before = len(desk.sent[1])
    desk.pass_time(0.16)
    heard = sound_of(codec, desk.all(1)[before : before + 6])
    assert strength(heard, 852, codec.rate) > 2500
    assert strength(heard, 1477, codec.rate) > 2500
    assert strength(heard, 697, codec.rate) < 600


def test_another_clock_is_another_stream(desk: Desk) -> None:
    """RFC 7160 section 4.1."""
    leg = desk.leg(1, "PCMA")
    desk.pass_time(0.2)
    before = len(desk.sent[1])
    leg.connect(Desk.stream(1, "G722"), desk.now)
    desk.pass_time(0.2)
    assert_one_stream(desk.all(1))  # the same clock
    between = len(desk.sent[1])
    leg.connect(Desk.stream(1, "opus"), desk.now)
    desk.pass_time(0.2)
    packets = desk.all(1)[between:]
    assert {packet.payload for packet in packets} == {OPUS.silence}
    assert len({packet.ssrc for packet in desk.all(1)[:between]}) == 1
    assert {packet.ssrc for packet in packets}.isdisjoint({desk.all(1)[before].ssrc})
    assert packets[0].marker
    assert steps(packets) == {960}


# Playbacks.


@pytest.mark.parametrize("codec", WIDE, ids=named)
def test_a_clip_is_wideband_for_who_hears_wideband(tmp_path: Path, codec: Codec) -> None:
    clip = read_clip(write_wav(tmp_path / "a.wav", 1.0, 440, 6000), codec)
    playback = Playback(PlaybackId(1), Path("a.wav"), loop=False)
    playback.load(clip)
    packets = list(iter(lambda: playback.next_frame(codec), None))
    assert abs(len(packets) - 50) <= 1
    decoder = make_decoder(codec)
    heard = np.frombuffer(b"".join(decoder.decode(packet) for packet in packets), np.int16)
    assert strength(heard[1600:14400], 440, 16000) == pytest.approx(4000, rel=0.15)
    assert strength(heard[1600:14400], 6000, 16000) > 2500
    assert clip.size == sum(map(len, packets))


def test_a_playback_goes_on_where_it_was_when_the_codec_changes(tmp_path: Path) -> None:
    file = write_wav(tmp_path / "a.wav", 1.0, 440)
    playback = Playback(PlaybackId(1), file, loop=False)
    playback.load(read_clip(file))
    for _ in range(20):
        playback.next_frame(PCMA)
    assert playback.lacks(OPUS)
    assert playback.next_frame(OPUS) == OPUS.silence
    playback.load(read_clip(file, OPUS))
    assert not playback.lacks(OPUS)
    assert len(list(iter(lambda: playback.next_frame(OPUS), None))) == 30


def test_an_opus_playback_loops_and_an_empty_one_ends(tmp_path: Path) -> None:
    file = write_wav(tmp_path / "a.wav", 0.1, 440)
    playback = Playback(PlaybackId(1), file, loop=True)
    clip = read_clip(file, OPUS)
    playback.load(clip)
    assert clip.packets is not None
    heard = [playback.next_frame(OPUS) for _ in range(12)]
    assert heard == [*clip.packets, *clip.packets, *clip.packets][:12]
    for loop in (True, False):
        empty = Playback(PlaybackId(1), file, loop=loop)
        empty.load(read_clip(write_wav(tmp_path / "b.wav", 0), OPUS))
        assert empty.next_frame(OPUS) is None


# With sockets.


@pytest.mark.parametrize(
    ("one", "other"),
    # Those of G.711 alone are in test_engine.
    [(a, b) for a, b in combinations_with_replacement(CODECS, 2) if b in ("G722", "opus")],
)
def test_who_hears_whom_in_every_pair_of_codecs(tmp_path: Path, one: str, other: str) -> None:
    message = Media(write_wav(tmp_path / "message.wav", 0.3, MESSAGE))

    async def tell(board: Switchboard) -> None:
        async with Phone(ANN, one) as ann, Phone(BOB, other) as bob:
            board.up(ONE, ann)
            board.up(OTHER, bob)
            board.engine.play(OTHER, PlaybackId(1), message, loop=False)
            await board.told(PlaybackFinished(OTHER, PlaybackId(1)))
            await bob.hear(3)
            assert bob.tones() == only(MESSAGE)
            board.engine.bridge(BRIDGE, ONE, OTHER)
            await ann.hear(5)
            await bob.hear(5)
            assert await ann.hear(15) == only(BOB)
            assert await bob.hear(15) == only(ANN)
            board.engine.unbridge(BRIDGE)
            await ann.hear(3)
            assert await ann.hear(10) == only()

    story(tell)


@pytest.mark.parametrize(
    ("one", "other"),
    [("G722", "G722"), ("opus", "opus"), ("G722", "opus"), ("opus", "G722"), ("G722", "PCMA")],
)
def test_what_lies_above_4000_hz_passes_between_wideband_phones_only(one: str, other: str) -> None:
    async def tell(board: Switchboard) -> None:
        async with Phone(6000.0, one) as ann, Phone(BOB, other) as bob:
            board.up(ONE, ann)
            board.up(OTHER, bob)
            board.engine.bridge(BRIDGE, ONE, OTHER)
            await bob.hear(10)
            began = len(bob.came)
            await bob.hear(20)
            if other != "PCMA":
                assert bob.strength(6000.0, began) > 3000
            assert bob.strength(2000.0, began) < 300  # where it would come out, folded

    story(tell)


def test_a_message_goes_on_in_the_codec_the_leg_changes_to(tmp_path: Path) -> None:
    message = Media(write_wav(tmp_path / "message.wav", 1.0, MESSAGE))

    async def tell(board: Switchboard) -> None:
        async with Phone(ANN, "PCMA") as ann, Phone(BOB, "opus") as bob:
            at = board.up(ONE, ann)
            board.engine.play(ONE, PlaybackId(1), message, loop=False)
            await ann.until(lambda: ann.tones(-5)[MESSAGE])
            ann.hush()
            board.engine.connect(ONE, bob.stream)
            bob.talk(at)  # a packet of the old place, still on its way, must not hold the leg there
            await bob.until(lambda: bob.tones(-5)[MESSAGE])
            await board.told(PlaybackFinished(ONE, PlaybackId(1)))

    story(tell)


@pytest.mark.parametrize(("other", "rate"), [("opus", 16000), ("PCMA", 8000)])
def test_a_recording_is_wideband_where_both_are(tmp_path: Path, other: str, rate: int) -> None:
    file = tmp_path / "talk.wav"

    async def tell(board: Switchboard) -> None:
        async with Phone(6000.0, "G722") as ann, Phone(BOB, other) as bob:
            board.up(ONE, ann)
            board.up(OTHER, bob)
            board.engine.bridge(BRIDGE, ONE, OTHER)
            await bob.hear(10)
            board.engine.record(RecordingId(1), ONE, OTHER, file)
            await bob.hear(50)
            board.engine.stop_recording(RecordingId(1))
            await board.until(lambda: any(isinstance(e, RecordingFinished) for e in board.events))

    story(tell)
    with wave.open(str(file), "rb") as recorded:
        assert recorded.getframerate() == rate
        sound = np.frombuffer(recorded.readframes(recorded.getnframes()), "<i2")
    left, right = sound[::2][rate // 4 :], sound[1::2][rate // 4 :]
    assert strength(right, BOB, rate) > 5000
    assert strength(left, 2000, rate) < 300  # where 6000 Hz would come out, folded
    if rate == 16000:
        assert strength(left, 6000, rate) > 3000
