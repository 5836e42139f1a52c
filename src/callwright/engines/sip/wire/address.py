"""SIP addresses: what a URI, a name-addr and a Via say.

Values are read leniently where real equipment is sloppy (white space, unquoted display names, host
names such as ``pbx1``) and refused where two readers could disagree. What is sent back to its
author is never rebuilt from these values but repeated byte for byte. All readers take linear time.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from types import MappingProxyType
from typing import TypeVar
from urllib.parse import quote, unquote

from callwright.engines.sip.wire.hop import Hop, Transport, is_address

Parameters = Mapping[str, str | None]
NO_PARAMETERS: Parameters = MappingProxyType({})

_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9_.])?|\[[0-9A-Fa-f:.]{2,45}\]")
_UNFIT = re.compile(r'[\s<>"]')
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,31}")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BREAKS = re.compile(r'"(?:[^"\\]|\\.)*"|<[^>]*>|,', re.DOTALL)
_PIECES = re.compile(r'"(?:[^"\\]|\\.)*"|;', re.DOTALL)
_VIA = re.compile(r"SIP\s*/\s*2\.0\s*/\s*([A-Za-z0-9.!%*_+`'~-]+)\s+([^\s;]+(?:\s*:\s*\d+)?)\s*")
_USER_SAFE = "-_.!~*'()&=+$,"


REMEMBERED, LONGEST = 1024, 256
"""How many values are remembered as they were read, and how many characters such a one may have.
From, To, Contact and Via of a call come again with every message of it."""

Read = TypeVar("Read")


def remembered(read: Callable[[str], Read]) -> Callable[[str], Read]:
    """Remember what a reader has made of values; what it refuses it reads again."""
    known = lru_cache(maxsize=REMEMBERED)(read)

    @wraps(read)
    def look_up(text: str) -> Read:
        return known(text) if len(text) <= LONGEST else read(text)

    return look_up


class Malformed(ValueError):
    """The words do not follow the grammar of RFC 3261 section 25. The text is a short reason."""


@dataclass(frozen=True, slots=True)
class Uri:
    """A SIP or SIPS URI; of any other scheme only the scheme is known, and the host is empty."""

    scheme: str
    user: str | None = None
    "User part as written, escapes and parameters (number portability puts some there) included."
    host: str = ""
    port: int | None = None
    params: Parameters = field(default_factory=dict)

    @property
    def hop(self) -> Hop:
        """Where a request to this URI goes (RFC 3263 4, without NAPTR: UDP unless said).

        Raises `Malformed` for a transport we do not have.
        """
        said = "tls" if self.scheme == "sips" else (self.params.get("transport") or "udp").lower()
        try:
            transport = Transport(said)
        except ValueError:
            raise Malformed("transport") from None
        host = (self.params.get("maddr") or self.host).strip("[]")
        if self.port is None and is_address(host):
            return Hop(host, transport.port, transport)
        return Hop(host, self.port, transport)


@dataclass(frozen=True, slots=True)
class NameAddr:
    """A name-addr or addr-spec as in From, To, Contact, Route."""

    uri: str
    "The URI as written; `parse_uri` reads it."
    params: Parameters = field(default_factory=dict)

    @property
    def tag(self) -> str | None:
        return self.params.get("tag")


@dataclass(frozen=True, slots=True)
class Via:
    """The hop a request has come over."""

    transport: str
    sent_by: str
    "Host, and port if given, as written."
    host: str
    port: int | None
    params: Parameters = field(default_factory=dict)

    @property
    def branch(self) -> str:
        return self.params.get("branch") or ""


@remembered
def parse_uri(text: str) -> Uri:
    """Read a URI. Raises `Malformed`."""
    scheme, colon, rest = text.partition(":")
    if _UNFIT.search(text):
        raise Malformed("URI with white space or quotes")
    if not colon or not _SCHEME.fullmatch(scheme):
        raise Malformed("URI without scheme")
    scheme = scheme.lower()
    if scheme not in ("sip", "sips"):
        return Uri(scheme)
    user, at, rest = rest.partition("@") if "@" in rest else (None, "", rest)
    if at and not user:
        raise Malformed("URI with an empty user")
    rest = rest.partition("?")[0]
    place, _, params = rest.partition(";")
    host, port = _host_and_port(place)
    return Uri(scheme, user, host, port, parse_params(params) if params else NO_PARAMETERS)


@remembered
def hop_of(uri: str) -> Hop:
    """Where a request to a URI goes, see `Uri.hop`. Raises `Malformed`."""
    return parse_uri(uri).hop


@remembered
def parse_name_addr(text: str) -> NameAddr:
    """Read a From, To, Contact or Route value. Raises `Malformed`.

    Without angle brackets every parameter is the header's, not the URI's (RFC 3261 section 20).
    """
    text = text.strip()
    name_end = 0
    if text.startswith('"'):
        quoted = _QUOTED.match(text)
        if quoted is None:
            raise Malformed("unbalanced quotes")
        name_end = quoted.end()
    opening = text.find("<", name_end)
    if opening < 0:
        if name_end:
            raise Malformed("display name without address")
        uri, _, params = text.partition(";")
        return NameAddr(uri.strip(), parse_params(params) if params else NO_PARAMETERS)
    if '"' in text[name_end:opening]:
        raise Malformed("unbalanced quotes")
    closing = text.find(">", opening)
    if closing < 0:
        raise Malformed("address without closing bracket")
    rest = text[closing + 1 :].lstrip()
    if rest and not rest.startswith(";"):
        raise Malformed("words after the address")
    params = rest[1:]
    return NameAddr(
        text[opening + 1 : closing].strip(), parse_params(params) if params else NO_PARAMETERS
    )


def display_name(text: str) -> str:
    """The display name of a From, To or identity value, without its quotes; empty if none."""
    text = text.lstrip()
    if (quoted := _QUOTED.match(text)) is not None:
        return quoted.group()[1:-1]
    name, bracket, _ = text.partition("<")
    return name.strip() if bracket else ""


@remembered
def parse_via(text: str) -> Via:
    """Read one Via value. Raises `Malformed`."""
    words = _VIA.match(text)
    if words is None:
        raise Malformed("Via")
    rest = text[words.end() :]
    if rest and not rest.startswith(";"):
        raise Malformed("Via")
    transport, sent_by = words.groups()
    host, port = _host_and_port(sent_by)
    return Via(transport.upper(), sent_by, host, port, parse_params(rest[1:]))


def with_parameter(value: str, parameter: str) -> str:
    """A header's value with one parameter more.

    Some end theirs with a ``;`` after which nothing comes: it is taken for the one that is due.
    """
    return value.rstrip("; \t") + ";" + parameter


def parse_params(text: str) -> Parameters:
    """Read ``name=value;name``; names become lower case, quotes around values are taken off.

    Raises `Malformed` on a name that is missing or twice there.
    """
    if not text or text.isspace():
        return NO_PARAMETERS
    params: dict[str, str | None] = {}
    for piece in text.split(";") if '"' not in text else _split(text, _PIECES, ";"):
        name, equals, value = piece.partition("=")
        name = name.strip().lower()
        if not name:
            raise Malformed("empty parameter")
        if name in params:
            raise Malformed("parameter twice")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1]
        params[name] = value if equals else None
    return params


def split_values(lines: list[str]) -> list[str]:
    """Split the lines of one header into its values, at commas outside quotes and brackets."""
    values: list[str] = []
    for line in lines:
        if "," in line:
            values += (value.strip() for value in _split(line, _BREAKS, ","))
        else:
            values.append(line)
    return values


def user_of(uri: str) -> str:
    """The number or name a SIP or tel URI is for, without its parameters; empty if it has none.

    Raises `Malformed`.
    """
    read = parse_uri(uri)
    user = uri.partition(":")[2] if read.scheme == "tel" else read.user or ""
    return unquote(user.partition(";")[0])


def escape_user(text: str) -> str:
    """Write a number or name as the user part of a URI; whatever may not stand there is escaped."""
    return quote(text, safe=_USER_SAFE)


def quoted(name: str) -> str:
    """Write a display name before an address; nothing for none (RFC 3261 section 25.1)."""
    if not name:
        return ""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" '


def _split(text: str, marks: re.Pattern[str], separator: str) -> list[str]:
    pieces: list[str] = []
    start = 0
    for mark in marks.finditer(text):
        if mark.group() == separator:
            pieces.append(text[start : mark.start()])
            start = mark.end()
    pieces.append(text[start:])
    return pieces


def _host_and_port(text: str) -> tuple[str, int | None]:
    text = text.strip()
    if text.endswith("]") or ":" not in text:
        host, port = text, ""
    else:
        host, _, port = text.rpartition(":")
        if not (port := port.strip()).isdecimal() or len(port) > 5:
            raise Malformed("port")
    host = host.strip()
    if not _HOST.fullmatch(host):
        raise Malformed("host")
    if port and not 0 < int(port) < 65536:
        raise Malformed("port")
    return host, int(port) if port else None
