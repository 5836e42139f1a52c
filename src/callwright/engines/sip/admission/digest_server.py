"""Digest server: as whom a request with a password is let in (RFC 3261 22, RFC 7616, RFC 8760).

A stranger gets the same challenge whatever number he names, and somebody who names a number that
is not there the same refusal, after the same work, as somebody who does not know its password.
"""

import hmac
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from math import ceil

from callwright.bounded_table import BoundedTable
from callwright.engines.sip.admission.login_throttle import (
    BLOCKED_FOR,
    ONE_TRY_FROM,
    SHUT_FROM,
    SUBSIDES,
    LoginThrottle,
    SourceThrottle,
)
from callwright.engines.sip.admission.nonces import Freshness, Nonces
from callwright.engines.sip.wire.address import Malformed, parse_name_addr, user_of
from callwright.engines.sip.wire.digest import Challenge, digest_response, read_parameters
from callwright.engines.sip.wire.hop import Hop
from callwright.engines.sip.wire.message import Headers, SipRequest, SipResponse, answer_to, first
from callwright.sources import source_of

log = logging.getLogger(__name__)

# RFC 8760 2.3: the one we like best comes first. MD5 is what most phones still know only.
ALGORITHMS = ("SHA-256", "MD5")

# RFC 3261 has phones pass over a challenge they do not understand. Those built on libre before its
# version 2 (baresip to 1.1) give up instead.
_KNOWS_MD5_ONLY = re.compile(r"baresip v[01]\.")
_UNPRINTABLE = re.compile(r"[^ -~]")
USER_AT_MOST = 64
"Characters of a user that failures are counted by."
WARNINGS_AT_MOST = 1000
"Warnings remembered, so as not to be said again."
_ANSWERS_AT_MOST = 4
"Authorization headers that are looked at; a phone sends one for each algorithm at most."


