"""Failover: the way of one request of ours through the servers its hop may mean (RFC 3263 4.3).

A name may stand for several servers. They are tried one after the other, each by a transaction of
its own: the next one when a target does not answer, cannot be reached,
or is out of service. Whoever asked is told of one outcome.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from callwright.engines.sip.transaction.transactions import ClientTransaction, Lost
from callwright.engines.sip.wire.hop import Hop, Transport
from callwright.engines.sip.wire.message import SipRequest, SipResponse

FAILOVER = 4.0
"Seconds a target has to say anything at all while there is another one to try."
TARGETS_AT_MOST = 8
"Targets tried for one request."
DATAGRAM = 1300
"Bytes of the largest request that goes over UDP if TCP can be had (RFC 3261 18.1.1)."
AVOIDED = 60.0
"Seconds a target that has failed is put behind the others."
AVOIDED_AT_MOST = 256

Tell = Callable[[SipResponse | Lost, float], None]
"Gets a response, or why there will be none, and the time."


@dataclass(slots=True, eq=False)
class OutgoingRequest:
    """One request, over as many transactions as it takes targets."""

    request: SipRequest
    hop: Hop
    "Where it goes; once there is a transaction, the target of that."
    tell: Tell
    transaction: ClientTransaction | None = None
    "The latest attempt; None while the name is being looked up."
    data: bytes = b""
    "As it is written, without Via."
    left: deque[Hop] = field(default_factory=deque)
    "Targets not tried yet."
    given_up: bool = False

    def give_up(self) -> None:
        """Try no more targets."""
        self.given_up = True
        self.left.clear()

    def fails_over(self, what: SipResponse | Lost) -> bool:
        """Whether this outcome sends the request to the next target."""
        failed = isinstance(what, Lost) or what.status == 503
        return failed and bool(self.left)


class FailedTargets:
    """Targets that have failed lately: where there are others, those come first."""

    def __init__(self) -> None:
        self._until: dict[Hop, float] = {}

    def note(self, target: Hop, now: float) -> None:
        self._until.pop(target, None)
        if len(self._until) >= AVOIDED_AT_MOST:
            del self._until[next(iter(self._until))]
        self._until[target] = now + AVOIDED

    def sort(self, targets: Sequence[Hop], now: float) -> list[Hop]:
        """Put those that have failed last, each group in the order it came."""
        return sorted(targets, key=lambda target: self._until.get(target, 0.0) > now)


def targets_for(size: int, targets: Sequence[Hop]) -> list[Hop]:
    """Put TCP before UDP for a request of ``size`` bytes that UDP might have to cut.

    RFC 3261 18.1.1 asks for it. UDP stays the second choice for targets without TCP, and packets
    are then cut by IP, which usually works.
    """
    if size <= DATAGRAM:
        return list(targets)
    both: list[Hop] = []
    for target in targets:
        if target.transport is Transport.UDP:
            both.append(replace(target, transport=Transport.TCP))
        both.append(target)
    return both
