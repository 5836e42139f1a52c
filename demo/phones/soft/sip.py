"""SIP messages, as far as one phone needs them (RFC 3261)."""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

# RFC 3261 20 and 7.3.3.
COMPACT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
    "k": "supported",
}
SIZE_AT_MOST = 65535

REASONS = {
    100: "Trying",
    180: "Ringing",
    183: "Session Progress",
    200: "OK",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    503: "Service Unavailable",
    603: "Decline",
}

URI = re.compile(r"sips?:(?:(?P<user>[^@<>;]*)@)?(?P<host>[^:;>?\s]+)(?::(?P<port>\d{1,5}))?")


class Malformed(Exception):
    """The datagram is no SIP message."""


@dataclass(slots=True)
class Message:
    """A request (``method`` and ``uri``) or a response (``status``)."""

    method: str = ""
    uri: str = ""
    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    "Lower-case names in full form; a list in one line is one entry."
    body: str = ""

    def one(self, name: str) -> str:
        """Return the first header of that name. Raises `Malformed` if there is none."""
        for known, value in self.headers:
            if known == name:
                return value
        raise Malformed(f"no {name}")

    def all(self, name: str) -> list[str]:
        """Return the values of a header that may be a list, in order."""
        return [
            value.strip()
            for known, line in self.headers
            if known == name
            for value in re.split(r",(?![^<]*>)", line)
        ]

    @property
    def call_id(self) -> str:
        return self.one("call-id")

    @property
    def branch(self) -> str:
        return parameter(self.all("via")[0], "branch")

    @property
    def sequence(self) -> tuple[int, str]:
        """Number and method of CSeq."""
        number, _, method = self.one("cseq").partition(" ")
        if not number.isdecimal():
            raise Malformed("CSeq without a number")
        return int(number), method.strip()

    def text(self) -> bytes:
        if self.method:
            start = f"{self.method} {self.uri} SIP/2.0"
        else:
            start = f"SIP/2.0 {self.status} {REASONS.get(self.status, 'Unknown')}"
        body = self.body.encode()
        lines = [f"{name.title()}: {value}" for name, value in self.headers]
        head = "\r\n".join([start, *lines, f"Content-Length: {len(body)}", "", ""])
        return head.encode() + body


def parse(data: bytes) -> Message:
    """Read a datagram. Raises `Malformed`; the four headers every message needs are there."""
    if len(data) > SIZE_AT_MOST:
        raise Malformed("too long")
    head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
    start, *lines = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
    message = Message(body=body)
    match start.split(" ", 2):
        case ["SIP/2.0", status, *_] if status.isdecimal() and 100 <= int(status) <= 699:
            message.status = int(status)
        case [method, uri, "SIP/2.0"] if method.isalpha():
            message.method, message.uri = method, uri
        case _:
            raise Malformed(f"start line {start[:40]!r}")
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise Malformed(f"header {line[:40]!r}")
        known = name.strip().lower()
        if known != "content-length":
            message.headers.append((COMPACT.get(known, known), value.strip()))
    for needed in ("via", "from", "to", "call-id"):
        message.one(needed)
    _ = message.branch, message.sequence
    return message


def parameter(value: str, name: str) -> str:
    """Return a header parameter, empty if it is not there."""
    # Those inside <> belong to the URI.
    outside = re.sub(r"<[^>]*>", "", value)
    found = re.search(rf";\s*{name}\s*=\s*\"?([^;,\s\"]*)", outside, re.IGNORECASE)
    return found[1] if found else ""


def uri_of(value: str) -> str:
    """Return the URI of a From, To, Contact or Route value."""
    found = re.search(r"<([^>]*)>", value)
    return found[1] if found else value.partition(";")[0].strip()


def address_of(uri: str) -> tuple[str, int]:
    """Return where a URI with a numeric host is sent to. Raises `Malformed`."""
    found = URI.match(uri)
    if not found:
        raise Malformed(f"URI {uri[:60]!r}")
    return found["host"], int(found["port"] or 5060)


def user_of(uri: str) -> str:
    found = URI.search(uri)
    return (found["user"] or "") if found else ""


def response(
    request: Message,
    status: int,
    *,
    tag: str,
    headers: Iterable[tuple[str, str]] = (),
    body: str = "",
) -> Message:
    """Answer ``request`` (RFC 3261 8.2.6.2); ``tag`` goes to To if there is none."""
    copied = [
        (name, value)
        for name, value in request.headers
        if name in ("via", "from", "call-id", "cseq")
        or (name == "record-route" and 100 < status < 300)
    ]
    to = request.one("to")
    if status > 100 and not parameter(to, "tag"):
        to += f";tag={tag}"
    return Message(status=status, headers=[*copied, ("to", to), *headers], body=body)


def new_branch() -> str:
    return "z9hG4bK" + secrets.token_hex(8)


def new_tag() -> str:
    return secrets.token_hex(6)
