"""In-dialog requests: what we, as the UAS, answer inside a call (RFC 3261 section 12.2.2)."""

import re

from callwright.engines.port import Cause, DtmfReceived
from callwright.engines.sip.dialog import session_timer
from callwright.engines.sip.dialog.call_leg import CallLeg
from callwright.engines.sip.dialog.capabilities import (
    ACCEPT,
    ACCEPT_BODY,
    ALLOW,
    CAPABILITIES,
    refusal,
    supported,
    unsupported,
)
from callwright.engines.sip.dialog.causes import q850_of
from callwright.engines.sip.dialog.dialog import Dialog
from callwright.engines.sip.dialog.invite_server import InviteServer
from callwright.engines.sip.dialog.offer_answer import OfferDo, input_of
from callwright.engines.sip.dialog.refer import read_refer
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
    content_type,
)

_SIGNAL = re.compile(rb"\s*Signal\s*=\s*([0-9A-D*#]|1[01])\s*(?:$|[\r\n])", re.IGNORECASE)
_KEY = re.compile(rb"\s*([0-9A-D*#])\s*", re.IGNORECASE)


def take(call: CallLeg, dialog: Dialog, request: SipRequest, source: Hop, now: float) -> None:
    """Take one new request, other than a CANCEL, inside a dialog of ``call``."""
    if request.method == "ACK":
        _acknowledged(call, dialog, request, now)
        return

    def unacknowledged(_what: SipResponse | Lost, at: float) -> None:
        # RFC 3261 14.2: without the ACK of a re-INVITE we accepted, the session is ended.
        if dialog.offers.unacknowledged(request.cseq) is not None:
            call.hang_up(at, Cause.UNREACHABLE, "no ACK")

    transaction = call.sender.layer.serve(request, source, now, unacknowledged)
    if transaction is None:
        return
    if request.method in ("INVITE", "UPDATE"):
        dialog.heard_at = source
    response = _answer(call, dialog, request, transaction, now)
    call.sender.layer.respond(transaction, response, now)
    if request.method == "REFER" and response.status == 202:
        call.referred(dialog, read_refer(request), now)


def _acknowledged(call: CallLeg, dialog: Dialog, ack: SipRequest, now: float) -> None:
    """Take the ACK of our 2xx to an INVITE, with the answer to our offer if it had none."""
    invite = dialog.offers.acknowledged(ack.cseq)
    if invite is None:
        return
    invite.receive(ack, now)
    if isinstance(call.invite, InviteServer):
        call.invite.acknowledged(now)
    if not session_description(invite.request) and not call.ended:
        try:
            stream = call.session.answered(sdp.parse(session_description(ack)))
            call.talk_over(stream)
            call.note_hold(stream)
        except sdp.UnusableSdp as fault:
            call.hang_up(now, Cause.UNREACHABLE, f"488 {fault}")
    call.answered()


def _answer(
    call: CallLeg, dialog: Dialog, request: SipRequest, transaction: ServerTransaction, now: float
) -> SipResponse:
    if request.method == "BYE":
        return _bye(call, dialog, request, now)
    if call.ended:
        return answer_to(request, 481, "Call/Transaction Does Not Exist")
    if not dialog.in_order(request):
        return answer_to(request, 500, "Server Internal Error")  # RFC 3261 12.2.2
    if (lacking := unsupported(request)) is not None:
        return answer_to(request, 420, "Bad Extension", extra=lacking)
    match request.method:
        case "INVITE" | "UPDATE":
            return _change(call, dialog, request, transaction, now)
        case "INFO":
            return _info(call, request)
        case "OPTIONS":
            return answer_to(request, 200, "OK", extra=CAPABILITIES)
        case "REFER":
            return _answer_refer(call, dialog, request)
        case "NOTIFY" | "SUBSCRIBE":
            return answer_to(request, 489, "Bad Event")  # RFC 6665 4.1.3: we know no event package
        case "PRACK":
            return answer_to(request, 481, "Call/Transaction Does Not Exist")  # RFC 3262 section 3
        case _:
            status, reason, extra = refusal(request)
            return answer_to(request, status, reason, extra=extra)


def _bye(call: CallLeg, dialog: Dialog, request: SipRequest, now: float) -> SipResponse:
    # RFC 3261 15: before the answer only the caller may send a BYE. One that crosses ours is fine.
    if dialog is not call.dialog and isinstance(call.invite, InviteServer):
        call.invite.taken_back(now)
    elif dialog is not call.dialog:
        return answer_to(request, 481, "Call/Transaction Does Not Exist")
    call.end(Cause.HUNG_UP, q850_of(request))
    call.journal.closed(dialog)
    return answer_to(request, 200, "OK")


