"""Turns of look-ups that strangers may ask for: fair queueing, by the site each comes from.

Sites take turns, so that a crowd of one does not make others wait; where the queue is full, the
last of the site that has most in it gives way. A site is an IPv4 address or the /48 of an IPv6 one:
a source (a /64) would leave one customer 65,536 shares.
"""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio

from callwright.sources import site_of

WAITING_AT_MOST = 64


class TooManyLookUps(Exception):
    """The queue is full, and the site has more in it than others."""


@dataclass(eq=False, slots=True)
class _LookUp:
    called: anyio.Event = field(default_factory=anyio.Event)
    refused: bool = False

    def refuse(self) -> None:
        self.refused = True
        self.called.set()


class FileTurns:
    """One look-up at a time: the connections to the database are few, and calls need them."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[_LookUp]] = {}
        "By site; the one whose turn it is first."
        self._taken = False

    @property
    def waiting(self) -> int:
        return sum(map(len, self._waiting.values()))

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Wait for a turn, and have it for the block. Raises `TooManyLookUps`."""
        site, turn = site_of(address), _LookUp()
        if self._taken:
            self._enter(site, turn)
            await self._called(site, turn)
        self._taken = True
        try:
            yield
        finally:
            self._taken = self._call_next()

    def _enter(self, site: str, turn: _LookUp) -> None:
        self._waiting.setdefault(site, deque()).append(turn)
        if self.waiting > WAITING_AT_MOST:
            # Of sites that have the same, this one: who waits already has waited longer.
            most = max(self._waiting, key=lambda one: (len(self._waiting[one]), one == site))
            last = self._waiting[most][-1]
            self._leave(most, last)
            last.refuse()

    async def _called(self, site: str, turn: _LookUp) -> None:
        try:
            await turn.called.wait()
        except BaseException:
            if turn.called.is_set() and not turn.refused:
                self._taken = self._call_next()
            elif not turn.refused:
                self._leave(site, turn)
            raise
        if turn.refused:
            raise TooManyLookUps

    def _leave(self, site: str, turn: _LookUp) -> None:
        self._waiting[site].remove(turn)
        if not self._waiting[site]:
            del self._waiting[site]

    def _call_next(self) -> bool:
        """Hand the turn on, if anybody waits; his site is the last in turn then."""
        if not self._waiting:
            return False
        site = next(iter(self._waiting))
        queue = self._waiting.pop(site)
        queue.popleft().called.set()
        if queue:
            self._waiting[site] = queue
        return True
