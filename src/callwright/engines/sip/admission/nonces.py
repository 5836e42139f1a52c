"""Nonces: what a challenge is told by, without remembering whom we have challenged.

A nonce carries when it was made and is signed for the address it went to, so strangers cost no
memory, however many they are. Only one that has been answered rightly is remembered, by the count
it was last used with (RFC 7616 section 3.3, nc), so that no answer counts twice.
"""

import hmac
import secrets
from collections import OrderedDict
from enum import Enum, auto

LASTS = 600.0
"Seconds a nonce may be used."
REMEMBERED_AT_MOST = 20_000

_SIGNED = 32
"Hexadecimal digits of the signature."


class Freshness(Enum):
    FRESH = auto()
    STALE = auto()
    "It was ours, for this address, and its time is over."
    FOREIGN = auto()
    "We have not given it to this address."


class Nonces:
    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._used: OrderedDict[str, int] = OrderedDict()
        "The highest count each was used with, the oldest use first."
        self._floor = -1.0
        "Nonces made by then may have been used and forgotten."

    def make(self, address: str, now: float) -> str:
        """A new nonce for a challenge that goes to ``address``."""
        made = f"{int(now * 1000):012x}{secrets.token_hex(6)}"
        return made + self._sign(made, address)

    def look(self, nonce: str, address: str, now: float) -> Freshness:
        """Tell what a nonce that comes from ``address`` is worth."""
        made, signed = nonce[:-_SIGNED], nonce[-_SIGNED:]
        genuine = hmac.compare_digest(
            signed.encode("utf-8", "replace"), self._sign(made, address).encode()
        )
        if not genuine:
            return Freshness.FOREIGN
        at = int(made[:12], 16) / 1000
        forgotten = nonce not in self._used and at <= self._floor
        return Freshness.STALE if now - at > LASTS or forgotten else Freshness.FRESH

    def use(self, nonce: str, count: int) -> bool:
        """Note that a fresh nonce was answered rightly; False if that count was used before."""
        if count <= self._used.get(nonce, 0):
            return False
        self._used[nonce] = count
        self._used.move_to_end(nonce)
        if len(self._used) > REMEMBERED_AT_MOST:
            forgotten, _ = self._used.popitem(last=False)
            self._floor = max(self._floor, int(forgotten[:12], 16) / 1000)
        return True

    def __len__(self) -> int:
        return len(self._used)

    def _sign(self, made: str, address: str) -> str:
        text = f"{made} {address}".encode("utf-8", "replace")
        return hmac.digest(self._secret, text, "sha256").hex()[:_SIGNED]
