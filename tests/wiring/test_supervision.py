"""What no call needs may fail, and is started again; told on a clock that jumps."""

import logging
from collections.abc import Callable, Coroutine

import anyio
import pytest
import trio
import trio.testing

from callwright.wiring.supervision import LONGEST_PAUSE, SETTLED_AFTER, supervised


def told(story: Callable[[], Coroutine[None, None, None]]) -> None:
    trio.run(story, clock=trio.testing.MockClock(autojump_threshold=0))


class Failing:
    """Fails as often as it is told to, ``after`` seconds each time, and notes when it began."""

    def __init__(self, *faults: BaseException, after: float = 0.0) -> None:
        self.began: list[float] = []
        self._faults = list(faults)
        self._after = after

    async def serve(self) -> None:
        self.began.append(anyio.current_time())
        await anyio.sleep(self._after)
        if self._faults:
            raise self._faults.pop(0)

    @property
    def pauses(self) -> list[float]:
        pairs = zip(self.began, self.began[1:], strict=False)
        return [round(later - earlier - self._after, 3) for earlier, later in pairs]


@pytest.mark.parametrize("fault", [MemoryError(), OSError(24, "Too many open files"), KeyError(1)])
def test_what_fails_is_started_again(fault: Exception, caplog: pytest.LogCaptureFixture) -> None:
    failing = Failing(fault)

    async def story() -> None:
        await supervised("the log of requests", failing.serve)

    with caplog.at_level(logging.ERROR):
        told(story)
    assert failing.pauses == [1.0]
    [line] = caplog.records
    assert "the log of requests has failed, and is started again in 1 s" in line.getMessage()
    assert line.exc_info is not None


def test_it_is_started_later_and_later(caplog: pytest.LogCaptureFixture) -> None:
    failing = Failing(*[OSError()] * 9)

    async def story() -> None:
        await supervised("it", failing.serve)

    told(story)
    assert failing.pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, LONGEST_PAUSE, 60.0, 60.0]


def test_what_has_run_for_long_is_started_soon(caplog: pytest.LogCaptureFixture) -> None:
    failing = Failing(*[OSError()] * 3, after=SETTLED_AFTER)

    async def story() -> None:
        await supervised("it", failing.serve)

    told(story)
    assert failing.pauses == [1.0, 1.0, 1.0]


def test_the_end_of_the_service_ends_it() -> None:
    async def story() -> None:
        with anyio.move_on_after(3600) as scope:
            await supervised("it", anyio.sleep_forever)
        assert scope.cancelled_caught
        assert anyio.current_time() >= 3600

    told(story)


def test_others_go_on_beside_it(caplog: pytest.LogCaptureFixture) -> None:
    failing = Failing(*[MemoryError()] * 100)

    async def story() -> None:
        went_on = False

        async def call() -> None:
            nonlocal went_on
            await anyio.sleep(7200)
            went_on = True

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(supervised, "it", failing.serve)
            await call()
            tasks.cancel_scope.cancel()
        assert went_on

    told(story)
