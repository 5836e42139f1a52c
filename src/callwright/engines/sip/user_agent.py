"""The user agent: all calls of one host, and to which of them a message goes (RFC 3261 section 6).

No socket and no clock: datagrams and the time go in, facts come out, and ``layer.to_send`` waits to
be taken. The engine around it has the rest.

A datagram goes one way: `UserAgent.receive`, the transaction layer, and, if it is a new request, on
to `in_dialog` or to `OutOfDialog`; a response goes to whoever has sent its request.
"""

import logging
import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace

from callwright.engines.port import LegId
from callwright.engines.sip.admission.admission import Admission
from callwright.engines.sip.admission.out_of_dialog import OutOfDialog
from callwright.engines.sip.dialog import in_dialog
from callwright.engines.sip.dialog.bye import hang_up
from callwright.engines.sip.dialog.call_leg import CallLeg, Fact, InitialInvite
from callwright.engines.sip.dialog.dialog import CallName
from callwright.engines.sip.dialog.dialog_journal import NUMBERS_LEFT_OUT, DialogJournal, OpenDialog
from callwright.engines.sip.dialog.fork import Fork
from callwright.engines.sip.dialog.invite_client import InviteClient, InviteTarget
from callwright.engines.sip.dialog.invite_server import IncomingInvite, InviteServer
from callwright.engines.sip.dialog.replaces import Replaced
from callwright.engines.sip.transaction.digest_client import DigestClient
from callwright.engines.sip.transaction.layer import TransactionLayer
from callwright.engines.sip.transaction.request_sender import Identity, RequestSender
from callwright.engines.sip.transaction.transactions import Timing
from callwright.engines.sip.wire.address import Malformed
from callwright.engines.sip.wire.hop import Hop
from callwright.engines.sip.wire.message import SipRequest, answer_to, parse
from callwright.engines.sip.wire.sdp import G711, AudioProfile
from callwright.engines.trail import FRESH, Trail

log = logging.getLogger(__name__)


