"""Release causes: why legs ended, in the codes of ITU-T Q.850, as RFC 3398 (8.2.6.1) maps them."""

from collections.abc import Mapping

from callwright.engines.port import Cause

RELEASE_CAUSES: Mapping[Cause, int] = {
    Cause.HUNG_UP: 16,
    Cause.RELEASED: 16,
    Cause.NOT_CONFIRMED: 16,
    Cause.BUSY: 17,
    Cause.CHANNELS_BUSY: 17,
    Cause.NO_ANSWER: 19,
    Cause.REJECTED: 21,
    Cause.WRONG_NUMBER: 1,
    Cause.UNREACHABLE: 27,
    Cause.LOOP: 25,
    Cause.NO_RESOURCES: 47,
    Cause.MEDIA_LOST: 41,
    Cause.ENGINE_LOST: 41,
}
DESCRIPTIONS: Mapping[int, str] = {
    1: "Unallocated (unassigned) number",
    16: "Normal call clearing",
    17: "User busy",
    19: "No answer from user (user alerted)",
    21: "Call rejected",
    25: "Exchange routing error",
    27: "Destination out of order",
    41: "Temporary failure",
    47: "Resource unavailable, unspecified",
}
"Of the code; in the words of the recommendation."
