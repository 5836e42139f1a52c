"""Forking: how one leg rings several places at once, until one of them counts.

We are the user agent and the forking proxy in one (RFC 3261 section 16.7): each place gets an
INVITE of its own, the first answer wins, the others are withdrawn, and when all have refused, the
refusal that says most is the leg's.
"""

from collections.abc import Sequence
from typing import Protocol

from callwright.engines.port import Cause
from callwright.engines.sip.dialog.dialog import CallName, Dialog
from callwright.engines.sip.dialog.invite_client import Invitation, Invited, Inviter
from callwright.engines.sip.dialog.session_timer import Wanted
from callwright.engines.sip.transaction.request_sender import Desk
from callwright.engines.sip.transaction.transactions import Lost
from callwright.engines.sip.wire.message import Response

# A person who says no, or is busy, says more than a phone that does not ring; a place that is not
# there any more says nothing. Whatever is not listed comes after these, a lost one last.
_TELLING = (486, 480, 408, 404, 410, 484)


class ForkInviter(Inviter, Protocol):
    """Whoever wants somebody rung, wherever he is."""

    desk: Desk
    "Becomes the desk of the place that has answered."


class Fork:
    """Several invitations with one inviter, who hears of them as of one."""

    def __init__(
        self,
        places: Sequence[tuple[Desk, Invited]],
        offer: bytes,
        wanted: Wanted,
        inviter: ForkInviter,
    ) -> None:
        self._inviter = inviter
        self._branches = [_Branch(desk, place, offer, wanted, self) for desk, place in places]
        self._refusals: list[Response | Lost] = []
        self._over = False

    @property
    def names(self) -> Sequence[CallName]:
        return [name for branch in self._branches for name in branch.invitation.names]

    def send(self, now: float) -> None:
        for branch in self._branches:
            branch.invitation.send(now)

    def withdraw(self, now: float, cause: Cause = Cause.RELEASED) -> None:
        """Stop ringing everywhere."""
        self._over = True
        for branch in self._branches:
            branch.invitation.withdraw(now, cause)

    def dialogs(self) -> list[Dialog]:
        return [one for branch in self._branches for one in branch.invitation.dialogs()]

    # What the branches say.

    def rings(self) -> None:
        self._inviter.rings()

    def early(self, dialog: Dialog, response: Response) -> None:
        self._inviter.early(dialog, response)

    def accepted(self, winner: "_Branch", dialog: Dialog, response: Response, now: float) -> None:
        self._over = True
        for branch in self._branches:
            if branch is not winner:
                branch.invitation.withdraw(now, elsewhere=True)
        self._inviter.desk = winner.desk
        self._inviter.accepted(dialog, response, now)

    def refused(self, what: Response | Lost, now: float) -> None:
        if self._over:
            return
        self._refusals.append(what)
        # RFC 3261 16.7 step 5: a 6xx speaks for the person, wherever the other phones are.
        if isinstance(what, Response) and what.status >= 600:
            self.withdraw(now)
            self._inviter.refused(what, now)
        elif len(self._refusals) == len(self._branches):
            self._over = True
            self._inviter.refused(min(self._refusals, key=_rank), now)


class _Branch:
    """One place that is rung; see `callwright.engines.sip.dialog.invite_client.Inviter`."""

    def __init__(
        self, desk: Desk, place: Invited, offer: bytes, wanted: Wanted, fork: Fork
    ) -> None:
        self.desk = desk
        self.invitation = Invitation(desk, place, offer, wanted, self)
        self._fork = fork

    def rings(self) -> None:
        self._fork.rings()

    def early(self, dialog: Dialog, response: Response) -> None:
        self._fork.early(dialog, response)

    def accepted(self, dialog: Dialog, response: Response, now: float) -> None:
        self._fork.accepted(self, dialog, response, now)

    def refused(self, what: Response | Lost, now: float) -> None:
        self._fork.refused(what, now)


def _rank(what: Response | Lost) -> int:
    if isinstance(what, Lost):
        return len(_TELLING) + 1
    return _TELLING.index(what.status) if what.status in _TELLING else len(_TELLING)
