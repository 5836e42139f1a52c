"""The packet loop on the real clock; nothing here depends on how fast it goes."""

import asyncio
import socket
import threading
from collections.abc import Coroutine
from typing import Any

from callwright.engines.media.packet_loop import PacketLoop
from tests.waiting import WITHIN


def run(story: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=PacketLoop) as runner:
        runner.run(story)


def loop_of() -> PacketLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, PacketLoop)
    return loop


def test_packets_are_collected_while_the_loop_waits_and_timers_come_all_the_same() -> None:
    async def told() -> None:
        looks = 0

        def collect() -> bool:
            nonlocal looks
            looks += 1
            return False

        loop_of().collect_by(collect)
        await asyncio.sleep(0.02)
        assert looks > 2
        loop_of().collect_by(None)
        looks = 0
        await asyncio.sleep(0.02)
        assert looks == 0

    run(told())


def test_what_packets_bring_ends_a_wait_that_has_no_end() -> None:
    async def told() -> None:
        loop = loop_of()
        came = asyncio.Event()

        def collect() -> bool:
            loop.call_soon(came.set)
            return True

        loop.collect_by(collect)
        async with asyncio.timeout(WITHIN):
            await came.wait()

    run(told())


def test_sockets_and_threads_end_a_wait_while_packets_are_collected() -> None:
    async def told() -> None:
        loop = loop_of()
        loop.collect_by(lambda: False)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            theirs.send(b"word")
            async with asyncio.timeout(WITHIN):
                assert await loop.sock_recv(ours, 10) == b"word"
        called = asyncio.Event()
        thread = threading.Thread(target=loop.call_soon_threadsafe, args=(called.set,))
        thread.start()
        async with asyncio.timeout(WITHIN):
            await called.wait()
        thread.join()

    run(told())
