"""Totals: how many rows of the past a query has, counted once for all of its pages."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from datetime import datetime, timedelta

SETTLED_AFTER = timedelta(days=2)
"What began so long ago has ended: the longest talk is a day's."
KEPT_FOR = timedelta(minutes=10)
"Then it is counted again: what is too old has been removed in the meantime."
KEPT_AT_MOST = 500


class Totals:
    """``now``: UTC, aware."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._kept: OrderedDict[Hashable, tuple[datetime, int]] = OrderedDict()

    def settled_before(self) -> datetime:
        """Return the moment before which nothing changes any more: the same for a whole hour."""
        return (self._now() - SETTLED_AFTER).replace(minute=0, second=0, microsecond=0)

    async def of(self, question: Hashable, count: Callable[[], Awaitable[int]]) -> int:
        """Return what ``count`` counts, or has counted for this question lately."""
        now = self._now()
        if question in self._kept:
            counted_at, total = self._kept[question]
            if now - counted_at < KEPT_FOR:
                return total
        total = await count()
        self._kept[question] = now, total
        self._kept.move_to_end(question)
        if len(self._kept) > KEPT_AT_MOST:
            self._kept.popitem(last=False)
        return total
