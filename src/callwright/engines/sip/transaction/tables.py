"""The tables of SIP transactions: from a state and an input to the next state and what to do.

They are those of RFC 3261 section 17, with the Accepted states of RFC 6026. Inputs that are not in
a table are ignored in that state.

Three things go beyond the RFC's figures: ``CANCELLING`` ends an INVITE whose CANCEL is never
followed by a final response (section 9.1, last paragraph), the 2xx to an INVITE is sent again here
until its ACK comes (section 13.3.1.4) rather than in each user, and ``ABANDONED`` is an INVITE that
has gone on to the next server (RFC 3263 4.3) while the first may yet answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto


class TransactionState(Enum):
    __hash__ = object.__hash__  # in C, for the tables
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
    __hash__ = object.__hash__  # in C, for the tables
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


Cells = Mapping[tuple[TransactionState, Input], tuple[TransactionState, tuple[Do, ...]]]


@dataclass(frozen=True, slots=True)
class Table:
    start: TransactionState
    cells: Cells
    timers: Mapping[TransactionState, tuple[Input, ...]]
    "Timers that run in a state. One that the next state has too goes on running."


S, I, D = TransactionState, Input, Do  # noqa: E741 - the tables are read by column

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
