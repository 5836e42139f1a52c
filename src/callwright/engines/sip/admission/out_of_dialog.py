"""Out-of-dialog requests: what we, as the UAS, answer outside of calls (RFC 3261 section 8.2).

Strangers are answered statelessly, so that a flood of them costs no memory, and a forged sender
gets one packet for each of his.
"""

import hashlib
import secrets
from collections.abc import Callable

from callwright.engines.sip.admission.admission import Admission
from callwright.engines.sip.admission.nat_keepalive import NatKeepAlive
from callwright.engines.sip.admission.rate_limit import RateLimit
from callwright.engines.sip.dialog.call_leg import CallLeg
from callwright.engines.sip.dialog.capabilities import CAPABILITIES, refusal, unsupported
from callwright.engines.sip.dialog.invite_server import IncomingInvite, InviteServer
from callwright.engines.sip.dialog.replaces import Replaced, in_its_place
from callwright.engines.sip.transaction.layer import TransactionLayer
from callwright.engines.sip.transaction.request_sender import RequestSender
from callwright.engines.sip.wire.hop import Hop
from callwright.engines.sip.wire.message import SipRequest, SipResponse, answer_to


class OutOfDialog:
    """Takes REGISTER, INVITE, OPTIONS and all else that is in no dialog of ours."""

    def __init__(
        self,
        layer: TransactionLayer,
        admission: Admission,
        make_sender: Callable[[Hop], RequestSender],
        called: Callable[[IncomingInvite, float], None] | None,
        replaced: Callable[[Replaced], CallLeg | None],
        *,
        keep_alive: float,
        per_second: float,
    ) -> None:
        """``make_sender``: for questions to a phone. ``replaced`` finds the answered call of ours
        that a Replaces header names. The others: see `UserAgent`."""
        self._layer = layer
        self._admission = admission
        self._make_sender = make_sender
        self._called = called
        self._replaced = replaced
        self._keep_alive = NatKeepAlive(admission.bindings, keep_alive)
        self._rate_limit = RateLimit(per_second)
        self._secret = secrets.token_bytes(16)

    def take(self, request: SipRequest, source: Hop, now: float, call: CallLeg | None) -> None:
        """Answer a request, or tell of an INVITE. ``call``: one that has its Call-ID and a tag."""
        if not self._admission.knows(source) and not self._rate_limit.allows(source.host, now):
            self._layer.dropped["too many requests from one source"] += 1
        elif request.method == "REGISTER" and self._admission.takes_registrations:
            self._register(request, source, now)
        elif request.method == "INVITE" and self._called is not None and request.to_tag is None:
            self._invite(call, request, source, now)
        else:
            self.answer(request, source)

    def answer(self, request: SipRequest, source: Hop) -> None:
        """Answer a request statelessly."""
        self._layer.respond_once(request, self._answer(request), source)

    def _register(self, request: SipRequest, source: Hop, now: float) -> None:
        tag = self._tag_for(request)
        if (lacking := unsupported(request)) is not None:
            response = answer_to(request, 420, "Bad Extension", tag=tag, extra=lacking)
            self._layer.respond_once(request, response, source)
            return
        response, made = self._admission.register(request, source, now, tag=tag)
        # Only for those who have shown their password something is kept.
        transaction = self._layer.serve(request, source, now) if response.status == 200 else None
        if transaction is None:
            self._layer.respond_once(request, response, source)
        else:
            self._layer.respond(transaction, response, now)
        for binding in made:
            self._keep_alive.watch(binding, self._make_sender(binding.hop), now)

    def _invite(self, call: CallLeg | None, request: SipRequest, source: Hop, now: float) -> None:
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
        if not isinstance(incoming, SipResponse):
            incoming = in_its_place(incoming, self._replaced, tag=tag)
        if isinstance(incoming, SipResponse):
            self._layer.respond_once(request, incoming, source)
        elif self._called is not None:
            self._called(incoming, now)

    def _answer(self, request: SipRequest) -> SipResponse:
        tag = self._tag_for(request)
        if request.method == "CANCEL" and self._layer.serves(request):
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
