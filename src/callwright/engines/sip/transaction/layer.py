"""The transaction layer: which transaction a message belongs to, and when each wants to be woken.

No socket and no clock, like the transactions it holds. Datagrams wait in ``to_send`` with the hop
they go to, requests for a name in ``to_find`` until somebody has looked it up; what comes of a
request goes to the function that was given with it.
"""

import heapq
import itertools
import re
import secrets
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from callwright.engines.sip.transaction.acknowledgement import Acknowledgements
from callwright.engines.sip.transaction.failover import (
    FAILOVER,
    TARGETS_AT_MOST,
    FailedTargets,
    OutgoingRequest,
    Tell,
    targets_for,
)
from callwright.engines.sip.transaction.tables import TransactionState
from callwright.engines.sip.transaction.transactions import (
    ClientTransaction,
    Lost,
    ServerTransaction,
    Timing,
    Transaction,
    cancel_of,
)
from callwright.engines.sip.transport.datagram import Datagram
from callwright.engines.sip.wire.hop import Hop, Transport
from callwright.engines.sip.wire.message import (
    Message,
    SipRequest,
    SipResponse,
    below_via,
    stamp_source,
    where_answers_go,
)

SERVERS_AT_MOST = 20_000
"Server transactions alive; requests beyond are dropped and counted, their senders try again."

_OUR_BRANCH = re.compile(rb"\r\nVia: SIP/2\.0/UDP [^\r\n]{1,300};branch=(z9hG4bK[0-9a-f]{20})\r")

NewRequest = Callable[[SipRequest, Hop, float], None]
"Gets a request with the source stamped into its top Via, the source, and the time."

Key = tuple[str, ...]

T = TypeVar("T", bound=Transaction)


@dataclass(slots=True)
class Held(Generic[T]):
    """A transaction with what the layer must know of it."""

    key: Key
    transaction: T
    hop: Hop
    tell: Tell | None = None
    wakes: float = field(default=float("inf"))
    "Time of the earliest alarm set for it."

    @property
    def is_client(self) -> bool:
        return isinstance(self.transaction, ClientTransaction)

    @property
    def unheard(self) -> bool:
        return self.transaction.unheard


class Alarm:
    """Something to be done at a time, unless it is called off before."""

    __slots__ = ("_act",)

    def __init__(self, act: Callable[[float], None]) -> None:
        self._act: Callable[[float], None] | None = act

    @property
    def off(self) -> bool:
        return self._act is None

    def call_off(self) -> None:
        """Forget it, and whatever it holds on to."""
        self._act = None

    def go_off(self, now: float) -> None:
        act, self._act = self._act, None
        if act is not None:
            act(now)


