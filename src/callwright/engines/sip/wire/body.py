"""Message bodies: the session description in them, alone or among other parts (RFC 5621).

Gateways to the telephone network send what they have been told there beside it: SIP-I and SIP-T
have the ISUP message as one part of a ``multipart/mixed`` (RFC 3204, RFC 3372). What it says stands
in SIP's own headers as well, and so we pass over it, even where it claims that it must be
understood (``handling=required``): the call can be served, and refusing it would help nobody.
"""

import binascii
import re
from collections.abc import Callable, Iterator, Mapping

from callwright.engines.sip.wire.address import NO_PARAMETERS, Malformed, Parameters, parse_params
from callwright.engines.sip.wire.message import COMPACT, Message, first

SDP = "application/sdp"
ACCEPTED = f"{SDP}, multipart/mixed"
"Types of body an INVITE, a re-INVITE and an UPDATE may have, for Accept."

PARTS_AT_MOST = 16
DEPTH_AT_MOST = 3
"Multiparts inside of each other."
HEADERS_AT_MOST = 4096
"Bytes of the headers of one part."

_FOLD = re.compile(r"\r?\n[ \t]+")
_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")
_DECODED_BY: Mapping[str, Callable[[bytes], bytes]] = {
    "base64": binascii.a2b_base64,
    "quoted-printable": binascii.a2b_qp,
}

PartHeaders = Mapping[str, str]
"The first value of each, by lower-case name."


def session_description(message: Message) -> bytes:
    """Return the SDP that a message brings for the session; empty if it brings none."""
    body = message.body
    if not body:
        return b""
    names = ("content-type", "content-disposition", "content-encoding")
    headers = {name: first(message, name) for name in names if name in message.headers}
    if "content-type" not in headers and body.startswith(b"v="):
        return body  # RFC 3261 20.15 wants a type; there are far ends that leave it out
    return _description(headers, body, 0)


def takes_body(message: Message) -> bool:
    """Whether a request's body is nothing that it would have to be refused for (RFC 3261 8.2.3)."""
    if not message.body or session_description(message):
        return True
    kind, _ = _value(first(message, "content-type"))
    _, how = _value(first(message, "content-disposition"))
    return kind.startswith("multipart/") or (how.get("handling") or "").lower() == "optional"


def _description(headers: PartHeaders, body: bytes, depth: int) -> bytes:
    kind, params = _value(headers.get("content-type", ""))
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        return b""
    if kind == SDP:
        # RFC 3959: media before the answer by a session of its own, which we do not have.
        disposition, _ = _value(headers.get("content-disposition", ""))
        return b"" if disposition == "early-session" else _decoded(headers, body)
    boundary = params.get("boundary")
    if not kind.startswith("multipart/") or not boundary or depth == DEPTH_AT_MOST:
        return b""
    found = (
        _description(part, content, depth + 1)
        for part, content in _parts(body, boundary.encode("utf-8", "surrogateescape"))
    )
    some = [one for one in found if one]
    if not some:
        return b""
    # RFC 2046 5.1.4: of alternatives, the last that is understood is the best.
    return some[-1] if kind == "multipart/alternative" else some[0]


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[PartHeaders, bytes]]:
    """Split a multipart; what stands before the first and after the last delimiter is no part."""
    delimiter = re.compile(rb"(?:^|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r?\n|$)")
    marks = list(delimiter.finditer(body))
    for place, mark in enumerate(marks[:PARTS_AT_MOST]):
        if mark[1] is not None:
            return
        end = marks[place + 1].start() if place + 1 < len(marks) else len(body)
        yield _part(body[mark.end() : end])


def _part(text: bytes) -> tuple[PartHeaders, bytes]:
    # The line of the delimiter ends here; another empty line says that there are no headers.
    blank = _END_OF_HEADERS.search(text, 0, HEADERS_AT_MOST)
    if blank is None:
        return {}, b""
    headers: dict[str, str] = {}
    lines = _FOLD.sub(" ", text[: blank.start()].decode("utf-8", "replace"))
    for line in lines.splitlines():
        name, colon, value = line.partition(":")
        name = name.strip().lower()
        if colon:
            headers.setdefault(COMPACT.get(name, name), value.strip())
    return headers, text[blank.end() :]


def _decoded(headers: PartHeaders, content: bytes) -> bytes:
    decode = _DECODED_BY.get(headers.get("content-transfer-encoding", "").strip().lower())
    if decode is None:
        return content
    try:
        return decode(content)
    except binascii.Error:
        return b""


def _value(text: str) -> tuple[str, Parameters]:
    """Read a type or a disposition: its word in small letters, and its parameters."""
    word, _, params = text.partition(";")
    try:
        return word.strip().lower(), parse_params(params)
    except Malformed:
        return word.strip().lower(), NO_PARAMETERS
