"""Capabilities: which methods, bodies and extensions we take, and how others are refused.

What Allow, Accept and Supported say of us (RFC 3261 20.5, 20.1, 20.37), and the refusals that are
due to what they do not say (8.2.1, 8.2.2.3).
"""

from callwright.engines.sip.wire.body import ACCEPTED
from callwright.engines.sip.wire.message import Headers, SipRequest, tokens

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER"
ACCEPT = f"{ACCEPTED}, application/dtmf-relay, application/dtmf"
SUPPORTED = "100rel, timer"
SUPPORTED_OF_PHONES = f"{SUPPORTED}, replaces"
"""To phones of ours, who alone may take another's place in its call (RFC 3891). A carrier's far end
that were told so would count on it, where it can as well bridge its calls itself."""

ACCEPT_BODY: Headers = {"accept": [ACCEPTED], "accept-encoding": ["identity"]}
"What goes with a 415 to an offer in a form we do not take (RFC 3261 21.4.13)."

CAPABILITIES: Headers = {
    "allow": [ALLOW],
    "accept": [ACCEPT],
    "supported": [SUPPORTED_OF_PHONES],
}

_EXTENSIONS = frozenset(SUPPORTED_OF_PHONES.split(", "))
_KNOWN = frozenset({"REGISTER", "SUBSCRIBE", "NOTIFY", "PUBLISH", "MESSAGE", "REFER"})
"Methods we understand and do not take; all others are unknown."


def supported(trunk: str | None) -> Headers:
    """The Supported header in a call: with a phone of ours, or through a trunk (RFC 3261 20.37)."""
    return {"supported": [SUPPORTED_OF_PHONES if trunk is None else SUPPORTED]}


def refusal(request: SipRequest) -> tuple[int, str, Headers]:
    """The answer to a method we do not take (RFC 3261 8.2.1)."""
    if request.method in _KNOWN:
        return 405, "Method Not Allowed", {"allow": [ALLOW]}
    return 501, "Not Implemented", {"allow": [ALLOW]}


def unsupported(request: SipRequest) -> Headers | None:
    """The Unsupported header for what a request requires and we lack (RFC 3261 8.2.2.3)."""
    lacking = tokens(request, "require") - _EXTENSIONS
    return {"unsupported": [", ".join(sorted(lacking))]} if lacking else None
