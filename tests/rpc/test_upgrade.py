"""Requests that wish for a WebSocket: who gets one, and that everybody else is answered."""

import json
from collections.abc import Iterator

import pytest
from websockets.sync.client import connect

from callwright.rpc.events import StreamTimings
from tests.rpc.test_events import Theatre, read_to_the_end, read_until, theatre
from tests.waiting import WITHIN

WISH = {
    "Host": "x",
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.fixture(scope="module")
def stage() -> Iterator[Theatre]:
    with theatre(StreamTimings()) as stage:
        yield stage


def answer_to(
    stage: Theatre, first_line: str, headers: dict[str, str], body: str = "", *, closed: bool = True
) -> str:
    """What is sent in return, up to the end of the head, or till the connection is ``closed``."""
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with stage.line() as line:
        line.sendall(f"{first_line}\r\n{head}\r\n{body}".encode())
        answer = read_to_the_end(line) if closed else read_until(line, b"\r\n\r\n")
    return answer.decode()


@pytest.mark.parametrize("length", [{}, {"Content-Length": "2"}])
@pytest.mark.parametrize("method", ["POST", "HEAD", "OPTIONS"])
def test_only_get_opens_a_websocket(stage: Theatre, method: str, length: dict[str, str]) -> None:
    """RFC 6455 section 4.1. Another request is answered as if it had not wished (RFC 9110, 7.8)."""
    first_line, body = f"{method} /events HTTP/1.1", "{}" if length else ""
    answer = answer_to(stage, first_line, WISH | length, body, closed=False)
    assert answer.startswith("HTTP/1.1 405 ")


@pytest.mark.parametrize(
    ("framing", "body"),
    [({"Content-Length": "2"}, "{}"), ({"Transfer-Encoding": "chunked"}, "2\r\n{}\r\n0\r\n\r\n")],
)
def test_a_request_with_a_body_opens_none(
    stage: Theatre, framing: dict[str, str], body: str
) -> None:
    answer = answer_to(stage, "GET /events HTTP/1.1", WISH | framing, body)
    assert answer.startswith("HTTP/1.1 401 ")
    assert "101" not in answer


def test_http_1_0_opens_none(stage: Theatre) -> None:
    """Its wish must not be heard (RFC 9110 section 7.8)."""
    assert answer_to(stage, "GET /events HTTP/1.0", WISH).startswith("HTTP/1.1 401 ")


def test_none_is_opened_before_the_last_request_is_answered(stage: Theatre) -> None:
    wish = "".join(f"{name}: {value}\r\n" for name, value in WISH.items())
    with stage.line() as line:
        line.sendall(
            f"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\nGET /events HTTP/1.1\r\n{wish}\r\n".encode()
        )
        answers = read_to_the_end(line)
    assert [part[:3] for part in answers.split(b"HTTP/1.1 ")[1:]] == [b"404", b"401"]


@pytest.mark.parametrize(
    "more",
    [
        {"Cookie": "; ".join(f"name{n}={'v' * 400}" for n in range(30))},
        {f"X-Header-{n}": "v" for n in range(200)},
    ],
    ids=["12 KB of cookies", "200 headers"],
)
def test_a_browser_may_bring_what_an_http_request_may(stage: Theatre, more: dict[str, str]) -> None:
    with connect(stage.socket_url, additional_headers=more | stage.bearer) as listener:
        assert json.loads(listener.recv(timeout=WITHIN))["type"] == "stream.opened"


@pytest.mark.parametrize(
    "fault",
    [
        {"Sec-WebSocket-Protocol": ", ".join(["x" * 100] * 100)},
        {"Sec-WebSocket-Key": "short"},
        {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==" * 500},
    ],
    ids=["protocols", "key", "long key"],
)
def test_a_handshake_that_cannot_be_read_is_refused(stage: Theatre, fault: dict[str, str]) -> None:
    assert answer_to(stage, "GET /events HTTP/1.1", WISH | fault).startswith("HTTP/1.1 400 ")


def test_a_path_that_is_too_long_is_refused(stage: Theatre) -> None:
    answer = answer_to(stage, f"GET /events?{'x' * 9000} HTTP/1.1", WISH)
    assert answer.startswith("HTTP/1.1 400 ")
