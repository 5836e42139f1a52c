"""The user agent: which call a message is for, and what strangers are told.

No socket and no clock: datagrams and the time go in; ``layer.to_send`` and ``facts`` wait to be
taken. The engine around it has the rest.
"""

import hashlib
import logging
import random
import secrets
from collections.abc import Callable

from callwright.engines.port import LegId
from callwright.engines.sip import far_end
from callwright.engines.sip.address import Malformed
from callwright.engines.sip.asking import Desk, Identity
from callwright.engines.sip.auth import Digest
from callwright.engines.sip.call import Call, Fact
from callwright.engines.sip.hop import Hop
from callwright.engines.sip.invite import Invited
from callwright.engines.sip.layer import TransactionLayer
from callwright.engines.sip.message import Request, Response, answer_to, parse
from callwright.engines.sip.transactions import Timing

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
        chance: random.Random | None = None,
    ) -> None:
        """``session_expires``: seconds, for RFC 4028. ``chance``: see `Desk`."""
        self.layer = TransactionLayer(
            sent_by=lambda transport: identity.over(transport).sent_by, timing=timing or Timing()
        )
        self._identity = identity
        self._tell = tell
        self._session_expires = session_expires
        self._chance = chance
        self._secret = secrets.token_bytes(16)
        self._calls: dict[str, Call] = {}

    def ring(
        self, leg: LegId, whom: Invited, digest: Digest, media: tuple[str, int], now: float
    ) -> Call:
        """Send an INVITE that offers audio at ``media``, our RTP's address and port."""
        desk = Desk(self.layer, self._identity, digest, whom.hop, chance=self._chance)
        call = Call(leg, desk, whom, media, self._tell, session_expires=self._session_expires)
        self._calls[call.call_id] = call
        call.ring(now)
        return call

    def forget(self, call: Call, now: float) -> None:
        """Let go of an ended call, once no straggler of it can come any more."""

        def gone(_now: float) -> None:
            del self._calls[call.call_id]

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
        call = self._calls.get(request.call_id)
        dialog = call.dialog_of(request) if call is not None else None
        if request.method == "ACK":
            if call is not None and dialog is not None:
                far_end.acknowledged(call, request, now)
            else:
                self.layer.dropped["ACK to nothing"] += 1
        elif request.method != "CANCEL" and call is not None and dialog is not None:
            far_end.take(call, dialog, request, source, now)
        else:
            self.layer.respond_once(request, self._to_stranger(request), source)

    def _to_stranger(self, request: Request) -> Response:
        """Answer a request that is in no call of ours, and keep nothing of it.

        A flood of them costs no memory, and a forged sender gets one packet for each of his.
        """
        tag = self._tag_for(request)
        if request.method == "CANCEL" and self.layer.serves(request):
            return answer_to(request, 200, "OK", tag=tag)
        if request.to_tag is not None or request.method in ("BYE", "CANCEL", "PRACK", "UPDATE"):
            return answer_to(request, 481, "Call/Transaction Does Not Exist", tag=tag)
        if (lacking := far_end.unsupported(request)) is not None:
            return answer_to(request, 420, "Bad Extension", tag=tag, extra=lacking)
        match request.method:
            case "OPTIONS":
                return answer_to(request, 200, "OK", tag=tag, extra=far_end.CAPABILITIES)
            case "INVITE":
                return answer_to(request, 403, "Forbidden", tag=tag)
            case "INFO":
                return answer_to(request, 481, "Call/Transaction Does Not Exist", tag=tag)
            case "NOTIFY" | "SUBSCRIBE":
                return answer_to(request, 489, "Bad Event", tag=tag)
            case _:
                status, reason, extra = far_end.refusal(request)
                return answer_to(request, status, reason, tag=tag, extra=extra)

    def _tag_for(self, request: Request) -> str:
        """The same tag for every copy of a request (RFC 3261 8.2.7)."""
        named = f"{request.call_id} {request.cseq} {request.via.branch}".encode(
            "utf-8", "surrogateescape"
        )
        return hashlib.blake2b(named, digest_size=8, key=self._secret).hexdigest()
