"""An autojump clock for asyncio: time stands while anything is to be done, then jumps to a timer.

What `trio.testing.MockClock` is to stories without sockets, this is to those that have some: a
datagram on loopback is in its receiver's queue when ``sendto`` returns, so a loop that finds
nothing to read and nothing ready has nothing on its way either, and may go on to its next timer. A
story of seconds takes milliseconds, and a busy machine cannot make anything late in it.

Work of threads is waited for: that of executors and worker threads by itself, that of others by
`Autojump.working`.
Not for TCP, whose segments the kernel may hold back for a while of its own (Nagle, delayed ACKs).
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

import pytest

from callwright.worker_thread import WorkerThread

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Ready = list[tuple[selectors.SelectorKey, int]]


class Autojump(selectors.DefaultSelector):
    """The clock, and the selector that decides when it jumps."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        "Seconds: the loop's ``time``. A test may move it on: that is a loop that is held up."
        self.executing = 0
        "Calls that executors have not answered."
        self.working: Callable[[], bool] = lambda: False
        "Whether another thread does something that the story waits for."

    def select(self, timeout: float | None = None) -> Ready:
        found = super().select(0)
        if found or (timeout is not None and timeout <= 0):
            return found
        if self.working():
            return super().select(0.001)  # it need not tell the loop when it is done
        if timeout is None or self.executing or WorkerThread.under_way:
            return super().select()
        self.now += timeout
        return []


class AutojumpLoop(asyncio.SelectorEventLoop):
    """An event loop on an `Autojump` clock."""

    def __init__(self) -> None:
        self.clock = Autojump()
        super().__init__(self.clock)

    def time(self) -> float:
        return self.clock.now

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        answer = super().run_in_executor(executor, func, *args)
        self.clock.executing += 1
        answer.add_done_callback(self._answered)
        return answer

    def _answered(self, _: object) -> None:
        self.clock.executing -= 1

    async def shutdown_default_executor(self, *args: Any) -> None:
        self.clock.executing += 1  # its threads are joined by one that tells the loop
        try:
            await super().shutdown_default_executor(*args)
        finally:
            self.clock.executing -= 1


Backend = tuple[str, dict[str, object]]
BACKEND: Backend = ("asyncio", {"loop_factory": AutojumpLoop})
"For the fixture ``anyio_backend``."
jumping = pytest.mark.parametrize("anyio_backend", [BACKEND], ids=["autojump"])
"For one test, where the others of its module run in real time."


def clock() -> Autojump:
    """The clock of the story that runs."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, AutojumpLoop)
    return loop.clock


def run(story: Coroutine[Any, Any, None]) -> None:
    """`asyncio.run`, on a clock that jumps."""
    with asyncio.Runner(loop_factory=AutojumpLoop) as runner:
        runner.run(story)
