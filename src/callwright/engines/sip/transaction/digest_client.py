"""Digest client: how we prove to a trunk who we are (RFC 3261 22, RFC 7616, RFC 8760).

The other direction, in which others prove themselves to us, is in
`callwright.engines.sip.admission.digest_server`.
"""

import re
import secrets

from callwright.engines.sip.wire.digest import Challenge, digest_response, read_challenge
from callwright.engines.sip.wire.message import Headers, SipRequest, SipResponse

_CHALLENGES_AT_MOST = 8

_HEADERS = {
    "www-authenticate": "authorization",
    "proxy-authenticate": "proxy-authorization",
}


class DigestClient:
    """The credentials of one leg, and the challenges they answer.

    One server may challenge with 401 and a proxy before it with 407; both are kept, and every
    later request of the leg carries its answer at once, with the nonce count raised.
    """

    def __init__(self, user: str | None, password: str | None) -> None:
        self._user = user
        self._password = password or ""
        self._challenges: dict[tuple[str, str], Challenge] = {}

    def challenged(self, request: SipRequest, response: SipResponse) -> bool:
        """Take the challenges of a 401 or 407; say whether another attempt can do better.

        It cannot without credentials, with no algorithm we know, or when ``request`` has carried
        our answer to this very nonce. A fresh nonce is worth an answer even if the server forgot
        to call the old one stale; how often, the caller limits.
        """
        if self._user is None:
            return False
        hopeful = False
        for name, answer in _HEADERS.items():
            found = [read_challenge(line) for line in response.headers.get(name, ())]
            # RFC 8760 2.4: the strongest of those offered for one realm.
            known = sorted((one for one in found if one), key=lambda one: -one.strength)
            for realm in dict.fromkeys(one.realm for one in known):
                best = next(one for one in known if one.realm == realm)
                answered = f'nonce="{best.nonce}"'
                if any(answered in value for value in request.headers.get(answer, ())):
                    continue
                hopeful |= self._keep((answer, realm), best)
        return hopeful

    def _keep(self, key: tuple[str, str], challenge: Challenge) -> bool:
        former = self._challenges.get(key)
        if former is None and len(self._challenges) >= _CHALLENGES_AT_MOST:
            return False
        # The count belongs to the nonce: another request may have answered it already.
        if former is None or former.nonce != challenge.nonce:
            self._challenges[key] = challenge
        return True

    def answers(self, method: str, uri: str, body: bytes) -> Headers:
        """The Authorization and Proxy-Authorization headers for one request."""
        headers: Headers = {}
        for (name, _), challenge in self._challenges.items():
            challenge.uses += 1
            headers.setdefault(name, []).append(self._answer(challenge, method, uri, body))
        return headers

    def _answer(self, challenge: Challenge, method: str, uri: str, body: bytes) -> str:
        cnonce = secrets.token_hex(8)
        count = f"{challenge.uses:08x}"
        response = digest_response(
            challenge,
            user=self._user or "",
            password=self._password,
            method=method,
            uri=uri,
            body=body,
            cnonce=cnonce,
            count=count,
        )
        words = [
            f'Digest username="{_escape(self._user or "")}"',
            f'realm="{challenge.realm}"',
            f'nonce="{challenge.nonce}"',
            f'uri="{uri}"',
            f'response="{response}"',
        ]
        if challenge.algorithm:
            words.append(f"algorithm={challenge.algorithm}")
        if challenge.qop:
            words += [f"qop={challenge.qop}", f"nc={count}"]
        if challenge.qop or challenge.algorithm.lower().endswith("-sess"):
            words.append(f'cnonce="{cnonce}"')
        if challenge.opaque is not None:
            words.append(f'opaque="{challenge.opaque}"')
        return ", ".join(words)


def _escape(text: str) -> str:
    """Write a quoted-string; a line break, which none may contain, is left out."""
    return re.sub(r"[\r\n]", "", text).replace("\\", "\\\\").replace('"', '\\"')
