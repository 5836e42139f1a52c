"""BYE: how a dialog is ended (RFC 3261 section 15.1.1)."""

from callwright.engines.sip.dialog.dialog import Dialog
from callwright.engines.sip.dialog.dialog_journal import Memory, NoMemory
from callwright.engines.sip.transaction.request_sender import Desk
from callwright.engines.sip.transaction.transactions import Lost
from callwright.engines.sip.wire.message import Response


def hang_up(desk: Desk, dialog: Dialog, now: float, memory: Memory | None = None) -> None:
    """Send a BYE, and see to it that it arrives; until then, ``memory`` has the dialog."""
    remembers = memory or NoMemory()

    def over(what: Response | Lost, _now: float) -> None:
        if isinstance(what, Lost) or what.status >= 200:
            remembers.closed(dialog)

    desk.ask(lambda: dialog.request("BYE"), now, over)
