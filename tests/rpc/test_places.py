"""However many connections strangers hold, whoever comes gets one; the health is always told."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address

import anyio.from_thread
import httpx
import pytest

from callwright.config import ApiSettings, HttpSettings
from callwright.rpc import connection, server
from callwright.rpc.dispatch import Dispatcher
from callwright.rpc.http import build_http
from callwright.rpc.places import CROWDED_AT_MOST, ConnectionPlace, Places
from callwright.rpc.server import listening, serving, url_of
from tests.rpc.test_events import read_to_the_end, read_until
from tests.rpc.world import TOYS, Clock, FakeAccess
from tests.waiting import WITHIN

PROXY = "10.0.0.1"


class Line:
    """A connection, as much as a place knows of it."""

    def __init__(self, places: Places, peer: str, *, idle: bool = True, scarce: bool = False):
        self.idle = idle
        self.cut = False
        self.places = places
        self.place = places.take(peer, lambda: self.idle, self._cut, scarce=scarce)

    def _cut(self) -> None:
        self.cut = True

    @property
    def taken(self) -> ConnectionPlace:
        assert self.place
        return self.place


@pytest.fixture
def places() -> Places:
    return Places(4, [ip_address(PROXY)], Clock())


def test_the_source_that_holds_most_gives_way(places: Places) -> None:
    honest = Line(places, "192.0.2.9")
    crowd = [Line(places, "192.0.2.1") for _ in range(3)]
    newcomers = [Line(places, f"198.51.100.{n}") for n in range(2)]
    assert [line.cut for line in crowd] == [True, True, False]
    assert not honest.cut
    assert not any(line.taken.crowded for line in newcomers)
    assert len(places) == 4


def test_who_has_shown_a_token_stays(places: Places) -> None:
    known = [Line(places, "192.0.2.1") for _ in range(3)]
    for line in known:
        places.recognise(line.taken)
    stranger = Line(places, "192.0.2.9")
    Line(places, "192.0.2.8")
    assert stranger.cut
    assert not any(line.cut for line in known)


def test_of_those_at_work_nobody_known_gives_way_and_the_health_is_still_told(
    places: Places,
) -> None:
    known = [Line(places, f"192.0.2.{n // 2}", idle=False) for n in range(4)]
    for line in known:
        places.recognise(line.taken)
    beyond = [Line(places, "192.0.2.9", idle=False) for _ in range(CROWDED_AT_MOST)]
    assert beyond[0].taken.crowded
    assert not any(line.cut for line in known)
    places.leave(known[0].taken)
    known[1].idle = True
    assert not Line(places, "192.0.2.9").taken.crowded


def test_one_token_does_not_hold_more_than_half_of_the_places_however_busy(places: Places) -> None:
    crowd = [Line(places, "192.0.2.1", idle=False) for _ in range(4)]
    for line in crowd:
        places.recognise(line.taken)
    for n in range(2):
        other = Line(places, f"198.51.100.{n}", idle=False)
        places.recognise(other.taken)
    assert [line.cut for line in crowd] == [True, True, False, False]
    # Half of them it may hold.
    assert Line(places, "198.51.100.3").taken.crowded


def test_a_client_of_a_trusted_proxy_does_not_either(places: Places) -> None:
    crowd = [Line(places, PROXY, idle=False) for _ in range(4)]
    for line, client in zip(crowd, ["203.0.113.6", *["203.0.113.5"] * 3], strict=True):
        places.asked(line.taken, [client])
        places.recognise(line.taken)
    newcomer = Line(places, PROXY, idle=False)
    assert [line.cut for line in crowd] == [False, True, False, False]
    assert not newcomer.taken.crowded
    places.asked(newcomer.taken, ["203.0.113.7"])
    places.recognise(newcomer.taken)
    for line in crowd[2:]:
        places.answered(line.taken)
    # What the proxy keeps for its next request is nobody's to take.
    assert Line(places, PROXY).taken.crowded


def test_behind_a_trusted_proxy_the_clients_are_told_apart(places: Places) -> None:
    crowd = [Line(places, PROXY, idle=False) for _ in range(3)]
    for line in crowd:
        places.asked(line.taken, ["203.0.113.5"])
    other = Line(places, PROXY, idle=False)
    places.asked(other.taken, ["203.0.113.6"])
    Line(places, PROXY)
    assert [line.cut for line in crowd] == [True, False, False]
    places.answered(crowd[1].taken)
    places.answered(crowd[2].taken)
    places.answered(other.taken)
    # What the proxy keeps for its next request is nobody's to take.
    assert Line(places, PROXY).taken.crowded
    assert not any(line.cut for line in [*crowd[1:], other])


def test_where_descriptors_are_scarce_one_gives_way_for_another(places: Places) -> None:
    first = Line(places, "192.0.2.1")
    Line(places, "192.0.2.9", scarce=True)
    assert first.cut
    places = Places(4, [], Clock())
    assert Line(places, "192.0.2.9", scarce=True).place is None


@contextmanager
def api(at_most: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """A server with so many places; its URL, and a token for it."""
    monkeypatch.setattr(server, "AT_MOST", at_most)
    access, settings = FakeAccess(), HttpSettings(port=0)
    http = build_http(Dispatcher(TOYS, access, ApiSettings(), Clock()), settings, lambda: True)
    with (
        listening(settings) as listener,
        anyio.from_thread.start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serving(listener, http)),
    ):
        yield url_of(listener), access.add_token(access.add_user())


def test_idle_connections_without_a_token_keep_nobody_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with api(8, monkeypatch) as (url, token), ExitStack() as held:
        host, port = url.removeprefix("http://").split(":")
        strangers = []
        for _ in range(20):
            line = socket.create_connection((host, int(port)), timeout=WITHIN)
            strangers.append(held.enter_context(line))
            # Half a head, and half a body.
            line.sendall(b"POST /v4.0 HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1")
        request = {"jsonrpc": "2.0", "id": 1, "method": "toy.text", "params": {"text": "x"}}
        client = httpx.Client(
            timeout=WITHIN, trust_env=False, headers={"Authorization": f"Bearer {token}"}
        )
        with client:
            assert client.get(f"{url}/health").status_code == 200
            assert "result" in client.post(f"{url}/v4.0", json=request).json()
        assert read_to_the_end(strangers[0]) == b""


def test_with_every_place_at_work_the_health_is_told_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "TASKS_AT_MOST", 0)
    with api(8, monkeypatch) as (url, _), httpx.Client(trust_env=False) as client:
        assert client.get(f"{url}/openrpc.json").status_code == 503
        assert client.get(f"{url}/health").json()["status"] == "ok"


def test_a_websocket_leaves_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    with api(1, monkeypatch) as (url, _):
        host, port = url.removeprefix("http://").split(":")
        for _ in range(2):
            with socket.create_connection((host, int(port)), timeout=WITHIN) as line:
                line.sendall(
                    b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
                    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                )
                assert read_until(line, b"\r\n\r\n").startswith(b"HTTP/1.1 403 ")


def test_a_token_that_is_busy_with_every_place_keeps_nobody_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = {"jsonrpc": "2.0", "id": 1, "method": "toy.text", "params": {"text": "x"}}
    with api(8, monkeypatch) as (url, token), ExitStack() as held:
        host, port = url.removeprefix("http://").split(":")
        # Another machine, as seen from here.
        elsewhere = httpx.HTTPTransport(local_address="127.0.0.2")
        body = json.dumps(request).encode()
        head = f"POST /v4.0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        whole = head.encode() + b"Content-Length: %d\r\n\r\n" % len(body)
        for _ in range(8):
            line = socket.create_connection((host, int(port)), timeout=WITHIN)
            held.enter_context(line)
            line.sendall(whole + body)
            assert b'"result"' in read_until(line, b"}}")
            line.sendall(whole + body[:1])
        with httpx.Client(timeout=WITHIN, trust_env=False, transport=elsewhere) as client:
            answer = client.post(
                f"{url}/v4.0", json=request, headers={"Authorization": f"Bearer {token}"}
            )
            assert "result" in answer.json()
