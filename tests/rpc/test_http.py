"""HTTP around JSON-RPC: paths, statuses, sizes, slow clients, proxies."""

import asyncio
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine
from ipaddress import ip_address, ip_network
from typing import Any, ClassVar, cast
from unittest.mock import MagicMock

import httpx
import pytest
import uvicorn
from uvicorn.server import ServerState

from callwright.config import HttpSettings
from callwright.rpc import connection
from callwright.rpc.auth import Client
from callwright.rpc.dispatch import AnyMethod, Dispatcher
from callwright.rpc.http import build_http
from tests.rpc.world import Api, serving
from tests.waiting import WITHIN

REQUEST = '{"jsonrpc": "2.0", "id": 1, "method": "no.such"}'


def mnemonic(answer: object) -> object:
    assert isinstance(answer, dict)
    return answer["error"]["data"]["mnemonic"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "application/json; charset=utf-8"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "text/plain; charset=windows-1251"},
        {"Content-Type": "nonsense"},
        {"Host": "callapi.example.com"},
        {"Host": "evil example"},
        {"Accept": "text/html"},
    ],
)
def test_any_host_and_any_content_type(api: Api, headers: dict[str, str]) -> None:
    response = api.post(REQUEST, headers)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert mnemonic(response.json()) == "method_not_found"


@pytest.mark.parametrize("path", ["/", "/v4.0/", "/v4", "/v2.0", "/V4.0", "/v4.0/x", "/openrpc"])
def test_wrong_path(api: Api, path: str) -> None:
    assert api.http.post(api.url + path, content=REQUEST).status_code == 404


@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"])
def test_only_post(api: Api, verb: str) -> None:
    response = api.http.request(verb, api.url + "/v4.0")
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


def test_answers_are_utf_8_without_escapes(api: Api) -> None:
    answer = api.post(
        json.dumps(
            {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "toy.text",
                "params": {"access_token": api.token, "text": "Разговор"},
            }
        )
    )
    assert "Разговор" in answer.content.decode("utf-8")


# Sizes.


def test_a_body_of_just_the_limit_is_read(api: Api) -> None:
    assert api.post(REQUEST + " " * (65_536 - len(REQUEST))).status_code == 200


@pytest.mark.parametrize("size", [65_537, 300_000])
def test_a_longer_body_is_not(api: Api, size: int) -> None:
    response = api.post(b" " * size)
    assert response.status_code == 413
    assert "65536" in response.text


def test_a_longer_body_is_not_when_it_does_not_announce_its_size(api: Api) -> None:
    response = api.http.post(api.url + "/v4.0", content=iter([b" " * 1000] * 100))
    assert response.status_code == 413


