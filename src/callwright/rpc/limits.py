"""Rate limits: how often an account may ask, in points per minute and per day.

Fixed windows, which begin with the minute and the day (UTC) of the clock. A request takes one point
when it is let in and gives it back unless it succeeds, so that requests at the same time cannot
together take more than there is. The counts are kept in memory: a restart gives all points back.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from typing_extensions import TypedDict

from callwright.bounded_table import BoundedTable
from callwright.config import ApiSettings
from callwright.directory.model import AccountId
from callwright.methods.errors import LimitExceeded

MINUTE = 60
DAY = 86400
ACCOUNTS_AT_MOST = 100_000
"Accounts whose points are counted; of more, the one that began its day first has all again."


class RateLimits(TypedDict):
    """What is left of an account's points, and the seconds until there are new ones."""

    day_limit: int
    day_remaining: int
    day_reset: int
    minute_limit: int
    minute_remaining: int
    minute_reset: int


def budget_of(settings: ApiSettings, clock: Callable[[], float] = time.time) -> "Budget":
    """The points that settings give to accounts. ``clock`` gives seconds since 1970 (UTC)."""
    return Budget(
        per_minute=settings.points_per_minute, per_day=settings.points_per_day, clock=clock
    )


@dataclass(slots=True)
class _Taken:
    day: int
    minute: int
    in_minute: int = 0
    in_day: int = 0


class Budget:
    """The points of all accounts. ``clock`` gives seconds since 1970 (UTC)."""

    def __init__(self, *, per_minute: int, per_day: int, clock: Callable[[], float]) -> None:
        self._per_minute = per_minute
        self._per_day = per_day
        self._clock = clock
        self._taken: BoundedTable[AccountId, _Taken] = BoundedTable(ACCOUNTS_AT_MOST)

    @contextmanager
    def point(self, account: AccountId) -> Iterator[None]:
        """Take a point for the block, for good if it succeeds. Raises `LimitExceeded`."""
        taken = self._now(account)
        if taken.in_minute >= self._per_minute:
            raise LimitExceeded(limit_type="minute", limit_max_value=self._per_minute)
        if taken.in_day >= self._per_day:
            raise LimitExceeded(limit_type="day", limit_max_value=self._per_day)
        taken.in_minute += 1
        taken.in_day += 1
        minute = taken.minute
        try:
            yield
        except BaseException:
            # On a new day the account has a new entry; then this one is nobody's any more.
            taken.in_day -= 1
            if taken.minute == minute:
                taken.in_minute -= 1
            raise

    def limits(self, account: AccountId) -> RateLimits:
        taken = self._now(account)
        now = int(self._clock())
        return RateLimits(
            day_limit=self._per_day,
            day_remaining=self._per_day - taken.in_day,
            day_reset=DAY - now % DAY,
            minute_limit=self._per_minute,
            minute_remaining=self._per_minute - taken.in_minute,
            minute_reset=MINUTE - now % MINUTE,
        )

    def _now(self, account: AccountId) -> _Taken:
        """Return the account's entry of this minute and day."""
        now = int(self._clock())
        taken = self._taken.get(account)
        if taken is None or taken.day != now // DAY:
            taken = _Taken(now // DAY, now // MINUTE)
            self._taken.set(account, taken)
        elif taken.minute != now // MINUTE:
            taken.minute, taken.in_minute = now // MINUTE, 0
        return taken
