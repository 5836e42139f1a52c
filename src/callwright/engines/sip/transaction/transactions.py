"""SIP transactions: timers and retransmission of a request and its responses (RFC 3261 17).

The tables are those of `callwright.engines.sip.transaction.tables`. There is no socket and no clock
here: messages and the time go in, and two lists wait to be taken: ``to_send`` for the network and
``to_tell`` for whoever uses the transaction.
"""

from dataclasses import dataclass
from enum import Enum

from callwright.engines.sip.transaction.tables import (
    CLIENT,
    INVITE_CLIENT,
    INVITE_SERVER,
    OFF_IF_RELIABLE,
    SERVER,
    ZERO_IF_RELIABLE,
    D,
    Do,
    I,
    Input,
    S,
    Table,
    TransactionState,
)
from callwright.engines.sip.wire.message import SipRequest, SipResponse


class Lost(Enum):
    """Why a transaction ends without a final response, or without the ACK."""

    TIMEOUT = "no reply"
    UNSENT = "cannot be sent"


@dataclass(frozen=True, slots=True)
class Timing:
    """The three base timers of RFC 3261 table 4, in seconds."""

    t1: float = 0.5
    "Estimate of the round trip."
    t2: float = 4.0
    "Longest interval between copies, except of an INVITE."
    t4: float = 5.0
    "How long a message may linger in the network."


_RESENDING = frozenset({I.TIMER_A, I.TIMER_E, I.TIMER_G})
_BY_T4 = frozenset({I.TIMER_I, I.TIMER_K})
_WAITING = frozenset({S.CALLING, S.TRYING, S.PROCEEDING, S.CANCELLING})


class Transaction:
    """One request and what becomes of it; which of the four kinds, its table says."""

    __slots__ = (
        "_deadlines",
        "_interval",
        "_last",
        "_reliable",
        "_table",
        "_timing",
        "request",
        "state",
        "to_send",
        "to_tell",
    )

    def __init__(
        self,
        table: Table,
        request: SipRequest,
        timing: Timing,
        now: float,
        *,
        reliable: bool = False,
    ) -> None:
        """``reliable``: the transport loses nothing, so nothing is sent again."""
        self.request = request
        self.state = table.start
        self.to_send: list[bytes] = []
        self.to_tell: list[SipResponse | Lost] = []
        self._table = table
        self._timing = timing
        self._last = b""
        self._reliable = reliable
        self._interval = timing.t1
        self._deadlines: dict[Input, float] = {}
        self._enter(table.start, now)

    @property
    def waiting(self) -> bool:
        """Whether a final response is still to come, or to be given."""
        return self.state in _WAITING

    @property
    def unheard(self) -> bool:
        """Whether a request has had no response at all."""
        return self.state in (S.CALLING, S.TRYING)

    def next_timer(self) -> float | None:
        """When `on_timer` wants to be called; None if there is nothing to wait for."""
        return min(self._deadlines.values()) if self._deadlines else None

    def on_timer(self, now: float) -> None:
        due = sorted((at, timer.value) for timer, at in self._deadlines.items() if at <= now)
        for timer in (Input(value) for _, value in due):
            if timer not in self._deadlines:
                continue
            self._step(timer, now)
            if timer in _RESENDING and timer in self._deadlines:
                self._wind(timer, now)

    def unsent(self, now: float) -> None:
        """Note that the network would not take a message of this transaction."""
        self._step(I.UNSENT, now)

    def _step(self, given: Input, now: float, response: SipResponse | None = None) -> None:
        cell = self._table.cells.get((self.state, given))
        if cell is None:
            return
        state, actions = cell
        if state is not self.state:
            self._enter(state, now)
        for action in actions:
            self._do(action, response)

    def _do(self, action: Do, response: SipResponse | None) -> None:
        match action:
            case D.SEND_AGAIN if self._last:
                self.to_send.append(self._last)
            case D.SEND if response is not None:
                self._last = bytes(response)
                self.to_send.append(self._last)
            case D.TELL if response is not None:
                self.to_tell.append(response)
            case D.ACK if response is not None:
                self.to_send.append(bytes(ack_of_failure(self.request, response)))
            case D.TELL_TIMEOUT:
                self.to_tell.append(Lost.TIMEOUT)
            case D.TELL_UNSENT:
                self.to_tell.append(Lost.UNSENT)

    def _enter(self, state: TransactionState, now: float) -> None:
        self.state = state
        running, timing = self._deadlines, self._timing
        self._deadlines = {}
        for timer in self._table.timers.get(state, ()):
            if self._reliable and (state, timer) in OFF_IF_RELIABLE:
                continue
            if timer in running:
                self._deadlines[timer] = running[timer]
            elif timer in _RESENDING:
                self._interval = timing.t1
                self._deadlines[timer] = now + timing.t1
            else:
                lasts = timing.t4 if timer in _BY_T4 else 64 * timing.t1
                zero = self._reliable and timer in ZERO_IF_RELIABLE
                self._deadlines[timer] = now if zero else now + lasts

    def _wind(self, timer: Input, now: float) -> None:
        """Set a resending timer again: doubling, and but for an INVITE no longer than T2."""
        self._interval *= 2
        if timer is not I.TIMER_A:
            # RFC 3261 17.1.2.2: in Proceeding, timer E is set to T2 at once.
            proceeding = timer is I.TIMER_E and self.state is S.PROCEEDING
            t2 = self._timing.t2
            self._interval = t2 if proceeding else min(self._interval, t2)
        self._deadlines[timer] = now + self._interval