def test_a_body_without_end_is_not_listened_to(api: Api) -> None:
    with socket.create_connection(api.address, timeout=WITHIN) as client:
        client.sendall(b"POST /v4.0 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        with pytest.raises(OSError, match=r"reset|Broken pipe"):
            send_without_end(client, chunk)


def send_without_end(client: socket.socket, chunk: bytes) -> None:
    for _ in range(1000):
        client.sendall(chunk)


def test_a_client_that_asks_first_need_not_send_too_long_a_body(api: Api) -> None:
    with socket.create_connection(api.address, timeout=WITHIN) as client:
        client.sendall(
            b"POST /v4.0 HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n"
            b"Expect: 100-continue\r\n\r\n"
        )
        assert received_until_closed(client).startswith(b"HTTP/1.1 413 ")


def test_the_limit_is_a_setting() -> None:
    with serving(http=HttpSettings(body_limit=1024)) as api:
        assert api.post(" " * 1024).status_code == 200
        assert api.post(" " * 1025).status_code == 413


# Slow clients.


def received_until_closed(client: socket.socket) -> bytes:
    received = b""
    while chunk := client.recv(65536):
        received += chunk
    return received


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    with serving(body_within=0.05) as api, socket.create_connection(api.address) as client:
        client.settimeout(WITHIN)
        client.sendall(b'POST /v4.0 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"id"')
        assert received_until_closed(client).startswith(b"HTTP/1.1 408 ")


BEGINNINGS = [b"GET", b"POST /v4.0 HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"\r\n"]


@pytest.mark.parametrize("begin", [b"", *BEGINNINGS])
def test_a_first_head_that_does_not_come_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, begin: bytes
) -> None:
    monkeypatch.setattr(connection, "HEAD_WITHIN", 0.1)
    with serving() as api, socket.create_connection(api.address, timeout=WITHIN) as client:
        client.sendall(begin)
        assert received_until_closed(client) == b""


@pytest.mark.parametrize("begin", BEGINNINGS)
def test_a_later_head_that_does_not_come_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, begin: bytes
) -> None:
    idles = round(10 * WITHIN)  # so that it is not uvicorn that closes it
    with (
        serving(idles=idles) as api,
        socket.create_connection(api.address, timeout=WITHIN) as client,
    ):
        for _ in range(2):
            client.sendall(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
            received = b""
            while not received.endswith(b"Not Found"):
                received += client.recv(65536)
        monkeypatch.setattr(connection, "HEAD_WITHIN", 0.1)
        client.sendall(begin)
        assert received_until_closed(client) == b""


def test_a_head_without_end_is_cut_off(api: Api) -> None:
    with socket.create_connection(api.address, timeout=WITHIN) as client:
        client.sendall(b"POST /v4.0 HTTP/1.1\r\nX-Long: ")
        with pytest.raises(OSError, match=r"reset|Broken pipe"):
            send_without_end(client, b"x" * 0x10000)


class Recorded:
    """A loop's timer that does not run."""

    def __init__(self, after: float) -> None:
        self.after = after
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class RecordingLoop:
    """As much of an event loop as a connection needs, with timers that only say they were set."""

    def __init__(self) -> None:
        self.timers: list[Recorded] = []

    def call_later(self, after: float, act: object) -> Recorded:
        self.timers.append(Recorded(after))
        return self.timers[-1]

    def create_task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(work)


def test_the_time_for_a_head_runs_only_while_there_is_none() -> None:
    async def app(
        scope: object, receive: object, send: Callable[[object], Awaitable[None]]
    ) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def converse() -> None:
        loop, state = RecordingLoop(), ServerState()
        transport = MagicMock(spec=asyncio.Transport)
        transport.is_closing.return_value = False
        transport.get_extra_info.side_effect = {"socket": MagicMock()}.get
        line = connection.Connection(
            uvicorn.Config(app, lifespan="off"), state, {}, cast("Any", loop)
        )

        def running() -> list[float]:
            return [timer.after for timer in loop.timers if not timer.cancelled]

        line.connection_made(transport)
        assert running() == [connection.HEAD_WITHIN]
        line.data_received(b"GET / HTTP/1.1\r\n")
        assert running() == [connection.HEAD_WITHIN]
        line.data_received(b"Host: x\r\n\r\n")
        assert running() == []
        await asyncio.gather(*state.tasks)
        assert running() == [line.timeout_keep_alive]
        line.data_received(b"GET")
        assert running() == [connection.HEAD_WITHIN]
        line.connection_lost(None)
        assert running() == []

    asyncio.run(converse())


def test_a_websocket_has_all_the_time_there_is() -> None:
    async def app(scope: object, receive: object, send: object) -> None:
        await asyncio.Event().wait()

    async def converse() -> None:
        loop, state = RecordingLoop(), ServerState()
        transport = MagicMock(spec=asyncio.Transport)
        transport.is_closing.return_value = False
        transport.get_extra_info.side_effect = {"socket": MagicMock()}.get
        line = connection.Connection(
            uvicorn.Config(app, lifespan="off", ws="none"), state, {}, cast("Any", loop)
        )
        line.connection_made(transport)
        line.data_received(
            b"GET /events HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        transport.set_protocol.assert_called_once()
        assert line not in state.connections
        assert [timer.after for timer in loop.timers if not timer.cancelled] == []
        for task in state.tasks:
            task.cancel()

    asyncio.run(converse())


# Proxies.


def test_x_forwarded_for_of_a_stranger_is_not_believed(api: Api) -> None:
    user = api.access.add_user(networks=(ip_network("192.0.2.0/24"),))
    token = api.access.add_token(user)
    answer = api.call("toy.managed", {"access_token": token}, **{"X-Forwarded-For": "192.0.2.1"})
    assert mnemonic(answer) == "ip_not_whitelisted"


def test_x_forwarded_for_of_our_proxy_is() -> None:
    settings = HttpSettings(trusted_proxies=[ip_address("127.0.0.1")])
    with serving(http=settings) as api:
        user = api.access.add_user(networks=(ip_network("192.0.2.0/24"),))
        token = api.access.add_token(user)

        def call(*forwarded_for: str) -> object:
            request = {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "toy.text",
                "params": {"access_token": token, "text": "a"},
            }
            headers = [("X-Forwarded-For", header) for header in forwarded_for]
            return api.post(json.dumps(request), headers).json()

        served = call("10.0.0.1, 192.0.2.7")
        assert isinstance(served, dict)
        assert served["result"]["data"]["ip"] == "192.0.2.7"
        for headers, seen in [
            (("192.0.2.7, 10.0.0.1",), "10.0.0.1"),
            (("192.0.2.7", "10.0.0.1"), "10.0.0.1"),
            (("192.0.2.7, nonsense",), "unknown"),
            ((), "127.0.0.1"),
        ]:
            refused = call(*headers)
            assert isinstance(refused, dict)
            assert refused["error"]["message"] == f"Your IP {seen} is not whitelisted"


# The pages beside it.


def test_health_says_whether_calls_can_be_started() -> None:
    draining = threading.Event()
    with serving(draining=draining) as api:
        response = api.http.get(api.url + "/health")
        assert response.status_code == 200
        assert response.json()["status"] == "ok"
        assert response.json().keys() == {"status", "version"}
        draining.set()
        response = api.http.get(api.url + "/health")
        assert response.status_code == 503
        assert response.json()["status"] == "draining"


def test_openrpc_is_served(api: Api) -> None:
    response = api.http.get(api.url + "/openrpc.json")
    assert response.status_code == 200
    assert response.json()["openrpc"] == "1.3.2"


def test_requests_of_one_moment_are_served_in_turns_of_the_loop() -> None:
    """Audio is sent between turns: it must not wait for all of them."""
    turns = 0
    served: list[int] = []

    class Noting:
        methods: ClassVar[dict[str, AnyMethod]] = {}

        async def respond(self, _body: bytes, _client: Client) -> bytes:
            served.append(turns)
            return b"{}"

    async def story() -> None:
        def turn() -> None:
            nonlocal turns
            turns += 1
            asyncio.get_running_loop().call_soon(turn)

        turn()
        app = build_http(cast("Dispatcher", Noting()), HttpSettings(), lambda: True)
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://house") as http:
            await asyncio.gather(*(http.post("/v4.0", content=REQUEST) for _ in range(10)))

    asyncio.run(story())
    assert len(set(served)) == 10
