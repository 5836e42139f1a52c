"""Dialogs: who talks to whom over which hops (RFC 3261 section 12)."""

from dataclasses import dataclass, field
from typing import NamedTuple

from callwright.engines.sip.dialog.offer_answer import OfferAnswer, OfferState
from callwright.engines.sip.wire.address import (
    Malformed,
    hop_of,
    parse_name_addr,
    parse_uri,
    with_parameter,
)
from callwright.engines.sip.wire.body import session_description
from callwright.engines.sip.wire.hop import Hop, leads_nowhere
from callwright.engines.sip.wire.message import Headers, SipRequest, SipResponse, contact, values


class CallName(NamedTuple):
    """What tells a call from all others: a Call-ID alone may be another caller's as well."""

    call_id: str
    caller_tag: str
    "Of whoever has sent the INVITE; empty where he gives none, as in RFC 2543."


@dataclass(slots=True)
class Dialog:
    """One dialog that an INVITE has made. The two addresses are kept as they were written."""

    call_id: str
    local: str
    "Our From value, or To value if we were invited; tag included."
    remote: str
    "Theirs, likewise."
    local_tag: str
    remote_tag: str
    target: str
    "URI that requests are for: the far end's Contact."
    cseq: int
    "Number of our last request."
    route_set: list[str] = field(default_factory=list)
    remote_cseq: int | None = None
    "Number of the far end's last request; None before the first."
    ours: bool = True
    "We made it, and its Call-ID; after a glare the other side then asks first (RFC 3261 14.1)."
    seen_at: Hop | None = None
    "Where the far end is in truth, behind a NAT that its Contact knows nothing of."
    heard_at: Hop | None = None
    "Where the message with its Contact has come from: the way that is left if there is no other."
    astray: bool = False
    "What it names has not been reached."
    offers: OfferAnswer = field(
        default_factory=lambda: OfferAnswer(OfferState.STABLE), compare=False
    )
    "Which side may offer SDP now."

    def request(self, method: str, *, cseq: int | None = None) -> tuple[SipRequest, Hop]:
        """Build a request inside the dialog, without Via, and say which hop it goes to.

        ``cseq`` is given for an ACK, which has the number of its INVITE; all others get the next.
        Raises `Malformed`.
        """
        if cseq is None:
            self.cseq += 1
            cseq = self.cseq
        uri, route = self._way()
        headers: Headers = {
            "max-forwards": ["70"],
            "from": [self.local],
            "to": [self.remote],
            "call-id": [self.call_id],
            "cseq": [f"{cseq} {method}"],
        }
        if route:
            headers["route"] = route
        return SipRequest(method, uri, headers), self._hop(uri, route)

    def _way(self) -> tuple[str, list[str]]:
        """Request URI and Route values (RFC 3261 12.2.1.1)."""
        if not self.route_set:
            return self.target, []
        first = parse_name_addr(self.route_set[0]).uri
        if "lr" in parse_uri(first).params:
            return self.target, self.route_set
        # A strict router of RFC 2543 finds itself in the request line and the target at the end.
        return first, [*self.route_set[1:], f"<{self.target}>"]

    def _hop(self, uri: str, route: list[str]) -> Hop:
        if self.seen_at is not None and not route:
            return self.seen_at
        if self.astray and self.heard_at is not None:
            return self.heard_at
        loose = bool(route) and route is self.route_set
        target = parse_name_addr(route[0]).uri if loose else uri
        if not parse_uri(target).host:
            raise Malformed("target is no SIP URI")
        hop = hop_of(target)
        if self.heard_at is not None and leads_nowhere(hop.host, self.heard_at.host):
            return self.heard_at
        return hop

    @property
    def detour(self) -> Hop | None:
        """Where the far end is found, if not where it says."""
        if self.seen_at is not None or self.heard_at is None:
            return self.seen_at
        try:
            return self.heard_at if self.hop() is self.heard_at else None
        except Malformed:
            return None

    def goes_astray(self) -> bool:
        """Note that what the far end names cannot be reached; say whether there is another way."""
        if self.astray or self.heard_at is None:
            return False
        before = self.hop()
        self.astray = True
        return self.hop() != before

    def confirm(self, response: SipResponse) -> None:
        """Take route set and target from a response; those of the 2xx count (13.2.2.4).

        Raises `Malformed`.
        """
        self.route_set = values(response, "record-route")[::-1]
        self.heard_at = response.source
        self.refresh(response)
        self.hop()

    def hop(self) -> Hop:
        """Where requests of this dialog go first. Raises `Malformed`."""
        uri, route = self._way()
        return self._hop(uri, route)

    def refresh(self, message: SipRequest | SipResponse) -> None:
        """Take over the Contact of a re-INVITE, an UPDATE or a 2xx (12.2.1.2, 12.2.2).

        Raises `Malformed`, and has then changed nothing.
        """
        there = contact(message)
        if there is None:
            return
        if not parse_uri(there.uri).host:
            raise Malformed("Contact is no SIP URI")
        before, self.target = self.target, there.uri
        try:
            self.hop()
            self.astray = self.astray and self.target == before
        except Malformed:
            self.target = before
            raise

    def in_order(self, request: SipRequest) -> bool:
        """Note the number of the far end's request; False if it is older than one before."""
        if self.remote_cseq is not None and request.cseq < self.remote_cseq:
            return False
        self.remote_cseq = request.cseq
        return True


def dialog_from(invite: SipRequest, response: SipResponse, seen_at: Hop | None = None) -> Dialog:
    """Make the dialog that a 101 to 299 to our INVITE, which has an offer, speaks of.

    Raises `Malformed`.

    A response without Contact, which RFC 3261 12.1.1 forbids, leaves the dialog with the URI of
    the request; one without a tag, as in RFC 2543, with an empty tag (12.1.2).
    """
    dialog = Dialog(
        call_id=invite.call_id,
        local=invite.headers["from"][0],
        remote=response.headers["to"][0],
        local_tag=invite.from_tag or "",
        remote_tag=response.to_tag or "",
        target=invite.uri,
        cseq=invite.cseq,
        seen_at=seen_at,
        offers=OfferAnswer(OfferState.LOCAL_OFFER),
    )
    dialog.confirm(response)
    return dialog


def _start_of(invite: SipRequest) -> OfferState:
    return OfferState.REMOTE_OFFER if session_description(invite) else OfferState.UNOFFERED


def dialog_to(
    invite: SipRequest, tag: str, seen_at: Hop | None = None, heard_at: Hop | None = None
) -> Dialog:
    """Make the dialog of an INVITE that came in (RFC 3261 12.1.1); ``tag`` is ours.

    ``seen_at``, ``heard_at``: see `Dialog`.

    Raises `Malformed` without a Contact, or with one that no request can be sent to.
    """
    there = contact(invite)
    if there is None:
        raise Malformed("no Contact")
    dialog = Dialog(
        call_id=invite.call_id,
        local=with_parameter(invite.headers["to"][0], f"tag={tag}"),
        remote=invite.headers["from"][0],
        local_tag=tag,
        remote_tag=invite.from_tag or "",
        target=there.uri,
        cseq=0,
        route_set=values(invite, "record-route"),
        remote_cseq=invite.cseq,
        seen_at=seen_at,
        heard_at=heard_at,
        ours=False,
        offers=OfferAnswer(_start_of(invite)),
    )
    dialog.refresh(invite)
    dialog.hop()
    return dialog
