"""How a stream is cut into messages, wherever its segments begin and end."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callwright.engines.sip.wire.framing import PING, Framer, Garbage
from callwright.engines.sip.wire.message import MAX_LINE, MAX_MESSAGE
from tests.engines.sip.wire.torture import VALID, wire

INVITE = wire(VALID["wsinv"])
OPTIONS = wire(VALID["lwsdisp"])
RESPONSE = wire(VALID["noreason"])


def cut(stream: bytes, *, at: int) -> list[bytes]:
    framer = Framer()
    return framer.feed(stream[:at]) + framer.feed(stream[at:])


def test_a_message_is_whole_wherever_it_is_cut() -> None:
    stream = INVITE + OPTIONS
    for at in range(len(stream) + 1):
        assert cut(stream, at=at) == [INVITE, OPTIONS]


def test_a_message_is_whole_byte_by_byte() -> None:
    framer = Framer()
    found = [one for byte in INVITE + RESPONSE for one in framer.feed(bytes([byte]))]
    assert found == [INVITE, RESPONSE]
    assert not framer.waiting


@settings(deadline=None)
@given(st.data())
def test_messages_are_whole_however_they_are_cut(data: st.DataObject) -> None:
    messages = data.draw(st.lists(st.sampled_from([INVITE, OPTIONS, RESPONSE, PING])))
    stream = b"".join(messages)
    framer = Framer()
    found: list[bytes] = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += framer.feed(stream[:size])
        stream = stream[size:]
    assert found == messages


def test_pings_and_pongs_between_messages() -> None:
    framer = Framer()
    assert framer.feed(b"\r\n\r\n") == [PING]
    assert framer.feed(b"\r\n") == []
    assert framer.feed(b"\r") == []
    assert not framer.waiting
    assert framer.feed(b"\n" + OPTIONS) == [PING, OPTIONS]
    assert framer.feed(b"\r\n" + OPTIONS) == [OPTIONS]
    assert framer.feed(OPTIONS[:1]) == []
    assert framer.waiting


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (b"GET / HTTP/1.1\r\n", "no start line"),
        (b"\x16\x03\x01\x02\x00", "no start line"),
        (b" OPTIONS sip:h SIP/2.0\r\n", "no start line"),
        (b"hello\r\n", "no start line"),
        (b"x" * MAX_LINE, "no start line"),
        (b"\n\n\n", "bare CR or LF"),
        (b"\r\rx", "bare CR or LF"),
        (OPTIONS.replace(b"l: 0\r\n", b""), "content-length not exactly once"),
        (OPTIONS.replace(b"l: 0", b"l: -1"), "content-length not exactly once"),
        (OPTIONS.replace(b"l: 0", b"l: 0x"), "content-length not exactly once"),
        (OPTIONS.replace(b"l: 0", b"l: 0\r\nl: 5"), "content-length not exactly once"),
        (OPTIONS.replace(b"l: 0", b"l: 0\r\nL : x"), "content-length not exactly once"),
        (OPTIONS.replace(b"l: 0", b"l: %d" % MAX_MESSAGE), "oversize"),
        (OPTIONS.replace(b"l: 0", b"X: " + b"x" * MAX_MESSAGE + b"\r\nl: 0"), "oversize"),
        (OPTIONS + b"}" + OPTIONS, "no start line"),
    ],
)
def test_what_is_no_sip_is_refused(stream: bytes, reason: str) -> None:
    for size in (1, 7, 4096, len(stream)):
        with pytest.raises(Garbage, match=reason):
            feed(stream, size)


def feed(stream: bytes, size: int) -> None:
    framer = Framer()
    for at in range(0, len(stream), size):
        framer.feed(stream[at : at + size])


def test_the_largest_message() -> None:
    body = MAX_MESSAGE - len(OPTIONS.replace(b"l: 0", b"l: 65000"))
    whole = OPTIONS.replace(b"l: 0", b"l: %d" % body) + b"x" * body
    assert len(whole) == MAX_MESSAGE
    assert Framer().feed(whole) == [whole]


@settings(deadline=None)
@given(st.binary(max_size=500))
def test_any_bytes_are_messages_or_garbage(data: bytes) -> None:
    with contextlib.suppress(Garbage):
        Framer().feed(data)
