"""The transaction layer: which transaction a message belongs to, and when each wants to be woken.

No socket and no clock, like the transactions it holds. Datagrams wait in ``to_send`` with the hop
they go to; what comes of a request goes to the function that was given with it.
"""

import heapq
import itertools
import secrets
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from callwright.engines.sip.dialog import Hop
from callwright.engines.sip.message import Request, Response, stamp_source, where_answers_go
from callwright.engines.sip.transactions import (
    ClientTransaction,
    Lost,
    ServerTransaction,
    State,
    Timing,
    Transaction,
)

SERVERS_AT_MOST = 20_000
"Server transactions alive; requests beyond are dropped and counted, their senders try again."

Key = tuple[str, ...]
Tell = Callable[[Response | Lost, float], None]
"Gets a response, or why there will be none, and the time."


@dataclass(slots=True)
class Held:
    """A transaction with what the layer must know of it."""

    key: Key
    transaction: Transaction
    hop: Hop
    tell: Tell | None
    wakes: float = field(default=float("inf"))
    "Time of the earliest alarm set for it."


@dataclass(frozen=True, slots=True)
class Datagram:
    """Bytes on their way out."""

    data: bytes
    hop: Hop
    sender: Held | None = None


class TransactionLayer:
    """All transactions of one transport. Times are seconds of any clock that only goes forward."""

    def __init__(self, *, sent_by: str, timing: Timing) -> None:
        """``sent_by``: our own host and port as they are to stand in Via."""
        self.timing = timing
        self.to_send: deque[Datagram] = deque()
        self.dropped: Counter[str] = Counter()
        "Messages that came to nothing, by reason; the reasons are a fixed few."
        self._sent_by = sent_by
        self._clients: dict[Key, Held] = {}
        self._servers: dict[Key, Held] = {}
        self._alarms: list[tuple[float, int, Callable[[float], None]]] = []
        self._count = itertools.count()

    # What we ask of others.

    def request(self, request: Request, hop: Hop, now: float, tell: Tell) -> ClientTransaction:
        """Send a request over a new branch; ``tell`` gets what comes of it."""
        branch = self._put_via(request)
        return self._start((branch, request.method), request, hop, now, tell)

    def cancel(self, cancel: Request, invite: ClientTransaction, hop: Hop, now: float) -> None:
        """Send the CANCEL of an INVITE, over the branch of that INVITE."""
        branch = cancel.via.branch
        self._start((branch, "CANCEL"), cancel, hop, now, None)
        invite.cancelled(now)
        if (held := self._clients.get((branch, "INVITE"))) is not None:
            self._flush(held, now)

    def acknowledge(self, ack: Request, hop: Hop) -> Datagram:
        """Send the ACK of a 2xx, which is no transaction; return it for the copies of that 2xx."""
        self._put_via(ack)
        datagram = Datagram(bytes(ack), hop)
        self.to_send.append(datagram)
        return datagram

    def _put_via(self, request: Request) -> str:
        # RFC 3261 8.1.1.7: the cookie says that the branch is unique.
        branch = f"z9hG4bK{secrets.token_hex(10)}"
        via = f"SIP/2.0/UDP {self._sent_by};rport;branch={branch}"
        request.headers = {"via": [via], **request.headers}
        return branch

    def _start(
        self, key: Key, request: Request, hop: Hop, now: float, tell: Tell | None
    ) -> ClientTransaction:
        transaction = ClientTransaction(request, self.timing, now)
        held = self._clients[key] = Held(key, transaction, hop, tell)
        self._flush(held, now)
        return transaction

    # What comes in.

    def receive_response(self, response: Response, now: float) -> None:
        held = self._clients.get((response.branch, response.method))
        if held is None or not isinstance(held.transaction, ClientTransaction):
            self.dropped["response to nothing"] += 1
            return
        held.transaction.receive(response, now)
        self._flush(held, now)

    def receive_request(self, request: Request, source: Hop, now: float) -> bool:
        """Take a request that is a copy, or the ACK of a failure. False: it is a new one.

        Its top Via is then stamped with the source, and goes into whatever answer it gets.
        """
        held = self._servers.get(_server_key(request))
        if held is None or not isinstance(held.transaction, ServerTransaction):
            stamp_source(request, source)
            return False
        held.transaction.receive(request, now)
        self._flush(held, now)
        return True

    def serve(
        self, request: Request, source: Hop, now: float, tell: Tell | None = None
    ) -> ServerTransaction | None:
        """Begin the transaction of a new request; None if there are too many already."""
        if len(self._servers) >= SERVERS_AT_MOST:
            self.dropped["too many transactions"] += 1
            return None
        transaction = ServerTransaction(request, self.timing, now)
        key = _server_key(request)
        self._servers[key] = Held(key, transaction, where_answers_go(request, source), tell)
        return transaction

    def respond(self, transaction: ServerTransaction, response: Response, now: float) -> None:
        held = self._servers.get(_server_key(transaction.request))
        if held is not None:
            transaction.respond(response, now)
            self._flush(held, now)

    def respond_once(self, request: Request, response: Response, source: Hop) -> None:
        """Answer without a transaction (RFC 3261 8.2.7): each copy gets its own answer."""
        self.to_send.append(Datagram(bytes(response), where_answers_go(request, source)))

    def serves(self, cancel: Request) -> bool:
        """Whether the INVITE that a CANCEL speaks of is, or was just, served here."""
        branch, sent_by, _, call_id, cseq = _server_key(cancel)
        return (branch, sent_by, "INVITE", call_id, cseq) in self._servers

    # Time.

    def at(self, when: float, alarm: Callable[[float], None]) -> None:
        """Call ``alarm`` at ``when``, with the time. It is not taken back: it looks for itself."""
        heapq.heappush(self._alarms, (when, next(self._count), alarm))

    def next_timer(self) -> float | None:
        """When `on_timer` wants to be called."""
        return self._alarms[0][0] if self._alarms else None

    def on_timer(self, now: float) -> None:
        while self._alarms and self._alarms[0][0] <= now:
            heapq.heappop(self._alarms)[2](now)

    # What remains.

    def waiting(self) -> bool:
        """Whether a request of ours still waits for its final response."""
        return any(held.transaction.waiting for held in self._clients.values())

    def unsent(self, datagram: Datagram, now: float) -> None:
        """Note that the network refused a datagram; the transaction it belongs to may end."""
        self.dropped["unsent"] += 1
        if datagram.sender is not None:
            datagram.sender.transaction.unsent(now)
            self._flush(datagram.sender, now)

    def _flush(self, held: Held, now: float) -> None:
        transaction = held.transaction
        for data in transaction.to_send:
            self.to_send.append(Datagram(data, held.hop, held))
        transaction.to_send.clear()
        if transaction.state is State.TERMINATED:
            self._clients.pop(held.key, None)
            self._servers.pop(held.key, None)
        elif (wants := transaction.next_timer()) is not None and wants < held.wakes:
            held.wakes = wants
            self.at(wants, lambda at: self._wake(held, wants, at))
        if transaction.to_tell:
            told, transaction.to_tell = transaction.to_tell, []
            for one in told:
                if held.tell is not None:
                    held.tell(one, now)

    def _wake(self, held: Held, meant: float, now: float) -> None:
        if held.wakes != meant:
            return  # an earlier alarm has come in between, and has set the next one
        held.wakes = float("inf")
        held.transaction.on_timer(now)
        self._flush(held, now)


def _server_key(request: Request) -> Key:
    """RFC 3261 17.2.3; Call-ID and CSeq besides serve senders whose branch is not unique."""
    via = request.via
    method = "INVITE" if request.method == "ACK" else request.method
    cseq = request.headers["cseq"][0].split(None, 1)[0]
    return via.branch, via.sent_by, method, request.call_id, cseq
