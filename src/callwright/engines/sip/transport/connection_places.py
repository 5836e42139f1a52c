"""Places for SIP connections: how many there may be, and who gives way when there are no more.

Connections of trunks, and those that a phone has registered over, are known. All others are
strangers': they have a share of the places, and where it is used up one of the most crowded source
gives way to the next. Where there are no strangers left, one of the phones of a crowded source
gives way, and to a trunk one of any phone's: a single password does not keep the others out.
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
"Connections of strangers from one address; and of phones, where others want a place."
TOLD_EVERY = 60.0
"Seconds between two lines of the log about a crowd."


class _Connection(Protocol):
    @property
    def hop(self) -> Hop:
        """Its far end."""


T = TypeVar("T", bound=_Connection)


class KnownPeers(Protocol):
    """Who is no stranger."""

    def knows(self, source: Hop) -> bool:
        """Whether a trunk sends from there."""

    def has_proved(self, connection: Hop) -> bool:
        """Whether a trunk is at the far end of a connection, or a password was shown over it."""

    def forget(self, connection: Hop) -> None:
        """Note that a connection has ended."""


class NoPeers:
    """Everybody is a stranger."""

    def knows(self, source: Hop) -> bool:
        return False

    def has_proved(self, connection: Hop) -> bool:
        return False

    def forget(self, connection: Hop) -> None:
        pass


NO_PEERS = NoPeers()


class ConnectionPlaces(Generic[T]):
    """``end`` cuts a connection off; those of trunks, and those we have made, never are."""

    def __init__(self, peers: KnownPeers, end: Callable[[T], None]) -> None:
        self._peers = peers
        self._end = end
        self._at_most = for_connections(limit(), AT_MOST)
        self._strangers = FairShare[T]()
        "Some may have become known since."
        self._phones = FairShare[T]()
        self._told_at = -math.inf

    def take(self, connection: T, up: int, now: float, *, scarce: bool = False) -> bool:
        """Whether a connection that others make may stay; perhaps another one gives way.

        ``up``: connections there are. ``scarce``: the system has hardly a descriptor left.
        """
        hop = connection.hop
        trunk = self._peers.knows(hop)
        if not trunk and not self._has_share(hop):
            return False
        if scarce or up >= self._at_most:
            if not self._make_room(hop, now):
                return False
        elif not trunk and len(self._strangers) >= self._at_most // STRANGERS_PART:
            self._cut_stranger(now)
        if not trunk:
            self._strangers.put(connection, hop.host)
        return True

    def make(self, hop: Hop, up: int, now: float) -> bool:
        """Whether we may make one more ourselves, to ``hop``, beside ``up``."""
        return up < self._at_most or self._make_room(hop, now)

    def leave(self, connection: T) -> None:
        """It is over; to say so once more does no harm."""
        self._strangers.take_out(connection)
        self._phones.take_out(connection)
        self._peers.forget(connection.hop)

    def _has_share(self, hop: Hop) -> bool:
        if self._strangers.of(hop.host) < PER_SOURCE_AT_MOST:
            return True
        for one in self._strangers.all_of(hop.host):
            self._is_stranger(one)
        return self._strangers.of(hop.host) < PER_SOURCE_AT_MOST

    def _is_stranger(self, connection: T) -> bool:
        """Whether one of the strangers still is; else it is no longer among them."""
        hop = connection.hop
        if not self._peers.has_proved(hop):
            return True
        self._strangers.take_out(connection)
        if not self._peers.knows(hop):
            self._phones.put(connection, hop.host)
        return False

    def _make_room(self, hop: Hop, now: float) -> bool:
        """Cut somebody off for whoever is at ``hop``; False if nobody has to give way."""
        return self._cut_stranger(now) or self._cut_phone(hop, now)

    def _cut_stranger(self, now: float) -> bool:
        while (out := self._strangers.first_out()) is not None:
            if self._is_stranger(out):
                self._cut(out, now)
                return True
        return False

    def _cut_phone(self, hop: Hop, now: float) -> bool:
        spared = 0 if self._peers.knows(hop) else PER_SOURCE_AT_MOST
        while (out := self._phones.first_out()) is not None:
            if self._phones.of(out.hop.host) <= spared:
                return False
            if not self._peers.knows(out.hop):
                self._cut(out, now)
                return True
            self._phones.take_out(out)
        return False

    def _cut(self, connection: T, now: float) -> None:
        self._strangers.take_out(connection)
        self._phones.take_out(connection)
        if now - self._told_at >= TOLD_EVERY:
            self._told_at = now
            source = source_of(connection.hop.host)
            log.warning("too many connections, most of them from %s: some go", source)
        self._end(connection)
