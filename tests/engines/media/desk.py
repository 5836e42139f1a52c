"""A desk to try legs on: packets and time are made by hand, without sockets or waiting."""

from itertools import pairwise
from pathlib import Path

from callwright.engines.media.clips import Clip
from callwright.engines.media.clock import SlotClock
from callwright.engines.media.codec import CODECS
from callwright.engines.media.g711 import FRAME, Law
from callwright.engines.media.leg import LegMedia
from callwright.engines.media.media import MediaEvent, RtpStream
from callwright.engines.media.player import Playback
from callwright.engines.media.rtp import Buffer, Packet, build, parse
from callwright.engines.media.tally import Tally
from callwright.engines.port import LegId, PlaybackId

EVENT = 101


def clip(alaw: bytes, ulaw: bytes | None = None) -> Clip:
    return Clip({Law.A: alaw, Law.U: ulaw if ulaw is not None else alaw}, (0, 0))


def far(leg: int) -> tuple[str, int]:
    return ("192.0.2.1", 4000 + 2 * leg)


class Desk:
    """Up to a few legs at a simulated time, which begins at 100 s."""

    def __init__(self, lost_after: float = 30.0) -> None:
        self.now = 100.0
        self.buffer = bytearray(2048)
        self.tally = Tally()
        self.clock = SlotClock(self.now)
        self.legs: dict[int, LegMedia] = {}
        self.sent: dict[int, list[tuple[float, Packet]]] = {}
        self.sent_to: dict[int, list[tuple[str, int]]] = {}
        self.reports: dict[int, list[bytes]] = {}
        self.reported_to: dict[int, set[tuple[str, int]]] = {}
        self.events: list[MediaEvent] = []
        self._lost_after = lost_after

    def leg(
        self,
        number: int,
        codec: str = "PCMA",
        dtmf: int | None = EVENT,
        *,
        sends: bool = True,
        receives: bool = True,
    ) -> LegMedia:
        """Open and connect a leg."""
        leg = self.open(number)
        leg.connect(self.stream(number, codec, dtmf, sends, receives), self.now)
        self.clock.add(leg.sender, self.now)
        leg.sender.tick(self.now)
        return leg

    def open(self, number: int) -> LegMedia:
        sent = self.sent[number] = []
        sent_to = self.sent_to[number] = []
        reports = self.reports[number] = []

        def send_rtp(data: Buffer, to: tuple[str, int]) -> None:
            packet = parse(bytes(data))
            assert packet is not None
            sent.append((self.now, packet))
            sent_to.append(to)

        def send_rtcp(data: Buffer, to: tuple[str, int]) -> None:
            reports.append(bytes(data))
            self.reported_to.setdefault(number, set()).add(to)

        self.legs[number] = LegMedia(
            LegId(number),
            buffer=self.buffer,
            send_rtp=send_rtp,
            send_rtcp=send_rtcp,
            post=self.events.append,
            tally=self.tally,
            lost_after=self._lost_after,
            now=self.now,
        )
        return self.legs[number]

    @staticmethod
    def stream(
        number: int,
        codec: str = "PCMA",
        dtmf: int | None = EVENT,
        sends: bool = True,
        receives: bool = True,
    ) -> RtpStream:
        known = CODECS[codec]
        return RtpStream(far(number), codec, known.payload_type, dtmf, sends, receives, known.clock)

    def bridge(self, one: int, other: int) -> None:
        self.legs[one].hear([self.legs[other]], self.legs[other])
        self.legs[other].hear([self.legs[one]], self.legs[one])

    def part(self, *legs: int) -> None:
        for leg in legs:
            self.legs[leg].hear(())

    def play(self, leg: int, sound: Clip, playback: int = 1, *, loop: bool = False) -> Playback:
        playing = Playback(PlaybackId(playback), Path("a.wav"), loop=loop)
        playing.load(sound)
        self.legs[leg].sender.play(playing)
        return playing

    def pass_time(self, seconds: float) -> None:
        until = self.now + seconds
        while self.clock.due <= until:
            self.now = max(self.now, self.clock.due)
            self.clock.advance(lambda: self.now)
        self.now = until

    def arrive(self, leg: int, data: bytes, source: tuple[str, int] | None = None) -> None:
        self.buffer[: len(data)] = data
        self.legs[leg].rtp_arrived(len(data), source or far(leg), self.now)

    def audio(self, leg: int, number: int) -> list[Packet]:
        """All packets of a payload type that a leg was sent."""
        return [packet for _, packet in self.sent[leg] if packet.payload_type == number]

    def all(self, leg: int) -> list[Packet]:
        return [packet for _, packet in self.sent[leg]]


class Talker:
    """A far end that sends 20 ms packets of a constant sound."""

    def __init__(self, desk: Desk, leg: int, sound: bytes = b"\x11", payload_type: int = 8) -> None:
        self.desk = desk
        self.leg = leg
        self.payload = sound * FRAME
        self.payload_type = payload_type
        self.sequence = 65530  # so that it soon wraps
        self.timestamp = 0xFFFFFF00
        self.ssrc = 0xABC000 + leg

    def packet(self, skip: int = 0, marker: bool = False) -> bytes:
        self.sequence = (self.sequence + 1 + skip) & 0xFFFF
        self.timestamp = (self.timestamp + FRAME * (1 + skip)) & 0xFFFFFFFF
        return build(
            Packet(
                self.payload_type, self.sequence, self.timestamp, self.ssrc, self.payload, marker
            )
        )

    def talk(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.02)):
            self.desk.arrive(self.leg, self.packet())
            self.desk.pass_time(0.02)


def assert_one_stream(packets: list[Packet]) -> None:
    """One SSRC, sequence numbers by one, and no sample sent twice or out of order.

    Keys have the timestamps of their beginnings, beside the audio that goes on.
    """
    assert len(packets) > 1
    assert packets[0].marker
    for before, after in pairwise(packets):
        assert after.ssrc == before.ssrc
        assert after.sequence == (before.sequence + 1) & 0xFFFF
    audio = [packet for packet in packets if packet.payload_type != EVENT]
    for before, after in pairwise(audio):
        step = (after.timestamp - before.timestamp) & 0xFFFFFFFF
        assert len(before.payload) <= step < 0x80000000
    keys = [packet for packet in packets if packet.payload_type == EVENT]
    for before, after in pairwise(keys):
        assert (after.timestamp - before.timestamp) & 0xFFFFFFFF < 0x80000000
