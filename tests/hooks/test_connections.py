"""Connections to customers' URLs: bytes of a request, ends of an answer, and what is kept."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
import trustme

from callwright.hooks import connection_pool, ssrf
from callwright.hooks.answer import HttpAnswer, HttpFault, NotReached, Rest
from callwright.hooks.client import HookClient
from callwright.hooks.http_connection import HEAD_AT_MOST
from callwright.hooks.http_request import taken_apart
from tests.waiting import WITHIN

pytestmark = pytest.mark.anyio

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
HANG_UP = b""
"In place of an answer."
SILENCE = b"..."


@dataclass
class Far:
    """A server: an answer to each request, in the order of the requests; the last one for ever."""

    answers: list[bytes]
    asked: list[bytes] = field(default_factory=list)
    over: list[int] = field(default_factory=list)
    "For each request the number of its connection."
    connections: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)
    "Set when a connection has ended."
    silent: asyncio.Event = field(default_factory=asyncio.Event)
    "Set when a request has come that is not answered."
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                self.asked.append(head + await reader.readexactly(length))
                self.over.append(number)
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if answer == HANG_UP:
                    break
                if answer == SILENCE:
                    self.silent.set()
                else:
                    writer.write(answer)
                    if b"connection: close" in answer.lower():
                        break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            self.left.set()


@asynccontextmanager
async def far(*answers: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[Far]:
    server = Far(list(answers))
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()


def client(*, at_most: int = 5) -> HookClient:
    return HookClient(allow_private=True, connections_at_most=at_most)


async def post(hook: HookClient, url: str, content: bytes = b"{}") -> HttpAnswer:
    return await hook.send(
        "POST", url, [(b"content-type", b"application/json")], content, within=WITHIN, at_most=2000
    )


async def test_the_bytes_of_a_post() -> None:
    async with far(NO_CONTENT) as server, client() as hook:
        await post(hook, f"{server.url};of=us?a=1", b'{"a":1}')
    assert server.asked == [
        b"POST /hook;of=us?a=1 HTTP/1.1\r\n"
        b"Host: 127.0.0.1:%d\r\n"
        b"user-agent: callwright\r\n"
        b"content-type: application/json\r\n"
        b"Content-Length: 7\r\n"
        b"\r\n"
        b'{"a":1}' % server.port
    ]


async def test_the_bytes_of_a_get() -> None:
    async with far(NO_CONTENT) as server, client() as hook:
        await hook.send("GET", f"http://LocalHost:{server.port}", [], b"", within=WITHIN)
    assert server.asked == [
        b"GET / HTTP/1.1\r\n"
        b"Host: localhost:%d\r\n"
        b"user-agent: callwright\r\n"
        b"Content-Length: 0\r\n"
        b"\r\n" % server.port
    ]


@pytest.mark.parametrize(
    ("url", "start"),
    [
        ("http://crm.example.com/", b" / HTTP/1.1\r\nHost: crm.example.com\r\n"),
        ("http://crm.example.com:80?a", b" /?a HTTP/1.1\r\nHost: crm.example.com\r\n"),
        ("https://crm.example.com:443/#b", b" / HTTP/1.1\r\nHost: crm.example.com\r\n"),
        ("https://crm.example.com:80", b" / HTTP/1.1\r\nHost: crm.example.com:80\r\n"),
        ("http://[2001:DB8::1]:8080/a", b" /a HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n"),
        ("http://[2001:db8::1]/a", b" /a HTTP/1.1\r\nHost: [2001:db8::1]\r\n"),
    ],
)
async def test_target_and_host(url: str, start: bytes) -> None:
    assert taken_apart(url).start == start


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/",
        "http:///hook",
        "hook",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/ж",
        "http://ж.example.com/",
    ],
)
async def test_what_cannot_be_asked(url: str) -> None:
    async with client() as hook:
        with pytest.raises(NotReached) as fault:
            await post(hook, url)
    assert fault.value.fault is HttpFault.PROTOCOL


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
            (200, b"abcde", Rest.READ),
        ),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall", (200, b"all", Rest.READ)),
        (b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nall", (200, b"all", Rest.READ)),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\nConnection: close\r\n\r\nall",
            (200, b"all", Rest.BROKEN),
        ),
        (
            b"HTTP/1.1 500 Oops\r\ntransfer-encoding: chunked\r\nConnection: close\r\n\r\nzz",
            (500, b"", Rest.BROKEN),
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + NO_CONTENT, (204, b"", Rest.READ)),
        (
            b"HTTP/1.1 103 Early\r\nlink: a\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na",
            (200, b"a", Rest.READ),
        ),
        (
            b"HTTP/1.1 101 Go\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nxyz",
            (101, b"", Rest.READ),
        ),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n" + b"x" * 5000,
            (200, b"x" * 2000, Rest.TOO_LONG),
        ),
        (
            CHUNKED + b"1\r\nx\r\n" * 2000 + b"0\r\na: b\r\n\r\n",
            (200, b"x" * 2000, Rest.READ),
        ),
        (
            CHUNKED + b"1\r\nx\r\n0\r\n" + b"a: b\r\n" * HEAD_AT_MOST,
            (200, b"x", Rest.BROKEN),
        ),
    ],
    ids=[
        *("chunked", "to its end", "1.0", "cut off", "chunks", "100", "103", "101"),
        *("long", "small chunks", "trailers for ever"),
    ],
)
async def test_ends_of_an_answer(answer: bytes, told: tuple[int, bytes, Rest]) -> None:
    async with far(answer) as server, client() as hook:
        found = await post(hook, server.url)
    assert (found.status, found.body, found.rest) == told


async def test_headers_are_told_in_lower_case_and_only_those_of_the_last_head() -> None:
    interim = b"HTTP/1.1 103 Early\r\nLink: a\r\n\r\n"
    refusal = b"HTTP/1.1 503 Later\r\nRetry-After:  7 \r\nContent-Length: 0\r\n\r\n"
    async with far(interim + refusal) as server, client() as hook:
        found = await post(hook, server.url)
    assert list(found.headers) == [(b"retry-after", b"7"), (b"content-length", b"0")]


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * (1 << 20) + b"\r\n\r\n", HttpFault.PROTOCOL),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * ((1 << 20) // 20), HttpFault.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n", HttpFault.PROTOCOL),
        (b"SIP/2.0 200 OK\r\n\r\n", HttpFault.PROTOCOL),
        (HANG_UP, HttpFault.PROTOCOL),
    ],
    ids=["a head", "many heads", "half a head", "something else", "nothing"],
)
async def test_no_answer(answer: bytes, fault: HttpFault) -> None:
    async with far(answer) as server, client() as hook:
        with pytest.raises(NotReached) as found:
            await post(hook, server.url)
    assert found.value.fault is fault


async def test_the_body_of_an_answer_that_is_late() -> None:
    begun = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"
    async with far(begun) as server, client() as hook:
        answer = await hook.send("POST", server.url, [], b"", within=0.2)
        assert (answer.status, answer.body, answer.rest) == (200, b"abc", Rest.LATE)
        await server.left.wait()  # what is still to come is nobody's answer


# What is kept.


async def test_a_connection_is_used_again() -> None:
    async with far(NO_CONTENT) as server, client() as hook:
        for _ in range(3):
            await post(hook, server.url)
    assert server.over == [1, 1, 1]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
        b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab",
        NO_CONTENT * 2,
        b"HTTP/1.1 200 OK\r\ncontent-length: 3000\r\n\r\n" + b"x" * 3000,
    ],
    ids=["close", "1.0", "more than its length", "two", "too long"],
)
async def test_a_connection_is_not_used_again_after(answer: bytes) -> None:
    async with far(answer, NO_CONTENT) as server, client() as hook:
        await post(hook, server.url)
        assert (await post(hook, server.url)).status == 204
    assert server.over == [1, 2]


async def test_a_connection_that_the_server_has_ended_is_not_used() -> None:
    async with far(NO_CONTENT) as server, client() as hook:
        connections: list[asyncio.StreamWriter] = []
        serve = server.serve

        async def watched(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connections.append(writer)
            await serve(reader, writer)

        listener = await asyncio.start_server(watched, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/"
        await post(hook, url)
        # In this turn of the event loop, which cannot have told the client yet.
        connections[0].transport.abort()
        await anyio.lowlevel.checkpoint()
        await post(hook, url)
        listener.close()
    assert server.over == [1, 2]


async def test_a_connection_is_not_kept_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_pool, "KEPT_FOR", -1.0)
    async with far(NO_CONTENT) as server, client() as hook:
        await post(hook, server.url)
        await post(hook, server.url)
    assert server.over == [1, 2]


async def test_what_was_cut_short_is_not_used_again() -> None:
    async with far(SILENCE, NO_CONTENT) as server, client() as hook:
        with pytest.raises(NotReached) as late:
            await hook.send("POST", server.url, [], b"", within=0.2)
        assert late.value.fault is HttpFault.TIMEOUT
        await post(hook, server.url)
    assert server.over == [1, 2]


async def test_there_are_no_more_connections_than_allowed() -> None:
    """Those that are kept count; whoever finds none free waits, and the time is the request's."""
    async with (
        far(NO_CONTENT, SILENCE) as one,
        far(NO_CONTENT) as other,
        client(at_most=1) as hook,
    ):
        await post(hook, one.url)
        await post(hook, other.url)
        await one.left.wait()  # it gave way
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(post, hook, one.url)
            await one.silent.wait()
            with pytest.raises(NotReached) as late:
                await hook.send("POST", other.url, [], b"", within=0.1)
            tasks.cancel_scope.cancel()
        assert late.value.fault is HttpFault.TIMEOUT
        assert len(other.asked) == 1


