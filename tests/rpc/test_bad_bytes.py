"""Whatever bytes a client sends, the log has no traceback of it, and nothing to warn of."""

import logging
import socket
import struct
from collections.abc import Iterator

import pytest

from callwright.rpc.events import StreamTimings
from tests.rpc.test_events import (
    Theatre,
    _until_nobody,
    read_to_the_end,
    read_until,
    theatre,
)

WISH = (
    b"GET /events HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
HEAD = b"POST /nothing HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture(scope="module")
def stage() -> Iterator[Theatre]:
    with theatre(StreamTimings()) as stage:
        yield stage


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    for record in [*caplog.get_records("call"), *caplog.get_records("teardown")]:
        assert record.levelno < logging.WARNING, record.getMessage()
        assert not record.exc_info


@pytest.mark.parametrize(
    "sent",
    [
        b"\0" * 500 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n",
        b"GET /\xff%ff%00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET * HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcdefgh\r\n0\r\n\r\n",
        HEAD + b"Content-Length: -3\r\n\r\n0",
        HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /nothing HTTP/1.1\r\nHost: x\r\nX: \xff\x01\x7f\r\n: y\r\n\r\n",
        b"GET /events?after=%ff&token=%ed%a0%80 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        WISH + b"Authorization: Bearer \xff\xfe\r\n\r\n",
        WISH + b"Authorization: Bearer nobodys\r\n\r\n",
        WISH.replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"\xff") + b"\r\n",
    ],
    ids=lambda sent: repr(sent[:40]),
)
def test_a_request_that_makes_no_sense(stage: Theatre, sent: bytes) -> None:
    with stage.line() as line:
        line.sendall(sent)
        line.shutdown(socket.SHUT_WR)
        read_to_the_end(line)


@pytest.mark.parametrize(
    "frame",
    [
        b"\xff\xff\xff\xff",
        b"\x81\x05hello",
        b"\x81\x85\0\0\0\0\xff\xfe\xff\xff\xff",
        b"\x01\x81\0\0\0\0a\x81\x81\0\0\0\0b",
        b"\x01\x81\0\0\0\0\xff\x80\x81\0\0\0\0\xff",
        b"\x80\x81\0\0\0\0a",
        b"\x82\xfe\x20\x00\0\0\0\0" + b"x" * 8192,
        b"\x88\x81\0\0\0\0\x01",
        b"\x88\x84\0\0\0\0\x03\xe8\xff\xff",
    ],
    ids=repr,
)
def test_a_frame_that_makes_no_sense(stage: Theatre, frame: bytes) -> None:
    with stage.line() as line:
        line.sendall(WISH + b"Authorization: Bearer " + stage.token.encode() + b"\r\n\r\n")
        read_until(line, b"stream.opened")
        line.sendall(frame)
        # A close frame, which ends it, or with it the connection.
        assert b"\x88" in read_to_the_end(line)


@pytest.mark.parametrize("more", [b"", b"\x81\x85\0\0\0\0he"])
def test_a_client_that_vanishes(stage: Theatre, more: bytes) -> None:
    with stage.line() as line:
        line.sendall(WISH + b"Authorization: Bearer " + stage.token.encode() + b"\r\n\r\n")
        read_until(line, b"stream.opened")
        line.sendall(more)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stage.portal.call(_until_nobody, stage.stream)
