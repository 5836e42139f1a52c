"""Event loop lag: how late the loop does what is due."""

from collections.abc import Callable

import anyio

EVERY = 1.0
"Seconds between looks."


async def watch_lag(note: Callable[[float], None]) -> None:
    """Tell ``note``, once a second and until cancelled, the seconds the loop was late."""
    while True:
        due = anyio.current_time() + EVERY
        await anyio.sleep_until(due)
        note(max(0.0, anyio.current_time() - due))
