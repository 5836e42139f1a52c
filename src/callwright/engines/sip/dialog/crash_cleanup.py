"""Cut-off calls: those that the last run left up at its end, and that this one hangs up.

Choreography 8: no leg stays connected after its session has ended, also after a crash.
"""

import logging
from collections.abc import Callable, Mapping, Sequence

from callwright.engines.network import Trunk
from callwright.engines.sip.dialog.dialog_journal import Leftover
from callwright.engines.sip.transaction.digest_client import Digest

log = logging.getLogger(__name__)


class CutOff:
    """Calls of a trunk wait until its credentials are known."""

    def __init__(self, calls: Sequence[Leftover] = ()) -> None:
        self._waiting = list(calls)
        if calls:
            log.warning("hanging up %d calls that were cut off", len(calls))

    @property
    def waiting(self) -> bool:
        return bool(self._waiting)

    def hang_up(
        self, trunks: Mapping[str, Trunk] | None, say_goodbye: Callable[[Leftover, Digest], None]
    ) -> None:
        """End what we know how to end. ``trunks``: None until they have been told."""
        calls, self._waiting = self._waiting, []
        for call in calls:
            if call.trunk is not None and trunks is None:
                self._waiting.append(call)
                continue
            trunk = trunks.get(call.trunk) if trunks and call.trunk is not None else None
            digest = Digest(trunk.user, trunk.password) if trunk else Digest(None, None)
            say_goodbye(call, digest)
