"""Places for HTTP connections: how many there may be, and who gives way when there are no more.

Whoever has shown a token is known, and keeps the place. The others are guests: a newcomer takes the
place of one of the most crowded source, so that no number of idle connections keeps anybody out.
Where there are no guests, those give way that are known and idle, and those at work of a source
that holds more than half of the places, so that no token keeps anybody out either. Behind a trusted
proxy all connections come from one address; there the client's address counts, as the proxy tells
it with each request.
"""

import logging
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from callwright.fair_share import FairShare
from callwright.rpc.client import address_of, client_address
from callwright.sources import source_of

log = logging.getLogger(__name__)

AT_MOST = 512
"Connections at once; fewer where the system gives few descriptors."
CROWDED_AT_MOST = 32
"Connections beyond that, on which nothing but the health is told."
TOLD_EVERY = 60.0
"Seconds between two lines of the log about a crowd."


@dataclass(eq=False, slots=True)
class ConnectionPlace:
    """One connection's place."""

    peer: str
    "Its far end, be it a proxy."
    is_idle: Callable[[], bool]
    "Whether no request is under way on it."
    give_way: Callable[[], None]
    "Ends it at once."
    of_proxy: bool
    "Whether a trusted proxy is its far end."
    crowded: bool
    "There is no place but to tell the health."
    client: str
    "Who asks: the far end, or whom a trusted proxy names."


class Places:
    """``proxies``: those whose X-Forwarded-For is believed. ``clock`` gives seconds."""

    def __init__(
        self,
        at_most: int,
        proxies: Collection[IPv4Address | IPv6Address],
        clock: Callable[[], float],
    ) -> None:
        self._at_most = at_most
        self._proxies = frozenset(proxies)
        self._clock = clock
        self._taken: set[ConnectionPlace] = set()
        self._guests = FairShare[ConnectionPlace]()
        self._known = FairShare[ConnectionPlace]()
        self._told_at = -math.inf

    def take(
        self,
        peer: str,
        is_idle: Callable[[], bool],
        give_way: Callable[[], None],
        *,
        scarce: bool = False,
    ) -> ConnectionPlace | None:
        """Give a new connection a place, or None if not even the health may be asked for.

        ``scarce``: the system has hardly a descriptor left, so another one has to give way.
        """
        crowded = (scarce or len(self) >= self._at_most) and not self._make_room()
        if crowded and (scarce or len(self) >= self._at_most + CROWDED_AT_MOST):
            return None
        of_proxy = address_of(peer) in self._proxies
        place = ConnectionPlace(peer, is_idle, give_way, of_proxy, crowded, client=peer)
        self._taken.add(place)
        if not place.of_proxy:
            self._guests.put(place, peer)
        return place

    def asked(self, place: ConnectionPlace, forwarded_for: Sequence[str]) -> None:
        """A request has come; ``forwarded_for``: its X-Forwarded-For headers, in order."""
        if place.of_proxy and place in self._taken:
            place.client = client_address(place.peer, forwarded_for, self._proxies)
            self._guests.put(place, place.client)

    def answered(self, place: ConnectionPlace) -> None:
        """A request is over."""
        if place.of_proxy:
            # The proxy keeps the connection for whoever comes next.
            self._guests.take_out(place)
            self._known.take_out(place)

    def recognise(self, place: ConnectionPlace) -> None:
        """Whoever is there has shown a token."""
        if place in self._guests:
            self._guests.take_out(place)
            self._known.put(place, place.client)

    def leave(self, place: ConnectionPlace) -> None:
        """The connection is over; to say so once more does no harm."""
        self._taken.discard(place)
        self._guests.take_out(place)
        self._known.take_out(place)

    def __len__(self) -> int:
        return len(self._taken)

    def _make_room(self) -> bool:
        """End a guest's connection, else one of the known; False if none of them gives way."""
        out = self._guests.first_out(lambda place: place.is_idle()) or self._known_out()
        if out is None:
            self._tell("all %d connections are at work: no more are taken", len(self))
            return False
        source = source_of(out.client)
        self._tell("%d connections, most of them from %s: some give way", len(self), source)
        self.leave(out)
        out.give_way()
        return True

    def _known_out(self) -> ConnectionPlace | None:
        """Who of the known is to give way: one of a source with most of the places, or idle."""
        most = self._known.first_out(lambda place: place.is_idle())
        if most is not None and 2 * self._known.of(most.client) > self._at_most:
            return most
        return self._known.first_that(lambda place: place.is_idle())

    def _tell(self, text: str, *facts: object) -> None:
        if self._clock() - self._told_at >= TOLD_EVERY:
            self._told_at = self._clock()
            log.warning(text, *facts)
