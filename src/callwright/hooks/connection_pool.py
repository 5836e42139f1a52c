"""Connection pool of outbound HTTP: connections to customers' URLs, and one exchange over them.

Imported when the first request is sent: a service that asks nobody is spared the HTTP client.
"""

from typing import Literal

import anyio
import httpcore

from callwright.hooks.answer import Headers, HttpAnswer, HttpFault, NotReached, Rest, late
from callwright.hooks.ssrf import GuardedBackend, NotAllowed


class Pool:
    """Keeps connections until it is closed."""

    def __init__(self, *, allow_private: bool, connections_at_most: int) -> None:
        self._connections = httpcore.AsyncConnectionPool(
            network_backend=GuardedBackend(allow_private=allow_private),
            max_connections=connections_at_most,
            max_keepalive_connections=connections_at_most,
            keepalive_expiry=5.0,
        )

    async def close(self) -> None:
        await self._connections.aclose()

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
        told: HttpAnswer | None = None
        body = b""
        try:
            with anyio.move_on_after(within):
                async with self._connections.stream(
                    method, url, headers=headers, content=content
                ) as response:
                    told = HttpAnswer(response.status, response.headers, b"", Rest.LATE)
                    async for part in response.aiter_stream():
                        body += part
                        if len(body) > at_most:
                            return HttpAnswer(
                                told.status, told.headers, body[:at_most], Rest.TOO_LONG
                            )
                    return HttpAnswer(told.status, told.headers, body, Rest.READ)
        except NotAllowed as fault:
            raise NotReached(HttpFault.PRIVATE_NETWORK, str(fault)) from fault
        except (httpcore.NetworkError, httpcore.TimeoutException) as fault:
            if told is None:
                raise NotReached(HttpFault.UNREACHABLE, "it cannot be reached") from fault
            return HttpAnswer(told.status, told.headers, body, Rest.BROKEN)
        except (httpcore.ProtocolError, httpcore.UnsupportedProtocol, ValueError) as fault:
            if told is None:
                reason = "it does not speak HTTP as it should"
                raise NotReached(HttpFault.PROTOCOL, reason) from fault
            return HttpAnswer(told.status, told.headers, body, Rest.BROKEN)
        if told is None:
            raise late(within)
        return HttpAnswer(told.status, told.headers, body, Rest.LATE)
