"""Rate limits: how often an account may ask, in points per minute and per day.

Fixed windows, which begin with the minute and the day (UTC) of the clock. A request takes one point
when it is let in and gives it back unless it succeeds, so that requests at the same time cannot
together take more than there is. The counts are kept in memory; what has changed in them is asked
for now and then, and written beside the requests (see `points_file`).
"""

import time
from collections.abc import Callable, Iterable, Iterator
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


@dataclass(frozen=True, slots=True)
class TakenPoints:
    """What an account has taken in one day and in one minute of it."""

    account: AccountId
    day: int
    minute: int
    "Days and minutes since 1970 (UTC)."
    in_minute: int
    in_day: int


class Budget:
    """The points of all accounts. ``clock`` gives seconds since 1970 (UTC)."""

    def __init__(self, *, per_minute: int, per_day: int, clock: Callable[[], float]) -> None:
        self._per_minute = per_minute
        self._per_day = per_day
        self._clock = clock
        self._taken: BoundedTable[AccountId, _Taken] = BoundedTable(ACCOUNTS_AT_MOST)
        self._changed: set[AccountId] = set()

    @contextmanager
    def point(self, account: AccountId, *, needed: bool = True) -> Iterator[None]:
        """Take a point for the block, for good if it succeeds.

        Raises `LimitExceeded` where there is none; not ``needed``: the block goes without then.
        """
        taken = self._now(account)
        if exceeded := self._exceeded(taken):
            if needed:
                raise exceeded
            yield
            return
        self._changed.add(account)
        taken.in_minute += 1
        taken.in_day += 1
        minute = taken.minute
        try:
            yield
        except BaseException:
            # On a new day the account has a new entry; then this one is nobody's any more.
            self._changed.add(account)
            taken.in_day -= 1
            if taken.minute == minute:
                taken.in_minute -= 1
            raise

    def limits(self, account: AccountId) -> RateLimits:
        taken = self._now(account)
        now = int(self._clock())
        return RateLimits(
            day_limit=self._per_day,
            # Less than nothing: there were more points before a restart with other settings.
            day_remaining=max(0, self._per_day - taken.in_day),
            day_reset=DAY - now % DAY,
            minute_limit=self._per_minute,
            minute_remaining=max(0, self._per_minute - taken.in_minute),
            minute_reset=MINUTE - now % MINUTE,
        )

    def changed(self) -> list[TakenPoints]:
        """What has been taken by those whose points have changed since this was asked last."""
        changed, self._changed = self._changed, set()
        return [
            TakenPoints(account, taken.day, taken.minute, taken.in_minute, taken.in_day)
            for account in changed
            if (taken := self._taken.get(account))
        ]

    def restore(self, points: Iterable[TakenPoints]) -> None:
        """Take what was taken before a restart. Nothing has been taken since."""
        for one in points:
            taken = _Taken(one.day, one.minute, one.in_minute, one.in_day)
            self._taken.set(one.account, taken)

    def _exceeded(self, taken: _Taken) -> LimitExceeded | None:
        if taken.in_minute >= self._per_minute:
            return LimitExceeded(limit_type="minute", limit_max_value=self._per_minute)
        if taken.in_day >= self._per_day:
            return LimitExceeded(limit_type="day", limit_max_value=self._per_day)
        return None

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
