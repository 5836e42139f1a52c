"""REFER: a far end asks for a transfer, and is told what becomes of it (RFC 3515, 3891, 5589).

A phone keeps its call until it is told by NOTIFY that the transfer has come about: so the REFER is
accepted at once, and what is not to be is said by a NOTIFY as well.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from callwright.engines.sip.dialog.dialog import Dialog
from callwright.engines.sip.dialog.replaces import Replaced, read_replaces
from callwright.engines.sip.transaction.transactions import Lost
from callwright.engines.sip.wire.address import Malformed, parse_name_addr, user_of
from callwright.engines.sip.wire.hop import Hop
from callwright.engines.sip.wire.message import SipRequest, SipResponse, add_body, values

if TYPE_CHECKING:
    from callwright.engines.sip.dialog.call_leg import CallLeg

SIPFRAG = "message/sipfrag;version=2.0"
EXPIRES = 180
"Seconds the far end is told that we shall know what became of it; dialling is shorter."
NUMBER_AT_MOST = 32

_HANGS_UP_WHEN_REFUSED = re.compile(r"baresip v[01]\.")
"""User agents that hang up when they hear that a transfer has failed, and keep their call when they
only hear that nobody tells them any more."""
_NUMBER = re.compile(r"[\w.*#!~-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Refer:
    """What a far end asks for."""

    number: str
    "Of whom it wants the call handed over to."
    replaces: Replaced | None
    "The far end's other call with him, where it is attended."
    cseq: int
    quiet: bool
    "``Refer-Sub: false``: it does not want to be told (RFC 4488)."
    brittle: bool = False
    "It would hang up if it were told that the transfer has failed."


def read_refer(request: SipRequest) -> Refer:
    """Read a REFER, whose Refer-To must be there once (RFC 3515 2.4.2). Raises `Malformed`."""
    named = values(request, "refer-to")
    if len(named) != 1:
        raise Malformed("not one Refer-To")
    uri, _, headers = parse_name_addr(named[0]).uri.partition("?")
    user = user_of(uri).removeprefix("+")
    if user.translate(_NO_SEPARATORS).isdecimal():
        user = user.translate(_NO_SEPARATORS)
    if not _NUMBER.fullmatch(user) or len(user) > NUMBER_AT_MOST:
        raise Malformed("Refer-To without a number")
    quiet = [value.strip().lower() for value in request.headers.get("refer-sub", ())] == ["false"]
    brittle = any(map(_HANGS_UP_WHEN_REFUSED.match, request.headers.get("user-agent", ())))
    return Refer(user, _replaced(headers), request.cseq, quiet, brittle)


_NO_SEPARATORS = str.maketrans("", "", "-.() ")


def _replaced(headers: str) -> Replaced | None:
    for header in headers.split("&") if headers else ():
        name, _, value = header.partition("=")
        if name.lower() == "replaces":
            return read_replaces(unquote(value))
    return None


class TransferReport:
    """The subscription that a REFER makes (RFC 3515 2.4.4): its NOTIFYs, up to the last one."""

    def __init__(self, call: "CallLeg", dialog: Dialog, refer: Refer, *, numbered: bool) -> None:
        """``numbered``: it is not the dialog's first, and must be told from the others (2.4.6)."""
        self._call = call
        self._dialog = dialog
        self._event = f"refer;id={refer.cseq}" if numbered else "refer"
        self._refer = refer
        self._is_told = False
        self.is_over = False
        "Its last NOTIFY has been answered, or given up; until then there is no other one."

    def tell(self, status: int, reason: str, now: float) -> None:
        """Tell a status of the call that is made for it; a final one is the last that is told."""
        if self._is_told:
            return
        self._is_told = last = status >= 200
        if self._refer.quiet:
            self.is_over = last
            return
        state = f"active;expires={EXPIRES}" if status < 200 else "terminated;reason=noresource"
        if status >= 300 and self._refer.brittle:
            status, reason, state = 100, "Trying", "terminated;reason=giveup"

        def notify() -> tuple[SipRequest, Hop]:
            request, hop = self._dialog.request("NOTIFY")
            request.headers |= {
                "contact": [self._call.sender.identity.contact],
                "event": [self._event],
                "subscription-state": [state],
            }
            add_body(request, SIPFRAG, f"SIP/2.0 {status} {reason}\r\n".encode())
            return request, hop

        def done(what: SipResponse | Lost, _now: float) -> None:
            # Whatever is answered: a far end that knows of no subscription still has its call.
            if isinstance(what, Lost) or what.status == 481:
                self._call.takes_notify = False
            self.is_over = self.is_over or last

        self._call.sender.send(notify, now, done)
