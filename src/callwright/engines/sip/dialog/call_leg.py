"""Call leg: the signalling of one leg, from its INVITE to its end."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from callwright.engines.media.media import RtpStream
from callwright.engines.port import (
    Cause,
    DtmfFailed,
    DtmfReceived,
    DtmfSent,
    EarlyMediaStarted,
    LegConnected,
    LegHeld,
    LegId,
    LegReleased,
    LegResumed,
    LegRinging,
)
from callwright.engines.sip.dialog import session_timer
from callwright.engines.sip.dialog.bye import hang_up
from callwright.engines.sip.dialog.causes import cause_of, raw_of
from callwright.engines.sip.dialog.dialog import CallName, Dialog
from callwright.engines.sip.dialog.dialog_journal import DialogJournal, NoJournal, OpenDialog
from callwright.engines.sip.dialog.info_dtmf import InfoDtmf
from callwright.engines.sip.dialog.invite_server import InviteServer
from callwright.engines.sip.dialog.offer_answer import OfferInput
from callwright.engines.sip.dialog.refer import Refer, TransferReport
from callwright.engines.sip.dialog.session_refresh import SessionRefresher
from callwright.engines.sip.dialog.session_timer import SessionTerms, SessionTimer, WantedInterval
from callwright.engines.sip.transaction.request_sender import RequestSender
from callwright.engines.sip.transaction.transactions import Lost
from callwright.engines.sip.wire import sdp
from callwright.engines.sip.wire.body import session_description
from callwright.engines.sip.wire.message import SipRequest, SipResponse, tokens

_UNACCEPTABLE = (415, 488, 606)
"What a far end says to an offer it cannot take."


@dataclass(frozen=True, slots=True)
class StreamAgreed:
    """The two sides have agreed on the audio of a leg, or on a change of it."""

    leg: LegId
    stream: RtpStream


@dataclass(frozen=True, slots=True)
class Referred:
    """The far end asks for a transfer, and waits to be told by `CallLeg.report_transfer`."""

    leg: LegId
    refer: Refer


Fact = (
    LegRinging
    | EarlyMediaStarted
    | LegConnected
    | LegReleased
    | LegHeld
    | LegResumed
    | DtmfReceived
    | DtmfSent
    | DtmfFailed
    | StreamAgreed
    | Referred
)


class InitialInvite(Protocol):
    """How a call comes about: we invite somebody, or are invited."""

    @property
    def names(self) -> Sequence[CallName]:
        """What its INVITEs, and all requests in its dialogs, are known by."""

    def begin(self, now: float) -> bool:
        """Send, or serve, the INVITE; False if there are too many transactions for that."""

    def withdraw(self, now: float, cause: Cause) -> None:
        """Give the call up before it is answered; what still crosses that is dealt with here."""

    def dialogs(self) -> list[Dialog]:
        """The dialogs made before the answer."""


class CallLeg:
    """One leg. What happens to it goes to ``tell``, in order; `LegReleased` once, and last."""

    def __init__(
        self,
        leg: LegId,
        sender: RequestSender,
        media: tuple[str, int],
        tell: Callable[[Fact], None],
        begin: "Callable[[CallLeg], InitialInvite]",
        *,
        session_expires: int,
        journal: DialogJournal | None = None,
        speech: sdp.AudioProfile = sdp.G711,
    ) -> None:
        """``media``: address and port of our RTP, as the far end shall see it.

        ``begin`` makes the INVITE the call begins with; nothing is sent by that.
        ``session_expires``: seconds between refreshes, twice; 90 or more (RFC 4028). ``journal``
        knows the call while it is answered, for a BYE should we be cut off.
        """
        self.leg = leg
        self.sender = sender
        self.journal = journal or NoJournal()
        self.ended = False
        self.phone: str | None = None
        "The number of the phone of ours that is at the other end, if it is one."
        self.dialog: Dialog | None = None
        "The dialog of the answer."
        self.session = sdp.SdpSession(media, session_id=secrets.randbits(31), speech=speech)
        self.wanted = WantedInterval(session_expires)
        self.timer = SessionTimer(sender.layer, refresh=self._refresh, expired=self._expired)
        self._tell = tell
        self._stream: RtpStream | None = None
        self._rung = False
        self._early_told = False
        self._allowed: frozenset[str] = frozenset()
        "Methods the far end takes, in small letters."
        self._keys = InfoDtmf(self)
        self._refresher: SessionRefresher | None = None
        self._answered = False
        self._held = False
        self._transfer: TransferReport | None = None
        "Of the latest transfer that the far end has asked for."
        self._transfers = 0
        self.takes_notify = True
        "False once it has left one without an answer, or denied that it has asked."
        self.invite = begin(self)

    @property
    def names(self) -> Sequence[CallName]:
        return self.invite.names

    @property
    def trunk_rung(self) -> str | None:
        """The trunk through which we ring; None for a call that comes in, or a phone."""
        return None if isinstance(self.invite, InviteServer) else self.sender.trunk

    @property
    def keys_by_info(self) -> bool:
        """Whether keys must go as INFO: no telephone-event agreed on, and INFO allowed."""
        return self._stream is not None and self._stream.keys_by_info

    # What we do.

    def hang_up(self, now: float, cause: Cause = Cause.RELEASED, raw: str = "") -> None:
        """End the leg at once; what the wire still needs goes on behind it."""
        if self.ended:
            return
        self.end(cause, raw)
        if self.dialog is None:
            self.invite.withdraw(now, cause)
        else:
            hang_up(self.sender, self.dialog, now, self.journal)

    def send_key(self, key: str, now: float, *, announced: bool = True) -> None:
        """Send a key as INFO, after those before it; ``announced`` ones are told by `DtmfSent`."""
        self._keys.send(key, now, announced=announced)

    def report_transfer(self, status: int, reason: str, now: float) -> None:
        """Tell the far end what has become of the transfer it asked for, if it has."""
        if self._transfer is not None and not self.ended:
            self._transfer.tell(status, reason, now)

    def end(self, cause: Cause, raw: str) -> None:
        """Tell that the leg has ended, without a word to the far end."""
        if not self.ended:
            self._tell(LegReleased(self.leg, cause, raw))
            self.ended = True
            self.timer.stop()
            if self._refresher is not None:
                self._refresher.stop()

    def tell(self, fact: Fact) -> None:
        if not self.ended:
            self._tell(fact)

    # What comes of an INVITE of ours.

    def rings(self) -> None:
        if not self._rung:
            self._rung = True
            self.tell(LegRinging(self.leg))

    def early(self, dialog: Dialog, response: SipResponse) -> None:
        answer = session_description(response)
        if not answer:
            return
        try:
            stream = self.session.answered(sdp.parse(answer))
        except sdp.UnusableSdp:
            self.sender.layer.dropped["early SDP that cannot be used"] += 1
            return
        # RFC 3261 13.2.1 would have us keep to the first description; but carriers that forward a
        # call say in a second one where its audio now comes from.
        dialog.offers.agreed = stream
        dialog.offers.step(OfferInput.PROVISIONAL_ANSWER)
        self.note_allowed(response)
        self.talk_over(stream)
        if not self._early_told:
            self._early_told = True
            self.tell(EarlyMediaStarted(self.leg))

    def accepted(self, dialog: Dialog, response: SipResponse, now: float) -> None:
        self.established(dialog)
        dialog.offers.step(OfferInput.SUCCESS)
        self.note_allowed(response)
        try:
            if answer := session_description(response):
                stream = self.session.answered(sdp.parse(answer))
            elif dialog.offers.agreed is not None:
                stream = dialog.offers.agreed
            else:
                raise sdp.UnusableSdp("no SDP in the answer")
        except sdp.UnusableSdp as fault:
            self.hang_up(now, Cause.UNREACHABLE, f"488 {fault}")
            return
        self.talk_over(stream)
        self.refreshed(session_timer.agreed(response, self.wanted), now)
        self.answered()

    def established(self, dialog: Dialog) -> None:
        """Take the dialog of the answer, which both sides now know of."""
        self.dialog = dialog
        self._refresher = SessionRefresher(self, dialog)

    def answered(self) -> None:
        """Tell that the leg is answered; once."""
        if not self._answered:
            self._answered = True
            self.tell(LegConnected(self.leg))

    def refused(self, what: SipResponse | Lost, now: float) -> None:
        if isinstance(what, Lost):
            self.end(Cause.UNREACHABLE, what.value)
        elif what.status in _UNACCEPTABLE and self.session.speech.srtp:
            self.end(Cause.UNREACHABLE, f"{raw_of(what)}, SRTP was required")
        else:
            self.end(cause_of(what.status), raw_of(what))

    def unacknowledged(self, dialog: Dialog, now: float) -> None:
        """Give up a call that the far end cannot be told we know of (RFC 3261 13.2.2.4)."""
        if dialog is self.dialog:
            self.hang_up(now, Cause.UNREACHABLE, "ACK cannot be sent")

    # What keeps it alive.

    def refreshed(self, terms: SessionTerms, now: float) -> None:
        """Take note of a refresh by either side, the answer to the INVITE included."""
        if not self.ended:
            self.wanted.settled(terms)
            self.timer.start(terms, now)
            if self.dialog is not None:
                self.journal.opened(
                    OpenDialog(self.dialog, self.sender.first_hop, self.sender.trunk)
                )
            if self._refresher is not None:
                self._refresher.was_refreshed()

    def _refresh(self, now: float) -> None:
        if self._refresher is not None:
            self._refresher.refresh(now)

    def _expired(self, now: float) -> None:
        self.hang_up(now, Cause.UNREACHABLE, "session timer")

    # What the far end changes.

    def note_allowed(self, message: SipRequest | SipResponse) -> None:
        """Note which methods the far end takes, where it says (RFC 3261 20.5)."""
        if "allow" in message.headers:
            self._allowed = tokens(message, "allow")

    def note_refused(self, method: str) -> None:
        """Note that the far end does not take a method, whatever its Allow says."""
        self._allowed -= {method.lower()}
        if method == "INFO" and self._stream is not None:
            # From now on keys go as tones, which everybody takes.
            self.talk_over(self._stream)

    def allows(self, method: str) -> bool:
        """Whether the far end has said that it takes a method."""
        return method.lower() in self._allowed

    def talk_over(self, stream: RtpStream) -> None:
        """Let the audio go as agreed."""
        by_info = stream.dtmf_payload_type is None and self.allows("INFO")
        stream = replace(stream, keys_by_info=by_info)
        if stream != self._stream:
            self._stream = stream
            self.tell(StreamAgreed(self.leg, stream))

    def may_refer(self, dialog: Dialog) -> bool:
        """Whether the far end may ask for a transfer now: in its call, one at a time."""
        in_call = self._answered and dialog is self.dialog
        return in_call and (self._transfer is None or self._transfer.is_over)

    def referred(self, dialog: Dialog, refer: Refer, now: float) -> None:
        """Take a REFER that has been accepted."""
        self._transfers += 1
        self._transfer = TransferReport(self, dialog, refer, numbered=self._transfers > 1)
        self._transfer.tell(100, "Trying", now)
        self.tell(Referred(self.leg, refer))

    def note_hold(self, stream: RtpStream) -> None:
        """Note whether an offer of the far end puts us on hold (RFC 3264 8.4).

        Not that of its first answer: where that is one-way it is an announcement.
        """
        if self._answered and stream.sends is self._held:
            self._held = not stream.sends
            self.tell(LegHeld(self.leg) if self._held else LegResumed(self.leg))

    def dialog_of(self, request: SipRequest) -> Dialog | None:
        """The dialog a request of the far end is in."""
        local, remote = request.to_tag or "", request.from_tag or ""
        dialogs = [self.dialog] if self.dialog is not None else self.invite.dialogs()
        return next(
            (one for one in dialogs if one.local_tag == local and one.remote_tag == remote), None
        )
