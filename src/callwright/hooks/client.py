"""The client: one bounded HTTP request to a URL of a customer's."""

import json
from collections.abc import Mapping
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlencode

import anyio
import httpcore

from callwright.hooks.guard import GuardedBackend, NotAllowed

ANSWER_AT_MOST = 64 * 1024
"Bytes of an answer that are read."

CONNECTIONS_AT_MOST = 50


class NoAnswer(Exception):
    """The URL has not answered as it should; the text says in a few words what was wrong."""


class HookClient:
    """Sends requests while its ``async with`` block runs."""

    def __init__(self, *, allow_private: bool) -> None:
        """``allow_private``: URLs may lead into private networks."""
        self.under_way = 0
        "Requests that have not been answered yet."
        self._pool = httpcore.AsyncConnectionPool(
            network_backend=GuardedBackend(allow_private=allow_private),
            max_connections=CONNECTIONS_AT_MOST,
            max_keepalive_connections=CONNECTIONS_AT_MOST,
            keepalive_expiry=5.0,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._pool.aclose()

    async def ask(
        self,
        url: str,
        method: Literal["GET", "POST"],
        facts: Mapping[str, str | int],
        *,
        within: float,
    ) -> object:
        """Send facts, in the query (GET) or as JSON (POST); return the JSON of the answer.

        Redirects are not followed. Raises `NoAnswer`.
        """
        headers = [(b"user-agent", b"callwright")]
        content = b""
        if method == "GET":
            url += ("&" if "?" in url else "?") + urlencode(facts)
        else:
            content = json.dumps(facts, ensure_ascii=False).encode()
            headers.append((b"content-type", b"application/json"))
        body = None
        self.under_way += 1
        try:
            with anyio.move_on_after(within):
                body = await self._body(method, url, headers, content)
        except NotAllowed as fault:
            raise NoAnswer(str(fault)) from fault
        except (httpcore.NetworkError, httpcore.TimeoutException) as fault:
            raise NoAnswer("it cannot be reached") from fault
        except (httpcore.ProtocolError, httpcore.UnsupportedProtocol, ValueError) as fault:
            raise NoAnswer("it does not speak HTTP as it should") from fault
        finally:
            self.under_way -= 1
        if body is None:
            raise NoAnswer(f"it did not answer within {within:g} s")
        try:
            answer: object = json.loads(body)
        except (ValueError, RecursionError) as fault:
            raise NoAnswer("its answer is no JSON") from fault
        return answer

    async def _body(
        self, method: str, url: str, headers: list[tuple[bytes, bytes]], content: bytes
    ) -> bytes:
        async with self._pool.stream(method, url, headers=headers, content=content) as response:
            if response.status != 200:
                raise NoAnswer(f"it answered {response.status}")
            body = b""
            async for part in response.aiter_stream():
                body += part
                if len(body) > ANSWER_AT_MOST:
                    raise NoAnswer(f"its answer is longer than {ANSWER_AT_MOST} bytes")
            return body
