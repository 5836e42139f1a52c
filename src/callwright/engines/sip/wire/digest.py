"""Digest authentication as it is written and computed, on either side (RFC 7616, RFC 8760).

Who proves himself by it is in `callwright.engines.sip.transaction.digest_client`, who checks it in
`callwright.engines.sip.admission.digest_server`.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from callwright.engines.sip.wire.address import Malformed

_SCHEME = re.compile(r"\s*Digest\s+", re.IGNORECASE)
_PARAMETER = re.compile(
    r'\s*([A-Za-z0-9.!%*_+`\'~-]{1,64})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))\s*(?:,|$)',
    re.DOTALL,
)

_HASHES: Mapping[str, Callable[[bytes], "hashlib._Hash"]] = {
    "md5": hashlib.md5,
    "sha-256": hashlib.sha256,
}


@dataclass(slots=True)
class Challenge:
    """What a server wants to see, and how often its nonce has been used."""

    realm: str
    nonce: str
    opaque: str | None
    algorithm: str
    "As the server wrote it; empty where it did not say, which means MD5."
    qop: str
    "``auth``, ``auth-int``, or empty for the way of RFC 2069."
    uses: int = 0

    @property
    def strength(self) -> int:
        return 1 if self.algorithm.lower().startswith("sha-256") else 0


def read_challenge(value: str) -> Challenge | None:
    """Read one WWW-Authenticate or Proxy-Authenticate value; None if we cannot answer it."""
    try:
        params = read_parameters(value)
    except Malformed:
        return None
    if "nonce" not in params or "realm" not in params:
        return None
    algorithm = params.get("algorithm", "")
    if algorithm.lower().removesuffix("-sess") not in ("", *_HASHES):
        return None
    offered = [word.strip().lower() for word in params.get("qop", "").split(",") if word.strip()]
    qop = next((word for word in ("auth", "auth-int") if word in offered), "")
    if offered and not qop:
        return None
    return Challenge(params["realm"], params["nonce"], params.get("opaque"), algorithm, qop)


def digest_response(
    challenge: Challenge,
    *,
    user: str,
    password: str,
    method: str,
    uri: str,
    body: bytes,
    cnonce: str,
    count: str,
) -> str:
    """Compute the response of RFC 7616 section 3.4.1.

    ``realm`` and ``nonce`` are taken with the backslashes they came with, as servers do.
    """
    algorithm = challenge.algorithm.lower()
    hash_of = _HASHES[algorithm.removesuffix("-sess") or "md5"]

    def hexed(text: str) -> str:
        return hash_of(text.encode("utf-8", "surrogateescape")).hexdigest()

    a1 = hexed(f"{user}:{challenge.realm}:{password}")
    if algorithm.endswith("-sess"):
        a1 = hexed(f"{a1}:{challenge.nonce}:{cnonce}")
    a2 = f"{method}:{uri}"
    if challenge.qop == "auth-int":
        a2 += f":{hash_of(body).hexdigest()}"
    if not challenge.qop:
        return hexed(f"{a1}:{challenge.nonce}:{hexed(a2)}")
    return hexed(f"{a1}:{challenge.nonce}:{count}:{cnonce}:{challenge.qop}:{hexed(a2)}")


def read_parameters(value: str) -> dict[str, str]:
    """Read what stands behind ``Digest``, by lower-case names. Raises `Malformed`.

    Backslashes in quoted values are left as they are.
    """
    scheme = _SCHEME.match(value)
    if scheme is None:
        raise Malformed("not of the Digest scheme")
    params: dict[str, str] = {}
    at = scheme.end()
    while at < len(value):
        found = _PARAMETER.match(value, at)
        if found is None:
            raise Malformed("challenge")
        name, quoted, token = found.groups()
        params.setdefault(name.lower(), quoted if quoted is not None else token)
        at = found.end()
    return params