class UserAgent:
    """All calls of one host."""

    def __init__(
        self,
        identity: Identity,
        tell: Callable[[Fact], None],
        timing: Timing | None = None,
        *,
        session_expires: int = 1800,
        journal: DialogJournal | None = None,
        chance: random.Random | None = None,
        admission: Admission | None = None,
        called: Callable[[IncomingInvite, float], None] | None = None,
        keep_alive: float = 30.0,
        strangers_per_second: float = 20.0,
        speech: AudioProfile = G711,
    ) -> None:
        """``session_expires``: seconds, for RFC 4028. ``journal``: see `CallLeg`.

        ``called`` is told of a call that comes in, for which it is to `take` or `refuse` it.
        ``keep_alive``: seconds between questions to phones behind a NAT. ``speech``: what is
        offered to whom we ring. ``strangers_per_second``: requests outside of calls that one
        source may make. ``chance``: see `RequestSender`.
        """
        self.layer = TransactionLayer(
            sent_by=lambda transport: identity.over(transport).sent_by,
            timing=timing or Timing(),
            new_request=self._serve,
        )
        self._identity = identity
        self._tell = tell
        self._session_expires = session_expires
        self._journal = journal
        self._chance = chance or random.Random()
        self._speech = speech
        self._calls: dict[CallName, CallLeg] = {}
        "A call that rings in several places has several names."
        self._out_of_dialog = OutOfDialog(
            self.layer,
            admission or Admission("callwright", secrets.token_bytes(16)),
            lambda phone: self.sender(DigestClient(None, None), phone),
            called,
            self._replaced_call,
            keep_alive=keep_alive,
            per_second=strangers_per_second,
        )

    def sender(
        self, digest: DigestClient, hop: Hop | None, trunk: str | None = None
    ) -> RequestSender:
        """Make the sender of requests that begin at ``hop``; ``trunk``: whose ``digest`` it is."""
        return RequestSender(
            self.layer,
            self._identity,
            digest,
            hop,
            trunk=trunk,
            chance=self._chance,
        )

    def ring(
        self,
        leg: LegId,
        places: Sequence[InviteTarget],
        digest: DigestClient,
        media: tuple[str, int],
        now: float,
        *,
        trunk: str | None = None,
        srtp: bool = False,
        symmetric_rtp: bool = True,
        trail: Trail = FRESH,
    ) -> CallLeg:
        """Send INVITEs that offer audio at ``media``, our RTP's address and port.

        ``trunk``: name of the trunk they go through. ``srtp``: audio over SRTP, or not at all.
        ``symmetric_rtp``: see `RtpStream`.
        """
        places = [replace(place, trail=trail) for place in places]
        senders = [self.sender(digest, place.hop, trunk) for place in places]

        def invite(call: CallLeg) -> InitialInvite:
            offer = call.session.offer()
            if len(places) == 1:
                return InviteClient(senders[0], places[0], offer, call.wanted, call)
            return Fork(list(zip(senders, places, strict=True)), offer, call.wanted, call)

        speech = replace(self._speech, srtp=srtp, symmetric=symmetric_rtp)
        call = self._leg(leg, senders[0], media, invite, speech)
        self._begin(call, now)
        return call

    def take(
        self, leg: LegId, incoming: IncomingInvite, media: tuple[str, int], now: float
    ) -> CallLeg | None:
        """Make a call that has come in a leg; None if there are too many transactions already."""
        sender = self.sender(incoming.digest, incoming.source, incoming.trunk)
        call = self._leg(
            leg, sender, media, lambda call: InviteServer(call, incoming), incoming.speech
        )
        return call if self._begin(call, now) else None

    def _leg(
        self,
        leg: LegId,
        sender: RequestSender,
        media: tuple[str, int],
        invite: Callable[[CallLeg], InitialInvite],
        speech: AudioProfile,
    ) -> CallLeg:
        return CallLeg(
            leg,
            sender,
            media,
            self._tell,
            invite,
            session_expires=self._session_expires,
            journal=self._journal,
            speech=speech,
        )

    def _begin(self, call: CallLeg, now: float) -> bool:
        if not call.invite.begin(now):
            return False
        for name in call.names:
            self._calls[name] = call
        return True

    def refuse(self, incoming: IncomingInvite, status: int, reason: str) -> None:
        """Refuse a call that has come in, instead of `take`."""
        tag = incoming.dialog.local_tag
        response = answer_to(incoming.request, status, reason, tag=tag)
        self.layer.respond_once(incoming.request, response, incoming.source)

    def hang_up_open_dialog(self, call: OpenDialog, digest: DigestClient, now: float) -> None:
        """Send the BYE of a call that was up when we were cut off."""
        call.dialog.cseq += NUMBERS_LEFT_OUT
        hang_up(self.sender(digest, call.first_hop, call.trunk), call.dialog, now, self._journal)

    def replaced(self, named: Replaced) -> LegId | None:
        """The leg whose dialog a Replaces header names, if it is one of ours that is up."""
        call = self._replaced_call(named)
        return call.leg if call and not call.ended else None

    def _replaced_call(self, named: Replaced) -> CallLeg | None:
        for caller_tag in (named.local_tag, named.remote_tag):
            call = self._calls.get(CallName(named.call_id, caller_tag))
            if call and call.dialog and named.is_of(call.dialog):
                return call
        return None

    def forget(self, call: CallLeg, now: float) -> None:
        """Let go of an ended call, once no straggler of it can come any more."""

        def gone(_now: float) -> None:
            for name in call.names:
                if self._calls.get(name) is call:
                    del self._calls[name]

        self.layer.at(now + 64 * self.layer.timing.t1, gone)

    def receive(self, data: bytes, source: Hop, now: float) -> None:
        """Take one datagram, whatever is in it."""
        if not data.strip(b"\r\n\0"):
            return  # keep-alive of RFC 5626, and of phones that send zeros
        try:
            message = parse(data)
            log.debug("from %s %s", source, message.start_line)
            self.layer.receive(message, source, now)
        except Malformed as fault:
            self.layer.dropped[f"malformed: {fault}"] += 1

    def _serve(self, request: SipRequest, source: Hop, now: float) -> None:
        """Hand a new request to the UAS it is for: inside a dialog, or outside of all."""
        call = self._call_of(request)
        dialog = call.dialog_of(request) if call is not None else None
        if request.method == "CANCEL" and call is not None:
            if isinstance(call.invite, InviteServer):
                call.invite.cancelled(request, now)
            self._out_of_dialog.answer(request, source)
        elif call is not None and dialog is not None:
            in_dialog.take(call, dialog, request, source, now)
        elif request.method == "ACK":
            self.layer.dropped["ACK to nothing"] += 1
        else:
            self._out_of_dialog.take(request, source, now, call)

    def _call_of(self, request: SipRequest) -> CallLeg | None:
        """The call a request may be in: we have called, or whoever sends it has."""
        ours = CallName(request.call_id, request.to_tag or "")
        theirs = CallName(request.call_id, request.from_tag or "")
        return self._calls.get(ours) or self._calls.get(theirs)
