"""BYE: how a dialog is ended (RFC 3261 section 15.1.1)."""

from callwright.engines.sip.dialog.dialog import Dialog
from callwright.engines.sip.dialog.dialog_journal import DialogJournal, NoJournal
from callwright.engines.sip.transaction.request_sender import RequestSender
from callwright.engines.sip.transaction.transactions import Lost
from callwright.engines.sip.wire.message import SipResponse


def hang_up(
    sender: RequestSender, dialog: Dialog, now: float, journal: DialogJournal | None = None
) -> None:
    """Send a BYE, and see to it that it arrives; until then, ``journal`` has the dialog."""
    remembers = journal or NoJournal()

    def over(what: SipResponse | Lost, at: float) -> None:
        if what is Lost.UNSENT and dialog.goes_astray():
            sender.send(lambda: dialog.request("BYE"), at, over)
        elif isinstance(what, Lost) or what.status >= 200:
            remembers.closed(dialog)

    sender.send(lambda: dialog.request("BYE"), now, over)
