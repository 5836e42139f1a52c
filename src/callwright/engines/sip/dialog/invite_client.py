"""INVITE client (UAC): how somebody is rung, over forks and lost packets, until one answer counts.

The user of an INVITE hears of ringing, of early media, and then of one answer or one refusal.
Everything a proxy, a fork or a crossing may bring besides is dealt with here: a 2xx is acknowledged
as often as it comes, a second one is hung up (RFC 3261 13.2.2.4), and so is one that crosses
our CANCEL.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from callwright.engines.port import Cause
from callwright.engines.sip.dialog.bye import hang_up
from callwright.engines.sip.dialog.capabilities import ALLOW, supported
from callwright.engines.sip.dialog.dialog import CallName, Dialog, dialog_from
from callwright.engines.sip.dialog.session_timer import WantedInterval
from callwright.engines.sip.transaction.acknowledgement import AckFallback, Acknowledgement
from callwright.engines.sip.transaction.request_sender import RequestSender, SentRequest
from callwright.engines.sip.transaction.transactions import Lost, cancel_of
from callwright.engines.sip.wire.address import Malformed, quoted
from callwright.engines.sip.wire.hop import Hop
from callwright.engines.sip.wire.message import (
    SipRequest,
    SipResponse,
    add_body,
    first,
    tokens,
)
from callwright.engines.sip.wire.sdp import TYPE
from callwright.engines.sip.wire.trail import trail_headers
from callwright.engines.trail import FRESH, Trail

FORKS_AT_MOST = 16
"Dialogs one INVITE may make; further ones are dropped and counted."


class InviteListener(Protocol):
    """Whoever wants somebody rung."""

    def rings(self) -> None:
        """180 has come."""

    def early(self, dialog: Dialog, response: SipResponse) -> None:
        """A provisional response with SDP has come."""

    def accepted(self, dialog: Dialog, response: SipResponse, now: float) -> None:
        """The first 2xx has come, and has been acknowledged. Said once, and then nothing more."""

    def refused(self, what: SipResponse | Lost, now: float) -> None:
        """A final response of 300 to 699 has come, or none will. Said instead of `accepted`."""

    def unacknowledged(self, dialog: Dialog, now: float) -> None:
        """The 2xx of `accepted` cannot be acknowledged. Said after it, if at all."""


@dataclass(frozen=True, slots=True)
class InviteTarget:
    """Who is to be rung, and as whom we ring."""

    uri: str
    hop: Hop
    from_uri: str
    from_name: str = ""
    "Display name beside it."
    identity: Mapping[str, list[str]] = field(default_factory=dict)
    "Headers that say for whom we ring (RFC 3325), or that it is not to be told (RFC 3323)."
    trail: Trail = FRESH
    natted: bool = False
    "``hop`` is where it is in truth, for all that follows; its Contact is of no use to us."


_COMPLETED_ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'
"RFC 3326 section 3.1."


@dataclass(slots=True)
class _Early:
    dialog: Dialog
    rseq: int | None = None
    "Number of the last reliable provisional response (RFC 3262)."


class InviteClient:
    """One INVITE of ours, from its first packet to its last acknowledgement."""

    def __init__(
        self,
        sender: RequestSender,
        whom: InviteTarget,
        offer: bytes,
        wanted: WantedInterval,
        listener: InviteListener,
    ) -> None:
        self.call_id = f"{secrets.token_hex(16)}@{sender.identity.host}"
        self._sender = sender
        self._whom = whom
        self._seen_at = whom.hop if whom.natted else None
        self._offer = offer
        self._wanted = wanted
        self._listener = listener
        self._tag = secrets.token_hex(8)
        self._from = f"{quoted(whom.from_name)}<{whom.from_uri}>;tag={self._tag}"
        self._cseq = 0
        self._sent: SentRequest | None = None
        self._early: dict[str, _Early] = {}
        self._acks: dict[str, Acknowledgement] = {}
        self._provisional = False
        self._decided = False
        "An answer or a refusal has been told."
        self._withdrawn = False
        self._elsewhere = False

    def begin(self, now: float) -> bool:
        self._send(now)
        return True

    def _send(self, now: float) -> None:
        self._sent = self._sender.send(self._build, now, self._told)

    def withdraw(
        self, now: float, cause: Cause = Cause.RELEASED, *, elsewhere: bool = False
    ) -> None:
        """Stop ringing. Whatever still comes is dealt with here, and nobody is told of it.

        ``elsewhere``: another phone has taken the call, so that this one has not missed it.
        """
        self._withdrawn = True
        self._elsewhere = elsewhere
        if self._sent is not None:
            self._sent.give_up()
        # RFC 3261 9.1: before a provisional response, a CANCEL must wait.
        if self._provisional and not self._decided:
            self._cancel(now)

    @property
    def names(self) -> Sequence[CallName]:
        return (CallName(self.call_id, self._tag),)

    def dialogs(self) -> list[Dialog]:
        """The dialogs made before the answer."""
        return [early.dialog for early in self._early.values()]

    def _build(self) -> tuple[SipRequest, Hop]:
        self._cseq += 1
        self._provisional = False
        # RFC 3261 12.3: the failure before this attempt has ended the dialogs of that one.
        self._early.clear()
        identity = self._sender.identity
        request = SipRequest(
            "INVITE",
            self._whom.uri,
            {
                **trail_headers(self._whom.trail),
                "from": [self._from],
                "to": [f"<{self._whom.uri}>"],
                "call-id": [self.call_id],
                "cseq": [f"{self._cseq} INVITE"],
                "contact": [identity.contact],
                "allow": [ALLOW],
                **supported(self._sender.trunk),
                **self._wanted.headers(),
                **self._whom.identity,
            },
        )
        add_body(request, TYPE, self._offer)
        return request, self._whom.hop

    def _told(self, what: SipResponse | Lost, now: float) -> None:
        if isinstance(what, SipResponse) and what.status < 200:
            self._proceeds(what, now)
        elif isinstance(what, SipResponse) and what.status < 300:
            self._accepted(what, now)
        elif self._may_ask_for_longer(what):
            self._send(now)
        elif not self._decided:
            self._decided = True
            if not self._withdrawn:
                self._listener.refused(what, now)

    def _may_ask_for_longer(self, what: SipResponse | Lost) -> bool:
        """Whether a proxy or the far end only wants the session refreshed less often."""
        if self._decided or self._withdrawn or not isinstance(what, SipResponse):
            return False
        return what.status == 422 and self._wanted.raised_by(what)

    def _proceeds(self, response: SipResponse, now: float) -> None:
        self._provisional = True
        if self._withdrawn:
            self._cancel(now)
            return
        tag = response.to_tag
        if response.status == 100 or self._decided:
            return
        if tag:
            try:
                early = self._early_dialog(tag, response)
            except Malformed:
                self._drop("provisional response with a malformed Contact or Record-Route")
                return
            if early is None or not self._in_sequence(early, response, now):
                return
        if response.status == 180:
            self._listener.rings()
        if tag and early is not None and response.body:
            self._listener.early(early.dialog, response)

    def _early_dialog(self, tag: str, response: SipResponse) -> _Early | None:
        early = self._early.get(tag)
        if early is None and self._sent is not None and self._sent.transaction is not None:
            if len(self._early) >= FORKS_AT_MOST:
                self._drop("too many forks")
                return None
            early = _Early(dialog_from(self._sent.transaction.request, response, self._seen_at))
            self._early[tag] = early
        return early

    def _in_sequence(self, early: _Early, response: SipResponse, now: float) -> bool:
        """Acknowledge a reliable provisional response; False for a copy, or one out of order."""
        number = first(response, "rseq")
        if "100rel" not in tokens(response, "require") or not (
            number.isascii() and number.isdecimal() and len(number) <= 10
        ):
            return True
        rseq = int(number)
        # RFC 3262 section 4: copies are not acknowledged again (the PRACK itself is sent again),
        # and a gap means that an earlier one is still on its way.
        if early.rseq is not None and rseq != early.rseq + 1:
            return False
        early.rseq = rseq

        def prack() -> tuple[SipRequest, Hop]:
            request, hop = early.dialog.request("PRACK")
            request.headers["rack"] = [f"{rseq} {response.cseq} INVITE"]
            return request, hop

        def told(what: SipResponse | Lost, at: float) -> None:
            if what is Lost.UNSENT and early.dialog.goes_astray():
                self._sender.send(prack, at, _nobody)

        self._sender.send(prack, now, told)
        return True

    def _accepted(self, response: SipResponse, now: float) -> None:
        tag = response.to_tag or ""
        if (ack := self._acks.get(tag)) is not None:
            self._sender.layer.acknowledgements.repeat(ack)
            return
        if len(self._acks) >= FORKS_AT_MOST:
            self._drop("too many forks")
            return
        try:
            dialog = self._confirm(tag, response)
        except Malformed:
            self._drop("2xx with a malformed Contact or Record-Route")
            # It takes the call for answered all the same, and is told where it was rung.
            unled = {"contact", "record-route"}
            headers = {name: had for name, had in response.headers.items() if name not in unled}
            hang_up(self._sender, self._confirm(tag, replace(response, headers=headers)), now)
            if not self._decided and not self._withdrawn:
                self._decided = True
                self._listener.refused(Lost.UNSENT, now)
            return
        if self._decided or self._withdrawn:
            hang_up(self._sender, dialog, now)
            return
        self._decided = True
        self._listener.accepted(dialog, response, now)

    def _confirm(self, tag: str, response: SipResponse) -> Dialog:
        """Make or complete the dialog of a 2xx, and acknowledge it."""
        assert self._sent is not None
        assert self._sent.transaction is not None
        invite = self._sent.transaction.request
        early = self._early.get(tag)
        if early is None:
            dialog = dialog_from(invite, response, self._seen_at)
        else:
            dialog = early.dialog
            dialog.confirm(response)
        self._acks[tag] = acknowledge(
            self._sender, dialog, invite, lambda at: self._unacknowledged(dialog, at)
        )
        return dialog

    def _unacknowledged(self, dialog: Dialog, now: float) -> None:
        if self._decided and not self._withdrawn:
            self._listener.unacknowledged(dialog, now)

    def _cancel(self, now: float) -> None:
        assert self._sent is not None
        if (invite := self._sent.transaction) is not None:
            cancel = cancel_of(invite.request)
            if self._elsewhere:
                cancel.headers["reason"] = [_COMPLETED_ELSEWHERE]
            self._sender.layer.cancel(cancel, invite, now)

    def _drop(self, reason: str) -> None:
        self._sender.layer.dropped[reason] += 1


def acknowledge(
    sender: RequestSender,
    dialog: Dialog,
    invite: SipRequest,
    lost: Callable[[float], None],
) -> Acknowledgement:
    """Send the ACK of a 2xx to ``invite``; return it, for the copies of that 2xx.

    Where it does not arrive at what the far end names, it goes to where the 2xx has come from;
    ``lost`` is called, with the time, when it cannot be sent at all.
    """

    def elsewhere() -> Hop | None:
        return sender.way(dialog.hop()) if dialog.goes_astray() else None

    ack, hop = dialog.request("ACK", cseq=invite.cseq)
    # RFC 3261 22.1: an ACK cannot be challenged, and repeats the credentials of its INVITE.
    for name in ("authorization", "proxy-authorization"):
        if name in invite.headers:
            ack.headers[name] = invite.headers[name]
    fallback = AckFallback(elsewhere, lost)
    return sender.layer.acknowledgements.send(ack, sender.way(hop), fallback)


def _nobody(_what: SipResponse | Lost, _now: float) -> None:
    """Nobody waits for what comes of it."""
