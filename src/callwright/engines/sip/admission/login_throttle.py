"""Login throttle: guessing of passwords is slowed down, and then stopped for a while.

A failure counts only for a source that has proved it receives what is sent to it (the
nonces see to that), so nobody can have another's address shut out by forging it.
"""

from dataclasses import dataclass

from callwright.bounded_table import BoundedTable

FREE = 3
"Failures in a row that cost nothing: fingers slip, and a new phone is tried out."
BLOCKED_FROM = 10
"Failures from which on a source is not listened to."
BLOCKED_FOR = 600.0
"Seconds."
FORGOTTEN_AFTER = 1800.0
"Seconds without a failure after which the earlier ones are forgotten."
REMEMBERED_AT_MOST = 20_000

Key = tuple[str, ...]


@dataclass(slots=True)
class _Record:
    failures: int = 0
    closed_until: float = 0.0


class LoginThrottle:
    """Counts failures by key: the address they come from, or an address with a number."""

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

    def failed(self, key: Key, now: float) -> None:
        """Note a wrong password: each beyond `FREE` costs twice the wait of the one before."""
        record = self._records.get(key, now) or _Record()
        record.failures += 1
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
