"""Trail: what a request has come through, written into ours and read from others' (RFC 7332)."""

import re

from callwright.engines.sip.wire.message import Headers, SipRequest, first, values
from callwright.engines.trail import MAX_FORWARDS, Trail

MARKS_AT_MOST = 16
"Of a longer trail the first are left out: what comes back does so by the last."

_HEADER = "x-callwright-trail"
_MARK = re.compile(r"[0-9a-f]{12}")


def trail_headers(trail: Trail) -> Headers:
    headers: Headers = {"max-forwards": [str(trail.hops_left)]}
    if trail.marks:
        headers[_HEADER] = [", ".join(trail.marks[-MARKS_AT_MOST:])]
    return headers


def read_trail(request: SipRequest) -> Trail:
    """Read what a request has come through; junk is passed over."""
    said = first(request, "max-forwards").strip()
    hops = int(said) if said.isascii() and said.isdecimal() and len(said) <= 3 else MAX_FORWARDS
    marks = [mark for value in values(request, _HEADER) if _MARK.fullmatch(mark := value.strip())]
    return Trail(tuple(marks[-MARKS_AT_MOST:]), min(hops, MAX_FORWARDS))