class TransactionLayer:
    """All transactions. Times are seconds of any clock that only goes forward."""

    def __init__(
        self,
        *,
        sent_by: Callable[[Transport], str],
        timing: Timing,
        new_request: NewRequest = lambda request, source, now: None,
    ) -> None:
        """``sent_by`` tells our own host and port as they are to stand in Via.

        ``new_request`` takes what begins something: all but copies, and ACKs of failures.
        """
        self.timing = timing
        self.to_send: deque[Datagram] = deque()
        self.to_find: deque[OutgoingRequest] = deque()
        "Requests that wait for `found`: nobody knows yet where their hop is."
        self.acknowledgements = Acknowledgements(self._with_via, self.to_send)
        "ACKs of 2xx, which are no transactions."
        self.dropped: Counter[str] = Counter()
        "Messages that came to nothing, by reason; the reasons are a fixed few."
        self._sent_by = sent_by
        self._new_request = new_request
        self._clients: dict[Key, Held[ClientTransaction]] = {}
        self._servers: dict[Key, Held[ServerTransaction]] = {}
        self._alarms: list[tuple[float, int, Alarm]] = []
        self._count = itertools.count()
        self._finding: set[OutgoingRequest] = set()
        self._avoided = FailedTargets()

    # What we ask of others.

    def request(self, request: SipRequest, hop: Hop, now: float, tell: Tell) -> OutgoingRequest:
        """Send a request, without Via; ``tell`` gets what comes of it, never from inside here."""
        outgoing = OutgoingRequest(request, hop, tell)
        if hop.found:
            self._send(outgoing, [hop], now)
        else:
            self._finding.add(outgoing)
            self.to_find.append(outgoing)
        return outgoing

    def found(self, outgoing: OutgoingRequest, targets: Sequence[Hop], now: float) -> None:
        """Go on with a request of ``to_find``: its targets, the one to be tried first in front."""
        self._finding.discard(outgoing)
        if outgoing.given_up:
            return
        if targets:
            self._send(outgoing, targets, now)
        else:
            outgoing.tell(Lost.UNSENT, now)

    def cancel(self, cancel: SipRequest, invite: ClientTransaction, now: float) -> None:
        """Send the CANCEL of an INVITE, over the branch of that INVITE and to the same target."""
        branch = cancel.via.branch
        held = self._clients.get((branch, "INVITE"))
        if held is not None and (branch, "CANCEL") not in self._clients:
            self._start((branch, "CANCEL"), cancel, held.hop, now)
            invite.cancelled(now)
            self._flush(held, now)

    def _send(self, outgoing: OutgoingRequest, targets: Sequence[Hop], now: float) -> None:
        outgoing.data = bytes(outgoing.request)
        likely = targets_for(len(outgoing.data), targets)
        outgoing.left.extend(self._avoided.sort(likely, now)[:TARGETS_AT_MOST])
        self._try_next(outgoing, now)

    def _try_next(self, outgoing: OutgoingRequest, now: float) -> None:
        outgoing.hop = hop = outgoing.left.popleft()
        branch, request = self._with_via(outgoing.request, hop)
        data = below_via(outgoing.data, request)
        held = self._start((branch, request.method), request, hop, now, data)
        transaction = outgoing.transaction = held.transaction
        held.tell = lambda what, at: self._told(outgoing, held, what, at)

        def impatient(at: float) -> None:
            if outgoing.transaction is transaction and transaction.unheard and outgoing.left:
                self._give_up_on(outgoing, at)

        if outgoing.left:
            self.at(now + FAILOVER, impatient)

    def _give_up_on(self, outgoing: OutgoingRequest, now: float) -> None:
        """Leave the target for the next one."""
        self._avoided.note(outgoing.hop, now)
        if outgoing.transaction is not None:
            outgoing.transaction.abandoned(now)
        self._try_next(outgoing, now)

    def _told(
        self,
        outgoing: OutgoingRequest,
        held: Held[ClientTransaction],
        what: SipResponse | Lost,
        now: float,
    ) -> None:
        if outgoing.transaction is held.transaction:
            outgoing.hop = held.hop
            if outgoing.fails_over(what):
                self._give_up_on(outgoing, now)
            else:
                outgoing.tell(what, now)
        elif isinstance(what, SipResponse) and what.status < 200:
            self.cancel(cancel_of(held.transaction.request), held.transaction, now)
        elif isinstance(what, SipResponse) and what.status < 300:
            # Both targets have got the INVITE: what was a failover is a fork, and this one is won.
            self._won(outgoing, held, now)
            outgoing.tell(what, now)

    def _won(self, outgoing: OutgoingRequest, held: Held[ClientTransaction], now: float) -> None:
        """Let a target that was given up be the one, if no other has answered."""
        loser = outgoing.transaction
        if loser is None or not loser.waiting:
            return
        outgoing.transaction, outgoing.hop = held.transaction, held.hop
        outgoing.left.clear()
        if loser.state is TransactionState.PROCEEDING:
            self.cancel(cancel_of(loser.request), loser, now)
        else:
            loser.abandoned(now)

    def _with_via(self, request: SipRequest, hop: Hop) -> tuple[str, SipRequest]:
        # RFC 3261 8.1.1.7: the cookie says that the branch is unique.
        branch = f"z9hG4bK{secrets.token_hex(10)}"
        over = hop.transport
        via = f"SIP/2.0/{over.upper()} {self._sent_by(over)};rport;branch={branch}"
        headers = {"via": [via], **request.headers}
        return branch, SipRequest(request.method, request.uri, headers, request.body)

    def _start(
        self, key: Key, request: SipRequest, hop: Hop, now: float, data: bytes | None = None
    ) -> Held[ClientTransaction]:
        reliable = hop.transport.reliable
        transaction = ClientTransaction(request, self.timing, now, data, reliable=reliable)
        held = self._clients[key] = Held(key, transaction, hop)
        self._flush(held, now)
        return held

    # What comes in.

    def receive(self, message: Message, source: Hop, now: float) -> None:
        """Hand a message to its transaction, or a request that has none to the user."""
        if isinstance(message, SipResponse):
            self._receive_response(message, source, now)
        else:
            self._receive_request(message, source, now)

    def _receive_response(self, response: SipResponse, source: Hop, now: float) -> None:
        held = self._clients.get((response.branch, response.method))
        if held is None:
            self.dropped["response to nothing"] += 1
            return
        if source.flow is not None:
            held.hop = replace(held.hop, flow=source.flow)
        response.source = source
        held.transaction.receive(response, now)
        self._flush(held, now)

    def _receive_request(self, request: SipRequest, source: Hop, now: float) -> None:
        held = self._servers.get(_server_key(request))
        if held is None:
            stamp_source(request, source)
            self._new_request(request, source, now)
            return
        # RFC 6026 7.1: the ACK of a 2xx is for the user, also where its sender took the branch of
        # the INVITE for it: it may carry an answer.
        answered = held.transaction.state in (
            TransactionState.ACCEPTED,
            TransactionState.ACKNOWLEDGED,
        )
        if request.method == "ACK" and answered:
            self._new_request(request, source, now)
            return
        held.transaction.receive(request, now)
        self._flush(held, now)

    def serve(
        self, request: SipRequest, source: Hop, now: float, tell: Tell | None = None
    ) -> ServerTransaction | None:
        """Begin the transaction of a new request; None if there are too many already."""
        if len(self._servers) >= SERVERS_AT_MOST:
            self.dropped["too many transactions"] += 1
            return None
        reliable = source.transport.reliable
        transaction = ServerTransaction(request, self.timing, now, reliable=reliable)
        key = _server_key(request)
        self._servers[key] = Held(key, transaction, where_answers_go(request, source), tell)
        return transaction

    def respond(self, transaction: ServerTransaction, response: SipResponse, now: float) -> None:
        held = self._servers.get(_server_key(transaction.request))
        if held is not None:
            transaction.respond(response, now)
            self._flush(held, now)

    def respond_once(self, request: SipRequest, response: SipResponse, source: Hop) -> None:
        """Answer without a transaction (RFC 3261 8.2.7): each copy gets its own answer."""
        self.to_send.append(Datagram(bytes(response), where_answers_go(request, source)))

    def serves(self, cancel: SipRequest) -> bool:
        """Whether the INVITE that a CANCEL speaks of is, or was just, served here."""
        branch, sent_by, _, call_id, cseq = _server_key(cancel)
        return (branch, sent_by, "INVITE", call_id, cseq) in self._servers

    # Time.

    def at(self, when: float, act: Callable[[float], None]) -> Alarm:
        """Call ``act`` at ``when``, with the time."""
        alarm = Alarm(act)
        heapq.heappush(self._alarms, (when, next(self._count), alarm))
        return alarm

    def next_timer(self) -> float | None:
        """When `on_timer` wants to be called."""
        while self._alarms and self._alarms[0][2].off:
            heapq.heappop(self._alarms)
        return self._alarms[0][0] if self._alarms else None

    def on_timer(self, now: float) -> None:
        while self._alarms and self._alarms[0][0] <= now:
            heapq.heappop(self._alarms)[2].go_off(now)

    # What remains.

    def waiting(self) -> bool:
        """Whether a request of ours still waits for its final response."""
        wanted = any(not outgoing.given_up for outgoing in self._finding)
        return wanted or any(held.transaction.waiting for held in self._clients.values())

    def unsent(self, datagram: Datagram, now: float) -> None:
        """Note that the network refused a datagram; the transaction it belongs to may end."""
        self.dropped["unsent"] += 1
        if isinstance(datagram.sender, Held):
            datagram.sender.transaction.unsent(now)
            self._flush(datagram.sender, now)
        else:
            self.acknowledgements.unsent(datagram, now)

    def returned(self, quoted: bytes, hop: Hop, now: float) -> None:
        """Take the beginning of a datagram of ours that ICMP says has not arrived at ``hop``.

        Anybody can write ICMP; but only who has seen the request knows its branch (RFC 5927 4.1
        gives TCP the same advice).
        """
        branch = _OUR_BRANCH.search(quoted)
        method = quoted.partition(b" ")[0].decode("latin-1")
        if branch and self.acknowledgements.returned(branch[1].decode(), now):
            return
        held = self._clients.get((branch[1].decode(), method)) if branch else None
        if held is None or held.hop.place != hop.place:
            self.dropped["ICMP about nothing"] += 1
            return
        held.transaction.unsent(now)
        self._flush(held, now)

    def _flush(self, held: Held[Any], now: float) -> None:
        transaction: Transaction = held.transaction
        for data in transaction.to_send:
            self.to_send.append(Datagram(data, held.hop, held))
        transaction.to_send.clear()
        if transaction.state is TransactionState.TERMINATED:
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

    def _wake(self, held: Held[Any], meant: float, now: float) -> None:
        if held.wakes != meant:
            return  # an earlier alarm has come in between, and has set the next one
        held.wakes = float("inf")
        held.transaction.on_timer(now)
        self._flush(held, now)


def _server_key(request: SipRequest) -> Key:
    """RFC 3261 17.2.3; Call-ID and CSeq besides serve senders whose branch is not unique."""
    via = request.via
    method = "INVITE" if request.method == "ACK" else request.method
    cseq = request.headers["cseq"][0].split(None, 1)[0]
    return via.branch, via.sent_by, method, request.call_id, cseq
