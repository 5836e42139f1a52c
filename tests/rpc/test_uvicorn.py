"""What is taken from the inside of uvicorn: a version that renames any of it is noticed here."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.sync.client import connect

from callwright.rpc.connection import Connection
from callwright.rpc.events import StreamTimings
from callwright.rpc.server import _PatientServer, _Server
from callwright.rpc.socket import Socket
from tests.rpc.test_events import read_until, theatre
from tests.waiting import WITHIN

OURS: dict[type, tuple[type, set[str]]] = {
    Connection: (
        HttpToolsProtocol,
        {
            "_await_head",
            "_has_asked",
            "_head_is_there",
            "_is_crowded",
            "_is_idle",
            "_leave",
            "_recognise",
            "_serving_app",
            "head_without_upgrade",
            "open_websocket",
            "opens_websocket",
            "wishes_upgrade",
        },
    ),
    Socket: (WebSocketsSansIOProtocol, {"_say_at_once", "open"}),
    _Server: (uvicorn.Server, {"accept", "stop"}),
    _PatientServer: (_Server, set()),
}
"Our classes, what they are made of, and what uvicorn knows nothing of."


def overridden(ours: type) -> list[str]:
    theirs, own = OURS[ours]
    return [name for name, one in vars(ours).items() if inspect.isfunction(one) and name not in own]


@pytest.mark.parametrize("ours", OURS)
def test_what_is_overridden_is_there_with_the_same_parameters(ours: type) -> None:
    theirs, own = OURS[ours]
    assert [name for name in own if hasattr(theirs, name)] == []
    for name in overridden(ours):
        assert parameters(getattr(ours, name)) == parameters(getattr(theirs, name)), name


def parameters(function: Callable[..., object]) -> list[tuple[str, object]]:
    named = inspect.signature(function).parameters.values()
    return [(one.name, one.kind) for one in named]


def test_what_is_overridden_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    called: set[tuple[type, str]] = set()

    def recorded(ours: type, name: str) -> Callable[..., Any]:
        function = getattr(ours, name)

        def record(*words: Any, **options: Any) -> Any:
            called.add((ours, name))
            return function(*words, **options)

        return record

    wanted = {(ours, name) for ours in (Connection, Socket, _Server) for name in overridden(ours)}
    for ours, name in wanted:
        monkeypatch.setattr(ours, name, recorded(ours, name))
    with theatre(StreamTimings()) as stage:
        assert httpx.get(f"{stage.url}/nothing").status_code == 404
        with connect(stage.socket_url, additional_headers=stage.bearer) as listener:
            listener.recv(timeout=WITHIN)
            listener.send("whatever")
        # One that is up when the server stops, which is to tell it.
        up = stage.raw()
        read_until(up, b"stream.opened")
    with up:
        assert wanted - called == set()


async def _nobody(scope: object, receive: object, send: object) -> None: ...


def test_what_is_read_and_written_is_there() -> None:
    """An attribute that is only written would be missed by nobody, and do nothing."""

    async def look() -> None:
        config, state = uvicorn.Config(_nobody, lifespan="off"), ServerState()
        connection = HttpToolsProtocol(config, state, {})
        assert isinstance(connection.access_log, bool)
        assert connection.loop is asyncio.get_running_loop()
        assert (connection.config, connection.server_state) == (config, state)
        assert connection.connections is state.connections
        assert connection.app_state == {}
        assert {"app", "cycle", "parser", "scope"} <= vars(connection).keys()
        assert connection.tasks is state.tasks
        assert parameters(connection.send_400_response) == parameters(lambda msg: None)
        opened = WebSocketsSansIOProtocol(config, state, {})
        assert opened.connections is state.connections
        assert opened.logger is opened.conn.logger
        assert (opened.handshake_initiated, opened.close_sent) == (False, False)
        assert uvicorn.Server(config).should_exit is False

    asyncio.run(look())


def test_a_head_that_is_too_long_is_refused_by_uvicorn() -> None:
    with theatre(StreamTimings()) as stage, stage.line() as line:
        line.sendall(b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 40_000)
        assert read_until(line, b"\r\n\r\n").startswith(b"HTTP/1.1 400 ")
