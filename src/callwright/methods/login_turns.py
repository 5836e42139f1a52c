"""Turns of log-ins at the password check, which takes most of a core for some tens of milliseconds.

An admission queue, fair between sources (round robin): guessers, however many, wait behind those
who have not failed lately, and where the queue is full the last of them is refused at once.
"""

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import IntEnum

import anyio

from callwright.bounded_table import BoundedTable
from callwright.sources import source_of

AT_ONCE = 2
"Checks at once; each takes 64 MiB besides."
OF_GUESSERS_AT_ONCE = 1
WAITING_AT_MOST = 32
GUESSES_FROM = 3
"Failures since the last success from which on a source is one of guessers."
REMEMBERED = 10_000
"Sources that have failed, and as many that have succeeded."
FAILURES_LAST = 900.0
KNOWN_FOR = 7 * 86_400.0
"Seconds."


class TooManyLogins(Exception):
    """The queue is full, and the others in it go before."""


class _Standing(IntEnum):
    """Who goes first."""

    KNOWN = 0
    "A source that has shown a right password."
    NEW = 1
    GUESSER = 2


@dataclass(eq=False, slots=True)
class _Turn:
    standing: _Standing
    ahead: int
    "How many of its source were waiting when it came."
    arrival: int
    called: anyio.Event = field(default_factory=anyio.Event)
    refused: bool = False

    @property
    def rank(self) -> tuple[int, int, int]:
        return self.standing, self.ahead, self.arrival


class LoginTurns:
    """``clock`` gives seconds, from any start."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._arrivals = itertools.count()
        self._waiting: dict[_Turn, str] = {}
        self._checking: set[_Turn] = set()
        self._failures: BoundedTable[str, int] = BoundedTable(REMEMBERED, lasts=FAILURES_LAST)
        self._known: BoundedTable[str, bool] = BoundedTable(REMEMBERED, lasts=KNOWN_FOR)

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Wait for a turn, and have it for the block. Raises `TooManyLogins`."""
        turn = self._enter(source_of(address))
        try:
            await turn.called.wait()
            if turn.refused:
                raise TooManyLogins
            yield
        finally:
            self._waiting.pop(turn, None)
            self._checking.discard(turn)
            self._call()

    def failed(self, address: str) -> None:
        source, now = source_of(address), self._clock()
        self._failures.set(source, (self._failures.get(source, now) or 0) + 1, now)

    def succeeded(self, address: str) -> None:
        self._failures.forget(source_of(address))
        self._known.set(source_of(address), True, self._clock())

    def _enter(self, source: str) -> _Turn:
        ahead = sum(one == source for one in self._waiting.values())
        turn = _Turn(self._standing(source), ahead, next(self._arrivals))
        self._waiting[turn] = source
        self._call()
        if len(self._waiting) > WAITING_AT_MOST:
            last = max(self._waiting, key=lambda one: one.rank)
            del self._waiting[last]
            last.refused = True
            last.called.set()
        return turn

    def _standing(self, source: str) -> _Standing:
        now = self._clock()
        if (self._failures.get(source, now) or 0) >= GUESSES_FROM:
            return _Standing.GUESSER
        return _Standing.KNOWN if self._known.get(source, now) else _Standing.NEW

    def _call(self) -> None:
        """Let those in whose turn it is."""
        for turn in sorted(self._waiting, key=lambda one: one.rank):
            if len(self._checking) >= AT_ONCE:
                return
            guessing = sum(one.standing is _Standing.GUESSER for one in self._checking)
            if turn.standing is _Standing.GUESSER and guessing >= OF_GUESSERS_AT_ONCE:
                return
            del self._waiting[turn]
            self._checking.add(turn)
            turn.called.set()
