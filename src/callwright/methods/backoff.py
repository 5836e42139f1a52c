"""Log-in throttle: a wait that grows with every failure.

Per source and login, so that nobody can lock a user out from elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass

from callwright.bounded_table import BoundedTable
from callwright.sources import source_of

FREE = 5
"Failures without a wait."
FIRST_WAIT = 1.0
"Seconds after the failure that follows them; doubled with each further one."
LONGEST_WAIT = 60.0
FORGOTTEN_AFTER = 900.0
"Seconds without an attempt after which earlier failures do not count."
REMEMBERED = 10_000
"Pairs of source and login; the one not tried for the longest time is forgotten first."


@dataclass(frozen=True, slots=True)
class _Failures:
    count: int
    last: float

    @property
    def wait(self) -> float:
        if self.count < FREE:
            return 0.0
        # The exponent is bounded too: a float would overflow after a thousand failures.
        return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(self.count - FREE, 10))


class Backoff:
    """``clock`` gives seconds, from any start."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures: BoundedTable[tuple[str, str], _Failures] = BoundedTable(
            REMEMBERED, lasts=FORGOTTEN_AFTER
        )

    def refuses(self, address: str, login: str) -> bool:
        """Whether an attempt has to wait; the password is then not even looked at."""
        now = self._clock()
        failures = self._failures.get((source_of(address), login), now)
        return failures is not None and now - failures.last < failures.wait

    def failed(self, address: str, login: str) -> None:
        now, key = self._clock(), (source_of(address), login)
        before = self._failures.get(key, now)
        count = before.count + 1 if before is not None else 1
        self._failures.set(key, _Failures(count, now), now)

    def succeeded(self, address: str, login: str) -> None:
        self._failures.forget((source_of(address), login))
