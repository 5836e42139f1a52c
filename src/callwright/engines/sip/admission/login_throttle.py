"""Login throttle: guessing of passwords is slowed down, and then stopped for a while.

Failures are counted by source and number: one phone with an old password is shut out, and not its
office. Whoever tries number after number is found by a limit for the whole source, which is much
higher; beyond it each number has one try.

A failure counts only for a source that has proved it receives what is sent to it (the
nonces see to that), so nobody can have another's address shut out by forging it.
"""

from dataclasses import dataclass

from callwright.bounded_table import BoundedTable

FREE = 3
"Failures in a row that cost nothing: fingers slip, and a new phone is tried out."
BLOCKED_FROM = 10
"Failures from which on a number is not listened to at a source."
BLOCKED_FOR = 600.0
"Seconds."
FORGOTTEN_AFTER = 1800.0
"Seconds without a failure after which the earlier ones are forgotten."
ONE_TRY_FROM = 100
"Failures of a source, whatever the numbers, from which on one more is the last of its number."
SHUT_FROM = 1000
"Those from which on a source is not listened to, but for phones that are registered from it."
SUBSIDES = 18.0
"Seconds in which the failures of a source become one fewer."
REMEMBERED_AT_MOST = 20_000

Key = tuple[str, ...]
"A source, and a number there."


@dataclass(slots=True)
class _Record:
    failures: int = 0
    closed_until: float = 0.0


class LoginThrottle:
    """Counts failures by key."""

    def __init__(self) -> None:
        self._records: BoundedTable[Key, _Record] = BoundedTable(
            REMEMBERED_AT_MOST, lasts=FORGOTTEN_AFTER
        )

    def wait(self, key: Key, now: float) -> float:
        """Seconds for which nothing from there is looked at; 0 if it may try."""
        record = self._records.get(key, now)
        return max(0.0, record.closed_until - now) if record is not None else 0.0

    def blocks(self, key: Key, now: float) -> bool:
        """Whether it is shut out for good measure, not only slowed down."""
        record = self._records.get(key, now)
        return record is not None and record.failures >= BLOCKED_FROM and now < record.closed_until

    def failed(self, key: Key, now: float, *, last: bool = False) -> None:
        """Note a wrong password: each beyond `FREE` costs twice the wait of the one before.

        ``last``: it was the last one that is looked at.
        """
        record = self._records.get(key, now) or _Record()
        record.failures = max(record.failures + 1, BLOCKED_FROM if last else 0)
        if record.failures >= BLOCKED_FROM:
            record.closed_until = now + BLOCKED_FOR
        elif record.failures > FREE:
            record.closed_until = now + 2.0 ** (record.failures - FREE - 1)
        self._records.set(key, record, now)

    def passed(self, key: Key) -> None:
        """Forget the failures of a key that has now shown the right password."""
        self._records.forget(key)

    def __len__(self) -> int:
        return len(self._records)


class SourceThrottle:
    """Counts failures by source, whatever the numbers: a bucket that leaks."""

    def __init__(self) -> None:
        self._levels: BoundedTable[str, tuple[float, float]] = BoundedTable(
            REMEMBERED_AT_MOST, lasts=SHUT_FROM * SUBSIDES
        )
        "How full a source's bucket was, and when."

    def failures(self, source: str, now: float) -> float:
        """How many there are that have not subsided."""
        level, at = self._levels.get(source, now) or (0.0, now)
        return max(0.0, level - (now - at) / SUBSIDES)

    def failed(self, source: str, now: float) -> float:
        """Note a wrong password; return how many there are."""
        failures = self.failures(source, now) + 1
        self._levels.set(source, (failures, now), now)
        return failures
