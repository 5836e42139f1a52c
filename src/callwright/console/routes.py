"""Routes of the console: which page is where, who may see it, and what every request is put to."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from callwright.console.forms import BadForm, read_form
from callwright.console.pages import Pages
from callwright.console.security import is_csrf_token, is_from_here, secured
from callwright.console.sign_in import SignIn
from callwright.console.visitor import Visitor, Visitors, taste_of
from callwright.methods import errors
from callwright.methods.api_error import ApiError
from callwright.texts import N_

log = logging.getLogger(__name__)

PATH = "/console"

Serve: TypeAlias = Callable[[Request, Visitor], Awaitable[Response]]

CSRF, CSRF_HEADER = "csrf", "x-csrf-token"

SESSION_OVER = (
    errors.AccessTokenInvalid,
    errors.AccessTokenExpired,
    errors.AccessTokenBlocked,
)
NOT_ALLOWED = (
    errors.Forbidden,
    errors.ComponentDisabled,
    errors.MethodComponentDisabled,
    errors.AccountInactive,
    errors.IpNotWhitelisted,
)
NO_PAGE = N_("There is no such page.")
NO_RIGHT = N_("Your user has no right to see this.")
REFUSED = N_("That cannot be shown.")
BROKEN = N_("The console has failed here. The service's log says why.")
STRANGE = N_("The form did not come from a page of this session: load the page again.")


@dataclass(frozen=True, slots=True)
class PageRoute:
    """A page. One that changes something is posted to, by a form of ours."""

    path: str
    serve: Serve
    changes: bool = False


class Console:
    """The console as an application. What is missing of rights is said, and never shown."""

    def __init__(self, pages: Pages, visitors: Visitors, sign_in: SignIn) -> None:
        self._pages = pages
        self._visitors = visitors
        self._sign_in = sign_in

    def routes(self, shown: Sequence[PageRoute]) -> list[BaseRoute]:
        """``shown``: the pages for those who have signed in; the first is where they begin."""
        pages: list[BaseRoute] = [
            Route("/static/{digest}/{name}", self._pages.static.serve, methods=["GET"]),
            Route("/sign-in", self._sign_in.show, methods=["GET"]),
            Route("/sign-in", self._sign_in.sign_in, methods=["POST"]),
            Route("/preferences", self._sign_in.prefer, methods=["POST"]),
            self._route(PageRoute("/sign-out", self._sign_in.sign_out, changes=True)),
            *(self._route(one) for one in shown),
        ]
        app = Starlette(
            routes=pages,
            exception_handlers={HTTPException: self._http_error, Exception: self._broken},
        )
        app.router.redirect_slashes = False
        first = f"{self._pages.base}{shown[0].path}"

        async def begin(request: Request) -> Response:
            return RedirectResponse(first, 303)

        return [
            Route(PATH, begin, methods=["GET"]),
            Route(f"{PATH}/", begin, methods=["GET"]),
            Mount(PATH, secured(app)),
        ]

    def _route(self, page: PageRoute) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                visitor = await self._visitors.of(request)
            except SESSION_OVER:
                visitor = None
            except ApiError:
                return self._told(request, NO_RIGHT, 403)
            if visitor is None:
                return self._sign_in.led_to(request)
            if page.changes and not await _is_own_form(request, visitor):
                return self._told(request, STRANGE, 403)
            try:
                return await page.serve(request, visitor)
            except NOT_ALLOWED:
                return self._told(request, NO_RIGHT, 403)
            except (errors.CallSessionNotFound, errors.EntityNotFound):
                return self._told(request, NO_PAGE, 404)
            except ApiError:
                return self._told(request, REFUSED, 400)

        return Route(page.path, endpoint, methods=["POST" if page.changes else "GET"])

    def _told(self, request: Request, text: str, status: int) -> Response:
        facts = {"text": text, "status": status}
        return self._pages.open_page("told.html", taste_of(request), facts, status)

    async def _http_error(self, request: Request, fault: Exception) -> Response:
        status = fault.status_code if isinstance(fault, HTTPException) else 500
        return self._told(request, NO_PAGE if status == 404 else REFUSED, status)

    async def _broken(self, request: Request, fault: Exception) -> Response:
        return self._told(request, BROKEN, 500)


async def _is_own_form(request: Request, visitor: Visitor) -> bool:
    """Whether a change was asked for by a page of this session (against CSRF)."""
    if not is_from_here(request):
        return False
    try:
        form = await read_form(request)
    except BadForm:
        return False
    request.state.form = form
    sent = form.get(CSRF) or request.headers.get(CSRF_HEADER, "")
    return is_csrf_token(sent, visitor.token)


def console_base(public_url: str) -> str:
    """The path of the console as clients see it, who may reach the service below another path."""
    return f"{urlsplit(public_url).path.rstrip('/')}{PATH}"
