"""Dialog journal: which dialogs are up, so that a crash of ours does not leave them without a BYE.

A process that is killed says no BYE, and its phones stay connected to nobody. So the few facts a
BYE needs are put on record when a call is answered, and struck out when its BYE has arrived. What
is still there at the next start is said good-bye to, and forgotten.
"""

from dataclasses import dataclass
from typing import Protocol

from callwright.engines.sip.dialog.dialog import Dialog
from callwright.engines.sip.wire.hop import Hop

NUMBERS_LEFT_OUT = 100_000
"""How far the CSeq number of the BYE is above the one on record, which is not kept up with each
request of the call. RFC 3261 12.2.2 lets numbers be left out."""


@dataclass(frozen=True, slots=True)
class OpenDialog:
    """The dialog of one answered call."""

    dialog: Dialog
    first_hop: Hop | None = None
    "The hop the leg began with; see `RequestSender`."
    trunk: str | None = None
    "Name of the trunk whose credentials a challenge is answered with."


class DialogJournal(Protocol):
    """Whoever remembers which calls are up."""

    def opened(self, call: OpenDialog) -> None:
        """Remember a call, or what has changed of it."""

    def closed(self, dialog: Dialog) -> None:
        """Forget a call; without effect if it was never opened."""


class NoJournal:
    """Remembers nothing."""

    def opened(self, call: OpenDialog) -> None:
        pass

    def closed(self, dialog: Dialog) -> None:
        pass
