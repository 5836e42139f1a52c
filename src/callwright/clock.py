"""The clock: where everything that is dated takes its time from.

Durations are anyio's affair. The two agree: a sandbox puts an event loop and a clock of its own in
place of both.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """The time of day, in the two forms it is asked for."""

    now: Callable[[], datetime] = utc_now
    "UTC, aware."
    seconds: Callable[[], float] = time.time
    "The same, since 1970."
