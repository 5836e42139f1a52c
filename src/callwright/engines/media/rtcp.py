"""RTCP: what each side tells the other about what it sent and got (RFC 3550 section 6).

We send a report every five seconds or so and a BYE at the end; of what comes in, the loss that the
far end reports is kept. Every byte that is read here comes from the network.
"""

from dataclasses import dataclass
from struct import Struct

from callwright.engines.media.rtp import WORD, Buffer

SENDER_REPORT, RECEIVER_REPORT, DESCRIPTION, BYE = 200, 201, 202, 203

_HEADER = Struct("!BBH")
_SENDER_INFO = Struct("!IQIII")
_BLOCK = Struct("!II4I")
_VERSION = 0x80
_CNAME = 1
_NTP_EPOCH = 2_208_988_800
"Seconds from 1900 to 1970."


@dataclass(frozen=True, slots=True)
class SenderInfo:
    """What a sender report says of our stream."""

    wall: float
    "Seconds since 1970."
    timestamp: int
    "RTP timestamp at that time."
    packets: int
    octets: int

    @property
    def ntp(self) -> int:
        """The time as NTP has it: 32 bits of seconds since 1900, 32 of their fraction."""
        return int((self.wall + _NTP_EPOCH) * (1 << 32)) & ((1 << 64) - 1)

    @property
    def ntp_middle(self) -> int:
        """What a far end calls our report by in its own (`ReportBlock.last_report`)."""
        return self.ntp >> 16 & WORD


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What one side got of one stream."""

    ssrc: int
    fraction_lost: float
    "Since the last report, 0 to 1."
    lost: int
    "Packets in all; negative when more came than were sent."
    highest: int
    "Extended highest sequence number."
    jitter: int
    "In timestamp units."
    last_report: int = 0
    "Middle 32 bits of the NTP time in the sender report got last; 0: none."
    since_last_report: float = 0.0
    "Seconds."


@dataclass(frozen=True, slots=True)
class Report:
    """What a compound packet says that matters here."""

    ssrc: int
    ntp: int
    "Middle 32 bits of a sender report's time; 0 in a receiver report."
    blocks: tuple[ReportBlock, ...]
    bye: bool


def build(
    ssrc: int, cname: str, sent: SenderInfo | None, block: ReportBlock | None, *, bye: bool
) -> bytes:
    """Write a compound packet: a report, who we are, and perhaps that we leave."""
    blocks = _write_block(block) if block else b""
    count = 1 if block else 0
    if sent:
        report = _SENDER_INFO.pack(
            ssrc, sent.ntp, sent.timestamp, sent.packets & WORD, sent.octets & WORD
        )
        compound = _packet(SENDER_REPORT, count, report + blocks)
    else:
        compound = _packet(RECEIVER_REPORT, count, ssrc.to_bytes(4) + blocks)
    name = cname.encode("ascii")
    item = ssrc.to_bytes(4) + bytes((_CNAME, len(name))) + name
    compound += _packet(DESCRIPTION, 1, item + bytes(4 - len(item) % 4))
    if bye:
        compound += _packet(BYE, 1, ssrc.to_bytes(4))
    return compound


def parse(data: Buffer) -> Report | None:
    """Read a compound packet; None if it does not begin with a report (RFC 3550 section 6.1).

    Reading stops where the packet no longer adds up.
    """
    first: tuple[int, int, tuple[ReportBlock, ...]] | None = None
    bye = False
    at = 0
    while at + _HEADER.size <= len(data):
        flags, kind, words = _HEADER.unpack_from(data, at)
        end = at + 4 + 4 * words
        if flags >> 6 != 2 or end > len(data):
            break
        if first is None:
            first = _read_report(kind, flags & 0x1F, bytes(data[at + 4 : end]))
            if first is None:
                return None
        elif kind == BYE:
            bye = True
        at = end
    if first is None:
        return None
    ssrc, ntp, blocks = first
    return Report(ssrc, ntp, blocks, bye)


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return _HEADER.pack(_VERSION | count, kind, len(body) // 4) + body


def _write_block(block: ReportBlock) -> bytes:
    fraction = min(255, max(0, int(block.fraction_lost * 256)))
    lost = min(0x7FFFFF, max(-0x800000, block.lost)) & 0xFFFFFF
    return _BLOCK.pack(
        block.ssrc,
        fraction << 24 | lost,
        block.highest & WORD,
        min(block.jitter, WORD),
        block.last_report,
        min(int(block.since_last_report * 65536), WORD),
    )


def _read_report(
    kind: int, count: int, body: bytes
) -> tuple[int, int, tuple[ReportBlock, ...]] | None:
    if kind == SENDER_REPORT and len(body) >= _SENDER_INFO.size:
        ssrc, ntp, *_ = _SENDER_INFO.unpack_from(body)
        at, middle = _SENDER_INFO.size, ntp >> 16 & WORD
    elif kind == RECEIVER_REPORT and len(body) >= 4:
        ssrc = int.from_bytes(body[:4])
        at, middle = 4, 0
    else:
        return None
    blocks = []
    for begin in range(at, min(at + count * _BLOCK.size, len(body) - _BLOCK.size + 1), _BLOCK.size):
        about, losses, highest, jitter, last, since = _BLOCK.unpack_from(body, begin)
        lost = losses & 0xFFFFFF
        blocks.append(
            ReportBlock(
                ssrc=about,
                fraction_lost=(losses >> 24) / 256,
                lost=lost - 0x1000000 if lost & 0x800000 else lost,
                highest=highest,
                jitter=jitter,
                last_report=last,
                since_last_report=since / 65536,
            )
        )
    return ssrc, middle, tuple(blocks)
