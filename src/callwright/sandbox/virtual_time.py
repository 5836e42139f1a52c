"""Virtual time: an event loop whose time is the sandbox's: real, sped up, or moved by hand.

Everything that waits in the service waits on the loop's time, and all of it through the selector:
whoever chooses how long the selector sleeps, decides how time goes by. A loop that asks its
selector to wait has nothing more to do at this moment. If nothing is under way elsewhere either
(a statement in the database's thread, a request to somebody's server), then, and only then, a
stepped clock may jump to the next timer, and one that is sped up may hurry towards it: nothing is
ever overtaken by the time. What has a time limit because it is real (that database, that server)
so has all of it, in real seconds.

Time is counted in whole ticks. A loop tells it as a float, which after half a year is too coarse
for asyncio's own idea of what is due now (a billionth of a second, by the resolution of the real
clock), and a timer that is due would never be run. So timers are due at ticks, and a tick has come
when the loop's time says so exactly.

Sockets, threads and processes remain as real as ever.
"""

import asyncio
import heapq
import itertools
import logging
import math
import selectors
import time
from typing import TYPE_CHECKING, Any, TypeVarTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextvars import Context

Ts = TypeVarTuple("Ts")

log = logging.getLogger(__name__)

TICKS = 1_000_000
"In a second: those of `datetime`."

OVERSLEPT_AT_MOST = 0.01
"""Real seconds that a clock which is sped up makes good. The kernel sleeps in milliseconds, and at
a speed of 600 there are many timers in one."""

PATIENCE = 10.0
"""Real seconds a clock that is not the real one waits for what is under way elsewhere and does not
stir, such as a server that does not answer. Then time goes on, so that time limits can do what they
are for."""


class VirtualTime(selectors.DefaultSelector):
    """The selector of a `PacedLoop`, and its clock.

    ``speed``: seconds of the sandbox in a real one; None: the clock stands until `advance`.
    """

    def __init__(self, speed: float | None) -> None:
        super().__init__()
        self.working: Callable[[], bool] = lambda: False
        "Whether something is under way that the loop cannot see, and that is to be waited for."
        self.jumps = 0
        self._speed = self._asked = speed
        self._now = 0
        "Ticks as of `_since`; of a clock that stands: now."
        self._since = time.monotonic_ns()
        self._overslept = 0
        "Ticks that a clock which is sped up is behind."
        self._patience = PATIENCE
        self._until: int | None = None
        "Where an advance leads."
        self._arrived: asyncio.Future[None] | None = None
        self._settling: list[asyncio.Future[None]] = []

    @property
    def stands(self) -> bool:
        return self._speed is None

    @property
    def ticks(self) -> int:
        """The sandbox's time, exactly."""
        if self._speed is None:
            return self._now
        # Also where it is sped up: what the loop itself has to do is no faster for that.
        return self._now + (time.monotonic_ns() - self._since) * TICKS // 1_000_000_000

    def time(self) -> float:
        """Seconds of the sandbox."""
        return self.ticks / TICKS

    def run_freely(self) -> None:
        """Let the clock run in real time: for the end, which nobody steps or hurries through."""
        if self._speed is None:
            self._since = time.monotonic_ns()
        self._speed = 1.0

    def restart(self) -> None:
        """Go as at the beginning: a clock that stands is at nought then.

        No timer may be set that is still wanted.
        """
        self._speed = self._asked
        if self._speed is None:
            self._now = 0

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
        self._until = self._now + round(seconds * TICKS)
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
        if self._is_passing():
            if not self.working():
                self._patience = PATIENCE
            elif self._patience > 0:
                return self._wait_for_work(timeout)
        if self._settling:
            self._settle()
            return []
        if self._until is not None:
            self._jump(math.inf if timeout is None else self._now + _ticks(timeout), self._until)
            return []
        return self._sleep(timeout)

    def _is_passing(self) -> bool:
        """Whether time may go by faster than it does."""
        return self._until is not None or bool(self._settling) or self._is_hurrying()

    def _is_hurrying(self) -> bool:
        return self._speed not in (None, 1.0)

    def _wait_for_work(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        began = time.monotonic()
        at_most = self._patience
        if timeout is not None and self._speed is not None:
            at_most = min(at_most, timeout)
        found = super().select(at_most)
        if found:
            self._patience = PATIENCE
        else:
            self._patience -= time.monotonic() - began
            if self._patience <= 0:
                log.warning("somebody does not answer for %g s: time goes on", PATIENCE)
        return found

    def _settle(self) -> None:
        for settled in self._settling:
            if not settled.done():
                settled.set_result(None)
        self._settling.clear()

    def _jump(self, due: float, until: int) -> None:
        if due <= until:
            self._now = int(due)
            self.jumps += 1
            return
        self._now = until
        if self._arrived and not self._arrived.done():
            self._arrived.set_result(None)

    def _sleep(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        if self._speed is None:
            return super().select(None)
        if not self._is_hurrying():
            return super().select(timeout)
        due = None if timeout is None else _ticks(timeout)
        began = time.monotonic_ns()
        wait = None if due is None else max(0, due - self._overslept) / TICKS / self._speed
        found = super().select(wait)
        slept = time.monotonic_ns() - began
        passed = self._overslept + round(slept / 1e9 * self._speed * TICKS)
        gone = passed if due is None else min(passed, due)
        behind = 0 if found else passed - gone
        self._overslept = min(behind, round(OVERSLEPT_AT_MOST * self._speed * TICKS))
        self._now += gone
        self._since += slept
        return found


class _Timer(asyncio.TimerHandle):
    """A timer: of those that are due at one tick, what was set first comes first."""

    def __init__(
        self,
        number: int,
        when: float,
        callback: "Callable[..., object]",
        args: "Sequence[Any]",
        loop: asyncio.AbstractEventLoop,
        context: "Context | None",
    ) -> None:
        super().__init__(when, callback, args, loop, context)
        self._number = number
        self._scheduled = True

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, _Timer):
            return NotImplemented
        return (self.when(), self._number) < (other.when(), other._number)


class PacedLoop(asyncio.SelectorEventLoop):
    """An event loop on the time of a `VirtualTime`."""

    def __init__(self, pace: VirtualTime) -> None:
        self._pace = pace
        self._numbers = itertools.count()
        super().__init__(pace)

    def time(self) -> float:
        return self._pace.time()

    def call_at(
        self,
        when: float,
        callback: "Callable[[*Ts], object]",
        *args: *Ts,
        context: "Context | None" = None,
    ) -> asyncio.TimerHandle:
        """Call back at the first tick that is not before ``when``, in the order of these calls.

        asyncio's own timers of one moment come in any order, and where all are due at ticks there
        are many of one moment: the same story would go another way each time it is told.
        """
        if self.is_closed():
            raise RuntimeError("Event loop is closed")
        if math.isfinite(when):
            # Just before it: what is due at the very moment asyncio takes for due a little later.
            when = math.nextafter(_tick_from(when) / TICKS, -math.inf)
        timer = _Timer(next(self._numbers), when, callback, args, self, context)
        # asyncio's heap: it has no other way in for timers of one's own.
        timers: list[asyncio.TimerHandle] = vars(self)["_scheduled"]
        heapq.heappush(timers, timer)
        return timer


def _tick_from(when: float) -> int:
    tick = round(when * TICKS)
    return tick if tick / TICKS >= when else tick + 1


def _ticks(timeout: float) -> int:
    """Of a time to a timer, that is, to just before a tick."""
    return max(1, round(timeout * TICKS))
