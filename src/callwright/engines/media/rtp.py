"""RTP packets: how they are read and written (RFC 3550 section 5.1).

Every byte that is read here comes from the network and is believed only as far as it adds up.
"""

from dataclasses import dataclass
from struct import Struct

HEADER = Struct("!BBHII")
"Version and flags, marker and payload type, sequence number, timestamp, SSRC."

PLAIN = 0x80
"First byte of a packet without padding, extension and contributing sources: nearly every one."

MARKER = 0x80
RTCP = range(192, 224)
"Second byte of RTCP that comes in on RTP's port (RFC 5761 section 4)."
WORD = 0xFFFFFFFF
"Timestamps and SSRCs are modulo 2^32."

Buffer = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class Packet:
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False


def payload_span(buffer: Buffer, size: int) -> tuple[int, int] | None:
    """Return where the payload of the packet in ``buffer[:size]`` begins and ends.

    None: this is no RTP packet.
    """
    if size < HEADER.size:
        return None
    first = buffer[0]
    if first >> 6 != 2:
        return None
    begin, end = HEADER.size + 4 * (first & 0x0F), size
    if first & 0x10:  # header extension: two bytes of profile, two of its length in words
        if begin + 4 > size:
            return None
        begin += 4 + 4 * (buffer[begin + 2] << 8 | buffer[begin + 3])
    if first & 0x20:  # padding: the last byte counts itself and those before it
        if buffer[size - 1] == 0:
            return None
        end -= buffer[size - 1]
    return (begin, end) if begin <= end else None


def parse(data: bytes) -> Packet | None:
    """Read one packet; None if it is none."""
    span = payload_span(data, len(data))
    if span is None:
        return None
    _, second, sequence, timestamp, ssrc = HEADER.unpack_from(data)
    return Packet(
        payload_type=second & 0x7F,
        sequence=sequence,
        timestamp=timestamp,
        ssrc=ssrc,
        payload=data[span[0] : span[1]],
        marker=bool(second & MARKER),
    )


def build(packet: Packet) -> bytes:
    second = packet.payload_type | (MARKER if packet.marker else 0)
    header = HEADER.pack(PLAIN, second, packet.sequence, packet.timestamp, packet.ssrc)
    return header + packet.payload
