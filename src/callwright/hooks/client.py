"""The client: one bounded HTTP request to a URL of a customer's."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlencode

import anyio
import httpcore

from callwright.hooks.guard import GuardedBackend, NotAllowed

ANSWER_AT_MOST = 64 * 1024
"Bytes of an answer that are read."

CONNECTIONS_AT_MOST = 50

Headers = Sequence[tuple[bytes, bytes]]


class NoAnswer(Exception):
    """The URL has not answered as it should; the text says in a few words what was wrong."""


class Fault(StrEnum):
    """Why there was no answer at all."""

    PRIVATE_NETWORK = "private_network"
    UNREACHABLE = "unreachable"
    PROTOCOL = "protocol"
    TIMEOUT = "timeout"


class NotReached(NoAnswer):
    def __init__(self, fault: Fault, reason: str) -> None:
        super().__init__(reason)
        self.fault = fault


class Rest(StrEnum):
    """What has become of an answer's body."""

    READ = "read"
    TOO_LONG = "too long"
    LATE = "late"
    "It had not come to its end when the time was over."
    BROKEN = "broken"
    "The connection ended before it did."


@dataclass(frozen=True, slots=True)
class Answer:
    """Any answer there is, whatever it says."""

    status: int
    headers: Headers
    body: bytes
    "As much of it as was read."
    rest: Rest


class HookClient:
    """Sends requests while its ``async with`` block runs."""

    def __init__(
        self, *, allow_private: bool, connections_at_most: int = CONNECTIONS_AT_MOST
    ) -> None:
        """``allow_private``: URLs may lead into private networks."""
        self.under_way = 0
        "Requests that have not been answered yet."
        self._pool = httpcore.AsyncConnectionPool(
            network_backend=GuardedBackend(allow_private=allow_private),
            max_connections=connections_at_most,
            max_keepalive_connections=connections_at_most,
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
                raise _late(within)
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
    ) -> Answer:
        """Send one request; return the answer, with ``at_most`` bytes of its body.

        ``within``: seconds for everything. Once the status has come, a body that comes too late or
        breaks off is no fault. Redirects are not followed. Raises `NotReached`.
        """
        told: Answer | None = None
        body = b""
        self.under_way += 1
        try:
            with anyio.move_on_after(within):
                async with self._pool.stream(
                    method, url, headers=[(b"user-agent", b"callwright"), *headers], content=content
                ) as response:
                    told = Answer(response.status, response.headers, b"", Rest.LATE)
                    async for part in response.aiter_stream():
                        body += part
                        if len(body) > at_most:
                            return Answer(told.status, told.headers, body[:at_most], Rest.TOO_LONG)
                    return Answer(told.status, told.headers, body, Rest.READ)
        except NotAllowed as fault:
            raise NotReached(Fault.PRIVATE_NETWORK, str(fault)) from fault
        except (httpcore.NetworkError, httpcore.TimeoutException) as fault:
            if told is None:
                raise NotReached(Fault.UNREACHABLE, "it cannot be reached") from fault
            return Answer(told.status, told.headers, body, Rest.BROKEN)
        except (httpcore.ProtocolError, httpcore.UnsupportedProtocol, ValueError) as fault:
            if told is None:
                reason = "it does not speak HTTP as it should"
                raise NotReached(Fault.PROTOCOL, reason) from fault
            return Answer(told.status, told.headers, body, Rest.BROKEN)
        finally:
            self.under_way -= 1
        if told is None:
            raise _late(within)
        return Answer(told.status, told.headers, body, Rest.LATE)


def _late(within: float) -> NotReached:
    return NotReached(Fault.TIMEOUT, f"it did not answer within {within:g} s")
