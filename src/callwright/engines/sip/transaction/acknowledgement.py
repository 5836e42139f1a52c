"""ACK of a 2xx: no transaction, but sent again for each copy of that 2xx (RFC 3261 13.2.2.4).

It goes where Contact or Record-Route say. Both are written by far ends that may know little of how
they are seen from here; so whoever sends an ACK may know another place for it.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakValueDictionary

from callwright.engines.sip.transport.datagram import Datagram
from callwright.engines.sip.wire.hop import Hop
from callwright.engines.sip.wire.message import SipRequest

COPIES_OF_LOSS = 2
"Copies of a 2xx that a bad line explains; with the next one, its ACK has led nowhere."


@dataclass(frozen=True, slots=True)
class AckFallback:
    """What is left where an ACK does not arrive."""

    elsewhere: Callable[[], Hop | None]
    "Says where else it may go, once."
    lost: Callable[[float], None]
    "Is told, with the time, that it cannot be sent at all."


class Acknowledgement:
    """One ACK; see `callwright.engines.sip.transport.datagram.DatagramSender`."""

    is_client = False
    unheard = False

    def __init__(self, ack: SipRequest, fallback: AckFallback) -> None:
        self.ack = ack
        self.fallback = fallback
        self.datagram: Datagram | None = None
        self.copies = 0


class Acknowledgements:
    """Sends ACKs, as long as somebody holds on to what `send` has returned."""

    def __init__(
        self,
        with_via: Callable[[SipRequest, Hop], tuple[str, SipRequest]],
        to_send: deque[Datagram],
    ) -> None:
        self._with_via = with_via
        self._to_send = to_send
        self._sent: WeakValueDictionary[str, Acknowledgement] = WeakValueDictionary()
        "By branch."

    def send(self, ack: SipRequest, hop: Hop, fallback: AckFallback) -> Acknowledgement:
        """Send an ACK, without Via; return it for `repeat`."""
        sent = Acknowledgement(ack, fallback)
        self._write(sent, hop)
        return sent

    def repeat(self, sent: Acknowledgement) -> None:
        """Send an ACK for a copy of its 2xx."""
        sent.copies += 1
        elsewhere = sent.fallback.elsewhere() if sent.copies == COPIES_OF_LOSS + 1 else None
        if elsewhere is not None:
            self._write(sent, elsewhere)
        elif sent.datagram is not None:
            self._to_send.append(sent.datagram)

    def unsent(self, datagram: Datagram, now: float) -> None:
        """Note that the network would not take a datagram, if it is an ACK."""
        sent = datagram.sender
        if not isinstance(sent, Acknowledgement) or sent.datagram is None:
            return
        if sent.datagram.data is datagram.data:  # and not that of a place it has turned from
            self._turn(sent, now)

    def returned(self, branch: str, now: float) -> bool:
        """Note that ICMP says it has not arrived; False if it was no ACK."""
        sent = self._sent.pop(branch, None)
        if sent is None:
            return False
        self._turn(sent, now)
        return True

    def _turn(self, sent: Acknowledgement, now: float) -> None:
        elsewhere = sent.fallback.elsewhere()
        if elsewhere is not None:
            self._write(sent, elsewhere)
        else:
            sent.fallback.lost(now)

    def _write(self, sent: Acknowledgement, hop: Hop) -> None:
        branch, ack = self._with_via(sent.ack, hop)
        sent.datagram = Datagram(bytes(ack), hop, sent)
        self._sent[branch] = sent
        self._to_send.append(sent.datagram)
