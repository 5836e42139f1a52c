"""LRU tables with expiry: what is remembered by key, however many keys strangers come up with."""

import math
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BoundedTable(Generic[K, V]):
    """An LRU table with expiry: of more than ``at_most`` keys, the one set longest ago goes.

    A value is forgotten ``lasts`` seconds after it was set. The table has no clock: ``now`` is
    seconds from any start, and never less than before.
    """

    def __init__(self, at_most: int, *, lasts: float = math.inf) -> None:
        self._at_most = at_most
        self._lasts = lasts
        self._entries: OrderedDict[K, tuple[V, float]] = OrderedDict()
        "Values and when they were set, the oldest first."

    def get(self, key: K, now: float = 0.0) -> V | None:
        entry = self._entries.get(key)
        return None if entry is None or now - entry[1] > self._lasts else entry[0]

    def set(self, key: K, value: V, now: float = 0.0) -> None:
        """Remember a value from ``now`` on, in place of what was there."""
        self._entries[key] = value, now
        self._entries.move_to_end(key)
        if len(self._entries) > self._at_most:
            self._entries.popitem(last=False)

    def forget(self, key: K) -> None:
        self._entries.pop(key, None)

    def __len__(self) -> int:
        return len(self._entries)
