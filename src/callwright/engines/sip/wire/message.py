"""SIP messages: from bytes to words, and from words to bytes.

Everything a datagram may contain ends here in a `SipRequest`, a `SipResponse` or `Malformed`;
nothing else is raised. Values of headers are kept as they were written, so that what must be
repeated to its author (Via, From, To, Record-Route) is repeated byte for byte.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache

from callwright.engines.sip.wire.address import (
    Malformed,
    NameAddr,
    Via,
    parse_name_addr,
    parse_via,
    split_values,
    with_parameter,
)
from callwright.engines.sip.wire.hop import Hop

MAX_MESSAGE = 64 * 1024
"Bytes of the largest message that is read."
MAX_LINES = 200
"Header lines, continuation lines included; nobody honest needs half as many."
MAX_LINE = 8 * 1024
"Bytes of the longest header line, its continuation lines counted apart."

# RFC 3261 section 7.3.3 and the IANA registry of header fields.
COMPACT = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}

# How the IANA registry spells header fields where capitals after each hyphen are not the custom.
# Case means nothing (RFC 3261 7.3.1), and yet there are phones that know only the RFCs' spelling.
_SPELLING = {
    name.lower(): name
    for name in (
        "AlertMsg-Error",
        "Call-ID",
        "Content-ID",
        "CSeq",
        "DC-Info",
        "MIME-Version",
        "Min-SE",
        "P-Associated-URI",
        "P-Called-Party-ID",
        "P-DCS-Billing-Info",
        "P-DCS-LAES",
        "P-DCS-OSPS",
        "P-DCS-Redirect",
        "P-DCS-Trace-Party-ID",
        "P-Refused-URI-List",
        "P-Visited-Network-ID",
        "Policy-ID",
        "RAck",
        "RSeq",
        "Remote-Party-ID",
        "Session-ID",
        "SIP-ETag",
        "SIP-If-Match",
        "User-to-User",
        "WWW-Authenticate",
    )
}

_FOLD = re.compile(r"[ \t]*\r\n[ \t]+")
_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]{1,1024}")
_CSEQ = re.compile(r"([0-9]{1,20})\s+([A-Za-z0-9.!%*_+`'~-]{1,128})")
_STATUS = re.compile(r"SIP/2\.0 ([1-6][0-9][0-9])(?: (.*))?", re.IGNORECASE)
_URI = re.compile(r'[^\s<>"]{1,4096}')

Headers = dict[str, list[str]]
"Values by lower-case name, in the order they came."


class _Headed:
    """What the headers of requests and responses say alike."""

    __slots__ = ()
    headers: Headers

    @property
    def call_id(self) -> str:
        return self.headers["call-id"][0]

    @property
    def cseq(self) -> int:
        return int(self.headers["cseq"][0].split(None, 1)[0])

    @property
    def to_tag(self) -> str | None:
        return parse_name_addr(self.headers["to"][0]).tag


@dataclass(slots=True)
class SipRequest(_Headed):
    method: str
    uri: str
    headers: Headers = field(default_factory=dict)
    body: bytes = b""

    @property
    def start_line(self) -> str:
        return f"{self.method} {self.uri} SIP/2.0"

    @property
    def from_tag(self) -> str | None:
        return parse_name_addr(self.headers["from"][0]).tag

    @property
    def via(self) -> Via:
        return parse_via(self.headers["via"][0])

    def __bytes__(self) -> bytes:
        return _encode(self.start_line, self.headers, self.body)


@dataclass(slots=True)
class SipResponse(_Headed):
    status: int
    reason: str
    headers: Headers = field(default_factory=dict)
    body: bytes = b""
    source: Hop | None = field(default=None, compare=False)
    "Where it has come from, if it has come in."

    @property
    def start_line(self) -> str:
        return f"SIP/2.0 {self.status} {self.reason}"

    @property
    def method(self) -> str:
        """Method of the request that is answered."""
        return self.headers["cseq"][0].split(None, 1)[1]

    @property
    def branch(self) -> str:
        return parse_via(self.headers["via"][0]).branch

    def __bytes__(self) -> bytes:
        return _encode(self.start_line, self.headers, self.body)


Message = SipRequest | SipResponse


def parse(data: bytes) -> Message:
    """Read one datagram. Raises `Malformed`, with a reason that is one of a few."""
    if len(data) > MAX_MESSAGE:
        raise Malformed("oversize")
    # RFC 3261 7.5: CRLF appearing before the start-line must be ignored.
    head, end, body = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
    if not end:
        raise Malformed("no end of headers")
    if head.count(b"\r\n") > MAX_LINES:
        raise Malformed("too many headers")
    if len(head) > MAX_LINE and max(map(len, head.split(b"\r\n"))) > MAX_LINE:
        raise Malformed("header line too long")
    text = head.decode("utf-8", "surrogateescape")
    if "\r\n " in text or "\r\n\t" in text:
        text = _FOLD.sub(" ", text)
    start_line, *lines = text.split("\r\n")
    # A lone CR or LF would end a line for some reader we repeat it to.
    if text.count("\r") != len(lines) or text.count("\n") != len(lines):
        raise Malformed("bare CR or LF")
    headers = _read_headers(lines)
    message = _read_start(start_line, headers)
    _check(message)
    message.body = _cut_body(headers, body)
    return message


def values(message: Message, name: str) -> list[str]:
    """All values of a header whose grammar is a comma-separated list."""
    return split_values(message.headers.get(name, []))


def tokens(message: Message, name: str) -> frozenset[str]:
    """The values of a list of tokens such as Supported or Require, in lower case."""
    return frozenset(value.strip().lower() for value in values(message, name) if value.strip())


def first(message: Message, name: str) -> str:
    """The first line of a header, or an empty string."""
    lines = message.headers.get(name)
    return lines[0] if lines else ""


def content_type(message: Message) -> str:
    """Type and subtype of the body in lower case, without parameters."""
    return first(message, "content-type").partition(";")[0].strip().lower()


def contact(message: Message) -> NameAddr | None:
    """The first Contact. Raises `Malformed`."""
    lines = values(message, "contact")
    return parse_name_addr(lines[0]) if lines else None


def add_body(message: Message, kind: str, body: bytes) -> None:
    message.headers["content-type"] = [kind]
    message.body = body


def answer_to(
    request: SipRequest, status: int, reason: str, *, tag: str = "", extra: Headers | None = None
) -> SipResponse:
    """Make a response as RFC 3261 8.2.6.2 builds it.

    ``tag`` goes into To where the request had none.
    """
    to = request.headers["to"][0]
    if tag and parse_name_addr(to).tag is None:
        to = with_parameter(to, f"tag={tag}")
    headers: Headers = {
        "via": request.headers["via"],
        "from": request.headers["from"],
        "to": [to],
        "call-id": request.headers["call-id"],
        "cseq": request.headers["cseq"],
    }
    if extra:
        headers.update(extra)
    return SipResponse(status, reason, headers)


def below_via(data: bytes, request: SipRequest) -> bytes:
    """Write a request that has been written without Via once more, with its Via."""
    start_line, _, rest = data.partition(b"\r\n")
    via = request.headers["via"][0].encode()
    return b"%b\r\nVia: %b\r\n%b" % (start_line, via, rest)


def stamp_source(request: SipRequest, source: Hop) -> None:
    """Note in the top Via where the request came from (RFC 3261 18.2.1, RFC 3581 section 4)."""
    via = request.via
    lines = request.headers["via"]
    if "rport" in via.params:
        rport = f";rport={source.port}"
        lines[0] = re.sub(r";\s*rport\s*(=[^;]*)?(?=;|\s|$)", rport, lines[0], count=1)
    other = via.host.strip("[]") != source.host
    if ("rport" in via.params or other) and "received" not in via.params:
        lines[0] = with_parameter(lines[0], f"received={source.host}")


def where_answers_go(request: SipRequest, source: Hop) -> Hop:
    """Where the response goes: back, or to the port its sender named (RFC 3261 18.2.2, RFC 3581).

    Over a connection it goes back as long as that is up; the port is for when it is not.
    """
    via = request.via
    if "rport" in via.params and not source.transport.reliable:
        return source
    return replace(source, port=via.port or source.transport.port)


def _read_headers(lines: Iterable[str]) -> Headers:
    headers: Headers = {}
    for line in lines:
        written, colon, value = line.partition(":")
        name = written.rstrip(" \t").lower()
        name = COMPACT.get(name, name)
        if not colon or (name not in headers and not _TOKEN.fullmatch(name)):
            raise Malformed("header line")
        headers.setdefault(name, []).append(value.strip(" \t"))
    if "via" in headers and any("," in line for line in headers["via"]):
        headers["via"] = split_values(headers["via"])
    return headers


def _read_start(line: str, headers: Headers) -> Message:
    if line[:4].upper() == "SIP/":
        status = _STATUS.fullmatch(line)
        if status is None:
            raise Malformed("status line")
        return SipResponse(int(status[1]), status[2] or "", headers)
    words = line.split(" ")
    if len(words) != 3 or not _TOKEN.fullmatch(words[0]) or not _URI.fullmatch(words[1]):
        raise Malformed("request line")
    if words[2].upper() != "SIP/2.0":
        raise Malformed("version")
    return SipRequest(words[0], words[1], headers)


def _check(message: Message) -> None:
    """Refuse what lacks, or doubles, one of the headers every message needs (RFC 3261 8.1.1)."""
    headers = message.headers
    for name in ("from", "to", "call-id", "cseq"):
        if len(headers.get(name, ())) != 1:
            raise Malformed(f"{name} not exactly once")
    if not headers.get("via"):
        raise Malformed("no via")
    for name in ("content-length", "max-forwards", "content-type"):
        if len(headers.get(name, ())) > 1:
            raise Malformed(f"{name} more than once")
    if not headers["call-id"][0]:
        raise Malformed("call-id empty")
    cseq = _CSEQ.fullmatch(headers["cseq"][0])
    if cseq is None or int(cseq[1]) >= 2**31:
        raise Malformed("cseq")
    if isinstance(message, SipRequest) and cseq[2] != message.method:
        raise Malformed("cseq of another method")
    for via in headers["via"]:
        if not via:
            raise Malformed("Via")
    parse_via(headers["via"][0])
    for name in ("from", "to"):
        if not parse_name_addr(headers[name][0]).uri:
            raise Malformed(f"{name} empty")


def _cut_body(headers: Headers, body: bytes) -> bytes:
    """Cut what lies beyond Content-Length (RFC 3261 18.3); without it the datagram is the body."""
    given = headers.get("content-length")
    if given is None:
        return body
    if not (given[0].isascii() and given[0].isdecimal()) or len(given[0]) > 6:
        raise Malformed("content-length")
    if (length := int(given[0])) > len(body):
        raise Malformed("body cut short")
    return body[:length]


def _encode(start_line: str, headers: Headers, body: bytes) -> bytes:
    lines = [start_line]
    for name, given in headers.items():
        if name != "content-length":
            spelled = _spelled(name)
            lines += [f"{spelled}: {value}" for value in given]
    lines.append(f"Content-Length: {len(body)}")
    text = "\r\n".join(lines)
    # What was asked for over the API must never become a header of its own.
    if text.count("\n") != len(lines) - 1:
        raise ValueError("a header value contains a line break")
    return text.encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


@cache
def _spelled(name: str) -> str:
    """Give a header name its usual capitals; only our own few names are ever written."""
    return _SPELLING.get(name) or name.title()
