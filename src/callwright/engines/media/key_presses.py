"""Key presses: one key counts once, by however many means a far end says it.

Phones that are set so send each key by telephone-event and INFO, and sound it besides. So a key
that another means has said a moment ago is the same one; said again by the same means, it is
another.
"""

from dataclasses import dataclass
from enum import Enum, auto

SAME_WITHIN = 1.0
"Seconds between the ways of one key: an INFO may have to be sent twice."
KEPT_AT_MOST = 32


class Means(Enum):
    """How a far end says a key."""

    EVENT = auto()
    "Telephone-event (RFC 4733)."
    INFO = auto()
    TONE = auto()


@dataclass(slots=True)
class _Press:
    key: str
    at: float
    said_by: set[Means]


class KeyPresses:
    __slots__ = ("_presses",)

    def __init__(self) -> None:
        self._presses: list[_Press] = []

    def is_new(self, key: str, means: Means, now: float) -> bool:
        """Take a key; return whether it is none that has been said by another means."""
        while self._presses and now - self._presses[0].at > SAME_WITHIN:
            del self._presses[0]
        for press in self._presses:
            if press.key == key and means not in press.said_by:
                press.said_by.add(means)
                return False
        self._presses.append(_Press(key, now, {means}))
        del self._presses[:-KEPT_AT_MOST]
        return True

    def goes_on(self, now: float) -> None:
        """Note that the last key is still being held: an INFO may come when it is let go."""
        if self._presses:
            self._presses[-1].at = now
