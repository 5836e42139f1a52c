"""INVITE server (UAS): how a call that comes in rings, is answered, refused or taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from callwright.engines.port import Cause, LegId
from callwright.engines.sip.dialog import session_timer
from callwright.engines.sip.dialog.bye import hang_up
from callwright.engines.sip.dialog.capabilities import ACCEPT_BODY, ALLOW, supported
from callwright.engines.sip.dialog.causes import refusal_for
from callwright.engines.sip.dialog.dialog import CallName, Dialog, dialog_to
from callwright.engines.sip.dialog.offer_answer import OfferDo, OfferInput
from callwright.engines.sip.transaction.digest_client import DigestClient
from callwright.engines.sip.transaction.transactions import Lost, ServerTransaction
from callwright.engines.sip.wire import sdp
from callwright.engines.sip.wire.address import Malformed
from callwright.engines.sip.wire.body import session_description, takes_body
from callwright.engines.sip.wire.hop import Hop
from callwright.engines.sip.wire.message import (
    Headers,
    SipRequest,
    SipResponse,
    add_body,
    answer_to,
    tokens,
)

if TYPE_CHECKING:
    from callwright.engines.sip.dialog.call_leg import CallLeg

RING_BACK_EVERY = 60.0
"Seconds between copies of our 180, so that no proxy gives the call up (RFC 3261 13.3.1.1)."


@dataclass(frozen=True, slots=True)
class IncomingInvite:
    """An INVITE of somebody who may call us, and what is known of him."""

    request: SipRequest
    source: Hop
    caller: str
    called: str
    trunk: str | None
    digest: DigestClient
    "Credentials for our requests to him, should he challenge them."
    dialog: Dialog
    speech: sdp.AudioProfile
    "What we speak with him."
    description: sdp.Description | None
    "His offer; None: we are to make one."
    replaces: LegId | None = None
    "Whose place he takes (RFC 3891)."


class InviteServerState(Enum):
    RINGING = auto()
    "Neither answered nor refused."
    ANSWERING = auto()
    "Our 2xx is on its way."
    OVER = auto()
    "Acknowledged, refused, taken back or lost."


class InviteServer:
    """The INVITE of a call that comes in. Its dialog's `OfferAnswer` knows whose ACK is due."""

    _transaction: ServerTransaction

    def __init__(self, call: "CallLeg", incoming: IncomingInvite) -> None:
        self._call = call
        self._incoming = incoming
        self._state = InviteServerState.RINGING
        self._rings = False
        self._terms: session_timer.SessionTerms | None = None
        "How the session is kept alive, once we have answered."

    @property
    def names(self) -> Sequence[CallName]:
        return (CallName(self._incoming.request.call_id, self._incoming.dialog.remote_tag),)

    def dialogs(self) -> list[Dialog]:
        return [self._incoming.dialog]

    # What we do.

    def begin(self, now: float) -> bool:
        layer = self._call.sender.layer
        incoming = self._incoming
        transaction = layer.serve(incoming.request, incoming.source, now, self._lost)
        if transaction is None:
            return False
        self._transaction = transaction
        layer.respond(transaction, answer_to(incoming.request, 100, "Trying"), now)
        return True

    def ring_back(self, now: float) -> None:
        """Tell the caller that it rings."""
        # RFC 3262 section 3: to him who requires 100rel all but a 100 would have to be reliable.
        # Ours are not; that he hears nothing before the answer is better than no call.
        if "100rel" in tokens(self._incoming.request, "require"):
            return
        if not self._rings and self._state is InviteServerState.RINGING:
            self._rings = True
            self._say_that_it_rings(now)

    def answer(self, now: float) -> None:
        """Accept the call; `CallLeg.answered` follows the caller's ACK."""
        if self._state is not InviteServerState.RINGING:
            return
        self._state = InviteServerState.ANSWERING
        call, offers = self._call, self._incoming.dialog.offers
        call.note_allowed(self._incoming.request)
        stream = None
        if offers.due(OfferInput.ACCEPT) is OfferDo.OFFER:
            body = call.session.offer()
        else:
            assert self._incoming.description is not None
            body, stream = call.session.answer(self._incoming.description)
        offers.accepted(OfferInput.ACCEPT, self._transaction)
        self._terms, extra = session_timer.answer(self._incoming.request, call.wanted)
        response = self._response(200, "OK")
        response.headers |= extra
        add_body(response, sdp.TYPE, body)
        call.sender.layer.respond(self._transaction, response, now)
        # The caller may speak from here on, and is to hear us as soon as it has the answer.
        if stream is not None:
            call.talk_over(stream)

    def withdraw(self, now: float, cause: Cause) -> None:
        """Refuse the call. If it has been answered, the BYE must wait for the ACK (section 15)."""
        if self._state is InviteServerState.RINGING:
            self._state = InviteServerState.OVER
            self._refuse(*refusal_for(cause), now)

    # What the caller does.

    def cancelled(self, cancel: SipRequest, now: float) -> None:
        """Take a CANCEL, which has no effect on a call that is answered (RFC 3261 9.2)."""
        invite = self._incoming.request
        is_of_this = cancel.via.branch == invite.via.branch and cancel.cseq == invite.cseq
        if is_of_this and self._state is InviteServerState.RINGING:
            self.taken_back(now)

    def taken_back(self, now: float) -> None:
        """End the call: the caller does not want it any more."""
        raw = ""
        if self._state is InviteServerState.RINGING:
            self._refuse(487, "Request Terminated", now)
            raw = "487 Request Terminated"
        self._state = InviteServerState.OVER
        self._call.end(Cause.HUNG_UP, raw)

    def acknowledged(self, now: float) -> None:
        """Take the ACK of our 2xx."""
        if self._state is not InviteServerState.ANSWERING:
            return
        self._state = InviteServerState.OVER
        if self._call.ended:
            hang_up(self._call.sender, self._incoming.dialog, now)
        else:
            self._call.established(self._incoming.dialog)
            assert self._terms is not None
            self._call.refreshed(self._terms, now)

    def _lost(self, _what: SipResponse | Lost, now: float) -> None:
        """Note that a final response has not got through; one that answers is taken back."""
        if self._state is InviteServerState.ANSWERING:
            # RFC 3261 13.3.1.4: no ACK in 64*T1, so the session is to be ended by a BYE.
            hang_up(self._call.sender, self._incoming.dialog, now)
        self._state = InviteServerState.OVER
        self._incoming.dialog.offers.unacknowledged(self._incoming.request.cseq)
        self._call.end(Cause.UNREACHABLE, "no ACK")

    def _say_that_it_rings(self, now: float) -> None:
        if self._state is InviteServerState.RINGING:
            layer = self._call.sender.layer
            layer.respond(self._transaction, self._response(180, "Ringing"), now)
            layer.at(now + RING_BACK_EVERY, self._say_that_it_rings)

    def _refuse(self, status: int, reason: str, now: float) -> None:
        tag = self._incoming.dialog.local_tag
        response = answer_to(self._incoming.request, status, reason, tag=tag)
        self._call.sender.layer.respond(self._transaction, response, now)

    def _response(self, status: int, reason: str) -> SipResponse:
        """A response that makes or confirms the dialog (RFC 3261 12.1.1)."""
        invite = self._incoming.request
        extra: Headers = {
            "contact": [self._call.sender.identity.contact],
            "allow": [ALLOW],
            **supported(self._call.sender.trunk),
        }
        if "record-route" in invite.headers:
            extra["record-route"] = invite.headers["record-route"]
        return answer_to(invite, status, reason, tag=self._incoming.dialog.local_tag, extra=extra)


def read_invite(
    invite: SipRequest,
    source: Hop,
    *,
    caller: str,
    called: str,
    trunk: str | None,
    digest: DigestClient,
    speech: sdp.AudioProfile,
    tag: str,
    natted: bool,
) -> IncomingInvite | SipResponse:
    """Look through an INVITE of somebody who may call; the response refuses what we cannot take.

    ``tag`` is ours. ``natted``: he is to be found at ``source``, whatever his Contact says.
    """
    description = None
    if not takes_body(invite):
        return answer_to(invite, 415, "Unsupported Media Type", tag=tag, extra=ACCEPT_BODY)
    if offer := session_description(invite):
        try:
            description = sdp.parse(offer)
            sdp.agree(description, speech)
        except sdp.UnusableSdp:
            return answer_to(invite, 488, "Not Acceptable Here", tag=tag)
    if (brief := session_timer.too_brief(invite)) is not None:
        return answer_to(invite, 422, "Session Interval Too Small", tag=tag, extra=brief)
    try:
        dialog = dialog_to(invite, tag, source if natted else None, source)
    except Malformed:
        return answer_to(invite, 400, "Bad Contact", tag=tag)
    return IncomingInvite(
        invite, source, caller, called, trunk, digest, dialog, speech, description
    )
