"""DTMF by INFO, for far ends that have no telephone-event (choreography 3)."""

from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from callwright.engines.port import Cause, DtmfFailed, DtmfSent
from callwright.engines.sip.dialog.causes import raw_of
from callwright.engines.sip.transaction.transactions import Lost
from callwright.engines.sip.wire.hop import Hop
from callwright.engines.sip.wire.message import SipRequest, SipResponse, add_body

if TYPE_CHECKING:
    from callwright.engines.sip.dialog.call_leg import CallLeg

TYPE = "application/dtmf-relay"

LENGTH = 0.1
"Seconds a key lasts."
GAP = 0.06
"Seconds from the end of a key to the next."
QUEUE_AT_MOST = 256
NOT_TAKEN = frozenset({405, 415, 489, 501})
"Of who does not take keys by INFO, whatever its Allow says: the method, or the body (RFC 6086)."


class InfoDtmf:
    """Sends one key at a time: the next goes out when the last is answered and its time is over."""

    def __init__(self, call: "CallLeg") -> None:
        self._call = call
        self._queue: deque[tuple[str, bool]] = deque()
        self._unanswered = False
        self._free_at = float("-inf")

    def send(self, key: str, now: float, *, announced: bool = True) -> None:
        if len(self._queue) >= QUEUE_AT_MOST:
            self._call.sender.layer.dropped["too many keys"] += 1
            self._call.tell(DtmfFailed(self._call.leg, key, "too many keys wait to be sent"))
            return
        self._queue.append((key, announced))
        self._go_on(now)

    def _go_on(self, now: float) -> None:
        call = self._call
        dialog = call.dialog
        if not self._queue or self._unanswered or now < self._free_at:
            return
        if call.ended or dialog is None:
            self._queue.clear()
            return
        key, announced = self._queue.popleft()

        def info() -> tuple[SipRequest, Hop]:
            request, hop = dialog.request("INFO")
            body = f"Signal={key}\r\nDuration={LENGTH * 1000:.0f}\r\n"
            add_body(request, TYPE, body.encode())
            return request, hop

        self._unanswered = True
        self._free_at = now + LENGTH + GAP
        call.sender.layer.at(self._free_at, self._go_on)
        call.sender.send(info, now, partial(self._answered, key))
        if announced:
            call.tell(DtmfSent(call.leg, key))

    def _answered(self, key: str, what: SipResponse | Lost, now: float) -> None:
        if isinstance(what, SipResponse) and what.status < 200:
            return
        # RFC 3261 12.2.1.2: 481, 408 or no reply inside a dialog mean that there is no dialog.
        if isinstance(what, Lost):
            self._call.hang_up(now, Cause.UNREACHABLE, f"{what.value} to INFO")
            return
        if what.status in (408, 481):
            self._call.hang_up(now, Cause.UNREACHABLE, f"{what.status} to INFO")
            return
        if what.status >= 300:
            self._call.tell(DtmfFailed(self._call.leg, key, f"{raw_of(what)} to INFO"))
        if what.status in NOT_TAKEN:
            self._call.note_refused("INFO")
        self._unanswered = False
        self._go_on(now)
