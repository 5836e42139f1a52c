"""Turns of log-ins at the password check, which takes most of a core for some tens of milliseconds.

An admission queue, fair between sources: the more often one has tried in vain, the later it comes,
so that guessers, however many, wait behind everybody else. Whoever is new is taken for one with its
whole site (the /48 of an IPv6 address), or a guesser would be new with each of a site's 65,536
networks; a source that has shown a right password is not. Of equals the last to come is first
(adaptive LIFO): a crowd that came before does not make it wait. Where the queue is full the last in
turn is refused at once.
"""

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio

from callwright.bounded_table import BoundedTable
from callwright.sources import site_of, source_of

AT_ONCE = 2
"Checks at once; each takes 64 MiB besides."
OF_GUESSERS_AT_ONCE = 1
WAITING_AT_MOST = 32
GUESSES_FROM = 3
"Tries since the last success from which on a source is one of guessers."
REMEMBERED = 10_000
"Sources that have tried in vain, and as many that have succeeded."
TRIES_LAST = 900.0
KNOWN_FOR = 7 * 86_400.0
"Seconds."


class TooManyLogins(Exception):
    """The queue is full, and the others in it go before."""


@dataclass(eq=False, slots=True)
class _Turn:
    tries: int
    "Earlier ones of its source, since the last success; -1: it has had one, and none since."
    arrival: int
    called: anyio.Event = field(default_factory=anyio.Event)
    refused: bool = False

    @property
    def rank(self) -> tuple[int, int]:
        return self.tries, -self.arrival

    @property
    def is_guess(self) -> bool:
        return self.tries >= GUESSES_FROM


class LoginTurns:
    """``clock`` gives seconds, from any start."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._arrivals = itertools.count()
        self._waiting: set[_Turn] = set()
        self._checking: set[_Turn] = set()
        self._tries: BoundedTable[str, int] = BoundedTable(REMEMBERED, lasts=TRIES_LAST)
        self._tries_of_sites: BoundedTable[str, int] = BoundedTable(REMEMBERED, lasts=TRIES_LAST)
        self._known: BoundedTable[str, bool] = BoundedTable(REMEMBERED, lasts=KNOWN_FOR)

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Wait for a turn, and have it for the block. Raises `TooManyLogins`."""
        turn = self._enter(source_of(address), site_of(address))
        try:
            await turn.called.wait()
            if turn.refused:
                raise TooManyLogins
            yield
        finally:
            self._waiting.discard(turn)
            self._checking.discard(turn)
            self._call()

    def succeeded(self, address: str) -> None:
        """The password was right: the tries before are forgotten."""
        self._tries.forget(source_of(address))
        self._known.set(source_of(address), True, self._clock())

    def _enter(self, source: str, site: str) -> _Turn:
        now = self._clock()
        known = self._known.get(source, now)
        of_source, of_site = self._tries.get(source, now), self._tries_of_sites.get(site, now)
        if of_source is None and known:
            tries = -1
        elif known:
            tries = of_source or 0
        else:
            tries = max(of_source or 0, of_site or 0)
            # Those of known sources are no guesses of their neighbours.
            self._tries_of_sites.set(site, (of_site or 0) + 1, now)
        self._tries.set(source, 0 if tries < 0 else (of_source or 0) + 1, now)
        turn = _Turn(tries, next(self._arrivals))
        self._waiting.add(turn)
        self._call()
        if len(self._waiting) > WAITING_AT_MOST:
            last = max(self._waiting, key=lambda one: one.rank)
            self._waiting.remove(last)
            last.refused = True
            last.called.set()
        return turn

    def _call(self) -> None:
        """Let those in whose turn it is."""
        for turn in sorted(self._waiting, key=lambda one: one.rank):
            if len(self._checking) >= AT_ONCE:
                return
            guesses = sum(one.is_guess for one in self._checking)
            if turn.is_guess and guesses >= OF_GUESSERS_AT_ONCE:
                return
            self._waiting.remove(turn)
            self._checking.add(turn)
            turn.called.set()
