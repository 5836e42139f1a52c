"""Causes: what a SIP status or a Q.850 cause (RFC 3326) means to a call."""

import re

from callwright.engines.port import Cause
from callwright.engines.sip.wire.message import Message, SipResponse, values

_BY_STATUS = {
    403: Cause.REJECTED,
    404: Cause.WRONG_NUMBER,
    408: Cause.NO_ANSWER,
    410: Cause.WRONG_NUMBER,
    433: Cause.REJECTED,  # anonymity disallowed, RFC 5079: the callee's wish
    480: Cause.NO_ANSWER,
    482: Cause.LOOP,
    483: Cause.LOOP,  # too many hops
    484: Cause.WRONG_NUMBER,
    485: Cause.WRONG_NUMBER,  # ambiguous
    486: Cause.BUSY,
    487: Cause.NO_ANSWER,  # not by our CANCEL: then the leg has ended already
    600: Cause.BUSY,
    603: Cause.REJECTED,
    604: Cause.WRONG_NUMBER,
    606: Cause.UNREACHABLE,  # what we offer does not suit it
    607: Cause.REJECTED,  # unwanted, RFC 8197
    608: Cause.REJECTED,  # rejected by the network, RFC 8688
}

_REFUSALS = {
    Cause.BUSY: (486, "Busy Here"),
    Cause.REJECTED: (603, "Decline"),
    Cause.WRONG_NUMBER: (404, "Not Found"),
    Cause.NO_RESOURCES: (503, "Service Unavailable"),
    Cause.LOOP: (482, "Loop Detected"),
    Cause.ENGINE_LOST: (503, "Service Unavailable"),
}

_Q850 = re.compile(r"Q\.850\s*;(?:[^,]*;)?\s*cause\s*=\s*(\d{1,3})(?!\d)", re.IGNORECASE)
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\u00a0-\ud7ff]")
_LONGEST = 100


def cause_of(status: int) -> Cause:
    """Say what a final status of 300 to 699 means.

    What is not listed means what the x00 of its class does (RFC 3261 section 8.1.3.2).
    """
    return _BY_STATUS.get(status) or (Cause.BUSY if status >= 600 else Cause.UNREACHABLE)


def refusal_for(cause: Cause) -> tuple[int, str]:
    """Status and reason by which a call that comes in is refused."""
    return _REFUSALS.get(cause, (480, "Temporarily Unavailable"))


def transfer_status(failed: Cause | None) -> tuple[int, str]:
    """Status and reason by which a far end is told what became of a transfer."""
    return (200, "OK") if failed is None else refusal_for(failed)


def raw_of(response: SipResponse) -> str:
    """What the far end said, for reports: ``486 Busy Here``, with the Q.850 cause if given."""
    said = f"{response.status} {_UNPRINTABLE.sub('', response.reason)[:_LONGEST]}".strip()
    q850 = q850_of(response)
    return f"{said}, {q850}" if q850 else said


def q850_of(message: Message) -> str:
    """``Q.850 16`` from the Reason header (RFC 3326), or an empty string."""
    for value in values(message, "reason"):
        if (found := _Q850.match(value)) is not None:
            return f"Q.850 {found[1]}"
    return ""
