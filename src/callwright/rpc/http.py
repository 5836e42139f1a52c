"""The API over HTTP: ``POST /v4.0`` and the pages beside it.

Every JSON-RPC outcome is HTTP 200: deployed clients throw on anything else before they read the
body. Other statuses are for what is not JSON-RPC: 404, 405, 413 over the body limit, 408 for a body
that does not come.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from importlib.metadata import version
from typing import TypeAlias

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from callwright.config import HttpSettings
from callwright.rpc.client import client_of
from callwright.rpc.dispatch import Dispatcher
from callwright.rpc.openrpc import Schema, describe
from callwright.rpc.turns import Turns

API_PATH = "/v4.0"
DATA_PATH = "/v2.0"
DATA_TITLE = "Callwright Data API"

# Seconds a client has to send the body of one request.
BODY_WITHIN = 10.0
# Bytes of too long a body that are still taken: a client that is cut off in the middle of sending
# may see its connection reset instead of the answer (RFC 9112 section 9.6).
LISTENED_TO = 1 << 20
# The charset is for clients that fall back to Latin-1 without one.
_JSON = b"application/json; charset=utf-8"

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


def build_http(
    dispatcher: Dispatcher,
    settings: HttpSettings,
    serving: Callable[[], bool],
    more: Iterable[BaseRoute] = (),
    *,
    data: Dispatcher | None = None,
    fault: Callable[[], str | None] = lambda: None,
    body_within: float = BODY_WITHIN,
    url: str = "http://127.0.0.1:8080",
) -> ASGIApp:
    """Return the ASGI application. ``serving`` is false while no call can be started: draining.

    ``fault`` tells, for people, why none can be although it should.
    ``data``: the Data API, if there is one; it is served beside the other. ``more``: pages beside
    those of JSON-RPC. ``url``: where clients reach all of it, for its descriptions.

    Serve it without uvicorn's ``proxy_headers``, which believes X-Forwarded-For of whoever calls
    from loopback, and over `connection.Connection`, which bounds what comes before the body.
    """
    release = version("callwright")
    # One after the other, each in a turn of the event loop of its own: audio must not wait until
    # all the requests are served that have come at the same moment.
    turns = Turns()

    def calls(dispatcher: Dispatcher) -> Endpoint:
        async def call(request: Request) -> Response:
            try:
                with anyio.fail_after(body_within):
                    body = await _body(request, settings.body_limit)
            except TimeoutError:
                return _refuse(408, "The request body did not come in time.")
            except ClientDisconnect:
                return _refuse(400, "The client is gone.")
            if body is None:
                return _refuse(413, f"A request body may have {settings.body_limit} bytes.")
            await turns.take()
            client = client_of(request, settings.trusted_proxies)
            return _Answer(await dispatcher.respond(body, client))

        return call

    def describes(description: Callable[[], Schema]) -> Endpoint:
        # Made when it is first asked for: it takes a tenth of a second, and hardly anybody asks.
        made: list[bytes] = []

        async def openrpc(request: Request) -> Response:
            if not made:
                made.append(
                    await anyio.to_thread.run_sync(lambda: bytes(JSONResponse(description()).body))
                )
            return Response(made[0], media_type="application/json")

        return openrpc

    async def health(request: Request) -> Response:
        status, code = ("ok", 200) if serving() else ("draining", 503)
        if code == 200 and (reason := fault()) is not None:
            told = {"status": "failing", "fault": reason, "version": release}
            return JSONResponse(told, 503)
        return JSONResponse({"status": status, "version": release}, code)

    listed = dispatcher.methods.values()
    of_calls = partial(describe, listed, version=release, url=f"{url}{API_PATH}")
    routes: list[BaseRoute] = [
        *more,
        Route(API_PATH, calls(dispatcher), methods=["POST"]),
        Route("/health", health, methods=["GET"]),
        Route("/openrpc.json", describes(of_calls), methods=["GET"]),
    ]
    if data:
        of_data = partial(
            describe,
            data.methods.values(),
            version=release,
            title=DATA_TITLE,
            url=f"{url}{DATA_PATH}",
        )
        routes += [
            Route(DATA_PATH, calls(data), methods=["POST"]),
            Route(f"{DATA_PATH}/openrpc.json", describes(of_data), methods=["GET"]),
        ]
    app = Starlette(routes=routes)
    # A client that is sent elsewhere throws, too.
    app.router.redirect_slashes = False
    posted = {API_PATH: calls(dispatcher)}
    if data:
        posted[DATA_PATH] = calls(data)
    return _short_cut(posted, app)


def _short_cut(posted: Mapping[str, Endpoint], pages: ASGIApp) -> ASGIApp:
    """Serve what is asked for all day past routing and middleware, which take longer than it."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in posted:
            response = await posted[scope["path"]](Request(scope, receive))
            await response(scope, receive, send)
        else:
            await pages(scope, receive, send)

    return serve


async def _body(request: Request, limit: int) -> bytes | None:
    """Read the body; None for one longer than ``limit`` bytes."""
    announced = request.headers.get("content-length", "")
    too_long = announced.isdecimal() and int(announced[:20]) > limit
    if too_long and "expect" in request.headers:
        # This client waits for our word before it sends; reading would give it.
        return None
    body, length = bytearray(), 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > LISTENED_TO:
            break
        if length <= limit:
            body += chunk
    return None if too_long or length > limit else bytes(body)


class _Answer(Response):
    """An answer of JSON-RPC; what does not differ from one to the next is not made anew."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"%d" % len(self.body)), (b"content-type", _JSON)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def _refuse(status: int, reason: str) -> Response:
    # What is left of the body is not worth reading.
    return PlainTextResponse(reason + "\n", status, {"Connection": "close"})
