"""Signing in and out: by the API's own log-in, so that guesses at passwords count together."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from callwright.console.api_access import ApiAccess, RefusedRequest
from callwright.console.forms import BadForm, read_form
from callwright.console.pages import Pages
from callwright.console.security import is_from_here
from callwright.console.visitor import SESSION, Visitor, Visitors, taste_of
from callwright.texts import N_

Serve = Callable[[Request], Awaitable[Response]]

REFUSED = {
    "auth_error": N_("Login or password is wrong, or there were too many tries: wait a minute."),
    "ip_not_whitelisted": N_("This user may not come from your network."),
    "forbidden": N_("This user is switched off."),
    "account_inactive": N_("The account is switched off."),
    "component_disabled": N_("This user may not use the API, and so not the console."),
    "limit_exceeded": N_("The account has used up its requests: come again in a minute."),
}
OTHERWISE = N_("That did not work. The service's log says why.")
STRANGE = N_("The form did not come from this page: load it again.")


@dataclass(frozen=True, slots=True)
class SignIn:
    api: ApiAccess
    pages: Pages
    visitors: Visitors

    async def show(self, request: Request) -> Response:
        return self._page(request, self._next(request.query_params.get("next", "")))

    async def sign_in(self, request: Request) -> Response:
        if not is_from_here(request):
            return self._page(request, "", STRANGE, status=403)
        try:
            sent = await read_form(request)
        except BadForm:
            return self._page(request, "", STRANGE, status=400)
        onwards = self._next(sent.get("next", ""))
        params = {"login": sent.get("login", ""), "password": sent.get("password", "")}
        try:
            given = await self.api.ask(
                self.visitors.client(request), None, "login.user", {**params}
            )
        except RefusedRequest as refusal:
            fault = REFUSED.get(refusal.mnemonic, OTHERWISE)
            if refusal.mnemonic in ("invalid_parameter_value", "required_parameter_missed"):
                fault = REFUSED["auth_error"]
            return self._page(request, onwards, fault, params["login"], status=401)
        response = RedirectResponse(onwards or f"{self.pages.base}/now", 303)
        self.visitors.begin(response, given["access_token"], given["expire_at"])
        return response

    async def sign_out(self, request: Request, visitor: Visitor) -> Response:
        await self.api.ask(visitor.client, visitor.token, "logout.user", {})
        response = RedirectResponse(f"{self.pages.base}/sign-in", 303)
        self.visitors.end(response)
        return response

    async def prefer(self, request: Request) -> Response:
        """Keep a choice of language and theme, of whoever it is, and go back."""
        if not is_from_here(request):
            return Response(status_code=403)
        try:
            sent = await read_form(request)
        except BadForm:
            return Response(status_code=400)
        back = self._next(urlsplit(request.headers.get("referer", "")).path)
        response = RedirectResponse(back or self.pages.base, 303)
        self.visitors.prefer(response, sent)
        return response

    def led_to(self, request: Request) -> Response:
        """Send somebody to sign in who has not, or whose session is over, and then back here."""
        path = self._next(request.url.path) if request.method == "GET" else ""
        where = f"{self.pages.base}/sign-in" + (f"?next={path}" if path else "")
        # A piece of a page is no place for a form: htmx loads the whole page.
        if "hx-request" in request.headers:
            response = Response(status_code=204, headers={"HX-Redirect": where})
        else:
            response = RedirectResponse(where, 303)
        if SESSION in request.cookies:
            self.visitors.end(response)
        return response

    def _next(self, path: str) -> str:
        """A path of a page of ours; empty for any other."""
        below = re.escape(self.pages.base)
        return path if re.fullmatch(rf"{below}(/[a-z0-9-]{{1,40}}){{1,4}}", path) else ""

    def _page(
        self, request: Request, onwards: str, fault: str = "", login: str = "", status: int = 200
    ) -> Response:
        facts = {"next": onwards, "fault": fault, "login": login}
        return self.pages.open_page("sign_in.html", taste_of(request), facts, status)