def _change(
    call: CallLeg, dialog: Dialog, request: SipRequest, transaction: ServerTransaction, now: float
) -> SipResponse:
    """Answer a re-INVITE or an UPDATE: hold, another codec or address, a mere refresh."""
    offers = dialog.offers
    given = input_of(request)
    due = offers.due(given)
    if (refused := _not_now(call, dialog, request, due)) is not None:
        return refused
    body = b""
    target = dialog.target
    call.note_allowed(request)
    try:
        dialog.refresh(request)
        if due is OfferDo.ANSWER:
            body, offers.agreed = call.session.answer(sdp.parse(session_description(request)))
            call.talk_over(offers.agreed)
            call.note_hold(offers.agreed)
    except Malformed:
        return answer_to(request, 400, "Bad Contact")
    except sdp.UnusableSdp:
        dialog.target = target  # what is refused changes nothing (RFC 6141 3.2)
        return answer_to(request, 488, "Not Acceptable Here")
    if due is OfferDo.OFFER:
        body = call.session.offer()
    if request.method == "INVITE":
        offers.accepted(given, transaction)
    else:
        offers.step(given)
    extra: Headers = {}
    if dialog is call.dialog:  # the terms of a call that is not answered come with its answer
        terms, extra = session_timer.answer(request, call.wanted)
        call.refreshed(terms, now)
    contact: Headers = {"contact": [call.sender.identity.contact], "allow": [ALLOW]}
    response = answer_to(request, 200, "OK", extra=contact | supported(call.sender.trunk) | extra)
    if body:
        add_body(response, sdp.TYPE, body)
    return response


def _not_now(
    call: CallLeg, dialog: Dialog, request: SipRequest, due: OfferDo | None
) -> SipResponse | None:
    """Refuse a re-INVITE or an UPDATE whose time has not come, or that asks what we do not do."""
    if due is OfferDo.PENDING:
        return answer_to(request, 491, "Request Pending")
    if due is OfferDo.LATER:
        # RFC 3261 14.2, RFC 3311 5.2: "a randomly chosen value of between 0 and 10 seconds".
        after = str(call.sender.random.randint(0, 10))
        return answer_to(request, 500, "Server Internal Error", extra={"retry-after": [after]})
    if request.method == "INVITE" and dialog.offers.is_full:
        return answer_to(request, 500, "Server Internal Error", extra={"retry-after": ["5"]})
    if not takes_body(request):
        return answer_to(request, 415, "Unsupported Media Type", extra=ACCEPT_BODY)
    if (least := session_timer.too_brief(request)) is not None:
        return answer_to(request, 422, "Session Interval Too Small", extra=least)
    return None


def _answer_refer(call: CallLeg, dialog: Dialog, request: SipRequest) -> SipResponse:
    """Accept a REFER, if it can be read: by whether it comes about, NOTIFY tells (RFC 5589 5)."""
    if not call.takes_notify:
        # Its Contact may be anybody's, who is not to get a flood of NOTIFYs.
        return answer_to(request, 603, "Decline")
    if not call.may_refer(dialog):
        return answer_to(request, 491, "Request Pending")
    try:
        refer = read_refer(request)
    except Malformed as fault:
        return answer_to(request, 400, f"Bad Refer-To: {fault}")
    extra: Headers = {"contact": [call.sender.identity.contact]}
    if refer.quiet:
        extra["refer-sub"] = ["false"]  # RFC 4488 section 4
    return answer_to(request, 202, "Accepted", extra=extra)


def _info(call: CallLeg, request: SipRequest) -> SipResponse:
    kind = content_type(request)
    if not request.body:
        return answer_to(request, 200, "OK")  # a probe for whether we are still there
    if kind not in ("application/dtmf-relay", "application/dtmf"):
        return answer_to(request, 415, "Unsupported Media Type", extra={"accept": [ACCEPT]})
    found = (_SIGNAL.match if kind.endswith("-relay") else _KEY.fullmatch)(request.body)
    if found is None:
        return answer_to(request, 400, "Bad Signal")
    signal = found[1].decode().upper()
    call.tell(DtmfReceived(call.leg, {"10": "*", "11": "#"}.get(signal, signal)))
    return answer_to(request, 200, "OK")
