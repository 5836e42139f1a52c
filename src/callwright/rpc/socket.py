"""WebSockets: what uvicorn's protocol is to leave out, and what it is to tell the application."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.http11 import Request
from websockets.protocol import State

from callwright.rpc.wire import Wire

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

Headers: TypeAlias = list[tuple[bytes, bytes]]

# It writes down every path it is asked for, with the tokens in it.
_quiet = logging.getLogger(__name__)
_quiet.setLevel(logging.WARNING)


class Socket(WebSocketsSansIOProtocol):
    """A WebSocket; `callwright.rpc.connection.Connection` turns into it when it is asked to."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.logger = self.conn.logger = _quiet
        self._headers: Headers = []
        self._wire: Wire
        self._lost: Callable[[], None]

    def open(self, target: bytes, headers: Headers, wire: Wire, lost: Callable[[], None]) -> bool:
        """Answer the request that wishes for a WebSocket; say whether it could be read.

        ``lost`` is called when the connection is over.

        It has been read before, by a parser with other bounds. So only what the handshake is made
        of is read once more here; the rest may be as long as in any request.
        """
        self._headers, self._wire, self._lost = headers, wire, lost
        lines = [b"GET " + target + b" HTTP/1.1"]
        lines += [name + b": " + value for name, value in headers if _is_of_handshake(name)]
        self.data_received(b"\r\n".join([*lines, b"", b""]))
        return self.handshake_initiated

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            # The application is a task that begins in the next turn of the loop.
            self.scope["headers"] = self._headers
            wire = replace(self._wire, say_at_once=self._say_at_once)
            self.scope["extensions"].update(wire.extension())

    def _say_at_once(self, messages: Sequence[str]) -> bool:
        """Send text messages in one piece, past ASGI, which takes longer than the rest of it."""
        if (
            not self.writable.is_set()
            or self.disconnected
            or self.close_sent
            or self.conn.state is not State.OPEN
        ):
            return False
        for message in messages:
            self.conn.send_text(message.encode())
        self.transport.write(b"".join(self.conn.data_to_send()))
        return True

    def send_receive_event_to_app(self) -> None:
        # uvicorn does the same, and writes a traceback of it into the log.
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                self.conn.send_close(1007)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    async def send(self, message: "ASGISendEvent") -> None:
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            # A refusal is an answer, too; uvicorn takes it for none, and calls that an error.
            self.handshake_complete = True

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost()
        super().connection_lost(exc)


def _is_of_handshake(name: bytes) -> bool:
    return name in {b"host", b"connection", b"upgrade", b"origin"} or name.startswith(
        b"sec-websocket-"
    )