# TLS.


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    made = trustme.CA()
    file = tmp_path / "ca.pem"
    made.cert_pem.write_to_path(file)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return made


def by_tls(authority: trustme.CA, host: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(host).configure_cert(context)
    return context


def at_loopback(monkeypatch: pytest.MonkeyPatch, asked: Callable[[str], None]) -> None:
    async def judged(host: str, port: int, *, allow_private: bool) -> str:
        asked(host)
        return "127.0.0.1"

    monkeypatch.setattr(connection_pool, "judged_address", judged)


async def test_by_tls_the_name_is_verified_and_the_address_is_the_judged_one(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str] = []
    at_loopback(monkeypatch, names.append)
    tls = by_tls(authority, "crm.example.com")
    async with far(NO_CONTENT, tls=tls) as server, client() as hook:
        for _ in range(2):
            answer = await post(hook, f"https://crm.example.com:{server.port}/")
            assert answer.status == 204
    assert names == ["crm.example.com"]
    assert server.over == [1, 1]


async def test_by_tls_another_name_is_not_told_anything(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_loopback(monkeypatch, lambda _: None)
    tls = by_tls(authority, "else.example.com")
    async with far(NO_CONTENT, tls=tls) as server, client() as hook:
        with pytest.raises(NotReached) as fault:
            await post(hook, f"https://crm.example.com:{server.port}/")
    assert fault.value.fault is HttpFault.UNREACHABLE
    assert server.asked == []


async def test_by_tls_a_certificate_of_nobody_is_not_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_loopback(monkeypatch, lambda _: None)
    tls = by_tls(trustme.CA(), "crm.example.com")
    async with far(NO_CONTENT, tls=tls) as server, client() as hook:
        with pytest.raises(NotReached) as fault:
            await post(hook, f"https://crm.example.com:{server.port}/")
    assert fault.value.fault is HttpFault.UNREACHABLE
    assert server.asked == []


async def test_a_name_is_judged_for_every_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads elsewhere by then gains nothing (DNS rebinding)."""
    led: list[str] = ["127.0.0.1", "10.0.0.1"]

    async def resolved(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        return [(0, 0, 0, "", (led.pop(0), port))]

    monkeypatch.setattr(anyio, "getaddrinfo", resolved)
    monkeypatch.setattr(ssrf, "is_public", lambda address: str(address) == "127.0.0.1")
    answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
    async with far(answer) as server, HookClient(allow_private=False) as hook:
        url = f"http://crm.example.com:{server.port}/"
        await post(hook, url)
        with pytest.raises(NotReached, match="is in a private network"):
            await post(hook, url)
    assert len(server.asked) == 1
