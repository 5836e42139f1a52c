"""Crash cleanup: calls that the last run left up when it was cut off get their BYE.

Choreography 8: no leg stays connected after its session has ended, also after a crash.
"""

import logging
from collections.abc import Callable, Mapping, Sequence

from callwright.engines.network import Trunk
from callwright.engines.sip.dialog.dialog_journal import OpenDialog
from callwright.engines.sip.transaction.digest_client import DigestClient

log = logging.getLogger(__name__)


class CrashCleanup:
    """Dialogs of the last run. Those of a trunk wait until its credentials are known."""

    def __init__(self, calls: Sequence[OpenDialog] = ()) -> None:
        self._waiting = list(calls)
        if calls:
            log.warning("hanging up %d calls that were cut off", len(calls))

    @property
    def waiting(self) -> bool:
        return bool(self._waiting)

    def hang_up(
        self,
        trunks: Mapping[str, Trunk] | None,
        hang_up_dialog: Callable[[OpenDialog, DigestClient], None],
    ) -> None:
        """End what we know how to end. ``trunks``: None until they have been told."""
        calls, self._waiting = self._waiting, []
        for call in calls:
            if call.trunk is not None and trunks is None:
                self._waiting.append(call)
                continue
            trunk = trunks.get(call.trunk) if trunks and call.trunk is not None else None
            digest = DigestClient(trunk.user, trunk.password) if trunk else DigestClient(None, None)
            hang_up_dialog(call, digest)
