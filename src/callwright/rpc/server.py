"""The HTTP server: how the application is served on a port, and how it is stopped again."""

import asyncio
import socket
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import anyio
import uvicorn
from starlette.types import ASGIApp

from callwright.accept_loop import AcceptLoop
from callwright.config import HttpSettings, StartFault
from callwright.descriptors import for_connections, limit
from callwright.rpc.connection import Connection
from callwright.rpc.places import AT_MOST, Places

MESSAGE_AT_MOST = 4096
"Bytes of a WebSocket message of a client's, who has nothing to say."

NEVER = 10**9
"Seconds; longer than any service runs."


class _Server(uvicorn.Server):
    """uvicorn without its own ideas about signals and about taking connections.

    The service is stopped as a whole; and asyncio's server, which uvicorn would use, cannot do
    without descriptors.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._accepting: AcceptLoop | None = None
        self._welcoming: set[asyncio.Task[None]] = set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def accept(self, listener: socket.socket, kind: type[Connection], places: Places) -> None:
        """Take connections off ``listener``, until shutdown, each with a place of ``places``."""
        loop = asyncio.get_running_loop()

        def made() -> Connection:
            connection = kind(self.config, self.server_state, {}, loop)
            connection.places = places
            return connection

        async def welcome(taken: socket.socket) -> None:
            with suppress(OSError):  # gone already
                await loop.connect_accepted_socket(made, taken)

        def take(taken: socket.socket, _address: object) -> None:
            task = loop.create_task(welcome(taken))
            self._welcoming.add(task)
            task.add_done_callback(self._welcoming.discard)

        self._accepting = AcceptLoop(listener, take, "the API")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._accepting is not None:
            self._accepting.close()
        await super().shutdown(sockets)

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

    ``::`` is every address of IPv4, too. Raises `StartFault`.
    """
    host, port = settings.host, settings.port
    try:
        listener = socket.create_server(
            (host, port),
            family=socket.AF_INET6 if ":" in host else socket.AF_INET,
            backlog=256,
            dualstack_ipv6=host == "::" and socket.has_dualstack_ipv6(),
        )
    except OSError as fault:
        where = f"{_bracketed(host)}:{port}"
        raise StartFault(f"HTTP cannot be served at {where} ([http]): {fault.strerror}") from fault
    with listener:
        yield listener


def url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{_bracketed(host)}:{port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@asynccontextmanager
async def serving(
    listener: socket.socket,
    http: ASGIApp,
    proxies: Collection[IPv4Address | IPv6Address] = (),
    *,
    patient: bool = False,
) -> AsyncIterator[None]:
    """Serve HTTP while the block runs; requests under way at its end are answered.

    ``proxies``: those whose X-Forwarded-For is believed. ``patient``: clients have all the time
    there is, for where the loop's clock may jump.
    """
    unhurried: dict[str, Any] = (
        {"timeout_keep_alive": NEVER, "date_header": False, "ws_ping_interval": None}
        if patient
        else {}
    )
    kind = _PatientConnection if patient else Connection
    config = uvicorn.Config(
        http,
        log_config=None,
        access_log=False,
        lifespan="off",
        http=kind,
        # The connection sees to it.
        ws="none",
        ws_max_size=MESSAGE_AT_MOST,
        ws_per_message_deflate=False,
        loop="none",
        timeout_graceful_shutdown=2,
        proxy_headers=False,
        server_header=False,
        **unhurried,
    )
    config.load()
    server = (_PatientServer if patient else _Server)(config)
    at_most = for_connections(limit(), AT_MOST)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.serve, [])
        server.accept(listener, kind, Places(at_most, proxies, asyncio.get_running_loop().time))
        try:
            yield
        finally:
            server.stop()
