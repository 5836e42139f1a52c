"""What a client may do before its request has begun: send a head, of bounded size, in bounded time.

Bodies are bounded by `http`, waiting between requests by uvicorn; it leaves the head to us.
"""

import asyncio
import socket
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

HEAD_WITHIN = 10.0
"Seconds from the connection, or from the end of a request, until the next head is complete."
HEAD_AT_MOST = 32 * 1024
"Bytes of an incomplete head; a complete one may have what arrives at once besides."


class Connection(HttpToolsProtocol):
    """An HTTP/1.1 connection; give it to uvicorn as ``http=Connection``."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._deadline: asyncio.TimerHandle | None = None
        self._head = 0
        "Bytes that have come of an incomplete head."

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # asyncio does so too, but not for what comes from a listener made without IPPROTO_TCP;
        # answers, written in two pieces, would then wait 40 ms for the client's delayed ACK.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            # Also for what is neither head nor body, as empty lines and the rest of a body that
            # nobody reads: uvicorn stops its own timer at any byte.
            self._await_head()
        if self._deadline is not None:
            self._head += len(data)
            if self._head > HEAD_AT_MOST:
                self.send_400_response("The head of the request is too long.")

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._head_is_there()

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
