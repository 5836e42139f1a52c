"""Connection pool of outbound HTTP: connections to customers' URLs, and one exchange over them.

Imported when the first request is sent: a service that asks nobody is spared TLS and its roots.
"""

import asyncio
import ssl
import time
from functools import cached_property, partial
from typing import Literal

import anyio
import certifi

from callwright.hooks.answer import Headers, HttpAnswer, HttpFault, NotReached, late
from callwright.hooks.http_connection import HttpConnection, no_http
from callwright.hooks.http_request import HttpOrigin, taken_apart, written
from callwright.hooks.ssrf import NotAllowed, judged_address

KEPT_FOR = 5.0
"Seconds a connection is kept without anything to do: servers close theirs soon, too."


class Pool:
    """Keeps connections until it is closed. Runs on asyncio alone."""

    def __init__(self, *, allow_private: bool, connections_at_most: int) -> None:
        self._allow_private = allow_private
        self._at_most = connections_at_most
        self._places = asyncio.Semaphore(connections_at_most)
        self._busy = 0
        self._idle: list[HttpConnection] = []
        "Whatever has been idle longest first."

    async def close(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()
        await asyncio.sleep(0)  # sockets are closed in the next turn of the loop

    async def exchange(
        self,
        method: Literal["GET", "POST"],
        url: str,
        headers: Headers,
        content: bytes,
        *,
        within: float,
        at_most: int,
    ) -> HttpAnswer:
        """See `callwright.hooks.client.HookClient.send`."""
        try:
            wanted = taken_apart(url)
        except ValueError as fault:
            raise no_http() from fault
        request = written(method, wanted, headers, content)
        connection = None
        with anyio.move_on_after(within):
            async with self._places:
                self._busy += 1
                try:
                    connection = self._kept(wanted.origin) or await self._connect(wanted.origin)
                    return await connection.ask(request, at_most=at_most)
                finally:
                    self._busy -= 1
                    if connection is not None:
                        self._put_back(connection)
        answer = connection.so_far() if connection else None
        if answer is None:
            raise late(within)
        return answer

    def _kept(self, origin: HttpOrigin) -> HttpConnection | None:
        """Take one there is, the latest that was used; close those that are too old."""
        oldest = time.monotonic() - KEPT_FOR
        while self._idle and self._idle[0].kept_since < oldest:
            self._idle.pop(0).close()
        for connection in reversed(self._idle):
            if connection.origin == origin:
                self._idle.remove(connection)
                if connection.reusable:
                    return connection
                return self._kept(origin)
        return None

    def _put_back(self, connection: HttpConnection) -> None:
        if connection.reusable:
            connection.kept_since = time.monotonic()
            self._idle.append(connection)
        else:
            connection.close()

    async def _connect(self, origin: HttpOrigin) -> HttpConnection:
        """Raises `NotReached`."""
        if self._busy + len(self._idle) > self._at_most:
            self._idle.pop(0).close()
        try:
            address = await judged_address(
                origin.host, origin.port, allow_private=self._allow_private
            )
            by_tls = origin.scheme == "https"
            _, connection = await asyncio.get_running_loop().create_connection(
                partial(HttpConnection, origin),
                address,
                origin.port,
                ssl=self._trust if by_tls else None,
                server_hostname=origin.host if by_tls else None,
            )
        except NotAllowed as fault:
            raise NotReached(HttpFault.PRIVATE_NETWORK, str(fault)) from fault
        # A certificate that is not to be trusted is one, too; a name may be none for TLS.
        except (OSError, ValueError) as fault:
            raise NotReached(HttpFault.UNREACHABLE, "it cannot be reached") from fault
        return connection

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        """The roots of this machine and those of Mozilla's list: some machines have none."""
        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())
        context.set_alpn_protocols(["http/1.1"])
        return context
