"""Requests as the HTTP libraries of deployed clients write them, byte by byte."""

import json
from collections.abc import Iterator

import pytest

from tests.api.answers import without_metadata
from tests.api.house import TOKEN, House, house
from tests.compat.wire import Answer, Wire, connected


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    many = {"points_per_minute": 100_000, "points_per_day": 100_000}
    with house(tmp_path_factory.mktemp("house"), {}, api=many) as up:
        yield up


@pytest.fixture
def wire(home: House) -> Iterator[Wire]:
    with connected(home.url) as connection:
        yield connection


def request(id: object = "req1", method: str = "list.calls", **params: object) -> bytes:
    params = {"access_token": TOKEN, **params}
    said = {"jsonrpc": "2.0", "id": id, "method": method, "params": params}
    return json.dumps(said, ensure_ascii=False).encode()


BODY = request()
LENGTH = str(len(BODY)).encode()


def is_served(answer: Answer, id: object = "req1") -> bool:
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert int(answer.headers["content-length"]) == len(answer.body)
    expected = {"jsonrpc": "2.0", "id": id, "result": {"data": []}}
    return bool(without_metadata(answer.json) == expected)


HEADS = {
    "curl of PHP: a form": b"""\
POST /v4.0 HTTP/1.1
Host: callapi.example.com
Accept: */*
Content-Length: %d
Content-Type: application/x-www-form-urlencoded
""",
    "curl of PHP, with headers by hand": b"""\
POST /v4.0 HTTP/1.1
Host: callapi.example.com
Accept: application/json
Connection: close
Content-Type: application/json; charset=UTF-8
Content-Length: %d
""",
    "streams of PHP": b"""\
POST /v4.0 HTTP/1.0
Host: callapi.example.com
Connection: close
Content-type: application/json
Content-Length: %d
""",
    "Guzzle": b"""\
POST /v4.0 HTTP/1.1
Content-Length: %d
User-Agent: GuzzleHttp/7
Content-Type: application/json
Accept: application/json
Host: callapi.example.com
""",
    "requests of Python, json=": b"""\
POST /v4.0 HTTP/1.1
Host: callapi.example.com
User-Agent: python-requests/2.32.3
Accept-Encoding: gzip, deflate, br, zstd
Accept: */*
Connection: keep-alive
Content-Length: %d
Content-Type: application/json
""",
    "requests of Python, data=: no type": b"""\
POST /v4.0 HTTP/1.1
Host: callapi.example.com
User-Agent: python-requests/2.32.3
Accept-Encoding: gzip, deflate
Accept: */*
Connection: keep-alive
Content-Length: %d
""",
    "urllib of Python: a form": b"""\
POST /v4.0 HTTP/1.1
Accept-Encoding: identity
Content-Type: application/x-www-form-urlencoded
Content-Length: %d
Host: callapi.example.com
User-Agent: Python-urllib/3.11
Connection: close
""",
    "aiohttp": b"""\
POST /v4.0 HTTP/1.1
Host: callapi.example.com
Accept: */*
Accept-Encoding: gzip, deflate
User-Agent: Python/3.11 aiohttp/3.9.5
Content-Length: %d
Content-Type: application/json
""",
    "https of Node": b"""\
POST /v4.0 HTTP/1.1
Content-Type: application/json
Content-Length: %d
Host: callapi.example.com
Connection: keep-alive
""",
    "axios": b"""\
POST /v4.0 HTTP/1.1
Accept: application/json, text/plain, */*
Content-Type: application/json
User-Agent: axios/1.7.2
Content-Length: %d
Accept-Encoding: gzip, compress, deflate, br
Host: callapi.example.com
Connection: close
""",
    "fetch of Node: names in lower case": b"""\
POST /v4.0 HTTP/1.1
host: callapi.example.com
connection: keep-alive
content-type: text/plain;charset=UTF-8
accept: */*
accept-language: *
sec-fetch-mode: cors
user-agent: node
accept-encoding: gzip, deflate
content-length: %d
""",
    "net/http of Go": b"""\
POST /v4.0 HTTP/1.1
Host: callapi.example.com
User-Agent: Go-http-client/1.1
Content-Length: %d
Accept: application/json
Content-Type: application/json
Accept-Encoding: gzip
""",
    "java.net.http, which would rather speak HTTP/2": b"""\
POST /v4.0 HTTP/1.1
Connection: Upgrade, HTTP2-Settings
Content-Length: %d
Host: callapi.example.com
HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA
Upgrade: h2c
User-Agent: Java-http-client/17.0.15
Content-Type: application/json
""",
    "1C:Enterprise": b"""\
POST /v4.0 HTTP/1.1
Host: callapi.example.com
User-Agent: 1C+Enterprise/8.3
Content-Type: application/json; charset=windows-1251
Content-Length: %d
""",
    "a whole URL, as to a proxy": b"""\
POST http://callapi.example.com/v4.0 HTTP/1.1
Host: callapi.example.com
Content-Length: %d
""",
    "a query nobody reads": b"""\
POST /v4.0?_=1700000000 HTTP/1.1
Host: callapi.example.com
Content-Length: %d
""",
}


def written(head: bytes, body: bytes) -> bytes:
    return (head % len(body)).replace(b"\n", b"\r\n") + b"\r\n" + body