class DigestServer:
    """Checks digests. ``passwords`` may be replaced at any time."""

    def __init__(self, realm: str, secret: bytes, algorithms: Sequence[str] = ALGORITHMS) -> None:
        """``secret``: from a good source of randomness, and told to nobody.

        ``algorithms``: those of `ALGORITHMS` that are offered, the best first.
        """
        self.passwords: Mapping[str, str] = {}
        "By user."
        self.throttle = LoginThrottle()
        self._sources = SourceThrottle()
        self._warned: BoundedTable[str, bool] = BoundedTable(WARNINGS_AT_MOST, lasts=BLOCKED_FOR)
        self.wrong = 0
        "Wrong passwords so far."
        self._algorithms = algorithms
        self._realm = realm.replace("\\", "").replace('"', "")
        # A password that nobody can have, for users that are not there.
        self._nobodys = hmac.digest(secret, b"nobody", "sha256").hex()
        self._nonces = Nonces(secret)

    def admit(
        self,
        request: SipRequest,
        source: Hop,
        now: float,
        *,
        tag: str,
        at_home: Callable[[str], bool] = lambda user: False,
    ) -> str | SipResponse:
        """Return the user a request comes from, or the response that keeps it out.

        ``tag`` is for that response. ``at_home``: whether a user is registered from this very
        address; it then goes on being let in whatever its neighbours behind the same NAT try.
        """
        answer = self._answer(request)
        user = answer["username"] if answer else _claimed(request)
        place = source_of(source.host)
        known_here = at_home(user)
        key = (place, user[:USER_AT_MOST])
        if wait := self.throttle.wait(key, now):
            return self._shut(request, wait, tag, blocked=self.throttle.blocks(key, now))
        if not known_here and self._sources.failures(place, now) >= SHUT_FROM:
            return self._shut(request, SUBSIDES, tag, blocked=True)
        if answer is None:
            return self._challenge(request, place, now, tag)
        freshness = self._nonces.look(answer["nonce"], place, now)
        if freshness is Freshness.FOREIGN:
            # A nonce of the time before our restart, or a made-up one, on which a guess would cost
            # nothing: so its answer is not looked at. Called stale, it is answered anew unasked.
            return self._challenge(request, place, now, tag, stale=True)
        password = self.passwords.get(user, self._nobodys)
        if not self._is_right(request, answer, password):
            self._note_wrong(key, now, known_here=known_here)
            if wait := self.throttle.wait(key, now):
                return self._shut(request, wait, tag, blocked=self.throttle.blocks(key, now))
            return self._challenge(request, place, now, tag)
        if freshness is Freshness.STALE or not self._nonces.use(answer["nonce"], _count(answer)):
            return self._challenge(request, place, now, tag, stale=True)
        self.throttle.passed(key)
        return user

    def _note_wrong(self, key: tuple[str, str], now: float, *, known_here: bool) -> None:
        place, user = key
        shown = _UNPRINTABLE.sub("", user)[-4:]
        self.wrong += 1
        log.info("wrong password for ..%s from %s", shown, place)
        failures = self._sources.failed(place, now)
        self.throttle.failed(key, now, last=failures >= ONE_TRY_FROM and not known_here)
        if failures >= SHUT_FROM:
            self._warn(f"{place} guesses passwords: it is not listened to", now)
        elif failures >= ONE_TRY_FROM:
            self._warn(f"{place} guesses passwords: each number has one try from there", now)
        elif self.throttle.blocks(key, now):
            minutes = BLOCKED_FOR / 60
            self._warn(f"..{shown} is refused from {place} for {minutes:.0f} minutes", now)

    def _warn(self, text: str, now: float) -> None:
        """Say something that would be said again with every guess."""
        if self._warned.get(text, now) is None:
            self._warned.set(text, True, now)
            log.warning("%s", text)

    def _answer(self, request: SipRequest) -> Mapping[str, str] | None:
        """The best of the answers to challenges of ours; None if there is none."""
        found: dict[str, Mapping[str, str]] = {}
        for line in request.headers.get("authorization", ())[:_ANSWERS_AT_MOST]:
            try:
                params = read_parameters(line)
            except Malformed:
                continue
            algorithm = params.get("algorithm", "MD5").upper()
            named = {"username", "realm", "nonce", "uri", "response"} <= params.keys()
            if named and params["realm"] == self._realm and params.get("qop", "auth") == "auth":
                found.setdefault(algorithm, params)
        return next((found[one] for one in self._algorithms if one in found), None)

    def _is_right(self, request: SipRequest, answer: Mapping[str, str], password: str) -> bool:
        algorithm, qop = answer.get("algorithm", "MD5"), answer.get("qop", "")
        expected = digest_response(
            Challenge(self._realm, answer["nonce"], None, algorithm, qop),
            user=answer["username"],
            password=password,
            method=request.method,
            uri=answer["uri"],
            body=b"",
            cnonce=answer.get("cnonce", ""),
            count=answer.get("nc", ""),
        )
        given = answer["response"].lower().encode("utf-8", "replace")
        # RFC 7616 3.4: an answer for another URI would be good for a request we never saw.
        return hmac.compare_digest(expected.encode(), given) and answer["uri"] == request.uri

    def _challenge(
        self, request: SipRequest, place: str, now: float, tag: str, *, stale: bool = False
    ) -> SipResponse:
        md5_only = _KNOWS_MD5_ONLY.match(first(request, "user-agent")) is not None
        offered = ["MD5"] if md5_only and "MD5" in self._algorithms else self._algorithms
        nonce = self._nonces.make(place, now)
        ending = ", stale=true" if stale else ""
        lines = [
            f'Digest realm="{self._realm}", nonce="{nonce}", algorithm={one}, qop="auth"{ending}'
            for one in offered
        ]
        extra: Headers = {"www-authenticate": lines}
        return answer_to(request, 401, "Unauthorized", tag=tag, extra=extra)

    def _shut(self, request: SipRequest, wait: float, tag: str, *, blocked: bool) -> SipResponse:
        if blocked:
            return answer_to(request, 403, "Forbidden", tag=tag)
        extra: Headers = {"retry-after": [str(ceil(wait))]}
        return answer_to(request, 503, "Service Unavailable", tag=tag, extra=extra)


def _claimed(request: SipRequest) -> str:
    """The user a request without proof says it is from."""
    try:
        return user_of(parse_name_addr(request.headers["from"][0]).uri)
    except Malformed:
        return ""


def _count(answer: Mapping[str, str]) -> int:
    """The nonce count; without qop (RFC 2069) a nonce is good for one request."""
    try:
        return int(answer["nc"], 16) if answer.get("qop") else 1
    except (KeyError, ValueError):
        return 0
