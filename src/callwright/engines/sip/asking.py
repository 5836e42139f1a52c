"""Asking: how a request of ours goes out, and goes out again when it is challenged."""

from collections.abc import Callable
from dataclasses import dataclass

from callwright.engines.sip.address import Malformed
from callwright.engines.sip.auth import Digest
from callwright.engines.sip.dialog import Hop
from callwright.engines.sip.layer import Tell, TransactionLayer
from callwright.engines.sip.message import Request, Response
from callwright.engines.sip.transactions import ClientTransaction, Lost

ANSWERS_AT_MOST = 3
"Challenges answered for one request: a 401 behind a 407, and a nonce gone stale."

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK"


@dataclass(frozen=True, slots=True)
class Identity:
    """What we call ourselves on the wire."""

    host: str
    port: int
    user_agent: str

    @property
    def sent_by(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def contact(self) -> str:
        return f"<sip:callwright@{self.host}:{self.port}>"


Build = Callable[[], tuple[Request, Hop]]
"Makes the request for one attempt, with a CSeq number of its own. May raise `Malformed`."


class Desk:
    """What every request of one leg needs: a layer to go out through, a name, credentials."""

    def __init__(self, layer: TransactionLayer, identity: Identity, digest: Digest) -> None:
        self.layer = layer
        self.identity = identity
        self.digest = digest

    def ask(self, build: Build, now: float, done: Tell) -> "Asked":
        """Send a request; ``done`` gets every response that is not a challenge we can answer."""
        asked = Asked(self, build, done)
        asked.send(now)
        return asked


class Asked:
    """One request, over as many transactions as its challenges take."""

    transaction: ClientTransaction | None = None
    "The latest attempt; None where none could be made."
    hop: Hop = ("", 0)

    def __init__(self, desk: Desk, build: Build, done: Tell) -> None:
        self._desk = desk
        self._build = build
        self._done = done
        self._answered = 0
        self._given_up = False

    def give_up(self) -> None:
        """Answer no more challenges."""
        self._given_up = True

    def send(self, now: float) -> None:
        try:
            request, self.hop = self._build()
        except Malformed:
            self._done(Lost.UNSENT, now)
            return
        request.headers |= self._desk.digest.answers(request.method, request.uri, request.body)
        request.headers["user-agent"] = [self._desk.identity.user_agent]
        self.transaction = self._desk.layer.request(request, self.hop, now, self._told)

    def _told(self, what: Response | Lost, now: float) -> None:
        if isinstance(what, Response) and what.status in (401, 407) and self._try_again(what):
            self.send(now)
        else:
            self._done(what, now)

    def _try_again(self, challenge: Response) -> bool:
        if self._given_up or self.transaction is None or self._answered >= ANSWERS_AT_MOST:
            return False
        self._answered += 1
        return self._desk.digest.challenged(self.transaction.request, challenge)
