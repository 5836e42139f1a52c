from hypothesis import given
from hypothesis import strategies as st

from callwright.engines.media.rtp import Packet, build, parse, payload_span

packets = st.builds(
    Packet,
    payload_type=st.integers(0, 127),
    sequence=st.integers(0, 0xFFFF),
    timestamp=st.integers(0, 0xFFFFFFFF),
    ssrc=st.integers(0, 0xFFFFFFFF),
    payload=st.binary(max_size=400),
    marker=st.booleans(),
)

HEADER = bytes.fromhex("88 0007 000000a0 11223344".replace(" ", ""))


@given(packets)
def test_what_is_built_is_read_back(packet: Packet) -> None:
    assert parse(build(packet)) == packet


@given(st.binary(max_size=100))
def test_arbitrary_bytes_never_raise(data: bytes) -> None:
    packet = parse(data)
    assert packet is None or len(packet.payload) <= len(data) - 12


@given(st.integers(0, 255), st.binary(min_size=11, max_size=60))
def test_hostile_flags_never_point_outside_the_packet(first: int, rest: bytes) -> None:
    data = bytes([first]) + rest
    span = payload_span(data, len(data))
    assert span is None or 12 <= span[0] <= span[1] <= len(data)


def test_the_payload_is_found_behind_sources_and_extension_and_before_padding() -> None:
    sources = bytes(8)
    extension = bytes.fromhex("bede0001") + bytes(4)
    data = bytes([0x80 | 0x20 | 0x10 | 2]) + HEADER + sources + extension + b"sound" + b"\0\0\3"
    packet = parse(data)
    assert packet is not None
    assert packet.payload == b"sound"
    assert (packet.payload_type, packet.marker, packet.sequence) == (8, True, 7)


def test_what_does_not_add_up_is_no_packet() -> None:
    assert parse(b"\x80" + HEADER[:-1]) is None  # too short
    assert parse(b"\x40" + HEADER) is None  # version 1
    assert parse(b"\x81" + HEADER) is None  # a source that is not there
    assert parse(b"\x90" + HEADER + b"\xbe\xde\x00\x01") is None  # an extension that is not there
    assert parse(b"\xa0" + HEADER + b"\x09") is None  # more padding than packet
    assert parse(b"\xa0" + HEADER + b"\x00") is None  # padding of no length
