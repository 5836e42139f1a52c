"""Request sender: how a request of ours goes out, and out again when it is challenged."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from callwright.engines.sip.transaction.digest_client import DigestClient
from callwright.engines.sip.transaction.failover import OutgoingRequest, Tell
from callwright.engines.sip.transaction.layer import TransactionLayer
from callwright.engines.sip.transaction.transactions import ClientTransaction, Lost
from callwright.engines.sip.wire.address import Malformed
from callwright.engines.sip.wire.hop import Hop, Transport, bracketed
from callwright.engines.sip.wire.message import SipRequest, SipResponse

ANSWERS_AT_MOST = 3
"Challenges answered for one request: a 401 behind a 407, and a nonce gone stale."


@dataclass(frozen=True, slots=True)
class Identity:
    """What we call ourselves on the wire, over one transport."""

    host: str
    port: int
    "Of UDP and TCP."
    user_agent: str
    tls_port: int = 5061
    transport: Transport = Transport.UDP

    def over(self, transport: Transport) -> "Identity":
        """Return what we call ourselves over ``transport``."""
        return self if transport is self.transport else replace(self, transport=transport)

    @property
    def sent_by(self) -> str:
        port = self.tls_port if self.transport is Transport.TLS else self.port
        return f"{bracketed(self.host)}:{port}"

    @property
    def contact(self) -> str:
        over = "" if self.transport is Transport.UDP else f";transport={self.transport}"
        return f"<sip:callwright@{self.sent_by}{over}>"


Build = Callable[[], tuple[SipRequest, Hop]]
"Makes the request for one attempt, with a CSeq number of its own. May raise `Malformed`."


class RequestSender:
    """What every request of one leg needs: a layer to go out through, a name, credentials."""

    def __init__(
        self,
        layer: TransactionLayer,
        identity: Identity,
        digest: DigestClient,
        first_hop: Hop | None = None,
        *,
        trunk: str | None = None,
        chance: random.Random | None = None,
    ) -> None:
        """``first_hop``: the hop the leg began with: where its INVITE goes, or has come from.

        ``trunk``: the name of the trunk whose credentials ``digest`` has. ``chance`` draws the
        waits after a glare; given where they must be known.
        """
        self.layer = layer
        self.identity = identity.over(first_hop.transport) if first_hop is not None else identity
        self.digest = digest
        self.random = chance or random.Random()
        self.first_hop = first_hop
        self.trunk = trunk

    def way(self, hop: Hop) -> Hop:
        """Add to a hop read from a message what is known of the leg's first hop.

        A Contact says neither whose certificate to believe nor which connection leads there.
        """
        first = self.first_hop
        if first is None or not hop.transport.reliable:
            return hop
        name = hop.name or first.name or first.host
        return replace(hop, name=name, trust=first.trust, flow=hop.flow or first.flow)

    def heard_over(self, hop: Hop) -> None:
        """Note the connection that the leg's messages come over."""
        if self.first_hop is not None and hop.flow is not None:
            self.first_hop = replace(self.first_hop, flow=hop.flow)

    def send(self, build: Build, now: float, done: Tell) -> "SentRequest":
        """Send a request; ``done`` gets every response that is not a challenge we can answer."""
        sent = SentRequest(self, build, done)
        sent.send(now)
        return sent


class SentRequest:
    """One request, over as many transactions as its challenges take."""

    _outgoing: OutgoingRequest | None = None
    _challenger: Hop | None = None
    "Where the latest challenge has come from: its nonce is good there, perhaps nowhere else."

    def __init__(self, sender: RequestSender, build: Build, done: Tell) -> None:
        self._sender = sender
        self._build = build
        self._done = done
        self._answered = 0
        self._given_up = False

    @property
    def transaction(self) -> ClientTransaction | None:
        """The latest attempt; None where none could be made, or none has been made yet."""
        return self._outgoing.transaction if self._outgoing is not None else None

    def give_up(self) -> None:
        """Answer no more challenges, and try no more servers."""
        self._given_up = True
        if self._outgoing is not None:
            self._outgoing.give_up()

    def send(self, now: float) -> None:
        try:
            request, hop = self._build()
        except Malformed:
            self._done(Lost.UNSENT, now)
            return
        request.headers |= self._sender.digest.answers(request.method, request.uri, request.body)
        request.headers["user-agent"] = [self._sender.identity.user_agent]
        way = self._challenger or self._sender.way(hop)
        self._outgoing = self._sender.layer.request(request, way, now, self._told)

    def _told(self, what: SipResponse | Lost, now: float) -> None:
        if self._outgoing is not None:
            self._sender.heard_over(self._outgoing.hop)
        if isinstance(what, SipResponse) and what.status in (401, 407) and self._try_again(what):
            self.send(now)
        else:
            self._done(what, now)

    def _try_again(self, challenge: SipResponse) -> bool:
        if self._given_up or self.transaction is None or self._answered >= ANSWERS_AT_MOST:
            return False
        self._answered += 1
        self._challenger = self._outgoing.hop if self._outgoing is not None else None
        return self._sender.digest.challenged(self.transaction.request, challenge)
