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
from callwright.engines.sip.admission.admission import Front
from callwright.engines.sip.admission.nat_keepalive import KeepAlive
from callwright.engines.sip.admission.rate_limit import FloodGate
from callwright.engines.sip.dialog import in_dialog
from callwright.engines.sip.dialog.bye import hang_up
from callwright.engines.sip.dialog.call_leg import Beginning, Call, Fact
from callwright.engines.sip.dialog.capabilities import CAPABILITIES, refusal, unsupported
from callwright.engines.sip.dialog.dialog import CallName
from callwright.engines.sip.dialog.dialog_journal import NUMBERS_LEFT_OUT, Leftover, Memory
from callwright.engines.sip.dialog.fork import Fork
from callwright.engines.sip.dialog.invite_client import Invitation, Invited
from callwright.engines.sip.dialog.invite_server import Arrival, Offer
from callwright.engines.sip.transaction.digest_client import Digest
from callwright.engines.sip.transaction.layer import TransactionLayer
from callwright.engines.sip.transaction.request_sender import Desk, Identity
from callwright.engines.sip.transaction.transactions import Timing
from callwright.engines.sip.wire.address import Malformed
from callwright.engines.sip.wire.hop import Hop
from callwright.engines.sip.wire.message import Request, Response, answer_to, parse
from callwright.engines.sip.wire.sdp import G711, Speech

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
        memory: Memory | None = None,
        chance: random.Random | None = None,
        front: Front | None = None,
        called: Callable[[Arrival, float], None] | None = None,
        keep_alive: float = 30.0,
        strangers_per_second: float = 20.0,
        speech: Speech = G711,
    ) -> None:
        """``session_expires``: seconds, for RFC 4028. ``memory``: see `Call`; ``chance``: `Desk`.

        ``called`` is told of a call that comes in, for which it is to `take` or `refuse` it.
        ``keep_alive``: seconds between questions to phones behind a NAT. ``speech``: what is
        offered to whom we ring. ``strangers_per_second``: requests outside of calls that one
        source may make.
        """
        self.layer = TransactionLayer(
            sent_by=lambda transport: identity.over(transport).sent_by, timing=timing or Timing()
        )
        self._identity = identity
        self._tell = tell
        self._session_expires = session_expires
        self._memory = memory
        self._chance = chance or random.Random()
        self._speech = speech
        self._secret = secrets.token_bytes(16)
        self._calls: dict[CallName, Call] = {}
        "A call that rings in several places has several names."
        self._front = front or Front("callwright", self._secret)
        self._called = called
        self._keep_alive = KeepAlive(self._front.bindings, keep_alive)
        self._gate = FloodGate(strangers_per_second)

    def desk(self, digest: Digest, hop: Hop | None, trunk: str | None = None) -> Desk:
        """Make a desk for requests that begin at ``hop``; ``trunk`` names whose ``digest`` is."""
        return Desk(
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
        places: Sequence[Invited],
        digest: Digest,
        media: tuple[str, int],
        now: float,
        *,
        trunk: str | None = None,
        srtp: bool = False,
    ) -> Call:
        """Send INVITEs that offer audio at ``media``, our RTP's address and port.

        ``trunk``: name of the trunk they go through. ``srtp``: audio over SRTP, or not at all.
        """
        desks = [self.desk(digest, place.hop, trunk) for place in places]

        def invite(call: Call) -> Invitation | Fork:
            offer = call.session.offer()
            if len(places) == 1:
                return Invitation(desks[0], places[0], offer, call.wanted, call)
            return Fork(list(zip(desks, places, strict=True)), offer, call.wanted, call)

        call = Call(
            leg,
            desks[0],
            media,
            self._tell,
            invite,
            session_expires=self._session_expires,
            memory=self._memory,
            speech=replace(self._speech, srtp=srtp),
        )
        for name in call.names:
            self._calls[name] = call
        assert isinstance(call.beginning, Invitation | Fork)
        call.beginning.send(now)
        return call

    def take(self, leg: LegId, arrival: Arrival, media: tuple[str, int], now: float) -> Call | None:
        """Make a call that has come in a leg; None if there are too many transactions already."""
        offers: list[Offer] = []
        transaction = self.layer.serve(
            arrival.request, arrival.source, now, lambda what, at: offers[0].lost(what, at)
        )
        if transaction is None:
            return None

        def offer(call: Call) -> Beginning:
            offers.append(Offer(call, arrival, transaction))
            return offers[0]

        desk = self.desk(arrival.digest, arrival.source, arrival.trunk)
        call = Call(
            leg,
            desk,
            media,
            self._tell,
            offer,
            session_expires=self._session_expires,
            memory=self._memory,
            speech=arrival.speech,
        )
        for name in call.names:
            self._calls[name] = call
        self.layer.respond(transaction, answer_to(arrival.request, 100, "Trying"), now)
        return call

    def refuse(self, arrival: Arrival, status: int, reason: str) -> None:
        """Refuse a call that has come in, instead of `take`."""
        tag = arrival.dialog.local_tag
        response = answer_to(arrival.request, status, reason, tag=tag)
        self.layer.respond_once(arrival.request, response, arrival.source)

    def hang_up_leftover(self, call: Leftover, digest: Digest, now: float) -> None:
        """Send the BYE of a call that was up when we were cut off."""
        call.dialog.cseq += NUMBERS_LEFT_OUT
        hang_up(self.desk(digest, call.line, call.trunk), call.dialog, now, self._memory)

    def forget(self, call: Call, now: float) -> None:
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
            if isinstance(message, Response):
                self.layer.receive_response(message, source, now)
            elif not self.layer.receive_request(message, source, now):
                self._new_request(message, source, now)
        except Malformed as fault:
            self.layer.dropped[f"malformed: {fault}"] += 1

    def _new_request(self, request: Request, source: Hop, now: float) -> None:
        call = self._call_of(request)
        dialog = call.dialog_of(request) if call is not None else None
        if request.method == "ACK":
            if call is not None and dialog is not None:
                in_dialog.acknowledged(call, request, now)
            else:
                self.layer.dropped["ACK to nothing"] += 1
        elif request.method == "CANCEL" and call is not None:
            self._cancelled(call, request, now)
            self.layer.respond_once(request, self._to_stranger(request), source)
        elif call is not None and dialog is not None:
            in_dialog.take(call, dialog, request, source, now)
        elif not self._front.knows(source) and not self._gate.lets_in(source.host, now):
            self.layer.dropped["too many requests from one source"] += 1
        elif request.method == "REGISTER" and self._front.takes_registrations:
            self._registers(request, source, now)
        elif request.method == "INVITE" and self._called is not None and request.to_tag is None:
            self._invited(call, request, source, now)
        else:
            self.layer.respond_once(request, self._to_stranger(request), source)

    def _call_of(self, request: Request) -> Call | None:
        """The call a request may be in: we have called, or whoever sends it has."""
        ours = CallName(request.call_id, request.to_tag or "")
        theirs = CallName(request.call_id, request.from_tag or "")
        return self._calls.get(ours) or self._calls.get(theirs)

    def _cancelled(self, call: Call, cancel: Request, now: float) -> None:
        if isinstance(call.beginning, Offer) and call.beginning.is_of(cancel):
            call.beginning.cancelled(now)

    def _registers(self, request: Request, source: Hop, now: float) -> None:
        tag = self._tag_for(request)
        if (lacking := unsupported(request)) is not None:
            response = answer_to(request, 420, "Bad Extension", tag=tag, extra=lacking)
            self.layer.respond_once(request, response, source)
            return
        response, made = self._front.register(request, source, now, tag=tag)
        # Only for those who have shown their password something is kept.
        transaction = self.layer.serve(request, source, now) if response.status == 200 else None
        if transaction is None:
            self.layer.respond_once(request, response, source)
        else:
            self.layer.respond(transaction, response, now)
        for binding in made:
            self._keep_alive.watch(binding, self.desk(Digest(None, None), binding.hop), now)

    def _invited(self, call: Call | None, request: Request, source: Hop, now: float) -> None:
        tag = self._tag_for(request)
        if (lacking := unsupported(request)) is not None:
            arrival: Arrival | Response = answer_to(
                request, 420, "Bad Extension", tag=tag, extra=lacking
            )
        elif call is not None and not (call.ended and isinstance(call.beginning, Offer)):
            # RFC 3261 8.2.2.2: the same call by another way, or a call of ours come back to us.
            arrival = answer_to(request, 482, "Loop Detected", tag=tag)
        else:
            arrival = self._front.invited(request, source, now, tag=tag)
        if isinstance(arrival, Response):
            self.layer.respond_once(request, arrival, source)
        elif self._called is not None:
            self._called(arrival, now)

    def _to_stranger(self, request: Request) -> Response:
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

    def _tag_for(self, request: Request) -> str:
        """The same tag for every copy of a request (RFC 3261 8.2.7)."""
        named = f"{request.call_id} {request.cseq} {request.via.branch}".encode(
            "utf-8", "surrogateescape"
        )
        return hashlib.blake2b(named, digest_size=8, key=self._secret).hexdigest()
