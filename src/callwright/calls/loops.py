"""Loops: calls of ours that a carrier, or whoever was called, has handed back to us.

Every leg we ring bears a mark of its account, and so does whatever comes of it, as far as others
pass it on (RFC 7332, as RFC 3261 16.3 and RFC 5393 do for proxies). Most carriers do not: what is
shown to a phone that still rings is then what gives the call away, since it comes back from the
number it was shown; and one that comes back without a number, that others have come like it.
"""

import hashlib
import secrets
from collections.abc import Collection

from callwright.calls.leg import Leg
from callwright.calls.session import Session
from callwright.engines.trail import Trail

RETURNS_AT_MOST = 2
"""How many calls at a time may seem to have come back from one number; one more is refused. Seem:
somebody who is shown to a phone may call by himself while it rings, or a PBX show a number of
ours."""

WITHHELD_AT_MOST = 5
"""How many calls without a number to one number of ours may at a time seem to have led to each
other; one more is refused. They may be of as many people."""

ANSWERED_TOGETHER = 1.0
"""Seconds between the answer of a call that has come back here, and that of the one it was, by
whatever has handed it back."""


class LoopGuard:
    def __init__(self) -> None:
        # Of this process: a loop is quick, and nobody else is to make marks that mean something.
        self._key = secrets.token_bytes(16)

    def mark_of(self, account: int) -> str:
        named = str(account).encode()
        return hashlib.blake2b(named, digest_size=6, key=self._key).hexdigest()

    def begin(self, account: int) -> Trail:
        """The trail of what an account rings by itself."""
        return Trail((self.mark_of(account),))

    def onwards(self, account: int, trail: Trail) -> Trail:
        """The trail of what an account rings because of a call that has come in with this one."""
        return Trail((*trail.marks, self.mark_of(account)), trail.hops_left - 1)

    def has_come_back(self, account: int, trail: Trail) -> bool:
        """Whether the account has rung somebody by whom the call with this trail has come."""
        return self.mark_of(account) in trail.marks


def returns_of(caller: str, sessions: Collection[Session]) -> int:
    """How many calls from ``caller`` seem to have come back to us, with a new one; 0: it does not.

    All that live are counted, in a row or side by side: each may ring many.
    """
    if not any(_rings_as(leg, caller) for session in sessions for leg in session.legs.values()):
        return 0
    return 1 + sum(
        session.returns > 0 and session.caption.contact_number == caller for session in sessions
    )


def withheld_to(number: str, sessions: Collection[Session]) -> int:
    """How many calls without a number, to one of ours, may be one that comes back, with a new one.

    Those that make a phone outside ring, or did until another of them was answered here.
    """
    withheld = [
        session
        for session in sessions
        if session.caption.virtual_number == number and not session.caption.contact_number
    ]
    return 1 + sum(_leads_back(session, withheld) for session in withheld)


def _leads_back(session: Session, others: Collection[Session]) -> bool:
    outside = [
        leg
        for leg in session.legs.values()
        if not leg.offered and leg.ended is None and leg.target.address.trunk is not None
    ]
    answered_here = [
        leg.answered
        for other in others
        if other is not session
        for leg in other.legs.values()
        if leg.offered and leg.answered is not None
    ]
    return any(
        leg.answered is None
        or any(abs(leg.answered - here) <= ANSWERED_TOGETHER for here in answered_here)
        for leg in outside
    )


def _rings_as(leg: Leg, caller: str) -> bool:
    """Whether a leg of ours rings through a trunk and is shown this number."""
    rings = leg.answered is None and leg.ended is None and not leg.offered
    return rings and leg.target.caller_id == caller and leg.target.address.trunk is not None
