"""Security of the pages: headers that every answer has, and where a form may have come from.

A session is a cookie that scripts cannot read and that other sites' requests do not carry
(``HttpOnly; SameSite=Strict``). Against forged requests (CSRF) a change has to come from a page of
ours, as the browser says (``Sec-Fetch-Site``, or ``Origin``), and with a token made of the session.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "media-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"Content-Security-Policy: nothing but our own files, and no script or style within a page."

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": browsers would then hide the Origin of our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def secured(app: ASGIApp) -> ASGIApp:
    """Give every answer of ``app`` the headers above, and let no cache keep what names none."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await app(scope, receive, sent)

    return serve


def csrf_token(token: str) -> str:
    """What the forms of a session carry; it tells nothing of the session's own token."""
    return hmac.new(token.encode(), b"callwright console form", hashlib.sha256).hexdigest()


def is_csrf_token(sent: str, token: str) -> bool:
    return hmac.compare_digest(sent.encode(), csrf_token(token).encode())


def is_from_here(request: Request) -> bool:
    """Whether a page of ours has sent a form, as the browser says; who says nothing is a stranger.

    Behind a proxy the scheme may be another, so that hosts are compared.
    """
    if (site := request.headers.get("sec-fetch-site")) is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower() != ""
    except ValueError:
        return False
