"""WebSockets: what uvicorn's protocol is to leave out, and what it is to tell the application."""

import asyncio
import logging
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.http11 import Request

from callwright.rpc.connection import Wire

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

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            # The application is a task that begins in the next turn of the loop.
            self.scope["extensions"].update(Wire(self.transport).extension())
