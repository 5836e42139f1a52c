"""What a client may do before its request has begun: send a head, of bounded size, in bounded time.

Bodies are bounded by `http`, waiting between requests by uvicorn; it leaves the head to us. What is
sent for hours, as a stream of events, is told when the server stops, and may cut the connection.
"""

import asyncio
import logging
import socket
from typing import TYPE_CHECKING, Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import service_unavailable
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from callwright.descriptors import left_by_strangers, limit
from callwright.rpc.held_head import HeldHead
from callwright.rpc.places import ConnectionPlace, Places
from callwright.rpc.wire import Wire

if TYPE_CHECKING:
    from array import array

HEAD_WITHIN = 10.0
"Seconds from the connection, or from the end of a request, until the next head is complete."
HEAD_AT_MOST = 32 * 1024
"Bytes of an incomplete head; a complete one may have what arrives at once besides."
TASKS_AT_MOST = 1024
"Requests under way at once, those included whose client has gone."
HEALTH = b"/health"
"The one page that is always served."


# What strangers send is no matter for a warning: it may be anything, and any number of times.
_quiet = logging.getLogger(__name__)
_quiet.setLevel(logging.ERROR)


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

    places: Places | None = None
    "To be set before the connection is made; None: there is a place for everybody."

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
        self.logger = _quiet
        self._deadline: asyncio.TimerHandle | None = None
        self._head = 0
        "Bytes that have come of an incomplete head."
        self._handed_over = False
        self._place: ConnectionPlace | None = None
        self._wire: Wire
        self.parser = _Parser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport), "TCP is read and written"
        super().connection_made(transport)
        # asyncio does so too, but not for what comes from a listener made without IPPROTO_TCP;
        # answers, written in two pieces, would then wait 40 ms for the client's delayed ACK.
        taken: socket.socket = transport.get_extra_info("socket")
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._wire = Wire(transport, self._recognise)
        self._await_head()
        if self.places is not None:
            peer = self.client[0] if self.client else ""
            scarce = taken.fileno() >= limit() - left_by_strangers(limit())
            self._place = self.places.take(peer, self._is_idle, transport.abort, scarce=scarce)
            if self._place is None:
                transport.abort()

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
            self.app = self._serving_app()
            super().on_headers_complete()
            if self.parser.get_method() != b"HEAD":
                # The task that serves it begins in the next turn of the loop.
                self.cycle.transport = HeldHead(self.transport)
            self._head_is_there()
            self._has_asked()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.places is not None and self._place is not None:
            self.places.answered(self._place)

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
        if self._is_crowded():
            self.transport.close()
            return
        self._has_asked()
        self.connections.discard(self)
        # Only here: the library takes some megabytes, and not everybody wants a WebSocket.
        from callwright.rpc.socket import Socket

        opened = Socket(self.config, self.server_state, self.app_state, self.loop)
        opened.connection_made(self.transport)
        if opened.open(self.url, self.headers, self._wire, self._leave):
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
        self._leave()
        super().connection_lost(exc)

    def _is_idle(self) -> bool:
        return not self._handed_over and (self.cycle is None or self.cycle.response_complete)

    def _is_crowded(self) -> bool:
        return (self._place is not None and self._place.crowded) or len(self.tasks) >= TASKS_AT_MOST

    def _serving_app(self) -> Any:
        asks_for_health = self.url.partition(b"?")[0] == HEALTH
        if self._is_crowded() and not asks_for_health:
            return service_unavailable
        return self.config.loaded_app

    def _has_asked(self) -> None:
        if self.places is not None and self._place is not None:
            forwarded = [value for name, value in self.headers if name == b"x-forwarded-for"]
            self.places.asked(self._place, [value.decode("latin-1") for value in forwarded])

    def _recognise(self) -> None:
        if self.places is not None and self._place is not None:
            self.places.recognise(self._place)

    def _leave(self) -> None:
        if self.places is not None and self._place is not None:
            self.places.leave(self._place)

    def _await_head(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_WITHIN, self.transport.close)

    def _head_is_there(self) -> None:
        self._head = 0
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
