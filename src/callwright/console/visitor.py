"""Visitor: who reads the console, by the session cookie, and how they want to have it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from callwright.console.security import csrf_token
from callwright.console.translations import LANGUAGES, Language, language, preferred
from callwright.directory.lookup import Access
from callwright.directory.model import Component
from callwright.methods.method import Caller
from callwright.rpc.auth import Client, caller_of, check_right
from callwright.rpc.client import client_of

SESSION: Final = "callwright_console"
LANGUAGE: Final = "callwright_language"
THEME: Final = "callwright_theme"
THEMES: Final = ("auto", "light", "dark")
KEPT_FOR: Final = 365 * 86_400
"Seconds that a choice of language and theme is kept."


@dataclass(frozen=True, slots=True)
class Taste:
    """How somebody wants to read."""

    language: Language
    theme: str


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who has signed in."""

    caller: Caller
    token: str
    "Of the API, as login.user has given it."
    client: Client
    taste: Taste

    @property
    def csrf(self) -> str:
        return csrf_token(self.token)


@dataclass(frozen=True, slots=True)
class Visitors:
    """Tells who has sent a request, and sets cookies. ``base``: the path the console is below."""

    access: Access
    proxies: Collection[IPv4Address | IPv6Address]
    clock: Callable[[], float]
    base: str
    secure: bool
    "Clients come over TLS, whatever the connection to us is."

    def client(self, request: Request) -> Client:
        # A token that a header brings is no session of the console's.
        return replace(client_of(request, self.proxies), bearers=())

    async def of(self, request: Request) -> Visitor | None:
        """Who it is; None: the session is over, or there is none.

        Raises `callwright.methods.api_error.ApiError` for those who may not come in any more.
        """
        token = request.cookies.get(SESSION)
        return await self.by_token(request, token) if token else None

    async def by_token(self, request: Request, token: str) -> Visitor:
        client = replace(self.client(request), bearers=(token,))
        caller = await caller_of(self.access, {}, client, self.clock)
        check_right(caller.user, caller.account, Component.BASIC)
        return Visitor(caller, token, self.client(request), taste_of(request))

    def begin(self, response: Response, token: str, expire_at: int) -> None:
        self._set(response, SESSION, token, max(0, int(expire_at - self.clock())))

    def end(self, response: Response) -> None:
        self._set(response, SESSION, "", 0)

    def prefer(self, response: Response, chosen: Mapping[str, str]) -> None:
        """Keep a choice of language and theme, as far as there is such a one."""
        if (code := chosen.get("language")) in LANGUAGES:
            self._set(response, LANGUAGE, str(code), KEPT_FOR)
        if (theme := chosen.get("theme")) in THEMES:
            self._set(response, THEME, str(theme), KEPT_FOR)

    def _set(self, response: Response, name: str, value: str, lasts: int) -> None:
        response.set_cookie(
            name,
            value,
            max_age=lasts,
            path=self.base,
            secure=self.secure,
            httponly=True,
            samesite="strict",
        )


def taste_of(request: Request) -> Taste:
    """By the cookies, else as the browser says."""
    code = request.cookies.get(LANGUAGE, "")
    if code not in LANGUAGES:
        code = preferred(request.headers.get("accept-language", ""))
    theme = request.cookies.get(THEME, "")
    return Taste(language(code), theme if theme in THEMES else THEMES[0])
