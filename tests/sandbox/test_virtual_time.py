"""The clock of the sandbox: what a jump of it waits for, and what it never overtakes."""

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any

import anyio
import pytest

from callwright.sandbox import virtual_time as paces
from callwright.sandbox.virtual_time import PacedLoop, VirtualTime
from tests.waiting import WITHIN


def run(pace: VirtualTime, story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=lambda: PacedLoop(pace)) as runner:
        runner.run(story())


def test_a_stepped_clock_stands_until_it_is_advanced() -> None:
    pace = VirtualTime(None)

    async def story() -> None:
        loop = asyncio.get_running_loop()
        rung: list[tuple[str, float]] = []

        def ring(after: float) -> None:
            rung.append((str(after), loop.time()))

        for after in (7200.0, 0.5, 60.0):
            loop.call_later(after, ring, after)
        await pace.settle()
        assert (loop.time(), rung) == (0.0, [])
        await pace.advance(60)
        assert loop.time() == 60.0
        assert rung == [("0.5", 0.5), ("60.0", 60.0)], "what is due at the very end is done"
        await pace.advance(7139)
        assert len(rung) == 2
        await pace.advance(1)
        assert rung[-1] == ("7200.0", 7200.0)

    run(pace, story)


def test_what_becomes_due_on_the_way_is_done_at_its_time() -> None:
    pace = VirtualTime(None)

    async def story() -> None:
        at: list[float] = []

        async def every_minute() -> None:
            while True:
                await asyncio.sleep(60)
                at.append(asyncio.get_running_loop().time())

        task = asyncio.create_task(every_minute())
        await pace.advance(3600)
        task.cancel()
        assert at == [60.0 * minute for minute in range(1, 61)]
        assert pace.jumps == 60, "it goes from timer to timer, and looks at nothing in between"

    run(pace, story)


def test_what_is_due_at_one_moment_comes_in_the_order_it_was_set() -> None:
    pace = VirtualTime(None)

    async def story() -> None:
        loop = asyncio.get_running_loop()
        rung: list[int] = []
        # Cancelled ones among them: they leave the heap in another order than they came.
        others = [loop.call_later(1 + n % 7, rung.append, -n) for n in range(100)]
        for n in range(200):
            loop.call_later(30, rung.append, n)
        for other in others[::2]:
            other.cancel()
        await pace.advance(30)
        assert rung[50:] == list(range(200))

    run(pace, story)


def test_it_waits_for_threads_that_are_at_work() -> None:
    pace = VirtualTime(None)

    async def story() -> None:
        loop = asyncio.get_running_loop()
        go, working, seen = threading.Event(), True, []
        pace.working = lambda: working

        def work() -> None:
            go.wait(WITHIN)
            loop.call_soon_threadsafe(done)

        def done() -> None:
            nonlocal working
            working = False
            seen.append(("done", loop.time()))

        thread = threading.Thread(target=work)
        loop.call_later(1, lambda: seen.append(("timer", loop.time())))
        thread.start()
        advance = asyncio.create_task(pace.advance(10))
        await asyncio.sleep(0)
        go.set()
        await advance
        thread.join()
        assert seen == [("done", 0.0), ("timer", 1.0)], "time does not overtake the work"

    run(pace, story)


def test_two_years_go_by_and_every_timer_is_still_due_at_its_time() -> None:
    pace = VirtualTime(None)
    year = 365 * 86_400

    async def story() -> None:
        loop = asyncio.get_running_loop()
        for years in (0, 1, 2, 30):
            begun = years * year
            await pace.advance(begun - loop.time())
            at: list[float] = []

            async def every_tenth(at: list[float]) -> None:
                while True:
                    await asyncio.sleep(0.1)
                    at.append(loop.time())

            task = asyncio.create_task(every_tenth(at))
            await pace.advance(60)
            task.cancel()
            assert len(at) in (599, 600), f"after {years} years"
            # The sum of that many tenths, each rounded up to a tick at most.
            assert at[-1] - begun == pytest.approx(0.1 * len(at), abs=600 / paces.TICKS)

    run(pace, story)