class ClientTransaction(Transaction):
    """A request of ours. ``to_tell`` gets its responses, or why there will be none."""

    __slots__ = ()

    def __init__(
        self,
        request: SipRequest,
        timing: Timing,
        now: float,
        data: bytes | None = None,
        *,
        reliable: bool = False,
    ) -> None:
        """``data``: the request as it is written, if that is known already."""
        table = INVITE_CLIENT if request.method == "INVITE" else CLIENT
        super().__init__(table, request, timing, now, reliable=reliable)
        self._last = bytes(request) if data is None else data
        self.to_send.append(self._last)

    def receive(self, response: SipResponse, now: float) -> None:
        self._step(_kind(response), now, response)

    def abandoned(self, now: float) -> None:
        """Note that the request goes to another target; what still comes from here is late."""
        self._step(I.ABANDONED, now)

    def cancelled(self, now: float) -> None:
        """Note that a CANCEL goes out; from now on the final response has 64*T1 to come."""
        self._step(I.CANCELLED, now)


class ServerTransaction(Transaction):
    """A request of the far end. ``to_tell`` only ever says that a response got lost."""

    __slots__ = ()

    def __init__(
        self, request: SipRequest, timing: Timing, now: float, *, reliable: bool = False
    ) -> None:
        table = INVITE_SERVER if request.method == "INVITE" else SERVER
        super().__init__(table, request, timing, now, reliable=reliable)

    def receive(self, request: SipRequest, now: float) -> None:
        """Take a copy of the request, or the ACK of its final response."""
        self._step(I.ACK if request.method == "ACK" else I.REQUEST, now)

    def respond(self, response: SipResponse, now: float) -> None:
        self._step(_kind(response), now, response)


def _kind(response: SipResponse) -> Input:
    if response.status < 200:
        return I.PROVISIONAL
    return I.SUCCESS if response.status < 300 else I.FAILURE


def ack_of_failure(invite: SipRequest, response: SipResponse) -> SipRequest:
    """Make the ACK of a 3xx to 6xx: same branch and route, To of the response (17.1.1.3)."""
    return _beside(invite, "ACK", response.headers["to"])


def cancel_of(invite: SipRequest) -> SipRequest:
    """Make the CANCEL of an INVITE: same branch, route and CSeq number (RFC 3261 9.1)."""
    return _beside(invite, "CANCEL", invite.headers["to"])


def _beside(invite: SipRequest, method: str, to: list[str]) -> SipRequest:
    headers = {
        "via": invite.headers["via"][:1],
        "max-forwards": ["70"],
        "from": invite.headers["from"],
        "to": to,
        "call-id": invite.headers["call-id"],
        "cseq": [f"{invite.cseq} {method}"],
    }
    if "route" in invite.headers:
        headers["route"] = invite.headers["route"]
    return SipRequest(method, invite.uri, headers)
