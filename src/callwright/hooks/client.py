"""Outbound HTTP client: one bounded request to a URL of a customer's."""

import json
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import urlencode

from callwright.hooks.answer import Headers, HttpAnswer, NoAnswer, Rest, late

if TYPE_CHECKING:
    from callwright.hooks.connection_pool import Pool

ANSWER_AT_MOST = 64 * 1024
"Bytes of an answer that are read."

CONNECTIONS_AT_MOST = 50


class HookClient:
    """Sends requests while its ``async with`` block runs."""

    def __init__(
        self, *, allow_private: bool, connections_at_most: int = CONNECTIONS_AT_MOST
    ) -> None:
        """``allow_private``: URLs may lead into private networks."""
        self.under_way = 0
        "Requests that have not been answered yet."
        self._allow_private = allow_private
        self._connections_at_most = connections_at_most
        self._pool: Pool | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            await self._pool.close()

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
        headers: list[tuple[bytes, bytes]] = []
        content = b""
        if method == "GET":
            url += ("&" if "?" in url else "?") + urlencode(facts)
        else:
            content = json.dumps(facts, ensure_ascii=False).encode()
            headers.append((b"content-type", b"application/json"))
        answer = await self.send(method, url, headers, content, within=within)
        if answer.status != 200:
            raise NoAnswer(f"it answered {answer.status}")
        match answer.rest:
            case Rest.TOO_LONG:
                raise NoAnswer(f"its answer is longer than {ANSWER_AT_MOST} bytes")
            case Rest.LATE:
                raise late(within)
            case Rest.BROKEN:
                raise NoAnswer("its answer was cut off")
            case Rest.READ:
                pass
        try:
            asked: object = json.loads(answer.body)
        except (ValueError, RecursionError) as fault:
            raise NoAnswer("its answer is no JSON") from fault
        return asked

    async def send(
        self,
        method: Literal["GET", "POST"],
        url: str,
        headers: Headers,
        content: bytes,
        *,
        within: float,
        at_most: int = ANSWER_AT_MOST,
    ) -> HttpAnswer:
        """Send one request; return the answer, with ``at_most`` bytes of its body.

        ``within``: seconds for everything. Once the status has come, a body that comes too late or
        breaks off is no fault. Redirects are not followed. Raises `NotReached`.
        """
        if self._pool is None:
            from callwright.hooks.connection_pool import Pool

            self._pool = Pool(
                allow_private=self._allow_private, connections_at_most=self._connections_at_most
            )
        self.under_way += 1
        try:
            return await self._pool.exchange(
                method,
                url,
                [(b"user-agent", b"callwright"), *headers],
                content,
                within=within,
                at_most=at_most,
            )
        finally:
            self.under_way -= 1
