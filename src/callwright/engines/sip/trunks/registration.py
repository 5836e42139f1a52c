"""Registration: how we tell a trunk where we are, and keep it told (RFC 3261 section 10.2)."""

import logging
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

from callwright.engines.network import Trunk, TrunkRegistration
from callwright.engines.sip.dialog.causes import raw_of
from callwright.engines.sip.transaction.request_sender import RequestSender
from callwright.engines.sip.transaction.transactions import Lost
from callwright.engines.sip.trunks.trunk_identity import domain_of
from callwright.engines.sip.wire.address import (
    Malformed,
    escape_user,
    parse_name_addr,
    parse_uri,
    user_of,
)
from callwright.engines.sip.wire.hop import Hop
from callwright.engines.sip.wire.message import SipRequest, SipResponse, first, values

if TYPE_CHECKING:
    from callwright.engines.sip.transaction.layer import Alarm

log = logging.getLogger(__name__)

REFRESHED_AT = 0.8
"Part of the granted time after which we register again."
SHORTEST = 20.0
"Seconds between two registrations, however short a time is granted."
LONGEST = 86400
"Seconds we are willing to ask for, whatever Min-Expires says."
FIRST_PAUSE, LONGEST_PAUSE = 30.0, 600.0
"Seconds after the first failure, and at most; each pause is twice the one before."
JITTER = 0.2
"Up to this part is added to a pause, so that not all come back at once after an outage."

_HOPELESS = frozenset({401, 403, 404, 407})
"What a trunk says that does not know us; asking often would only have us blocked."


class Registration:
    """Our registration at one trunk, with one Call-ID all along (RFC 3261 10.2.4)."""

    def __init__(
        self, sender: RequestSender, trunk: Trunk, hop: Hop, random: Callable[[], float]
    ) -> None:
        """``random`` gives numbers from 0 to 1."""
        self.state = TrunkRegistration.TRYING
        self.ends: float | None = None
        "Time at which the trunk forgets us."
        self.detail = ""
        self._name = trunk.name
        self._sender = sender
        self._hop = hop
        self._random = random
        identity = sender.identity
        user = escape_user(trunk.user or identity.user_agent)
        domain = domain_of(trunk)
        # RFC 3261 10.2: the request line names the domain of the address in To.
        self._registrar = f"sip:{domain}"
        self._contact = identity.contact.replace("sip:callwright@", f"sip:{user}@", 1)
        self._address = f"<sip:{user}@{domain}>"
        self._from = f"{self._address};tag={secrets.token_hex(8)}"
        self._call_id = f"{secrets.token_hex(16)}@{identity.host}"
        self._cseq = 0
        self._expires = trunk.expires
        self._pause = FIRST_PAUSE
        self._raised = False
        "The trunk has named a longer time (423), and been asked again for that."
        self._left = False
        self._next: Alarm | None = None
        "When we ask again; None while we ask."
        self._sent_away = False
        "The trunk has answered, and wants nothing of us before `_next`."

    def start(self, now: float) -> None:
        """Register now, and again whenever it is time."""
        if not self._left:
            self._ask(now)

    def found_again(self, now: float) -> None:
        """Register now, because the trunk answers again after an outage.

        Perhaps we wait for nothing any more, or it has come up without knowing of us.
        """
        if self._next is not None and not self._sent_away:
            self._next.call_off()
            self.start(now)

    def leave(self, now: float) -> None:
        """Take the registration back; nobody waits for what comes of it."""
        if self._left:
            return
        self._left = True
        if self.ends is not None and self.ends > now:
            self._expires = 0
            self._sender.send(self._build, now, lambda what, at: None)
        self.ends = None

    def _ask(self, now: float) -> None:
        self._next = None
        self._sender.send(self._build, now, self._told)

    def _build(self) -> tuple[SipRequest, Hop]:
        self._cseq += 1
        headers = {
            "max-forwards": ["70"],
            "from": [self._from],
            "to": [self._address],
            "call-id": [self._call_id],
            "cseq": [f"{self._cseq} REGISTER"],
            "contact": [f"{self._contact};expires={self._expires}"],
            "expires": [str(self._expires)],
        }
        return SipRequest("REGISTER", self._registrar, headers), self._hop

    def _told(self, what: SipResponse | Lost, now: float) -> None:
        if self._left:
            if isinstance(what, SipResponse) and 200 <= what.status < 300:
                # It has crossed our leaving: what it granted is given back.
                self._expires = 0
                self._sender.send(self._build, now, lambda _what, _at: None)
            return
        if isinstance(what, Lost):
            self._sent_away = False
            self._failed(what.value, now)
        elif what.status >= 300:
            self._sent_away = True
            self._refused(what, now)
        elif what.status >= 200:
            self._granted(what, now)

    def _granted(self, response: SipResponse, now: float) -> None:
        granted = self._time_granted(response)
        if self.state is not TrunkRegistration.REGISTERED:
            log.info("trunk %s: registered for %d s", self._name, granted)
        self.state, self.detail = TrunkRegistration.REGISTERED, ""
        self._sent_away = False
        self.ends = now + granted
        self._pause, self._raised = FIRST_PAUSE, False
        self._next = self._sender.layer.at(now + max(SHORTEST, granted * REFRESHED_AT), self.start)

    def _refused(self, response: SipResponse, now: float) -> None:
        least = _number(first(response, "min-expires"))
        if response.status == 423 and not self._raised and self._expires < least <= LONGEST:
            self._raised = True
            self._expires = least
            self._ask(now)
            return
        if response.status in _HOPELESS:
            self._pause = LONGEST_PAUSE
            self._failed(raw_of(response), now, TrunkRegistration.REFUSED)
        else:
            wait = _number(first(response, "retry-after").partition("(")[0].partition(";")[0])
            self._failed(raw_of(response), now, at_least=min(wait, LONGEST_PAUSE))

    def _failed(
        self,
        reason: str,
        now: float,
        state: TrunkRegistration = TrunkRegistration.TRYING,
        *,
        at_least: float = 0.0,
    ) -> None:
        if (state, reason) != (self.state, self.detail):
            log.warning("trunk %s: not registered: %s", self._name, reason)
        self.detail, self._raised = reason, False
        self.state = state
        if self.ends is not None and self.ends <= now:
            self.ends = None
        pause = max(at_least, self._pause) * (1 + JITTER * self._random())
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        self._next = self._sender.layer.at(now + min(pause, LONGEST_PAUSE), self.start)

    def _time_granted(self, response: SipResponse) -> int:
        """What the trunk grants our Contact; it may list others of the same number."""
        ours = parse_name_addr(self._contact).uri
        for value in values(response, "contact"):
            try:
                there = parse_name_addr(value)
                if _same(there.uri, ours) and "expires" in there.params:
                    return _number(there.params["expires"] or "") or self._expires
            except Malformed:
                continue
        return _number(first(response, "expires")) or self._expires


def _same(one: str, other: str) -> bool:
    here, there = parse_uri(one), parse_uri(other)
    if user_of(one) != user_of(other):
        return False
    return (here.host.lower(), here.port) == (there.host.lower(), there.port)


def _number(text: str) -> int:
    """Read a number of seconds; 0 for anything else."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else 0
