"""Page *Now*: the board of live calls, kept up to date by server-sent events, and its buttons."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import anyio
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from callwright.console.api_access import ApiAccess, RefusedRequest
from callwright.console.board import Board, BoardReader, Person, Share, TooManyReaders, figures
from callwright.console.pages import Pages
from callwright.console.routes import PageRoute
from callwright.console.translations import language
from callwright.console.visitor import Visitor, Visitors
from callwright.methods.api_error import ApiError
from callwright.methods.call_queries import LIST_CALLS
from callwright.methods.control_calls import (
    HOLD_CALL,
    MUTE_LEG,
    RELEASE_CALL,
    UNHOLD_CALL,
    UNMUTE_LEG,
)
from callwright.methods.data.employees import GET_EMPLOYEES
from callwright.rpc.events import StreamTimings
from callwright.rpc.wire import Wire
from callwright.texts import N_

if TYPE_CHECKING:
    from callwright.rpc.envelope import Json

log = logging.getLogger(__name__)

BUTTONS = tuple(one.name for one in (HOLD_CALL, UNHOLD_CALL, RELEASE_CALL, MUTE_LEG, UNMUTE_LEG))
PEOPLE_AT_MOST = 100
ONE_MOMENT = N_("One moment, please.")
"What a contact hears who is put on hold from the board."
FAILED = {
    "call_session_not_found": N_("That call is over."),
    "leg_not_found": N_("That phone has left the call."),
    "invalid_state": N_("The call is in another state by now."),
    "limit_exceeded": N_("The account has used up its requests: come again in a minute."),
}
NOT_DONE = N_("That could not be done.")


@dataclass(frozen=True, slots=True)
class NowPage:
    """``prompts``: the language in which the service speaks on the line."""

    api: ApiAccess
    pages: Pages
    visitors: Visitors
    board: Board
    now: Callable[[], datetime]
    prompts: str
    pace: StreamTimings

    def routes(self) -> list[PageRoute]:
        return [
            PageRoute("/now", self.show),
            PageRoute("/now/events", self.events),
            PageRoute("/now/{session:number}/{method}", self.act, changes=True),
        ]

    async def show(self, request: Request, visitor: Visitor) -> Response:
        return await self._page(visitor, "")

    async def _page(self, visitor: Visitor, said: str) -> Response:
        self.api.check(visitor.caller, LIST_CALLS.name)
        share = self._share(visitor)
        calls = self.board.calls(share.account)
        facts = {
            **figures(calls),
            "calls": [Markup(self.board.call_html(share, call, visitor.csrf)) for call in calls],
            "people": await self._people(visitor),
            "replaces": False,
            "now": self.now(),
            "zone": visitor.caller.account.timezone,
            "said": said,
        }
        return self.pages.page("now.html", visitor, facts, here="now")

    def _share(self, visitor: Visitor) -> Share:
        may = frozenset(name for name in BUTTONS if self.api.may(visitor.caller, name))
        return Share(visitor.caller.account.id, visitor.taste.language, may)

    async def _people(self, visitor: Visitor) -> tuple[Person, ...]:
        if not self.api.may(visitor.caller, GET_EMPLOYEES.name):
            return ()
        asked: dict[str, Json] = {
            "limit": PEOPLE_AT_MOST,
            "fields": ["id", "full_name", "phone_numbers", "calls_available"],
            "sort": [{"field": "full_name"}],
        }
        found = await self.api.rows(visitor.caller, GET_EMPLOYEES.name, asked)
        return tuple(_person(row) for row in found.rows if row["calls_available"])

    async def act(self, request: Request, visitor: Visitor) -> Response:
        """Carry out a button's method, by a request of the API."""
        method, session = request.path_params["method"], request.path_params["session"]
        if method not in BUTTONS:
            return PlainTextResponse("There is no such button.\n", 404)
        params: dict[str, Json] = {"call_session_id": session}
        if method in (MUTE_LEG.name, UNMUTE_LEG.name):
            leg = request.state.form.get("leg", "")
            params["leg_id"] = int(leg) if leg.isascii() and leg.isdigit() and len(leg) < 17 else 0
        if method == HOLD_CALL.name:
            text = language(self.prompts).say(ONE_MOMENT)
            params["contact_message"] = {"type": "tts", "value": text}
        said = ""
        try:
            await self.api.ask(visitor.client, visitor.token, method, params)
        except RefusedRequest as refusal:
            said = FAILED.get(refusal.mnemonic, NOT_DONE)
        if "hx-request" in request.headers:
            told = Markup('<p id="said" role="alert" hx-swap-oob="true">{}</p>')
            return HTMLResponse(told.format(visitor.taste.language.say(said)))
        if said:
            return await self._page(visitor, visitor.taste.language.say(said))
        return RedirectResponse(f"{self.pages.base}/now", 303)

    async def events(self, request: Request, visitor: Visitor) -> Response:
        self.api.check(visitor.caller, LIST_CALLS.name)
        return _Stream(self, request, visitor, await self._people(visitor))

    async def stream(
        self, request: Request, visitor: Visitor, people: tuple[Person, ...], send: Send
    ) -> None:
        """Bring the board up to date until the reader leaves, or may look no longer."""
        with self.board.read(self._share(visitor), people) as reader:
            await send(_head())
            async with anyio.create_task_group() as tasks:

                async def ends(when: Callable[[], Awaitable[object]]) -> None:
                    await when()
                    tasks.cancel_scope.cancel()

                tasks.start_soon(ends, lambda: _gone(request.receive))
                tasks.start_soon(ends, Wire.of(request.scope).stopping.wait)
                tasks.start_soon(ends, lambda: self._signed_out(request, visitor))
                tasks.start_soon(ends, lambda: self._told_all(reader, send))
                tasks.start_soon(self._beats, send)

    async def _told_all(self, reader: BoardReader, send: Send) -> None:
        try:
            async with aclosing(self.board.changes(reader)) as changes:
                async for html in changes:
                    with anyio.fail_after(self.pace.send_within):
                        await send(_body(_message(html)))
        except TimeoutError:
            log.info("a reader of the board takes nothing, and is put out")

    async def _beats(self, send: Send) -> None:
        while True:
            await anyio.sleep(self.pace.heartbeat)
            await send(_body(b": \n\n"))

    async def _signed_out(self, request: Request, visitor: Visitor) -> None:
        while True:
            await anyio.sleep(self.pace.look_again)
            try:
                await self.visitors.by_token(request, visitor.token)
            except ApiError:
                return


class _Stream(Response):
    def __init__(
        self, page: NowPage, request: Request, visitor: Visitor, people: tuple[Person, ...]
    ) -> None:
        self._page = page
        self._request = request
        self._visitor = visitor
        self._people = people
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._page.stream(self._request, self._visitor, self._people, send)
        except TooManyReaders:
            answer = PlainTextResponse("Too many boards are open.\n", 429)
            await answer(scope, receive, send)


def _person(row: dict[str, Any]) -> Person:
    numbers = [str(phone["phone_number"]) for phone in row["phone_numbers"]]
    return Person(row["id"], row["full_name"], numbers[0] if numbers else "")


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _head() -> dict[str, Any]:
    headers = {
        b"content-type": b"text/event-stream; charset=utf-8",
        b"x-accel-buffering": b"no",
        b"connection": b"close",
    }
    return {"type": "http.response.start", "status": 200, "headers": [*headers.items()]}


def _body(content: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": content, "more_body": True}


def _message(html: str) -> bytes:
    """One event (HTML standard, section 9.2); other people's line ends are none of its lines."""
    lines = html.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "".join([*(f"data: {line}\n" for line in lines if line), "\n"]).encode(
        "utf-8", "replace"
    )
