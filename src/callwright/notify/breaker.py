"""Circuit breaker: keeps the service from knocking on a door that nobody opens.

It is closed while an endpoint takes what it is sent. After some failures in a row, with events of
more than one session, it opens: nothing is sent for a while; then a single request tries whether
the endpoint is back. If not, the while grows.
"""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

FAILURES = 5
"In a row, that open it."
FIRST_PAUSE, LONGEST_PAUSE = 15.0, 300.0
"Seconds it stays open."

RETRIES = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0)
"Seconds after the first failed attempt, the second, …; the last one holds for those after it."

Jitter = Callable[[], float]
"A number from 0 to 1, each time another."


def retry_after(attempts: int, jitter: Jitter = random.random) -> timedelta:
    """How long to wait after so many failed attempts; a fifth more or less, so that what failed
    together does not come back together."""
    pause = RETRIES[min(attempts, len(RETRIES)) - 1]
    return timedelta(seconds=pause * (0.8 + 0.4 * jitter()))


class CircuitBreaker:
    """Of one endpoint."""

    def __init__(self, jitter: Jitter = random.random, *, longest: float = LONGEST_PAUSE) -> None:
        """``longest``: seconds it stays open at most."""
        self._jitter = jitter
        self._longest = longest
        self._failures = 0
        self._whose: set[int] = set()
        self._pause = FIRST_PAUSE
        self.tries_at: datetime | None = None
        "When the next request may try; None: it is closed."
        self.failing_since: datetime | None = None
        "When the first of the failures was, since which nothing has been taken."

    def room(self, now: datetime, *, busy: int, limit: int) -> int:
        """How many requests may be begun, where ``busy`` are under way, of at most ``limit``."""
        if self.tries_at is None:
            return max(0, limit - busy)
        return 1 if now >= self.tries_at and not busy else 0

    def took(self) -> bool:
        """The endpoint has taken something. Returns whether the breaker was open."""
        was_open = self.tries_at is not None
        self._failures, self._pause = 0, FIRST_PAUSE
        self._whose.clear()
        self.tries_at = self.failing_since = None
        return was_open

    def failed(self, now: datetime, session: int) -> bool:
        """The endpoint has not taken an event of this session. Returns whether this opens it.

        One session alone does not: it may be its event that is not wanted, and its attempts lie
        apart already.
        """
        if self.tries_at is not None and now < self.tries_at:
            return False  # begun before it opened: says nothing new
        self._failures += 1
        self.failing_since = self.failing_since or now
        if len(self._whose) < 2:
            self._whose.add(session)
        if self._failures < FAILURES or len(self._whose) < 2:
            return False
        was_open = self.tries_at is not None
        if was_open:
            self._pause = min(self._longest, 2 * self._pause)
        self.tries_at = now + timedelta(seconds=self._pause * (0.8 + 0.4 * self._jitter()))
        return not was_open
