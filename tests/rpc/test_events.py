"""Streams over real connections that are not as they should be: slow, forbidden, broken."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import anyio.from_thread
import httpx
import pytest
from starlette.applications import Starlette
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from callwright.calls.plan import SessionId
from callwright.config import HttpSettings
from callwright.directory.model import AccountId
from callwright.notify.stream import EventStream
from callwright.rpc.events import EventEndpoint, StreamTimings
from callwright.rpc.server import listening, serving, url_of
from callwright.storage.history.event_log import Page, Written
from tests.rpc.world import Clock, FakeAccess
from tests.storage.stories import CAPTION, started
from tests.waiting import WITHIN


class Nothing:
    """A log with nothing in it, or one that cannot be read."""

    broken = False

    async def last(self) -> int:
        return 0

    async def knows(self, position: int) -> bool:
        if self.broken:
            raise OSError("the disk is gone")
        return True

    async def has_unplaced(self, account: AccountId) -> bool:
        return False

    async def far_behind(self, after: int, *, at_most: int) -> None:
        return None

    async def page(
        self, account: AccountId, after: int, upto: int, session: SessionId | None, *, at_most: int
    ) -> Page:
        return Page([], upto)

    async def story(self, session: SessionId, before: int) -> list[Any]:
        return []


@dataclass
class Theatre:
    url: str
    access: FakeAccess
    token: str
    account: AccountId
    stream: EventStream
    log: Nothing
    portal: Any
    written: int = 0

    def write(self, count: int, *, length: int = 1) -> None:
        """So many sessions begin, each of whose events has about ``length`` characters."""
        caption = replace(CAPTION, account=self.account, external_id="x" * length)
        events = [
            Written(self.written + n, replace(started(self.written + n, caption)))
            for n in range(1, count + 1)
        ]
        self.written += count
        self.portal.call(self.stream.hear, events)

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def socket_url(self) -> str:
        return f"{self.url.replace('http', 'ws', 1)}/events"

    def line(self) -> socket.socket:
        host, port = self.url.removeprefix("http://").split(":")
        return socket.create_connection((host, int(port)), timeout=WITHIN)

    def raw(self) -> socket.socket:
        """A connection that has asked for server-sent events, and has a small buffer to read."""
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.settimeout(WITHIN)
        host, port = self.url.removeprefix("http://").split(":")
        line.connect((host, int(port)))
        head = f"GET /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.token}\r\n\r\n"
        line.sendall(head.encode())
        return line


@contextmanager
def theatre(pace: StreamTimings, *, queued_at_most: int = 50) -> Iterator[Theatre]:
    access, log = FakeAccess(), Nothing()
    user = access.add_user()
    stream = EventStream(log, per_account=5, queued_at_most=queued_at_most)
    http = HttpSettings(port=0)
    events = EventEndpoint(stream, access, http, Clock(datetime.now(UTC).timestamp()), pace)
    with (
        listening(http) as listener,
        anyio.from_thread.start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serving(listener, Starlette(routes=events.routes()))),
    ):
        token = access.add_token(user)
        yield Theatre(url_of(listener), access, token, user.account, stream, log, portal)


def read_until(line: socket.socket, word: bytes) -> bytes:
    heard = b""
    while word not in heard:
        heard += line.recv(65536) or pytest.fail(f"the stream ended without {word!r}: {heard!r}")
    return heard


def read_to_the_end(line: socket.socket) -> bytes:
    heard = b""
    try:
        while part := line.recv(65536):
            heard += part
    except ConnectionResetError:
        pass
    return heard


def test_a_slow_listener_is_told_why_it_is_put_out() -> None:
    with theatre(StreamTimings(goodbye_within=20.0)) as house, house.raw() as line:
        read_until(line, b"stream.opened")
        house.write(200, length=100_000)
        heard = read_to_the_end(line)
        assert b'"type":"stream.closed","code":4008' in heard
        assert heard.endswith(b"0\r\n\r\n")
        assert heard.count(b"session.started") < 200


def test_a_slow_listener_on_a_websocket_is_closed_with_a_code() -> None:
    with (
        theatre(StreamTimings(goodbye_within=20.0)) as house,
        connect(house.socket_url, additional_headers=house.bearer, proxy=None) as line,
    ):
        assert "stream.opened" in str(line.recv(timeout=WITHIN))
        house.write(200, length=100_000)
        told: list[str] = []
        with pytest.raises(ConnectionClosed) as end:
            told.extend(iter(lambda: str(line.recv(timeout=WITHIN)), None))
        assert end.value.rcvd
        assert end.value.rcvd.code == 4008
        assert all("session.started" in one for one in told)


def test_who_reads_nothing_at_all_is_cut_off() -> None:
    pace = StreamTimings(send_within=0.05, goodbye_within=0.05)
    with theatre(pace, queued_at_most=10_000) as house, house.raw() as line:
        read_until(line, b"stream.opened")
        house.write(300, length=100_000)
        house.portal.call(_until_nobody, house.stream)
        assert b"stream.closed" not in read_to_the_end(line)


def test_a_token_that_is_taken_back_ends_its_stream() -> None:
    with (
        theatre(StreamTimings(look_again=0.02)) as house,
        house.raw() as lines,
        connect(house.socket_url, additional_headers=house.bearer, proxy=None) as frames,
    ):
        read_until(lines, b"stream.opened")
        assert "stream.opened" in str(frames.recv(timeout=WITHIN))
        house.access.tokens.clear()
        assert b'"code":4003' in read_to_the_end(lines)
        with pytest.raises(ConnectionClosed) as end:
            frames.recv(timeout=WITHIN)
        assert end.value.rcvd
        assert end.value.rcvd.code == 4003


def test_a_quiet_stream_has_a_heartbeat() -> None:
    with theatre(StreamTimings(heartbeat=0.02)) as house, house.raw() as line:
        assert b"\r\n: \n\n\r\n" in read_until(line, b": \n\n")


def test_a_log_that_cannot_be_read_ends_the_stream_with_a_word() -> None:
    with theatre(StreamTimings()) as house:
        house.log.broken = True
        response = httpx.get(
            f"{house.url}/events", headers={**house.bearer, "Last-Event-ID": "7"}, timeout=WITHIN
        )
        assert '"type":"stream.closed","code":1011' in response.text


def test_who_leaves_is_forgotten() -> None:
    with theatre(StreamTimings()) as house:
        with house.raw() as line:
            read_until(line, b"stream.opened")
            assert house.stream.readers == 1
        with connect(house.socket_url, additional_headers=house.bearer, proxy=None) as frames:
            assert "stream.opened" in str(frames.recv(timeout=WITHIN))
        house.portal.call(_until_nobody, house.stream)


async def _until_nobody(stream: EventStream) -> None:
    with anyio.fail_after(WITHIN):
        while stream.readers:  # noqa: ASYNC110 - there is no event for it
            await anyio.sleep(0.01)
