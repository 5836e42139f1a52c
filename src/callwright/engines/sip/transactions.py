"""SIP transactions: how a request and its responses get through a network that loses packets.

The machines of RFC 3261 section 17, with the Accepted states of RFC 6026, as tables from a state
and an input to the next state and what to do. There is no socket and no clock here: messages and
the time go in, and two lists wait to be taken: ``to_send`` for the network and ``to_tell`` for
whoever uses the transaction. Inputs that are not in a table are ignored in that state.

Three things go beyond the RFC's figures: ``CANCELLING`` ends an INVITE whose CANCEL is never
followed by a final response (section 9.1, last paragraph), the 2xx to an INVITE is sent again here
until its ACK comes (section 13.3.1.4) rather than in each user, and ``ABANDONED`` is an INVITE that
has gone on to the next server (RFC 3263 4.3) while the first may yet answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from callwright.engines.sip.message import Request, Response


class State(Enum):
    CALLING = auto()
    ABANDONED = auto()
    "Nobody waits for a response any more; should one come, it is dealt with."
    TRYING = auto()
    PROCEEDING = auto()
    CANCELLING = auto()
    "A CANCEL has gone out; the final response is due."
    ACCEPTED = auto()
    "A 2xx has come, or has been sent and is not acknowledged."
    ACKNOWLEDGED = auto()
    "Our 2xx has been acknowledged; late copies of the INVITE are absorbed."
    COMPLETED = auto()
    CONFIRMED = auto()
    TERMINATED = auto()


class Input(Enum):
    PROVISIONAL = auto()
    "A 1xx: received by a client, given by the user of a server."
    SUCCESS = auto()
    "A 2xx, likewise."
    FAILURE = auto()
    "A 3xx to 6xx, likewise."
    REQUEST = auto()
    "The request has come once more."
    ACK = auto()
    CANCELLED = auto()
    UNSENT = auto()
    "The network would not take the message."
    ABANDONED = auto()
    "The request is being sent elsewhere, because nothing has come from here."
    TIMER_A = auto()
    TIMER_B = auto()
    TIMER_C = auto()
    "After CANCEL; named after the proxy's timer that has the same purpose."
    TIMER_D = auto()
    TIMER_E = auto()
    TIMER_F = auto()
    TIMER_G = auto()
    TIMER_H = auto()
    TIMER_I = auto()
    TIMER_J = auto()
    TIMER_K = auto()
    TIMER_L = auto()
    TIMER_M = auto()


class Do(Enum):
    SEND_AGAIN = auto()
    "Send what was sent last: the request, or the latest response."
    SEND = auto()
    "Send the response the user gives."
    TELL = auto()
    "Hand the response to the user."
    ACK = auto()
    "Acknowledge a failure, hop by hop."
    TELL_TIMEOUT = auto()
    TELL_UNSENT = auto()


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


Cells = Mapping[tuple[State, Input], tuple[State, tuple[Do, ...]]]


@dataclass(frozen=True, slots=True)
class Table:
    start: State
    cells: Cells
    timers: Mapping[State, tuple[Input, ...]]
    "Timers that run in a state. One that the next state has too goes on running."


S, I, D = State, Input, Do  # noqa: E741 - the tables are read by column

# RFC 3261 figure 5 as amended by RFC 6026 section 7.2.
INVITE_CLIENT = Table(
    S.CALLING,
    {
        (S.CALLING, I.TIMER_A): (S.CALLING, (D.SEND_AGAIN,)),
        (S.CALLING, I.TIMER_B): (S.TERMINATED, (D.TELL_TIMEOUT,)),
        (S.CALLING, I.UNSENT): (S.TERMINATED, (D.TELL_UNSENT,)),
        (S.CALLING, I.PROVISIONAL): (S.PROCEEDING, (D.TELL,)),
        (S.CALLING, I.SUCCESS): (S.ACCEPTED, (D.TELL,)),
        (S.CALLING, I.FAILURE): (S.COMPLETED, (D.ACK, D.TELL)),
        (S.CALLING, I.ABANDONED): (S.ABANDONED, ()),
        (S.ABANDONED, I.PROVISIONAL): (S.PROCEEDING, (D.TELL,)),
        (S.ABANDONED, I.SUCCESS): (S.ACCEPTED, (D.TELL,)),
        (S.ABANDONED, I.FAILURE): (S.COMPLETED, (D.ACK,)),
        (S.ABANDONED, I.TIMER_B): (S.TERMINATED, ()),
        (S.PROCEEDING, I.PROVISIONAL): (S.PROCEEDING, (D.TELL,)),
        (S.PROCEEDING, I.CANCELLED): (S.CANCELLING, ()),
        (S.PROCEEDING, I.SUCCESS): (S.ACCEPTED, (D.TELL,)),
        (S.PROCEEDING, I.FAILURE): (S.COMPLETED, (D.ACK, D.TELL)),
        (S.CANCELLING, I.PROVISIONAL): (S.CANCELLING, ()),
        (S.CANCELLING, I.SUCCESS): (S.ACCEPTED, (D.TELL,)),
        (S.CANCELLING, I.FAILURE): (S.COMPLETED, (D.ACK, D.TELL)),
        (S.CANCELLING, I.TIMER_C): (S.TERMINATED, (D.TELL_TIMEOUT,)),
        (S.ACCEPTED, I.SUCCESS): (S.ACCEPTED, (D.TELL,)),
        (S.ACCEPTED, I.TIMER_M): (S.TERMINATED, ()),
        (S.COMPLETED, I.FAILURE): (S.COMPLETED, (D.ACK,)),
        (S.COMPLETED, I.UNSENT): (S.TERMINATED, ()),
        (S.COMPLETED, I.TIMER_D): (S.TERMINATED, ()),
    },
    {
        S.CALLING: (I.TIMER_A, I.TIMER_B),
        S.ABANDONED: (I.TIMER_B,),
        S.CANCELLING: (I.TIMER_C,),
        S.ACCEPTED: (I.TIMER_M,),
        S.COMPLETED: (I.TIMER_D,),
    },
)

# RFC 3261 figure 6.
CLIENT = Table(
    S.TRYING,
    {
        (S.TRYING, I.TIMER_E): (S.TRYING, (D.SEND_AGAIN,)),
        (S.TRYING, I.TIMER_F): (S.TERMINATED, (D.TELL_TIMEOUT,)),
        (S.TRYING, I.UNSENT): (S.TERMINATED, (D.TELL_UNSENT,)),
        (S.TRYING, I.PROVISIONAL): (S.PROCEEDING, (D.TELL,)),
        (S.TRYING, I.SUCCESS): (S.COMPLETED, (D.TELL,)),
        (S.TRYING, I.FAILURE): (S.COMPLETED, (D.TELL,)),
        (S.TRYING, I.ABANDONED): (S.TERMINATED, ()),
        (S.PROCEEDING, I.TIMER_E): (S.PROCEEDING, (D.SEND_AGAIN,)),
        (S.PROCEEDING, I.TIMER_F): (S.TERMINATED, (D.TELL_TIMEOUT,)),
        (S.PROCEEDING, I.UNSENT): (S.TERMINATED, (D.TELL_UNSENT,)),
        (S.PROCEEDING, I.PROVISIONAL): (S.PROCEEDING, (D.TELL,)),
        (S.PROCEEDING, I.SUCCESS): (S.COMPLETED, (D.TELL,)),
        (S.PROCEEDING, I.FAILURE): (S.COMPLETED, (D.TELL,)),
        (S.COMPLETED, I.TIMER_K): (S.TERMINATED, ()),
    },
    {
        S.TRYING: (I.TIMER_E, I.TIMER_F),
        S.PROCEEDING: (I.TIMER_E, I.TIMER_F),
        S.COMPLETED: (I.TIMER_K,),
    },
)

# RFC 3261 figure 7 as amended by RFC 6026 section 7.1. Our user answers at once, so the automatic
# 100 after 200 ms is never due, and PROCEEDING has no timer because it never outlives its input.
INVITE_SERVER = Table(
    S.PROCEEDING,
    {
        (S.PROCEEDING, I.REQUEST): (S.PROCEEDING, (D.SEND_AGAIN,)),
        (S.PROCEEDING, I.PROVISIONAL): (S.PROCEEDING, (D.SEND,)),
        (S.PROCEEDING, I.SUCCESS): (S.ACCEPTED, (D.SEND,)),
        (S.PROCEEDING, I.FAILURE): (S.COMPLETED, (D.SEND,)),
        (S.PROCEEDING, I.UNSENT): (S.TERMINATED, (D.TELL_UNSENT,)),
        (S.ACCEPTED, I.REQUEST): (S.ACCEPTED, (D.SEND_AGAIN,)),
        (S.ACCEPTED, I.TIMER_G): (S.ACCEPTED, (D.SEND_AGAIN,)),
        (S.ACCEPTED, I.ACK): (S.ACKNOWLEDGED, ()),
        (S.ACCEPTED, I.TIMER_L): (S.TERMINATED, (D.TELL_TIMEOUT,)),
        (S.ACCEPTED, I.UNSENT): (S.TERMINATED, (D.TELL_UNSENT,)),
        (S.ACKNOWLEDGED, I.TIMER_L): (S.TERMINATED, ()),
        (S.COMPLETED, I.REQUEST): (S.COMPLETED, (D.SEND_AGAIN,)),
        (S.COMPLETED, I.TIMER_G): (S.COMPLETED, (D.SEND_AGAIN,)),
        (S.COMPLETED, I.ACK): (S.CONFIRMED, ()),
        (S.COMPLETED, I.TIMER_H): (S.TERMINATED, (D.TELL_TIMEOUT,)),
        (S.COMPLETED, I.UNSENT): (S.TERMINATED, (D.TELL_UNSENT,)),
        (S.CONFIRMED, I.TIMER_I): (S.TERMINATED, ()),
    },
    {
        S.ACCEPTED: (I.TIMER_G, I.TIMER_L),
        S.ACKNOWLEDGED: (I.TIMER_L,),
        S.COMPLETED: (I.TIMER_G, I.TIMER_H),
        S.CONFIRMED: (I.TIMER_I,),
    },
)

# RFC 3261 figure 8.
SERVER = Table(
    S.TRYING,
    {
        (S.TRYING, I.PROVISIONAL): (S.PROCEEDING, (D.SEND,)),
        (S.TRYING, I.SUCCESS): (S.COMPLETED, (D.SEND,)),
        (S.TRYING, I.FAILURE): (S.COMPLETED, (D.SEND,)),
        (S.PROCEEDING, I.REQUEST): (S.PROCEEDING, (D.SEND_AGAIN,)),
        (S.PROCEEDING, I.PROVISIONAL): (S.PROCEEDING, (D.SEND,)),
        (S.PROCEEDING, I.SUCCESS): (S.COMPLETED, (D.SEND,)),
        (S.PROCEEDING, I.FAILURE): (S.COMPLETED, (D.SEND,)),
        (S.PROCEEDING, I.UNSENT): (S.TERMINATED, (D.TELL_UNSENT,)),
        (S.COMPLETED, I.REQUEST): (S.COMPLETED, (D.SEND_AGAIN,)),
        (S.COMPLETED, I.UNSENT): (S.TERMINATED, (D.TELL_UNSENT,)),
        (S.COMPLETED, I.TIMER_J): (S.TERMINATED, ()),
    },
    {S.COMPLETED: (I.TIMER_J,)},
)

# Over a reliable transport nothing is sent again and nothing needs to be absorbed (RFC 3261 17,
# tables for timers A, E, G and D, I, J, K). Timer G of ACCEPTED stays: a 2xx goes from end to end,
# and the next hop may be an unreliable one (13.3.1.4).
OFF_IF_RELIABLE = frozenset(
    {
        (S.CALLING, I.TIMER_A),
        (S.TRYING, I.TIMER_E),
        (S.PROCEEDING, I.TIMER_E),
        (S.COMPLETED, I.TIMER_G),
    }
)
ZERO_IF_RELIABLE = frozenset({I.TIMER_D, I.TIMER_I, I.TIMER_J, I.TIMER_K})

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
        self, table: Table, request: Request, timing: Timing, now: float, *, reliable: bool = False
    ) -> None:
        """``reliable``: the transport loses nothing, so nothing is sent again."""
        self.request = request
        self.state = table.start
        self.to_send: list[bytes] = []
        self.to_tell: list[Response | Lost] = []
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

    def _step(self, given: Input, now: float, response: Response | None = None) -> None:
        cell = self._table.cells.get((self.state, given))
        if cell is None:
            return
        state, actions = cell
        if state is not self.state:
            self._enter(state, now)
        for action in actions:
            self._do(action, response)

    def _do(self, action: Do, response: Response | None) -> None:
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

    def _enter(self, state: State, now: float) -> None:
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
        self, request: Request, timing: Timing, now: float, *, reliable: bool = False
    ) -> None:
        table = INVITE_CLIENT if request.method == "INVITE" else CLIENT
        super().__init__(table, request, timing, now, reliable=reliable)
        self._last = bytes(request)
        self.to_send.append(self._last)

    def receive(self, response: Response, now: float) -> None:
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
        self, request: Request, timing: Timing, now: float, *, reliable: bool = False
    ) -> None:
        table = INVITE_SERVER if request.method == "INVITE" else SERVER
        super().__init__(table, request, timing, now, reliable=reliable)

    def receive(self, request: Request, now: float) -> None:
        """Take a copy of the request, or the ACK of its final response."""
        self._step(I.ACK if request.method == "ACK" else I.REQUEST, now)

    def respond(self, response: Response, now: float) -> None:
        self._step(_kind(response), now, response)


def _kind(response: Response) -> Input:
    if response.status < 200:
        return I.PROVISIONAL
    return I.SUCCESS if response.status < 300 else I.FAILURE


def ack_of_failure(invite: Request, response: Response) -> Request:
    """Make the ACK of a 3xx to 6xx: same branch and route, To of the response (17.1.1.3)."""
    return _beside(invite, "ACK", response.headers["to"])


def cancel_of(invite: Request) -> Request:
    """Make the CANCEL of an INVITE: same branch, route and CSeq number (RFC 3261 9.1)."""
    return _beside(invite, "CANCEL", invite.headers["to"])


def _beside(invite: Request, method: str, to: list[str]) -> Request:
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
    return Request(method, invite.uri, headers)
