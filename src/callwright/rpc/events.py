"""The stream of events over HTTP: ``GET /events`` as server-sent events, or as a WebSocket."""

import asyncio
import json
import logging
import math
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import anyio
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from callwright.config import HttpSettings
from callwright.directory.lookup import Access
from callwright.directory.model import Component
from callwright.methods.api_error import ApiError
from callwright.methods.errors import (
    AccountInactive,
    ComponentDisabled,
    Forbidden,
    IpNotWhitelisted,
)
from callwright.methods.method import Caller
from callwright.notify.stream import (
    EventStream,
    Gap,
    StreamedNotice,
    StreamOver,
    Subscription,
    TooManyStreams,
    TooSlow,
)
from callwright.rpc.auth import ACCESS_TOKEN, caller_of, check_right
from callwright.rpc.client import client_of
from callwright.rpc.event_query import BadQuery, EventQuery, read_query
from callwright.rpc.wire import Wire

log = logging.getLogger(__name__)

EVENTS_PATH = "/events"

AT_ONCE = 16
"Events that are told in one turn of the loop, beside the first."

RECONNECT_AFTER = 2000
"Milliseconds an EventSource waits before it comes back."


@dataclass(frozen=True, slots=True)
class StreamTimings:
    """How long things may take, in seconds."""

    heartbeat: float = 15.0
    "Between two comments of server-sent events; WebSockets have pings of their own."
    send_within: float = 30.0
    "A client that has taken nothing for so long is put out."
    look_again: float = 30.0
    "Between two looks at whether the token still opens the stream."
    goodbye_within: float = 10.0
    "For the last word; then the connection is cut."


UNHURRIED = StreamTimings(math.inf, math.inf, math.inf, math.inf)
"For where the loop's clock may jump: nothing is timed."


@dataclass(frozen=True, slots=True)
class End:
    """Why the service ends a stream. The codes are of WebSocket (RFC 6455 section 7.4)."""

    code: int
    reason: str


TOO_SLOW = End(4008, "too slow: come back with the last id")
BEGUN_ANEW = End(4009, "all begins anew, ids too: come back without one")
NO_ACCESS = End(4003, "the token does not open this stream any more")
STOPPING = End(1012, "the service is stopping: come back with the last id")
FAULT = End(1011, "a fault of the service: come back with the last id")

_FORBIDDING = (IpNotWhitelisted, AccountInactive, Forbidden, ComponentDisabled)

Say = Callable[[Mapping[str, Any]], Awaitable[None]]


class _Refused(Exception):
    """A stream is not begun; ``response`` says why."""

    def __init__(self, status: int, mnemonic: str, message: str, field: str | None = None) -> None:
        super().__init__(mnemonic)
        error = {"mnemonic": mnemonic, "message": message, "field": field}
        self.response = JSONResponse({"error": error}, status, {"Connection": "close"})


