"""Damaged RTP and RTCP, between packets of a bridged call that goes on as if nothing had been."""

import random
from itertools import pairwise

from callwright.engines.media.rtcp import ReportBlock, SenderInfo
from callwright.engines.media.rtcp import build as build_rtcp
from callwright.engines.media.rtp import Packet, build
from fuzz.damage import damaged
from fuzz.harness import always, main
from tests.engines.media.desk import EVENT, Desk, Talker, far

AUDIO = build(Packet(8, 7, 1600, 0xABC, b"\x55" * 160, marker=True))
KEY = build(Packet(EVENT, 8, 1600, 0xABC, b"\x05\x8a\x03\x20"))
EXTENDED = (
    b"\xb3" + AUDIO[1:12] + bytes(12) + b"\xbe\xde\x00\x01abcd" + AUDIO[12:] + b"\x00\x00\x03"
)
REPORT = build_rtcp(
    0xABC,
    "far",
    SenderInfo(1.8e9, 1600, 7, 1120),
    ReportBlock(1, 0.1, 3, 70000, 9, 1, 0.5),
    bye=True,
)


class Packets:
    seeds = (AUDIO, KEY, EXTENDED, REPORT)

    def take(self, data: bytes, chance: random.Random) -> str:
        desk = Desk()
        for leg, codec in ((1, "PCMA"), (2, chance.choice(("PCMA", "PCMU", "G722")))):
            desk.leg(leg, codec, chance.choice((EVENT, EVENT, None)))
            desk.legs[leg].answered(desk.now)
        desk.bridge(1, 2)
        talker = Talker(desk, 1)
        talker.talk(0.04)
        outcome = self._arrives(desk, data, chance)
        for _ in range(chance.randrange(6)):
            self._arrives(desk, damaged(self.seeds, chance), chance)
        talker.talk(0.04)
        for leg, media in desk.legs.items():
            media.tick(desk.now, 1.8e9 + desk.now)
            media.quality()
            _assert_one_stream(desk.all(leg))
        return outcome

    def _arrives(self, desk: Desk, data: bytes, chance: random.Random) -> str:
        """Let one packet come, over either port, from the far end or from a stranger."""
        tally = desk.tally
        before = (tally.malformed, tally.forged, tally.overtaken)
        leg = chance.choice((1, 2))
        source = far(leg) if chance.random() < 0.8 else ("203.0.113.9", 9)
        data = data[: len(desk.buffer)]
        if data:
            desk.buffer[: len(data)] = data
            media = desk.legs[leg]
            arrived = media.rtp_arrived if chance.random() < 0.7 else media.rtcp_arrived
            arrived(len(data), source, desk.now)
        desk.pass_time(chance.choice((0.0, 0.02, 0.02, 0.2)))
        after = (tally.malformed, tally.forged, tally.overtaken)
        kinds = ("malformed", "forged", "overtaken")
        told = (kind for kind, a, b in zip(kinds, before, after, strict=True) if b > a)
        return next(told, "taken")


def _assert_one_stream(packets: list[Packet]) -> None:
    """One SSRC, sequence numbers by one, time that never goes back; whatever came in between.

    How long a damaged packet lasts is its sender's lie, so packets may overlap.
    """
    assert packets[0].marker
    for before, after in pairwise(packets):
        assert after.ssrc == before.ssrc
        assert after.sequence == (before.sequence + 1) & 0xFFFF
    # The packets of a key keep the time of its beginning, while that of the audio goes on.
    audio = [packet for packet in packets if packet.payload_type != EVENT]
    for before, after in pairwise(audio):
        assert (after.timestamp - before.timestamp) & 0xFFFFFFFF < 0x80000000


if __name__ == "__main__":
    main(lambda: always(Packets()))
