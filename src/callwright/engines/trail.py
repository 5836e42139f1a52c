"""Trail of a call: what it has come through before it reaches us."""

from dataclasses import dataclass

MAX_FORWARDS = 70
"Hops a call that begins with us may take (RFC 3261 section 8.1.1.6)."


@dataclass(frozen=True, slots=True)
class Trail:
    """What a call has come through: what is rung because of it bears that on (RFC 7332)."""

    marks: tuple[str, ...] = ()
    "Words by which we know a call that has left us already: 12 hexadecimal digits each."
    hops_left: int = MAX_FORWARDS
    "How many more hops it may take (Max-Forwards)."


FRESH = Trail()
"That of a call that begins with us."
