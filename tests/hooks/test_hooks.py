"""Requests to customers' URLs: what is sent, what is believed, and where they may not lead."""

import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address

import anyio
import pytest

from callwright.hooks.answer import NoAnswer
from callwright.hooks.client import ANSWER_AT_MOST, HookClient
from callwright.hooks.reply import Reply, read_reply
from callwright.hooks.ssrf import is_public
from tests.waiting import WITHIN

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("192.0.2.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("ff02::1", False),
        # A private address in the clothes of another kind.
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::a00:1", False),
        ("2002:7f00:1::", False),
        ("2002:a00:1::", False),
        ("::ffff:8.8.8.8", True),
    ],
)
async def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(ip_address(address)) is public


Handler = Callable[[bytes], Awaitable[bytes]]


class Server:
    """A server of one answer, which keeps what it was asked."""

    def __init__(self, answer: bytes, after: float = 0.0) -> None:
        self.answer = answer
        self.after = after
        self.asked: list[bytes] = []
        self.url = ""

    async def serve(self, stream: anyio.abc.SocketStream) -> None:
        async with stream:
            data = b""
            while b"\r\n\r\n" not in data:
                data += await stream.receive()
            head, _, body = data.partition(b"\r\n\r\n")
            length = next(
                (
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length")
                ),
                0,
            )
            while len(body) < length:
                body += await stream.receive()
            self.asked.append(head + b"\r\n\r\n" + body)
            await anyio.sleep(self.after)
            with suppress(anyio.BrokenResourceError):  # it may have read enough
                await stream.send(self.answer)


def ok(body: bytes, status: str = "200 OK") -> bytes:
    return (
        f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n".encode()
        + body
    )


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[Server]:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    server.url = f"http://127.0.0.1:{port}/route"
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, server.serve)
        yield server
        tasks.cancel_scope.cancel()


async def test_facts_are_posted_as_json() -> None:
    async with (
        serving(Server(ok(b'{"returned_code": 5}'))) as server,
        HookClient(allow_private=True) as client,
    ):
        answer = await client.ask(server.url, "POST", {"numa": "7926", "cdr_id": 5}, within=WITHIN)
    assert answer == {"returned_code": 5}
    [asked] = server.asked
    head, _, body = asked.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /route HTTP/1.1\r\n")
    assert b"application/json" in head
    assert json.loads(body) == {"numa": "7926", "cdr_id": 5}


@pytest.mark.parametrize("query", ["", "?key=1"])
async def test_facts_are_in_the_query(query: str) -> None:
    async with (
        serving(Server(ok(b"{}"))) as server,
        HookClient(allow_private=True) as client,
    ):
        await client.ask(server.url + query, "GET", {"numa": "7 9&x", "cdr_id": 5}, within=WITHIN)
    [asked] = server.asked
    before = f"/route{query}&" if query else "/route?"
    assert asked.startswith(f"GET {before}numa=7+9%26x&cdr_id=5 HTTP/1.1\r\n".encode())


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (ok(b"{}", "500 Oops"), "it answered 500"),
        (
            b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\ncontent-length: 0\r\n\r\n",
            "it answered 302",
        ),
        (ok(b"<html>"), "its answer is no JSON"),
        (ok(b"\xff\xfe"), "its answer is no JSON"),
        (ok(b"[" * 60_000), "its answer is no JSON"),
        (ok(b" " * (ANSWER_AT_MOST + 1)), f"its answer is longer than {ANSWER_AT_MOST} bytes"),
        (b"what?\r\n\r\n", "it does not speak HTTP as it should"),
        (b"", "it does not speak HTTP as it should"),
    ],
    ids=["500", "redirect", "html", "no-utf-8", "deep", "long", "no-http", "nothing"],
)
async def test_what_is_no_answer(answer: bytes, reason: str) -> None:
    async with (
        serving(Server(answer)) as server,
        HookClient(allow_private=True) as client,
    ):
        with pytest.raises(NoAnswer, match=f"^{reason}$"):
            await client.ask(server.url, "POST", {}, within=WITHIN)


