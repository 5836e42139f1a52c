"""Virtual time: an event loop whose time is the sandbox's: real, sped up, or moved by hand.

Everything that waits in the service waits on the loop's time, and all of it through the selector:
whoever chooses how long the selector sleeps, decides how time goes by. A loop that asks its
selector to wait has nothing more to do at this moment. If nothing is under way elsewhere either
(a statement in the database's thread, a request to somebody's server), then, and only then, a
stepped clock may jump to the next timer: nothing is ever overtaken by the time.

Sockets, threads and processes remain as real as ever.
"""

import asyncio
import logging
import math
import selectors
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

PATIENCE = 10.0
"""Real seconds a stepped clock waits for what is under way elsewhere and does not stir, such as a
server that does not answer. Then time goes on, so that time limits can do what they are for."""


class VirtualTime(selectors.DefaultSelector):
    """The selector of a `loop_at`, and its clock.

    ``speed``: seconds of the sandbox in a real one; None: the clock stands until `advance`.
    """

    def __init__(self, speed: float | None) -> None:
        super().__init__()
        self.working: Callable[[], bool] = lambda: False
        "Whether something is under way that the loop cannot see, and that is to be waited for."
        self.jumps = 0
        self._speed = speed
        self._now = 0.0
        "As of `_since`; of a clock that stands: now."
        self._since = time.monotonic()
        self._patience = PATIENCE
        self._until: float | None = None
        "Where an advance leads."
        self._arrived: asyncio.Future[None] | None = None
        self._settling: list[asyncio.Future[None]] = []

    @property
    def stands(self) -> bool:
        return self._speed is None

    def time(self) -> float:
        """Seconds of the sandbox."""
        if self._speed is None:
            return self._now
        return self._now + (time.monotonic() - self._since) * self._speed

    def run_freely(self) -> None:
        """Let a clock that stands run in real time: for the end, which nobody steps through."""
        if self._speed is None:
            self._speed, self._since = 1.0, time.monotonic()

    def restart(self) -> None:
        """Let the clock stand, at nought. No timer may be set that is still wanted."""
        self._speed, self._now = None, 0.0

    async def settle(self) -> None:
        """Wait until everything is done that can be done at this moment."""
        settled = asyncio.get_running_loop().create_future()
        self._settling.append(settled)
        await settled

    async def advance(self, seconds: float) -> None:
        """Let time go by; return when everything is done that was due in it.

        A clock that runs is waited for. One advance at a time.
        """
        if self._speed is not None:
            await asyncio.sleep(seconds)
            await self.settle()
            return
        assert self._until is None, "another advance is under way"
        self._until = self._now + seconds
        self._patience = PATIENCE
        self._arrived = asyncio.get_running_loop().create_future()
        try:
            await self._arrived
        finally:
            self._until = self._arrived = None

    # What the loop calls.

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """``timeout``: seconds of the sandbox to the next timer; None: there is none."""
        if timeout is not None and timeout <= 0:
            return super().select(0)
        if found := super().select(0):
            self._patience = PATIENCE
            return found
        if self._until is None and not self._settling:
            return super().select(self._real(timeout))
        if self.working() and self._patience > 0:
            return self._wait_for_work(timeout)
        for settled in self._settling:
            if not settled.done():
                settled.set_result(None)
        if self._settling:
            self._settling.clear()
        elif self._until is not None:
            self._jump(math.inf if timeout is None else self._now + timeout, self._until)
        return []

    def _wait_for_work(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        began = time.monotonic()
        real = self._real(timeout)
        found = super().select(self._patience if real is None else min(real, self._patience))
        if found:
            self._patience = PATIENCE
        else:
            self._patience -= time.monotonic() - began
            if self._patience <= 0:
                log.warning("somebody does not answer for %g s: time goes on", PATIENCE)
        return found

    def _jump(self, due: float, until: float) -> None:
        if due <= until:
            # However small the step is: it is one.
            self._now = max(due, math.nextafter(self._now, math.inf))
            self.jumps += 1
            return
        self._now = until
        if self._arrived and not self._arrived.done():
            self._arrived.set_result(None)

    def _real(self, timeout: float | None) -> float | None:
        """Real seconds to sleep; None: until something happens."""
        if timeout is None or self._speed is None:
            return None
        return timeout / self._speed


class PacedLoop(asyncio.SelectorEventLoop):
    """An event loop on the time of a `VirtualTime`."""

    def __init__(self, pace: VirtualTime) -> None:
        self._pace = pace
        super().__init__(pace)

    def time(self) -> float:
        return self._pace.time()
