"""SDES keys for SRTP: what a=crypto in SDP says, and what we say by it (RFC 4568)."""

import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from callwright.engines.media.media import SrtpKeys, SrtpSuite

_KEY_BYTES = 30
"Master key of 128 bits and master salt of 112, the same in both suites (RFC 4568 section 6.2)."
_SUITES = frozenset(map(str, SrtpSuite))
_PACKETS_AT_LEAST = 1 << 20
"A key that may not protect five hours of packets might have to be changed in mid-call."

_CRYPTO = re.compile(
    r"crypto:(?P<tag>[0-9]{1,9}) +(?P<suite>[A-Za-z0-9_]{1,64})"
    r" +inline:(?P<key>[A-Za-z0-9+/]{40})"
    r"(?:\|(?:2\^(?P<power>[0-9]{1,2})|(?P<packets>[0-9]{1,15})))?"
    # A window size is but a hint (section 6.3.7). Any other parameter, a second key, or a key with
    # an identifier in each packet asks for what we do not do: such a line does not match.
    r"(?: +WSH=[0-9]{1,4})?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Crypto:
    """One a=crypto line that we can work with."""

    tag: str
    suite: SrtpSuite
    key: bytes = field(repr=False)
    "Master key and salt of whoever says it: what it sends is protected by them."

    @property
    def line(self) -> str:
        return f"a=crypto:{self.tag} {self.suite} inline:{b64encode(self.key).decode()}"


def parse_crypto(value: str) -> Crypto | None:
    """Read the value of an a= line; None if it is no key, or one that we cannot work with."""
    found = _CRYPTO.fullmatch(value)
    if found is None or found["suite"].upper() not in _SUITES:
        return None
    if found["power"] or found["packets"]:
        packets = 1 << int(found["power"]) if found["power"] else int(found["packets"])
        if packets < _PACKETS_AT_LEAST:
            return None
    return Crypto(found["tag"], SrtpSuite(found["suite"].upper()), b64decode(found["key"]))


class OurKeys:
    """Our side's keys of one leg: one for each suite, the same as long as the leg lives.

    To say a new key in a later offer would mean to begin another cipher in mid-stream.
    """

    def __init__(self) -> None:
        self._keys: Mapping[SrtpSuite, bytes] = {
            suite: secrets.token_bytes(_KEY_BYTES) for suite in SrtpSuite
        }

    def offer(self) -> list[Crypto]:
        return [
            Crypto(str(tag), suite, key) for tag, (suite, key) in enumerate(self._keys.items(), 1)
        ]

    def answer(self, offered: Sequence[Crypto]) -> tuple[Crypto, SrtpKeys]:
        """Choose the first of the far end's lines; return ours in answer, and what is agreed."""
        theirs = offered[0]
        ours = self._keys[theirs.suite]
        return Crypto(theirs.tag, theirs.suite, ours), SrtpKeys(theirs.suite, ours, theirs.key)


def agreed_by(ours: Sequence[Crypto], answer: Sequence[Crypto]) -> SrtpKeys | None:
    """Find what the far end's answer to our lines has agreed on; None if it answers none."""
    keys = {(one.tag, one.suite): one.key for one in ours}
    for theirs in answer:
        key = keys.get((theirs.tag, theirs.suite))
        if key is not None:
            return SrtpKeys(theirs.suite, key, theirs.key)
    return None
