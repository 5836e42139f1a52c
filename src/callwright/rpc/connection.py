"""What a client may do before its request has begun: send a head, of bounded size, in bounded time.

Bodies are bounded by `http`, waiting between requests by uvicorn; it leaves the head to us. What is
sent for hours, as a stream of events, is told when the server stops, and may cut the connection.
"""

import asyncio
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import httptools
from starlette.types import Scope
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

if TYPE_CHECKING:
    from array import array

HEAD_WITHIN = 10.0
"Seconds from the connection, or from the end of a request, until the next head is complete."
HEAD_AT_MOST = 32 * 1024
"Bytes of an incomplete head; a complete one may have what arrives at once besides."


_EXTENSION = "callwright.connection"
"Extension of the ASGI scope that holds the connection's `Wire`."


@dataclass(frozen=True, slots=True)
class Wire:
    """What an application that sends for hours has to know of its connection."""

    transport: asyncio.Transport
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    "Set when the server stops. A WebSocket is closed by then, with code 1012."

    @classmethod
    def of(cls, scope: Scope) -> Self:
        """The wire that a request has come by."""
        wire: Self = scope["extensions"][_EXTENSION]["wire"]
        return wire

    def extension(self) -> dict[str, dict[object, object]]:
        """What lets `of` find it among the extensions of a scope."""
        return {_EXTENSION: {"wire": self}}

    def cut(self) -> None:
        """End the connection now, with all that is not sent yet."""
        self.transport.abort()

    def cut_after(self, seconds: float) -> None:
        """Give what is not sent yet so much time: who reads nothing would keep it for ever."""
        asyncio.get_running_loop().call_later(seconds, self.transport.abort)


class _Parser(httptools.HttpRequestParser):
    """Reads requests, also those of a client that would rather speak another protocol.

    The parser takes the end of such a head for the end of the request. Where the wish is not
    granted it is as if it had never been (RFC 9110 section 7.8; java.net.http asks for HTTP/2 with
    every first request), so the head is read once more, without it, and then the body.
    """

    def __init__(self, connection: "Connection") -> None:
        super().__init__(connection)
        self._connection = connection

    def feed_data(self, data: "bytes | bytearray | memoryview[int] | array[int]") -> None:
        try:
            super().feed_data(data)
        except httptools.HttpParserUpgrade as wish:
            if not self._connection.wishes_upgrade():
                raise
            if self._connection.opens_websocket():
                self._connection.open_websocket()
                return
            [read] = wish.args
            head = self._connection.head_without_upgrade()
            self._connection.parser = again = _Parser(self._connection)
            again.feed_data(head + bytes(data)[read:])


class Connection(HttpToolsProtocol):
    """An HTTP/1.1 connection, or a WebSocket in the end.

    Give it to uvicorn as ``http=Connection``, and ``ws="none"``.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        # uvicorn asks the logging how it is set up; a query may hold a token, so it is not asked.
        self.access_log = False
        self._deadline: asyncio.TimerHandle | None = None
        self._head = 0
        "Bytes that have come of an incomplete head."
        self._handed_over = False
        self._wire: Wire
        self.parser = _Parser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport), "TCP is read and written"
        super().connection_made(transport)
        # asyncio does so too, but not for what comes from a listener made without IPPROTO_TCP;
        # answers, written in two pieces, would then wait 40 ms for the client's delayed ACK.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._wire = Wire(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._handed_over or self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            # Also for what is neither head nor body, as empty lines and the rest of a body that
            # nobody reads: uvicorn stops its own timer at any byte.
            self._await_head()
        if self._deadline is not None:
            self._head += len(data)
            if self._head > HEAD_AT_MOST:
                self.send_400_response("The head of the request is too long.")

    def shutdown(self) -> None:
        super().shutdown()
        self._wire.stopping.set()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = self._wire.extension()

    def on_headers_complete(self) -> None:
        if not self.wishes_upgrade():
            super().on_headers_complete()
            self._head_is_there()

    def on_message_complete(self) -> None:
        if not self.wishes_upgrade():
            super().on_message_complete()

    def wishes_upgrade(self) -> bool:
        """Whether another protocol is wished for; what becomes of it is decided after the head."""
        # CONNECT asks for a tunnel, and has no other meaning.
        return self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"

    def opens_websocket(self) -> bool:
        """Whether the request is one that opens a WebSocket (RFC 6455 section 4.1)."""
        asked = dict(self.headers)
        return (
            # Nothing may be left to be said before it.
            (self.cycle is None or self.cycle.response_complete)
            and self.parser.get_method() == b"GET"
            and self.parser.get_http_version() == "1.1"
            and asked.get(b"upgrade", b"").lower() == b"websocket"
            and asked.get(b"content-length", b"0") == b"0"
            and b"transfer-encoding" not in asked
        )

    def open_websocket(self) -> None:
        """Hand the connection over to a `callwright.rpc.socket.Socket`, and the request with it."""
        self._handed_over = True
        self._head_is_there()
        # uvicorn looks at it before an HTTP request, and not before a WebSocket.
        if self.limit_concurrency is not None and len(self.connections) >= self.limit_concurrency:
            self.transport.close()
            return
        self.connections.discard(self)
        # Only here: the library takes some megabytes, and not everybody wants a WebSocket.
        from callwright.rpc.socket import Socket

        opened = Socket(self.config, self.server_state, self.app_state, self.loop)
        opened.connection_made(self.transport)
        if opened.open(self.url, self.headers):
            self.transport.set_protocol(opened)
        else:
            self.connections.discard(opened)
            self.send_400_response("The handshake cannot be read.")

    def head_without_upgrade(self) -> bytes:
        """Write the head that has been read as if no other protocol were wished for."""
        version = self.parser.get_http_version().encode()
        lines = [self.parser.get_method() + b" " + self.url + b" HTTP/" + version]
        lines += [name + b": " + value for name, value in self.headers if name != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_there()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_WITHIN, self.transport.close)

    def _head_is_there(self) -> None:
        self._head = 0
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
