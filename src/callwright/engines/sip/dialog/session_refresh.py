"""Session refresh: our own UPDATE or re-INVITE inside a call, over glares and lost packets.

One is under way at a time. What it says is what was said last, so that nothing changes but the
time the session has to live (RFC 4028 7.4). The far end's target and codec may come out of it
changed, as of any re-INVITE (RFC 3261 section 14.1, RFC 3311).
"""

from typing import TYPE_CHECKING

from callwright.engines.port import Cause
from callwright.engines.sip.dialog import session_timer
from callwright.engines.sip.dialog.capabilities import ALLOW, supported
from callwright.engines.sip.dialog.dialog import Dialog
from callwright.engines.sip.dialog.invite_client import acknowledge
from callwright.engines.sip.dialog.offer_answer import OfferInput
from callwright.engines.sip.transaction.request_sender import SentRequest
from callwright.engines.sip.transaction.tables import TransactionState
from callwright.engines.sip.transaction.transactions import Lost, cancel_of
from callwright.engines.sip.wire import sdp
from callwright.engines.sip.wire.address import Malformed
from callwright.engines.sip.wire.body import session_description
from callwright.engines.sip.wire.hop import Hop
from callwright.engines.sip.wire.message import SipRequest, SipResponse, add_body

if TYPE_CHECKING:
    from callwright.engines.sip.dialog.call_leg import CallLeg
    from callwright.engines.sip.transaction.acknowledgement import Acknowledgement
    from callwright.engines.sip.transaction.layer import Alarm

GLARES_AT_MOST = 8
"Times in a row that both sides ask at once, before we wait for the next refresh."


class SessionRefresher:
    """Sends the refreshes of one answered call."""

    def __init__(self, call: "CallLeg", dialog: Dialog) -> None:
        self._call = call
        self._dialog = dialog
        self._method = "UPDATE"
        self._sent: SentRequest | None = None
        self._under_way = False
        self._waiting: Alarm | None = None
        self._glares = 0
        self._ack: tuple[int, Acknowledgement] | None = None
        "The ACK of the latest 2xx, and its CSeq number: for the copies of that 2xx."

    def refresh(self, now: float) -> None:
        """Ask, unless it is being asked already."""
        if self._under_way or self._waiting is not None:
            return
        self._glares = 0
        self._method = "UPDATE" if self._call.allows("UPDATE") else "INVITE"
        self._send(now)

    def was_refreshed(self) -> None:
        """The far end has done it: what waits for the end of a glare need not be sent."""
        if self._waiting is not None:
            self._waiting.call_off()
            self._waiting = None

    def stop(self) -> None:
        """The call has ended. Whoever gets a BYE answers what is pending (RFC 3261 15.1.2)."""
        self.was_refreshed()
        if self._sent is not None:
            self._sent.give_up()

    def _send(self, now: float) -> None:
        call = self._call
        self._waiting = None
        if self._method == "INVITE":
            if not self._dialog.offers.may(OfferInput.LOCAL_INVITE):
                # RFC 3261 14.1: not while another INVITE is under way in either direction.
                self._wait(now)
                return
            self._dialog.offers.step(OfferInput.LOCAL_INVITE)
        self._under_way = True
        sent = call.sender.send(self._build, now, self._told)
        self._sent = sent
        if self._method == "INVITE":
            layer = call.sender.layer
            layer.at(now + 64 * layer.timing.t1, lambda at: self._give_up(sent, at))

    def _build(self) -> tuple[SipRequest, Hop]:
        call = self._call
        request, hop = self._dialog.request(self._method)
        request.headers |= {
            "contact": [call.sender.identity.contact],
            "allow": [ALLOW],
            **supported(call.sender.trunk),
            **call.wanted.headers("uac"),
        }
        if self._method == "INVITE":
            add_body(request, sdp.TYPE, call.session.repeat())
        return request, hop

    def _give_up(self, sent: SentRequest, now: float) -> None:
        """Cancel a re-INVITE that somebody has only said 100 to; timer C then ends it."""
        invite = sent.transaction
        if invite is not None and invite.state is TransactionState.PROCEEDING:
            sent.give_up()
            self._call.sender.layer.cancel(cancel_of(invite.request), invite, now)

    def _told(self, what: SipResponse | Lost, now: float) -> None:
        if isinstance(what, SipResponse) and what.status < 200:
            return
        answered = isinstance(what, SipResponse) and what.status < 300
        if isinstance(what, SipResponse) and answered and what.method == "INVITE":
            if self._ack is not None and what.cseq <= self._ack[0]:
                if what.cseq == self._ack[0]:
                    self._call.sender.layer.acknowledgements.repeat(self._ack[1])
                return
            self._acknowledge(what)
        self._under_way = False
        if self._call.ended:
            return
        if self._method == "INVITE":
            given = OfferInput.SUCCESS if answered else OfferInput.FAILURE
            self._dialog.offers.step(given)
        if isinstance(what, SipResponse) and answered:
            self._accepted(what, now)
        else:
            self._refused(what, now)

    def _acknowledge(self, response: SipResponse) -> None:
        assert self._sent is not None
        assert self._sent.transaction is not None
        self._dialog.heard_at = response.source
        self._take_target(response)
        ack = acknowledge(
            self._call.sender,
            self._dialog,
            self._sent.transaction.request,
            lambda now: self._call.unacknowledged(self._dialog, now),
        )
        self._ack = (response.cseq, ack)

    def _take_target(self, response: SipResponse) -> None:
        try:
            self._dialog.refresh(response)
        except Malformed:
            self._call.sender.layer.dropped["2xx with a malformed Contact"] += 1

    def _accepted(self, response: SipResponse, now: float) -> None:
        call = self._call
        if self._method == "UPDATE":
            self._take_target(response)
        call.note_allowed(response)
        answer = session_description(response)
        if self._method == "INVITE" and answer:
            try:
                stream = call.session.answered(sdp.parse(answer))
                call.talk_over(stream)
                if stream.sends:
                    call.note_hold(stream)
            except sdp.UnusableSdp as fault:
                call.hang_up(now, Cause.UNREACHABLE, f"488 {fault}")
                return
        call.refreshed(session_timer.agreed(response, call.wanted), now)

    def _refused(self, what: SipResponse | Lost, now: float) -> None:
        call = self._call
        if isinstance(what, Lost):
            call.hang_up(now, Cause.UNREACHABLE, f"{what.value} to {self._method}")
            return
        match what.status:
            case 408 | 481:
                # RFC 3261 12.2.1.2: inside a dialog these mean that there is no dialog.
                call.hang_up(now, Cause.UNREACHABLE, f"{what.status} to {self._method}")
            case 491 if self._glares < GLARES_AT_MOST:
                self._glares += 1
                self._wait(now)
            case 422 if call.wanted.raised_by(what):
                self._send(now)
            case 405 | 501 if self._method == "UPDATE":
                call.note_refused("UPDATE")
                self._method = "INVITE"
                self._send(now)
            case _:
                call.timer.not_refreshed(now)

    def _wait(self, now: float) -> None:
        """Wait as long as RFC 3261 14.1 says, so that two who asked at once do not do so again."""
        random = self._call.sender.random
        delay = random.uniform(2.1, 4.0) if self._dialog.ours else random.uniform(0.0, 2.0)
        self._waiting = self._call.sender.layer.at(now + round(delay, 2), self._send)
