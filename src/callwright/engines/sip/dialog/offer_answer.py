"""Offer/answer (RFC 3264): which side may offer SDP in a dialog now, and how an offer is answered.

A table, from a state and an input to the next state and what to do, as RFC 3261 (13.3, 14), RFC
3311 and RFC 6337 have it. Inputs that are not in the table may not be made in that state, or change
nothing. No I/O and no clock; the descriptions themselves are in `callwright.engines.sip.wire.sdp`.

We offer in INVITEs and re-INVITEs, and in the 2xx to an INVITE without an offer. We make no offer
in an UPDATE or a PRACK, and as we send no reliable provisional response, the far end has no PRACK
to make one in.
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import TYPE_CHECKING

from callwright.engines.sip.wire.body import session_description

if TYPE_CHECKING:
    from callwright.engines.media.media import RtpStream
    from callwright.engines.sip.transaction.transactions import ServerTransaction
    from callwright.engines.sip.wire.message import SipRequest

UNACKNOWLEDGED_AT_MOST = 8
"Re-INVITEs of one dialog whose ACK may be on its way at once."


class OfferState(Enum):
    UNOFFERED = auto()
    "The caller's INVITE has no offer; ours goes with the 2xx."
    REMOTE_OFFER = auto()
    "The caller's INVITE has an offer, which our 2xx will answer."
    LOCAL_OFFER = auto()
    "An INVITE or re-INVITE of ours has an offer, without an answer yet."
    EARLY_ANSWER = auto()
    "A provisional response has answered our offer; the INVITE goes on."
    UNCONFIRMED = auto()
    "Our 2xx has answered the caller's offer; the ACK confirms the dialog."
    LOCAL_OFFER_IN_2XX = auto()
    "Our 2xx has an offer; the ACK brings the answer."
    UNACKNOWLEDGED = auto()
    "No offer is open, but the ACK of a 2xx to a re-INVITE is due."
    STABLE = auto()
    "No offer is open; either side may make one."


class OfferInput(Enum):
    ACCEPT = auto()
    "We send the 2xx to the caller's INVITE."
    LOCAL_INVITE = auto()
    "We send a re-INVITE, with an offer."
    PROVISIONAL_ANSWER = auto()
    "A provisional response to our INVITE has SDP."
    SUCCESS = auto()
    "A 2xx to our INVITE or re-INVITE has come."
    FAILURE = auto()
    "Our re-INVITE has been refused, or has got no reply."
    INVITE_WITH_OFFER = auto()
    "A re-INVITE of the far end has come."
    INVITE_WITHOUT_OFFER = auto()
    UPDATE_WITH_OFFER = auto()
    UPDATE_WITHOUT_OFFER = auto()
    ACK_WITH_ANSWER = auto()
    "The ACK of a 2xx that had our offer has come."
    LAST_ACK = auto()
    "All 2xx of ours have been acknowledged."


class OfferDo(Enum):
    ANSWER = auto()
    "2xx with our answer. If the offer is refused (488), the state stays."
    OFFER = auto()
    "2xx with our offer."
    REFRESH = auto()
    "2xx without SDP."
    PENDING = auto()
    "491 Request Pending: the offer crosses one of ours."
    LATER = auto()
    "500 with Retry-After: the far end's own offer is not answered yet."


S, I, D = OfferState, OfferInput, OfferDo  # noqa: E741 - the table is read by column

CELLS: Mapping[tuple[OfferState, OfferInput], tuple[OfferState, OfferDo | None]] = {
    # A call that comes in and rings. RFC 3261 14.2: a second INVITE before the final response to
    # the first gets a 500; so does an UPDATE with an offer before the first is answered (RFC 3311
    # 5.2). Where none was made, ours is due first.
    (S.UNOFFERED, I.ACCEPT): (S.LOCAL_OFFER_IN_2XX, D.OFFER),
    (S.UNOFFERED, I.INVITE_WITH_OFFER): (S.UNOFFERED, D.LATER),
    (S.UNOFFERED, I.INVITE_WITHOUT_OFFER): (S.UNOFFERED, D.LATER),
    (S.UNOFFERED, I.UPDATE_WITH_OFFER): (S.UNOFFERED, D.PENDING),
    (S.UNOFFERED, I.UPDATE_WITHOUT_OFFER): (S.UNOFFERED, D.REFRESH),
    (S.REMOTE_OFFER, I.ACCEPT): (S.UNCONFIRMED, D.ANSWER),
    (S.REMOTE_OFFER, I.INVITE_WITH_OFFER): (S.REMOTE_OFFER, D.LATER),
    (S.REMOTE_OFFER, I.INVITE_WITHOUT_OFFER): (S.REMOTE_OFFER, D.LATER),
    (S.REMOTE_OFFER, I.UPDATE_WITH_OFFER): (S.REMOTE_OFFER, D.LATER),
    (S.REMOTE_OFFER, I.UPDATE_WITHOUT_OFFER): (S.REMOTE_OFFER, D.REFRESH),
    # An INVITE or re-INVITE of ours. RFC 3261 14.2, RFC 3264 4, RFC 3311 5.2: what crosses it is
    # to be tried again. Once a provisional response has answered, an UPDATE may offer anew.
    (S.LOCAL_OFFER, I.PROVISIONAL_ANSWER): (S.EARLY_ANSWER, None),
    (S.LOCAL_OFFER, I.SUCCESS): (S.STABLE, None),
    (S.LOCAL_OFFER, I.FAILURE): (S.STABLE, None),
    (S.LOCAL_OFFER, I.INVITE_WITH_OFFER): (S.LOCAL_OFFER, D.PENDING),
    (S.LOCAL_OFFER, I.INVITE_WITHOUT_OFFER): (S.LOCAL_OFFER, D.PENDING),
    (S.LOCAL_OFFER, I.UPDATE_WITH_OFFER): (S.LOCAL_OFFER, D.PENDING),
    (S.LOCAL_OFFER, I.UPDATE_WITHOUT_OFFER): (S.LOCAL_OFFER, D.REFRESH),
    (S.EARLY_ANSWER, I.PROVISIONAL_ANSWER): (S.EARLY_ANSWER, None),
    (S.EARLY_ANSWER, I.SUCCESS): (S.STABLE, None),
    (S.EARLY_ANSWER, I.INVITE_WITH_OFFER): (S.EARLY_ANSWER, D.PENDING),
    (S.EARLY_ANSWER, I.INVITE_WITHOUT_OFFER): (S.EARLY_ANSWER, D.PENDING),
    (S.EARLY_ANSWER, I.UPDATE_WITH_OFFER): (S.EARLY_ANSWER, D.ANSWER),
    (S.EARLY_ANSWER, I.UPDATE_WITHOUT_OFFER): (S.EARLY_ANSWER, D.REFRESH),
    # A call that we have answered. Until its ACK we do not know that the caller knows of it, so
    # that changes wait (RFC 5407 3.1.5 has the case of our offer).
    (S.UNCONFIRMED, I.LAST_ACK): (S.STABLE, None),
    (S.UNCONFIRMED, I.INVITE_WITH_OFFER): (S.UNCONFIRMED, D.PENDING),
    (S.UNCONFIRMED, I.INVITE_WITHOUT_OFFER): (S.UNCONFIRMED, D.PENDING),
    (S.UNCONFIRMED, I.UPDATE_WITH_OFFER): (S.UNCONFIRMED, D.PENDING),
    (S.UNCONFIRMED, I.UPDATE_WITHOUT_OFFER): (S.UNCONFIRMED, D.REFRESH),
    (S.LOCAL_OFFER_IN_2XX, I.ACK_WITH_ANSWER): (S.UNACKNOWLEDGED, None),
    (S.LOCAL_OFFER_IN_2XX, I.INVITE_WITH_OFFER): (S.LOCAL_OFFER_IN_2XX, D.PENDING),
    (S.LOCAL_OFFER_IN_2XX, I.INVITE_WITHOUT_OFFER): (S.LOCAL_OFFER_IN_2XX, D.PENDING),
    (S.LOCAL_OFFER_IN_2XX, I.UPDATE_WITH_OFFER): (S.LOCAL_OFFER_IN_2XX, D.PENDING),
    (S.LOCAL_OFFER_IN_2XX, I.UPDATE_WITHOUT_OFFER): (S.LOCAL_OFFER_IN_2XX, D.REFRESH),
    # Nothing is open. Our re-INVITE waits until no other INVITE is under way (RFC 3261 14.1); the
    # far end's next one need not wait for the ACK of the one before, which has had its 2xx.
    (S.UNACKNOWLEDGED, I.LAST_ACK): (S.STABLE, None),
    (S.UNACKNOWLEDGED, I.INVITE_WITH_OFFER): (S.UNACKNOWLEDGED, D.ANSWER),
    (S.UNACKNOWLEDGED, I.INVITE_WITHOUT_OFFER): (S.LOCAL_OFFER_IN_2XX, D.OFFER),
    (S.UNACKNOWLEDGED, I.UPDATE_WITH_OFFER): (S.UNACKNOWLEDGED, D.ANSWER),
    (S.UNACKNOWLEDGED, I.UPDATE_WITHOUT_OFFER): (S.UNACKNOWLEDGED, D.REFRESH),
    (S.STABLE, I.LOCAL_INVITE): (S.LOCAL_OFFER, None),
    (S.STABLE, I.INVITE_WITH_OFFER): (S.UNACKNOWLEDGED, D.ANSWER),
    (S.STABLE, I.INVITE_WITHOUT_OFFER): (S.LOCAL_OFFER_IN_2XX, D.OFFER),
    (S.STABLE, I.UPDATE_WITH_OFFER): (S.STABLE, D.ANSWER),
    (S.STABLE, I.UPDATE_WITHOUT_OFFER): (S.STABLE, D.REFRESH),
}

STARTS = (S.UNOFFERED, S.REMOTE_OFFER, S.LOCAL_OFFER)
"States that a dialog begins in."


def input_of(request: "SipRequest") -> OfferInput:
    """The input that a re-INVITE or an UPDATE of the far end is."""
    offers = bool(session_description(request))
    if request.method == "INVITE":
        return I.INVITE_WITH_OFFER if offers else I.INVITE_WITHOUT_OFFER
    return I.UPDATE_WITH_OFFER if offers else I.UPDATE_WITHOUT_OFFER


class OfferAnswer:
    """The state of one dialog, and the INVITEs in it whose ACK is due."""

    __slots__ = ("_unacknowledged", "agreed", "state")

    def __init__(self, start: OfferState) -> None:
        self.state = start
        self.agreed: RtpStream | None = None
        "What the latest answer before the 2xx has agreed on."
        self._unacknowledged: dict[int, ServerTransaction] = {}
        "The far end's INVITEs that have had a 2xx and no ACK, by CSeq number."

    def may(self, given: OfferInput) -> bool:
        """Whether the state has a place for it."""
        return (self.state, given) in CELLS

    def due(self, given: OfferInput) -> OfferDo | None:
        """What is to be done about an input; nothing changes until it is: then `step`."""
        _, do = CELLS.get((self.state, given), (None, None))
        return do

    def step(self, given: OfferInput) -> None:
        """Go on to the next state."""
        self.state, _ = CELLS.get((self.state, given), (self.state, None))

    def accepted(self, given: OfferInput, invite: "ServerTransaction") -> None:
        """`step` with an INVITE of the far end that gets a 2xx."""
        self.step(given)
        self._unacknowledged[invite.request.cseq] = invite

    @property
    def is_full(self) -> bool:
        """Whether too many ACKs are due for another re-INVITE."""
        return len(self._unacknowledged) >= UNACKNOWLEDGED_AT_MOST

    def acknowledged(self, cseq: int) -> "ServerTransaction | None":
        """Take an ACK; return the INVITE it is of, or None for a copy of one that has come."""
        invite = self.unacknowledged(cseq)
        if invite is None:
            return None
        if not session_description(invite.request):
            self.step(I.ACK_WITH_ANSWER)
        if not self._unacknowledged:
            self.step(I.LAST_ACK)
        return invite

    def unacknowledged(self, cseq: int) -> "ServerTransaction | None":
        """Take it that no ACK will come; return the INVITE, unless it has."""
        return self._unacknowledged.pop(cseq, None)
