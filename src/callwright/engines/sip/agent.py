"""The user agent: which call a message is for, and what strangers are told.

No socket and no clock: datagrams and the time go in; ``layer.to_send`` and ``facts`` wait to be
taken. The engine around it has the rest.
"""

import hashlib
import logging
import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace

from callwright.engines.port import LegId
from callwright.engines.sip.admission.admission import Admission
from callwright.engines.sip.admission.nat_keepalive import NatKeepAlive
from callwright.engines.sip.admission.rate_limit import RateLimit
from callwright.engines.sip.dialog import in_dialog
from callwright.engines.sip.dialog.bye import hang_up
from callwright.engines.sip.dialog.call_leg import CallLeg, Fact, InitialInvite
from callwright.engines.sip.dialog.capabilities import CAPABILITIES, refusal, unsupported
from callwright.engines.sip.dialog.dialog import CallName
from callwright.engines.sip.dialog.dialog_journal import NUMBERS_LEFT_OUT, DialogJournal, OpenDialog
from callwright.engines.sip.dialog.fork import Fork
from callwright.engines.sip.dialog.invite_client import InviteClient, InviteTarget
from callwright.engines.sip.dialog.invite_server import IncomingInvite, InviteServer
from callwright.engines.sip.transaction.digest_client import DigestClient
from callwright.engines.sip.transaction.layer import TransactionLayer
from callwright.engines.sip.transaction.request_sender import Identity, RequestSender
from callwright.engines.sip.transaction.transactions import Timing
from callwright.engines.sip.wire.address import Malformed
from callwright.engines.sip.wire.hop import Hop
from callwright.engines.sip.wire.message import SipRequest, SipResponse, answer_to, parse
from callwright.engines.sip.wire.sdp import G711, AudioProfile

log = logging.getLogger(__name__)


