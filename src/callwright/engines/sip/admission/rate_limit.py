"""Rate limit: how many requests of strangers are taken from one source (a token bucket each)."""

from callwright.bounded_table import BoundedTable
from callwright.sources import source_of

SOURCES_AT_MOST = 10_000
"Sources remembered; the one silent for longest is forgotten for a new one."
BURST = 5.0
"Seconds' worth of requests that may come at once."


class RateLimit:
    """A bucket for each source that fills by ``per_second`` tokens; a request takes one."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        # A bucket that nobody has taken from for so long is full again.
        self._buckets: BoundedTable[str, tuple[float, float]] = BoundedTable(
            SOURCES_AT_MOST, lasts=BURST
        )
        "What is left and when that was counted, by source."

    def allows(self, host: str, now: float) -> bool:
        """Whether one more request of ``host``, an address, may be served at ``now``."""
        source = source_of(host)
        full = self._per_second * BURST
        left, counted = self._buckets.get(source, now) or (full, now)
        left = min(full, left + (now - counted) * self._per_second)
        allowed = left >= 1.0
        self._buckets.set(source, (left - 1.0 if allowed else left, now), now)
        return allowed