async def test_an_answer_that_does_not_come() -> None:
    async with (
        serving(Server(ok(b"{}"), after=30)) as server,
        HookClient(allow_private=True) as client,
    ):
        with pytest.raises(NoAnswer, match=r"^it did not answer within 0.1 s$"):
            await client.ask(server.url, "POST", {}, within=0.1)


async def test_nobody_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with HookClient(allow_private=True) as client:
        with pytest.raises(NoAnswer, match="cannot be reached"):
            await client.ask(f"http://127.0.0.1:{port}/", "POST", {}, within=WITHIN)
        with pytest.raises(NoAnswer, match="cannot be reached"):
            await client.ask("http://nobody.invalid/", "POST", {}, within=WITHIN)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.1", "2130706433"])
async def test_private_networks_are_not_asked(host: str) -> None:
    async with (
        serving(Server(ok(b"{}"))) as server,
        HookClient(allow_private=False) as client,
    ):
        url = server.url.replace("127.0.0.1", host)
        with pytest.raises(NoAnswer, match="is in a private network"):
            await client.ask(url, "POST", {}, within=WITHIN)
    assert server.asked == []


async def test_a_name_with_one_private_address_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def resolved(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(0, 0, 0, "", ("8.8.8.8", 80)), (0, 0, 0, "", ("127.0.0.1", 80))]

    monkeypatch.setattr(anyio, "getaddrinfo", resolved)
    async with HookClient(allow_private=False) as client:
        with pytest.raises(NoAnswer, match="is in a private network"):
            await client.ask("http://crm.example.com/", "POST", {}, within=WITHIN)


# Replies.


@pytest.mark.parametrize(
    ("answer", "reply"),
    [
        ({"returned_code": 5}, Reply(codes=("5",))),
        ({"returned_code": "vip"}, Reply(codes=("vip",))),
        ({"returned_code": [1, "b"]}, Reply(codes=("1", "b"))),
        (
            {"phones": ["79260000001", "+79260000002", 101]},
            Reply(phones=("79260000001", "79260000002", "101")),
        ),
        ({"message_name": "hello.mp3"}, Reply(message_name="hello.mp3")),
        ({"text": "Привет"}, Reply(text="Привет")),
        (
            {"phones": ["101"], "operator_media": "a", "operator_text": "b", "beside": [1]},
            Reply(phones=("101",), operator_media="a", operator_text="b"),
        ),
        ({"phones": ["101"], "operator_message": "c"}, Reply(phones=("101",), operator_text="c")),
        # Ways of saying nothing.
        ({"phones": ["101"], "text": "...", "operator_text": " "}, Reply(phones=("101",))),
        ({"message_name": "..."}, Reply(message_name="...")),
    ],
)
async def test_a_reply(answer: object, reply: Reply) -> None:
    assert read_reply(answer) == reply


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ([], "no JSON object"),
        (None, "no JSON object"),
        ({}, "names neither"),
        ({"phones": [], "text": ""}, "names neither"),
        ({"text": "<speak></speak>"}, "names neither"),
        ({"returned_code": True}, "a short text or a number"),
        ({"returned_code": {}}, "a short text or a number"),
        ({"returned_code": "x" * 33}, "a short text or a number"),
        ({"returned_code": "a\nb"}, "a short text or a number"),
        ({"returned_code": list(range(11))}, "more than 10 codes"),
        ({"phones": "79260000001"}, "phones is a list"),
        ({"phones": ["1"] * 21}, "phones is a list"),
        ({"phones": ["sip:x@y"]}, "phones are digits"),
        ({"phones": [None]}, "phones are digits"),
        ({"phones": [["1"]]}, "phones are digits"),
        ({"text": 5}, "text is a text"),
        ({"text": "x" * 501}, "text is a text"),
    ],
)
async def test_what_is_no_reply(answer: object, reason: str) -> None:
    with pytest.raises(NoAnswer, match=reason):
        read_reply(answer)