def test_a_time_limit_that_is_no_whole_tick_ends_when_it_is_over() -> None:
    pace = VirtualTime(None)

    async def story() -> None:
        # Just above a tick, just below one, far between two, and less than a float can add here.
        await pace.advance(2**25)
        for limit in (0.1 + 0.2, 0.7 + 0.1, 1 / 3, 1e-7, 1e-12):
            ended: list[float] = []
            deadline = anyio.current_time() + limit

            async def wait(deadline: float = deadline, ended: list[float] = ended) -> None:
                # anyio looks at the clock again when its timer goes off.
                with anyio.CancelScope(deadline=deadline):
                    await anyio.Event().wait()
                ended.append(anyio.current_time())

            task = asyncio.create_task(wait())
            await pace.advance(1)
            await task
            assert 0 <= ended[0] - deadline <= 1 / paces.TICKS

    run(pace, story)


def test_a_clock_that_is_sped_up_does_not_overtake_work() -> None:
    pace = VirtualTime(1e9)

    async def story() -> None:
        loop = asyncio.get_running_loop()
        working, seen = True, []
        pace.working = lambda: working

        def done() -> None:
            nonlocal working
            working = False
            seen.append("done")

        go = threading.Event()

        def work() -> None:
            go.wait(WITHIN)
            loop.call_soon_threadsafe(done)

        thread = threading.Thread(target=work)
        thread.start()
        loop.call_later(0.001, go.set)
        loop.call_later(3600, seen.append, "time limit")
        await pace.advance(7200)
        thread.join()
        assert seen == ["done", "time limit"], "an hour takes 3.6 μs, but only where nobody works"

    run(pace, story)


def test_a_clock_that_is_sped_up_does_not_hurry_the_loop_itself() -> None:
    pace = VirtualTime(1e9)

    async def story() -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        sum(range(10_000))
        assert loop.time() - began < 3600

    run(pace, story)


@pytest.mark.realtime
def test_a_clock_that_is_sped_up_makes_good_what_it_has_overslept() -> None:
    pace = VirtualTime(10_000.0)

    async def story() -> None:
        loop = asyncio.get_running_loop()
        begun = time.monotonic()
        at = [loop.time()]
        # The kernel sleeps for a millisecond at least: ten seconds of this clock.
        for _ in range(1000):
            await asyncio.sleep(1)
            at.append(loop.time())
        assert all(1 <= later - earlier < 10 for earlier, later in pairwise(at)), "none is left out"
        assert time.monotonic() - begun < 1.0, "a timer does not cost a millisecond each"

    run(pace, story)


def test_what_never_stirs_is_waited_for_once_and_then_time_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(paces, "PATIENCE", 0.05)
    pace = VirtualTime(None)

    async def story() -> None:
        loop = asyncio.get_running_loop()
        stuck = True
        pace.working = lambda: stuck
        seen: list[float] = []

        def limit() -> None:
            nonlocal stuck
            stuck = False
            seen.append(loop.time())

        for before in range(1, 5):
            loop.call_later(before, lambda: None)
        loop.call_later(10, limit)
        await pace.advance(60)
        assert seen == [10.0], "its time limit does what it is for"

    with caplog.at_level(logging.WARNING):
        run(pace, story)
    assert [one.message for one in caplog.records] == [
        "somebody does not answer for 0.05 s: time goes on"
    ]


def test_sockets_are_real_while_the_clock_stands() -> None:
    pace = VirtualTime(None)

    async def story() -> None:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            theirs.sendall(b"news")
            assert await loop.sock_recv(ours, 10) == b"news"
        assert loop.time() == 0.0

    run(pace, story)


def test_a_clock_that_runs_is_sped_up_and_an_advance_waits_for_it() -> None:
    pace = VirtualTime(1000.0)

    async def story() -> None:
        loop = asyncio.get_running_loop()
        began, seen = loop.time(), []
        loop.call_later(50, lambda: seen.append(loop.time() - began))
        await pace.advance(60)
        assert loop.time() - began >= 60
        assert len(seen) == 1
        assert seen[0] >= 50

    run(pace, story)


def test_it_may_begin_again_at_nought_and_be_let_go() -> None:
    pace = VirtualTime(None)

    async def story() -> None:
        await pace.advance(100)
        pace.restart()
        assert asyncio.get_running_loop().time() == 0.0
        pace.run_freely()
        await asyncio.sleep(0.01)
        assert not pace.stands

    run(pace, story)