@pytest.mark.parametrize("client", HEADS)
def test_a_request_of(wire: Wire, client: str) -> None:
    wire.send(written(HEADS[client], BODY))
    answer = wire.answer()
    assert is_served(answer)
    # Nothing is compressed, whatever the client says it takes: some cannot undo it all the same.
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("client", [name for name in HEADS if b"keep-alive" in HEADS[name]])
def test_a_connection_that_is_kept_takes_more(wire: Wire, client: str) -> None:
    for number in range(3):
        wire.send(written(HEADS[client], request(number)))
        assert is_served(wire.answer(), number)


@pytest.mark.parametrize("client", [name for name in HEADS if b"close" in HEADS[name]])
def test_a_connection_that_is_not_kept_is_closed(wire: Wire, client: str) -> None:
    wire.send(written(HEADS[client], BODY))
    answer = wire.answer()
    assert is_served(answer)
    assert answer.headers["connection"].lower() == "close"
    assert wire.closed()


def test_http_1_0_without_a_host(wire: Wire) -> None:
    wire.send(b"POST /v4.0 HTTP/1.0\r\nContent-Length: " + LENGTH + b"\r\n\r\n" + BODY)
    answer = wire.answer()
    assert is_served(answer)
    # A client of HTTP/1.0 knows no chunks: it has a length, and the end.
    assert "transfer-encoding" not in answer.headers
    assert wire.closed()


def test_pipelined_requests_are_answered_in_order(wire: Wire) -> None:
    ids = ["first", 2, "third", 4]
    wire.send(b"".join(written(HEADS["net/http of Go"], request(id)) for id in ids))
    for id in ids:
        assert is_served(wire.answer(), id)


def test_a_wish_for_another_protocol_in_the_middle_of_others(wire: Wire) -> None:
    java = HEADS["java.net.http, which would rather speak HTTP/2"]
    heads = [HEADS["net/http of Go"], java, java, HEADS["Guzzle"]]
    wire.send(b"".join(written(head, request(id)) for id, head in enumerate(heads)))
    for id in range(4):
        assert is_served(wire.answer(), id)


@pytest.mark.parametrize("client", ["axios", "java.net.http, which would rather speak HTTP/2"])
def test_a_request_that_comes_byte_by_byte(wire: Wire, client: str) -> None:
    for byte in written(HEADS[client], BODY):
        wire.send(bytes([byte]))
    assert is_served(wire.answer())


def test_expect_100_continue(wire: Wire) -> None:
    """curl asks so before a body of more than 1024 bytes, and waits a second for the answer."""
    # An invalid parameter, so that the whole body is told to have come.
    body = request(virtual_phone_number="7" * 2000)
    length = str(len(body)).encode()
    wire.send(
        b"POST /v4.0 HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nContent-Length: " + length + b"\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nExpect: 100-continue\r\n\r\n"
    )
    assert wire.answer().status == 100
    wire.send(body)
    answer = wire.answer()
    assert answer.status == 200
    assert answer.json["error"]["data"]["value"] == "7" * 2000


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_chunked_bodies(wire: Wire, size: int) -> None:
    """https of Node sends so whatever is written without a length."""
    wire.send(b"POST /v4.0 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    for start in range(0, len(BODY), size):
        chunk = BODY[start : start + size]
        wire.send(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
    wire.send(b"0\r\n\r\n")
    assert is_served(wire.answer())


@pytest.mark.parametrize("token", ["Bearer", "bearer", "BEARER"])
def test_the_token_in_a_header(wire: Wire, token: str) -> None:
    body = b'{"jsonrpc":"2.0","id":"req1","method":"list.calls","params":{}}'
    head = f"POST /v4.0 HTTP/1.1\r\nhost: x\r\nauthorization: {token} {TOKEN}\r\n"
    wire.send(head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body)
    assert is_served(wire.answer())


# What a body may be, whatever is said of it.


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + BODY,
        b"\r\n\t " + BODY + b"\r\n\r\n",
        json.dumps(json.loads(BODY), indent=4).replace("\n", "\r\n").encode(),
        json.dumps(json.loads(BODY), ensure_ascii=True).encode(),
        BODY.replace(b"list.calls", rb"\u006cist.calls").replace(b"/", rb"\/"),
    ],
    ids=["byte order mark", "white space around", "Windows lines", "ASCII", "escaped"],
)
@pytest.mark.parametrize("client", ["1C:Enterprise", "curl of PHP: a form"])
def test_a_body_with(wire: Wire, client: str, body: bytes) -> None:
    wire.send(written(HEADS[client], body))
    assert is_served(wire.answer())


@pytest.mark.parametrize("path", ["/v4.0", "/v2.0"])
def test_a_form_is_no_json(home: House, path: str) -> None:
    form = b"jsonrpc=2.0&id=1&method=list.calls"
    head = {"Content-Type": "application/x-www-form-urlencoded"}
    assert home.answer(form, head, path)["error"]["data"]["mnemonic"] == "parse_error"


def test_get_is_not_served_whatever_it_carries(wire: Wire) -> None:
    wire.send(b"GET /v4.0 HTTP/1.1\r\nHost: x\r\nContent-Length: " + LENGTH + b"\r\n\r\n" + BODY)
    answer = wire.answer()
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    # The connection is not out of step by the body nobody asked for.
    wire.send(written(HEADS["net/http of Go"], BODY))
    assert is_served(wire.answer())


@pytest.mark.parametrize(
    ("line", "status"),
    [(b"GET /v4.0", 405), (b"PUT /v4.0", 405), (b"POST /v3.0", 404), (b"POST /", 404)],
)
def test_what_is_no_json_rpc_has_a_status_of_its_own(wire: Wire, line: bytes, status: int) -> None:
    wire.send(line + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
    assert wire.answer().status == status
