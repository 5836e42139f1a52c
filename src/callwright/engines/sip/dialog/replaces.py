"""Replaces: a call that takes the place of another one of ours (RFC 3891).

It stands in an INVITE to us, or in the Refer-To of a REFER that is sent to us in the other call.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from callwright.engines.sip.dialog.dialog import Dialog
from callwright.engines.sip.dialog.invite_server import IncomingInvite
from callwright.engines.sip.wire.message import SipResponse, answer_to, values

if TYPE_CHECKING:
    from collections.abc import Callable

    from callwright.engines.sip.dialog.call_leg import CallLeg


@dataclass(frozen=True, slots=True)
class Replaced:
    """The dialog that a Replaces header names (section 3), as we know it."""

    call_id: str
    local_tag: str
    remote_tag: str
    early_only: bool = False
    "It is to be replaced only if it has not been answered."

    def is_of(self, dialog: Dialog) -> bool:
        return (self.call_id, self.local_tag, self.remote_tag) == (
            dialog.call_id,
            dialog.local_tag,
            dialog.remote_tag,
        )


def read_replaces(value: str) -> Replaced:
    """Read the value of a Replaces header; a tag that is missing is empty, and is nobody's."""
    call_id, *parameters = value.split(";")
    named = {
        name.strip().lower(): tag.strip()
        for name, _, tag in (parameter.partition("=") for parameter in parameters)
    }
    return Replaced(
        call_id.strip(),
        named.get("to-tag", ""),
        named.get("from-tag", ""),
        early_only="early-only" in named,
    )


def in_its_place(
    incoming: IncomingInvite, find: "Callable[[Replaced], CallLeg | None]", *, tag: str
) -> IncomingInvite | SipResponse:
    """Say whose place an INVITE takes, or how it is refused (section 3). ``tag`` is ours.

    ``find`` finds the answered call of a dialog, also one that has ended meanwhile.
    """
    invite = incoming.request
    named = values(invite, "replaces")
    if not named:
        return incoming
    if len(named) > 1:
        return answer_to(invite, 400, "Several Replaces", tag=tag)
    if incoming.trunk is not None:
        # Whoever is called through a trunk has nobody's place to give away here.
        return answer_to(invite, 603, "Decline", tag=tag)
    replaced = read_replaces(named[0])
    call = find(replaced)
    if call is None:
        return answer_to(invite, 481, "Call/Transaction Does Not Exist", tag=tag)
    if call.ended:
        return answer_to(invite, 603, "Decline", tag=tag)
    if replaced.early_only:
        return answer_to(invite, 486, "Busy Here", tag=tag)
    return replace(incoming, replaces=call.leg)