class EventEndpoint:
    """``GET /events``. ``clock`` gives seconds since 1970 (UTC)."""

    def __init__(
        self,
        stream: EventStream,
        access: Access,
        settings: HttpSettings,
        clock: Callable[[], float],
        pace: StreamTimings,
    ) -> None:
        self._stream = stream
        self._access = access
        self._settings = settings
        self._clock = clock
        self._pace = pace

    def routes(self) -> list[BaseRoute]:
        return [
            WebSocketRoute(EVENTS_PATH, self._socket),
            Route(EVENTS_PATH, self._server_sent, methods=["GET"]),
        ]

    async def _server_sent(self, request: Request) -> Response:
        if request.method != "GET":
            return PlainTextResponse("Method Not Allowed", 405, {"Allow": "GET"})
        return _ServerSent(self)

    async def _socket(self, socket: WebSocket) -> None:
        try:
            query, caller = await self._admitted(socket)
            with self._subscribed(query, caller) as subscription:
                await socket.accept()
                say = partial(_say_to_socket, socket)
                wire = Wire.of(socket.scope)
                end = await self.deliver(
                    socket, query, subscription, say, wire, partial(_until_closed, socket)
                )
                if end:
                    await self.part(wire, partial(socket.close, end.code, end.reason))
        except _Refused as refused:
            await socket.send_denial_response(refused.response)
        except WebSocketDisconnect:
            pass

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request with server-sent events (HTML standard, section 9.2)."""
        request = Request(scope, receive)
        try:
            query, caller = await self._admitted(request)
            with self._subscribed(query, caller) as subscription:
                await send(_head())
                say = partial(_say_by_lines, send)
                wire = Wire.of(scope)
                end = await self.deliver(
                    request, query, subscription, say, wire, partial(_until_gone, receive), send
                )
                if end:
                    closed = {"type": "stream.closed", "code": end.code, "reason": end.reason}
                    await self.part(wire, partial(_last_words, send, closed))
        except _Refused as refused:
            await refused.response(scope, receive, send)

    async def _admitted(self, request: HTTPConnection) -> tuple[EventQuery, Caller]:
        try:
            query = read_query(request)
        except BadQuery as fault:
            raise _Refused(400, "invalid_parameter_value", str(fault), fault.field) from fault
        try:
            return query, await self._caller(request, query)
        except ApiError as fault:
            address = client_of(request, self._settings.trusted_proxies).address
            log.info("events are refused: %s from %s", fault.mnemonic, address)
            status = 403 if isinstance(fault, _FORBIDDING) else 401
            raise _Refused(status, fault.mnemonic, str(fault), fault.field) from fault

    async def _caller(self, request: HTTPConnection, query: EventQuery) -> Caller:
        """Find out who listens, by the rules of every request. Raises `ApiError`."""
        params = {} if query.token is None else {ACCESS_TOKEN: query.token}
        client = client_of(request, self._settings.trusted_proxies)
        caller = await caller_of(self._access, params, client, self._clock)
        check_right(caller.user, caller.account, Component.BASIC)
        return caller

    @contextmanager
    def _subscribed(self, query: EventQuery, caller: Caller) -> "Iterator[Subscription]":
        account = caller.account.id
        try:
            listening = self._stream.subscribed(account, query.which, query.after)
            with listening as subscription:
                log.info("account %s listens to events", account)
                yield subscription
        except TooManyStreams as fault:
            raise _Refused(
                429, "too_many_streams", "There are as many streams as there may be."
            ) from fault
        log.info("account %s listens no more", account)

    async def deliver(
        self,
        request: HTTPConnection,
        query: EventQuery,
        subscription: Subscription,
        say: Say,
        wire: Wire,
        until_gone: Callable[[], Awaitable[None]],
        beat: Send | None = None,
    ) -> End | None:
        """Say everything there is to say; return why that has ended, None: the client has left."""
        pace, end = self._pace, None
        async with anyio.create_task_group() as tasks:

            def finish(why: End | None) -> None:
                nonlocal end
                if not tasks.cancel_scope.cancel_called:
                    end = why
                    tasks.cancel_scope.cancel()

            async def until_left() -> None:
                await until_gone()
                finish(None)

            async def until_stopping() -> None:
                await wire.stopping.wait()
                finish(STOPPING)

            async def while_allowed() -> None:
                while pace.look_again < math.inf:
                    await anyio.sleep(pace.look_again)
                    try:
                        await self._caller(request, query)
                    except ApiError:
                        finish(NO_ACCESS)

            async def heartbeats(beat: Send) -> None:
                while pace.heartbeat < math.inf:
                    await anyio.sleep(pace.heartbeat)
                    await beat(_body(b": \n\n"))

            tasks.start_soon(until_left)
            tasks.start_soon(until_stopping)
            tasks.start_soon(while_allowed)
            if beat:
                tasks.start_soon(heartbeats, beat)
            try:
                await self._say_all(subscription, query, say, wire.say_at_once)
            except (TooSlow, TimeoutError):
                finish(TOO_SLOW)
            except StreamOver:
                finish(BEGUN_ANEW)
            except WebSocketDisconnect:
                finish(None)
            except Exception:
                # As where a request is answered: whoever listens is told, and may come again.
                log.exception("a stream of events broke")
                finish(FAULT)
        return end

    async def _say_all(
        self,
        subscription: Subscription,
        query: EventQuery,
        say: Say,
        say_at_once: Callable[[Sequence[str]], bool],
    ) -> None:
        within = self._pace.send_within
        # Who goes on from somewhere knows the id to come back with.
        opened = {} if query.after is not None else {"id": str(subscription.began)}
        with anyio.fail_after(within):
            await say({**opened, "type": "stream.opened"})
        async with aclosing(subscription.notices()) as notices:
            async for item in notices:
                messages = [_shown(one) for one in (item, *subscription.others(AT_ONCE))]
                if not say_at_once([_json(message) for message in messages]):
                    for message in messages:
                        with anyio.fail_after(within):
                            await say(message)
                # Saying waits for nobody as long as the connection takes it all; others have
                # packets to send.
                await asyncio.sleep(0)

    async def part(self, wire: Wire, say_goodbye: Callable[[], Awaitable[None]]) -> None:
        """Say a last word, if the client takes it, and see that the connection ends."""
        with anyio.move_on_after(self._pace.goodbye_within) as patience:
            await say_goodbye()
        if patience.cancelled_caught:
            wire.cut()
        elif self._pace.goodbye_within < math.inf:
            wire.cut_after(self._pace.goodbye_within)


class _ServerSent(Response):
    def __init__(self, events: EventEndpoint) -> None:
        self._events = events
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._events.serve(scope, receive, send)


def _shown(item: StreamedNotice | Gap) -> dict[str, Any]:
    position = str(item.position)
    match item:
        case StreamedNotice(notice=notice):
            return {"id": position, **notice.as_json()}
        case Gap(reason=reason):
            return {"id": position, "type": "stream.gap", "reason": reason.value}


_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def _head() -> dict[str, Any]:
    headers = {
        b"content-type": b"text/event-stream; charset=utf-8",
        b"cache-control": b"no-store",
        # A proxy is not to keep events back until it has a bufferful of them.
        b"x-accel-buffering": b"no",
        # There is nothing but the token to let anybody in, and pages of any origin may have one.
        b"access-control-allow-origin": b"*",
        b"connection": b"close",
    }
    return {"type": "http.response.start", "status": 200, "headers": [*headers.items()]}


def _body(content: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.response.body", "body": content, "more_body": more}


def _lines(message: Mapping[str, Any]) -> bytes:
    """One event, as the standard writes it. JSON has no line ends in it."""
    place = f"id: {message['id']}\n" if "id" in message else ""
    retry = f"retry: {RECONNECT_AFTER}\n" if message["type"] == "stream.opened" else ""
    return f"{retry}{place}data: {_json(message)}\n\n".encode("utf-8", "replace")


async def _say_by_lines(send: Send, message: Mapping[str, Any]) -> None:
    await send(_body(_lines(message)))


async def _last_words(send: Send, message: Mapping[str, Any]) -> None:
    await send(_body(_lines(message), more=False))


async def _say_to_socket(socket: WebSocket, message: Mapping[str, Any]) -> None:
    await socket.send_text(_json(message))


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _until_closed(socket: WebSocket) -> None:
    """What the client says meanwhile is nobody's business."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
