"""Places for SIP connections: how many there may be, and who gives way when there are no more.

Connections of trunks, and those that a phone has registered over, are known. All others are
strangers': they have a share of the places, and where it is used up one of the most crowded source
gives way to the next.
"""

import logging
import math
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from callwright.descriptors import for_connections, limit
from callwright.engines.sip.wire.hop import Hop
from callwright.fair_share import FairShare
from callwright.sources import source_of

log = logging.getLogger(__name__)

AT_MOST = 1000
"Connections up or being made, ours and others'; fewer where the system gives few descriptors."
STRANGERS_PART = 2
"Strangers have one in so many of the places."
PER_SOURCE_AT_MOST = 50
"Connections of strangers from one address."
TOLD_EVERY = 60.0
"Seconds between two lines of the log about a crowd."


class _Connection(Protocol):
    @property
    def hop(self) -> Hop:
        """Its far end."""


T = TypeVar("T", bound=_Connection)


class ConnectionPlaces(Generic[T]):
    """``knows``: whether a connection's far end is a trunk, or a phone that has registered.

    ``end`` cuts a stranger's connection off.
    """

    def __init__(self, knows: Callable[[Hop], bool], end: Callable[[T], None]) -> None:
        self._knows = knows
        self._end = end
        self._at_most = for_connections(limit(), AT_MOST)
        self._strangers = FairShare[T]()
        self._told_at = -math.inf

    def take(self, connection: T, up: int, now: float, *, scarce: bool = False) -> bool:
        """Whether a connection that others make may stay; perhaps another one gives way.

        ``up``: connections there are. ``scarce``: the system has hardly a descriptor left.
        """
        hop = connection.hop
        known = self._knows(hop)
        if not known and not self._has_share(hop):
            return False
        if scarce or up >= self._at_most:
            if not self._make_room(now):
                return False
        elif not known and len(self._strangers) >= self._at_most // STRANGERS_PART:
            self._make_room(now)
        if not known:
            self._strangers.put(connection, hop.host)
        return True

    def make(self, up: int, now: float) -> bool:
        """Whether we may make one more ourselves, beside ``up``."""
        return up < self._at_most or self._make_room(now)

    def leave(self, connection: T) -> None:
        """It is over; to say so once more does no harm."""
        self._strangers.take_out(connection)

    def _has_share(self, hop: Hop) -> bool:
        if self._strangers.of(hop.host) < PER_SOURCE_AT_MOST:
            return True
        for one in self._strangers.all_of(hop.host):
            if self._knows(one.hop):
                self._strangers.take_out(one)
        return self._strangers.of(hop.host) < PER_SOURCE_AT_MOST

    def _make_room(self, now: float) -> bool:
        """Cut a stranger off; False if there is none."""
        while (out := self._strangers.first_out()) is not None:
            self._strangers.take_out(out)
            if not self._knows(out.hop):
                if now - self._told_at >= TOLD_EVERY:
                    self._told_at = now
                    source = source_of(out.hop.host)
                    log.warning("too many connections, most of them from %s: some go", source)
                self._end(out)
                return True
        return False
