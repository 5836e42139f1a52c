"""The HTTP server: how the application is served on a port, and how it is stopped again."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio
import uvicorn
from starlette.types import ASGIApp

from callwright.config import HttpSettings, StartFault
from callwright.rpc.connection import Connection

MESSAGE_AT_MOST = 4096
"Bytes of a WebSocket message of a client's, who has nothing to say."

NEVER = 10**9
"Seconds; longer than any service runs."


class _Server(uvicorn.Server):
    """uvicorn without its own ideas about signals: the service is stopped as a whole."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        self.should_exit = True


class _PatientServer(_Server):
    """Looks at no clock while it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stopped = asyncio.Event()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self._stopped.wait()

    def stop(self) -> None:
        super().stop()
        self._stopped.set()


class _PatientConnection(Connection):
    """Waits for as long as the client likes."""

    def _await_head(self) -> None:
        pass


@contextmanager
def listening(settings: HttpSettings) -> Iterator[socket.socket]:
    """Take the API's address, so that links can name it. Who comes early waits to be served.

    Raises `StartFault`.
    """
    try:
        listener = socket.create_server((settings.host, settings.port), backlog=256)
    except OSError as fault:
        where = f"{settings.host}:{settings.port}"
        raise StartFault(f"HTTP cannot be served at {where} ([http]): {fault.strerror}") from fault
    with listener:
        yield listener


def url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


@asynccontextmanager
async def serving(
    listener: socket.socket, http: ASGIApp, *, patient: bool = False
) -> AsyncIterator[None]:
    """Serve HTTP while the block runs; requests under way at its end are answered.

    ``patient``: clients have all the time there is, for where the loop's clock may jump.
    """
    unhurried: dict[str, Any] = (
        {"timeout_keep_alive": NEVER, "date_header": False, "ws_ping_interval": None}
        if patient
        else {}
    )
    config = uvicorn.Config(
        http,
        log_config=None,
        access_log=False,
        lifespan="off",
        http=_PatientConnection if patient else Connection,
        # The connection sees to it.
        ws="none",
        ws_max_size=MESSAGE_AT_MOST,
        ws_per_message_deflate=False,
        loop="none",
        timeout_graceful_shutdown=2,
        limit_concurrency=512,
        proxy_headers=False,
        server_header=False,
        **unhurried,
    )
    server = (_PatientServer if patient else _Server)(config)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.serve, [listener])
        try:
            yield
        finally:
            server.stop()
