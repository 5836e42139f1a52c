"""WebSockets: what uvicorn's protocol is to leave out, and what it is to tell the application."""

import logging

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from callwright.rpc.connection import CONNECTION, Wire

# It writes down every path it is asked for, with the tokens in it.
_quiet = logging.getLogger(__name__)
_quiet.setLevel(logging.WARNING)


class Socket(WebSocketsSansIOProtocol):
    """A WebSocket; `callwright.rpc.connection.Connection` turns into it when it is asked to."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.logger = self.conn.logger = _quiet

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            # The application is a task that begins in the next turn of the loop.
            self.scope["extensions"][CONNECTION] = Wire(self.transport)  # type: ignore[assignment]
