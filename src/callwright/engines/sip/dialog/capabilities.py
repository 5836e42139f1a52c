"""Capabilities: which methods, bodies and extensions we take, and how others are refused.

What Allow, Accept and Supported say of us (RFC 3261 20.5, 20.1, 20.37), and the refusals that are
due to what they do not say (8.2.1, 8.2.2.3).
"""

from callwright.engines.sip.wire.body import ACCEPTED
from callwright.engines.sip.wire.message import Headers, SipRequest, tokens

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER"
ACCEPT = f"{ACCEPTED}, application/dtmf-relay, application/dtmf"
SUPPORTED = "100rel, timer"

ACCEPT_BODY: Headers = {"accept": [ACCEPTED], "accept-encoding": ["identity"]}
"What goes with a 415 to an offer in a form we do not take (RFC 3261 21.4.13)."

CAPABILITIES: Headers = {"allow": [ALLOW], "accept": [ACCEPT], "supported": [SUPPORTED]}

_EXTENSIONS = frozenset(SUPPORTED.split(", "))
_KNOWN = frozenset({"REGISTER", "SUBSCRIBE", "NOTIFY", "PUBLISH", "MESSAGE", "REFER"})
"Methods we understand and do not take; all others are unknown."


def refusal(request: SipRequest) -> tuple[int, str, Headers]:
    """The answer to a method we do not take (RFC 3261 8.2.1)."""
    if request.method in _KNOWN:
        return 405, "Method Not Allowed", {"allow": [ALLOW]}
    return 501, "Not Implemented", {"allow": [ALLOW]}


def unsupported(request: SipRequest) -> Headers | None:
    """The Unsupported header for what a request requires and we lack (RFC 3261 8.2.2.3)."""
    lacking = tokens(request, "require") - _EXTENSIONS
    return {"unsupported": [", ".join(sorted(lacking))]} if lacking else None