class Agent:
    """All calls of one transport."""

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
            sent_by=lambda transport: identity.over(transport).sent_by, timing=timing or Timing()
        )
        self._identity = identity
        self._tell = tell
        self._session_expires = session_expires
        self._journal = journal
        self._chance = chance or random.Random()
        self._speech = speech
        self._secret = secrets.token_bytes(16)
        self._calls: dict[CallName, CallLeg] = {}
        "A call that rings in several places has several names."
        self._admission = admission or Admission("callwright", self._secret)
        self._called = called
        self._keep_alive = NatKeepAlive(self._admission.bindings, keep_alive)
        self._rate_limit = RateLimit(strangers_per_second)

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
    ) -> CallLeg:
        """Send INVITEs that offer audio at ``media``, our RTP's address and port.

        ``trunk``: name of the trunk they go through. ``srtp``: audio over SRTP, or not at all.
        """
        senders = [self.sender(digest, place.hop, trunk) for place in places]

        def invite(call: CallLeg) -> InviteClient | Fork:
            offer = call.session.offer()
            if len(places) == 1:
                return InviteClient(senders[0], places[0], offer, call.wanted, call)
            return Fork(list(zip(senders, places, strict=True)), offer, call.wanted, call)

        call = CallLeg(
            leg,
            senders[0],
            media,
            self._tell,
            invite,
            session_expires=self._session_expires,
            journal=self._journal,
            speech=replace(self._speech, srtp=srtp),
        )
        for name in call.names:
            self._calls[name] = call
        assert isinstance(call.invite, InviteClient | Fork)
        call.invite.send(now)
        return call

    def take(
        self, leg: LegId, incoming: IncomingInvite, media: tuple[str, int], now: float
    ) -> CallLeg | None:
        """Make a call that has come in a leg; None if there are too many transactions already."""
        offers: list[InviteServer] = []
        transaction = self.layer.serve(
            incoming.request, incoming.source, now, lambda what, at: offers[0].lost(what, at)
        )
        if transaction is None:
            return None

        def offer(call: CallLeg) -> InitialInvite:
            offers.append(InviteServer(call, incoming, transaction))
            return offers[0]

        sender = self.sender(incoming.digest, incoming.source, incoming.trunk)
        call = CallLeg(
            leg,
            sender,
            media,
            self._tell,
            offer,
            session_expires=self._session_expires,
            journal=self._journal,
            speech=incoming.speech,
        )
        for name in call.names:
            self._calls[name] = call
        self.layer.respond(transaction, answer_to(incoming.request, 100, "Trying"), now)
        return call

    def refuse(self, incoming: IncomingInvite, status: int, reason: str) -> None:
        """Refuse a call that has come in, instead of `take`."""
        tag = incoming.dialog.local_tag
        response = answer_to(incoming.request, status, reason, tag=tag)
        self.layer.respond_once(incoming.request, response, incoming.source)

    def hang_up_open_dialog(self, call: OpenDialog, digest: DigestClient, now: float) -> None:
        """Send the BYE of a call that was up when we were cut off."""
        call.dialog.cseq += NUMBERS_LEFT_OUT
        hang_up(self.sender(digest, call.first_hop, call.trunk), call.dialog, now, self._journal)

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
            if isinstance(message, SipResponse):
                self.layer.receive_response(message, source, now)
            elif not self.layer.receive_request(message, source, now):
                self._new_request(message, source, now)
        except Malformed as fault:
            self.layer.dropped[f"malformed: {fault}"] += 1

    def _new_request(self, request: SipRequest, source: Hop, now: float) -> None:
        call = self._call_of(request)
        dialog = call.dialog_of(request) if call is not None else None
        if request.method == "ACK":
            if call is not None and dialog is not None:
                in_dialog.acknowledged(call, dialog, request, now)
            else:
                self.layer.dropped["ACK to nothing"] += 1
        elif request.method == "CANCEL" and call is not None:
            self._cancelled(call, request, now)
            self.layer.respond_once(request, self._to_stranger(request), source)
        elif call is not None and dialog is not None:
            in_dialog.take(call, dialog, request, source, now)
        elif not self._admission.knows(source) and not self._rate_limit.allows(source.host, now):
            self.layer.dropped["too many requests from one source"] += 1
        elif request.method == "REGISTER" and self._admission.takes_registrations:
            self._registers(request, source, now)
        elif request.method == "INVITE" and self._called is not None and request.to_tag is None:
            self._invited(call, request, source, now)
        else:
            self.layer.respond_once(request, self._to_stranger(request), source)

    def _call_of(self, request: SipRequest) -> CallLeg | None:
        """The call a request may be in: we have called, or whoever sends it has."""
        ours = CallName(request.call_id, request.to_tag or "")
        theirs = CallName(request.call_id, request.from_tag or "")
        return self._calls.get(ours) or self._calls.get(theirs)

    def _cancelled(self, call: CallLeg, cancel: SipRequest, now: float) -> None:
        if isinstance(call.invite, InviteServer) and call.invite.is_of(cancel):
            call.invite.cancelled(now)

    def _registers(self, request: SipRequest, source: Hop, now: float) -> None:
        tag = self._tag_for(request)
        if (lacking := unsupported(request)) is not None:
            response = answer_to(request, 420, "Bad Extension", tag=tag, extra=lacking)
            self.layer.respond_once(request, response, source)
            return
        response, made = self._admission.register(request, source, now, tag=tag)
        # Only for those who have shown their password something is kept.
        transaction = self.layer.serve(request, source, now) if response.status == 200 else None
        if transaction is None:
            self.layer.respond_once(request, response, source)
        else:
            self.layer.respond(transaction, response, now)
        for binding in made:
            self._keep_alive.watch(binding, self.sender(DigestClient(None, None), binding.hop), now)

    def _invited(self, call: CallLeg | None, request: SipRequest, source: Hop, now: float) -> None:
        tag = self._tag_for(request)
        if (lacking := unsupported(request)) is not None:
            incoming: IncomingInvite | SipResponse = answer_to(
                request, 420, "Bad Extension", tag=tag, extra=lacking
            )
        elif call is not None and not (call.ended and isinstance(call.invite, InviteServer)):
            # RFC 3261 8.2.2.2: the same call by another way, or a call of ours come back to us.
            incoming = answer_to(request, 482, "Loop Detected", tag=tag)
        else:
            incoming = self._admission.invited(request, source, now, tag=tag)
        if isinstance(incoming, SipResponse):
            self.layer.respond_once(request, incoming, source)
        elif self._called is not None:
            self._called(incoming, now)

    def _to_stranger(self, request: SipRequest) -> SipResponse:
        """Answer a request that is in no call of ours, and keep nothing of it.

        A flood of them costs no memory, and a forged sender gets one packet for each of his.
        """
        tag = self._tag_for(request)
        if request.method == "CANCEL" and self.layer.serves(request):
            return answer_to(request, 200, "OK", tag=tag)
        if request.to_tag is not None or request.method in ("BYE", "CANCEL", "PRACK", "UPDATE"):
            return answer_to(request, 481, "Call/Transaction Does Not Exist", tag=tag)
        if (lacking := unsupported(request)) is not None:
            return answer_to(request, 420, "Bad Extension", tag=tag, extra=lacking)
        match request.method:
            case "OPTIONS":
                return answer_to(request, 200, "OK", tag=tag, extra=CAPABILITIES)
            case "INVITE":
                return answer_to(request, 403, "Forbidden", tag=tag)
            case "INFO":
                return answer_to(request, 481, "Call/Transaction Does Not Exist", tag=tag)
            case "NOTIFY" | "SUBSCRIBE":
                return answer_to(request, 489, "Bad Event", tag=tag)
            case _:
                status, reason, extra = refusal(request)
                return answer_to(request, status, reason, tag=tag, extra=extra)

    def _tag_for(self, request: SipRequest) -> str:
        """The same tag for every copy of a request (RFC 3261 8.2.7)."""
        named = f"{request.call_id} {request.cseq} {request.via.branch}".encode(
            "utf-8", "surrogateescape"
        )
        return hashlib.blake2b(named, digest_size=8, key=self._secret).hexdigest()
