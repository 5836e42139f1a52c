"""Requests of outbound HTTP: a URL taken apart, and the bytes sent (RFC 9112 section 3)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
_TARGET = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class HttpOrigin:
    """Whom a connection leads to (RFC 9110 section 4.3.1)."""

    scheme: str
    "http or https."
    host: str
    "A name or an address, without brackets."
    port: int


@dataclass(frozen=True, slots=True)
class RequestUrl:
    origin: HttpOrigin
    start: bytes
    "The end of the request line, and Host."


@lru_cache(maxsize=128)
def taken_apart(url: str) -> RequestUrl:
    """Raises ValueError for what is no URL of HTTP, and for what cannot stand in a request."""
    parts = urlsplit(url)
    host = parts.hostname
    if parts.scheme not in _PORTS or not host:
        raise ValueError("no URL of HTTP")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not (_TARGET.fullmatch(target) and _TARGET.fullmatch(host)):
        raise ValueError("not in ASCII")
    origin = HttpOrigin(parts.scheme, host, parts.port or _PORTS[parts.scheme])
    named = f"[{host}]" if ":" in host else host
    if origin.port != _PORTS[origin.scheme]:
        named += f":{origin.port}"
    return RequestUrl(origin, f" {target} HTTP/1.1\r\nHost: {named}\r\n".encode())


def written(
    method: str, url: RequestUrl, headers: Iterable[tuple[bytes, bytes]], content: bytes
) -> bytes:
    """Write a request. ``headers``: without Host and Content-Length."""
    lines = b"".join(b"%b: %b\r\n" % header for header in headers)
    length = b"Content-Length: %d\r\n\r\n" % len(content)
    return method.encode() + url.start + lines + length + content
