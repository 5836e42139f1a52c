"""Requests of those who come to our door, with digests computed by the book and not by our code."""

import hashlib
import itertools
import re
from collections.abc import Sequence

import sipmessage

from callwright.engines.sip.wire.hop import Hop, bracketed

SDP = (
    "v=0\r\no=guest 1 1 IN IP4 127.0.0.8\r\ns=-\r\nc=IN IP4 127.0.0.8\r\nt=0 0\r\n"
    "m=audio 7100 RTP/AVP 0 8 96\r\na=rtpmap:96 telephone-event/8000\r\n"
)
_COUNT = itertools.count(1)


def request(
    method: str,
    *,
    user: str = "101",
    to: str = "101",
    uri: str = "sip:callwright.test",
    source: Hop | None = None,
    contact: str | None = None,
    call_id: str = "",
    cseq: int = 1,
    branch: str = "",
    tag: str = "guest",
    extra: Sequence[str] = (),
    body: str = "",
) -> bytes:
    """A request as a phone or a carrier writes it; ``contact`` is the header's whole value."""
    host = f"{bracketed(source.host)}:{source.port}" if source else "127.0.0.1:6000"
    number = next(_COUNT)
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/UDP {host};rport;branch=z9hG4bK{branch or f'guest{number}'}",
        "Max-Forwards: 70",
        f"From: <sip:{user}@callwright.test>;tag={tag}",
        f"To: {to if '<' in to else f'<sip:{to}@callwright.test>'}",
        f"Call-ID: {call_id or f'guest-{number}'}",
        f"CSeq: {cseq} {method}",
        *extra,
    ]
    if contact is not None:
        lines.append(f"Contact: {contact}")
    if body:
        lines.append("Content-Type: application/sdp")
    lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def challenges(response: sipmessage.Response) -> dict[str, dict[str, str]]:
    """The parameters of each challenge in a 401, by its algorithm, in their order."""
    assert response.code == 401
    found: dict[str, dict[str, str]] = {}
    for line in response.headers.getlist("WWW-Authenticate"):
        params = dict(re.findall(r'(\w+)="?([^",]*)"?', line.removeprefix("Digest ")))
        found[params["algorithm"]] = params
    return found


def authorization(
    challenge: dict[str, str],
    *,
    method: str = "REGISTER",
    user: str = "101",
    password: str = "geheim-101",
    uri: str = "sip:callwright.test",
    nc: int = 1,
    qop: str = "auth",
) -> str:
    """The Authorization header that answers a challenge (RFC 7616 3.4.1)."""
    algorithm = challenge.get("algorithm", "MD5")

    def hashed(text: str) -> str:
        hash_of = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]
        return hash_of(text.encode()).hexdigest()

    realm, nonce = challenge["realm"], challenge["nonce"]
    one, two = hashed(f"{user}:{realm}:{password}"), hashed(f"{method}:{uri}")
    middle = f"{nonce}:{nc:08x}:cafe:{qop}" if qop else nonce
    words = [
        f'username="{user}"',
        f'realm="{realm}"',
        f'nonce="{nonce}"',
        f'uri="{uri}"',
        f'response="{hashed(f"{one}:{middle}:{two}")}"',
        f"algorithm={algorithm}",
    ]
    if qop:
        words += [f"qop={qop}", f"nc={nc:08x}", 'cnonce="cafe"']
    return f"Authorization: Digest {', '.join(words)}"
