"""Forking: how one leg rings several places at once, until one of them counts.

We are the user agent and the forking proxy in one (RFC 3261 section 16.7): each place gets an
INVITE of its own, the first answer wins, the others are withdrawn, and when all have refused, the
refusal that says most is the leg's.
"""

from collections.abc import Sequence
from typing import Protocol

from callwright.engines.port import Cause
from callwright.engines.sip.dialog.dialog import CallName, Dialog
from callwright.engines.sip.dialog.invite_client import InviteClient, InviteListener, InviteTarget
from callwright.engines.sip.dialog.session_timer import WantedInterval
from callwright.engines.sip.transaction.request_sender import RequestSender
from callwright.engines.sip.transaction.transactions import Lost
from callwright.engines.sip.wire.message import SipResponse

# A person who says no, or is busy, says more than a phone that does not ring; a place that is not
# there any more says nothing. Whatever is not listed comes after these, a lost one last.
_BY_RANK = (486, 480, 408, 404, 410, 484)


class ForkListener(InviteListener, Protocol):
    """Whoever wants somebody rung, wherever he is."""

    sender: RequestSender
    "Becomes the sender of the place that has answered."


class Fork:
    """Several INVITE clients with one listener, who hears of them as of one."""

    def __init__(
        self,
        places: Sequence[tuple[RequestSender, InviteTarget]],
        offer: bytes,
        wanted: WantedInterval,
        listener: ForkListener,
    ) -> None:
        self._listener = listener
        self._branches = [_Branch(sender, place, offer, wanted, self) for sender, place in places]
        self._refusals: list[SipResponse | Lost] = []
        self._over = False

    @property
    def names(self) -> Sequence[CallName]:
        return [name for branch in self._branches for name in branch.client.names]

    def begin(self, now: float) -> bool:
        for branch in self._branches:
            branch.client.begin(now)
        return True

    def withdraw(self, now: float, cause: Cause = Cause.RELEASED) -> None:
        """Stop ringing everywhere."""
        self._over = True
        for branch in self._branches:
            branch.client.withdraw(now, cause)

    def dialogs(self) -> list[Dialog]:
        return [one for branch in self._branches for one in branch.client.dialogs()]

    # What the branches say.

    def rings(self) -> None:
        self._listener.rings()

    def early(self, dialog: Dialog, response: SipResponse) -> None:
        self._listener.early(dialog, response)

    def accepted(
        self, winner: "_Branch", dialog: Dialog, response: SipResponse, now: float
    ) -> None:
        self._over = True
        for branch in self._branches:
            if branch is not winner:
                branch.client.withdraw(now, elsewhere=True)
        self._listener.sender = winner.sender
        self._listener.accepted(dialog, response, now)

    def unacknowledged(self, dialog: Dialog, now: float) -> None:
        self._listener.unacknowledged(dialog, now)

    def refused(self, what: SipResponse | Lost, now: float) -> None:
        if self._over:
            return
        self._refusals.append(what)
        # RFC 3261 16.7 step 5: a 6xx speaks for the person, wherever the other phones are.
        if isinstance(what, SipResponse) and what.status >= 600:
            self.withdraw(now)
            self._listener.refused(what, now)
        elif len(self._refusals) == len(self._branches):
            self._over = True
            self._listener.refused(min(self._refusals, key=_rank), now)


class _Branch:
    """One place that is rung; see `callwright.engines.sip.dialog.invite_client.InviteListener`."""

    def __init__(
        self,
        sender: RequestSender,
        place: InviteTarget,
        offer: bytes,
        wanted: WantedInterval,
        fork: Fork,
    ) -> None:
        self.sender = sender
        self.client = InviteClient(sender, place, offer, wanted, self)
        self._fork = fork

    def rings(self) -> None:
        self._fork.rings()

    def early(self, dialog: Dialog, response: SipResponse) -> None:
        self._fork.early(dialog, response)

    def accepted(self, dialog: Dialog, response: SipResponse, now: float) -> None:
        self._fork.accepted(self, dialog, response, now)

    def refused(self, what: SipResponse | Lost, now: float) -> None:
        self._fork.refused(what, now)

    def unacknowledged(self, dialog: Dialog, now: float) -> None:
        self._fork.unacknowledged(dialog, now)


def _rank(what: SipResponse | Lost) -> int:
    if isinstance(what, Lost):
        return len(_BY_RANK) + 1
    return _BY_RANK.index(what.status) if what.status in _BY_RANK else len(_BY_RANK)
