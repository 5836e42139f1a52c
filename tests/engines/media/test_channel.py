"""The channel between two ends in one process; a worker's end is the same code."""

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress

import pytest

from callwright.engines.media import channel as subject
from callwright.engines.media.channel import Channel
from tests.waiting import WITHIN


class End:
    """One end and what came to it."""

    def __init__(self, end: socket.socket) -> None:
        self.lines: list[bytes] = []
        self.sockets: list[socket.socket] = []
        self.messages = 0
        self.closed = asyncio.Event()
        self._changed = asyncio.Event()
        self.channel = Channel(end, self._take, self.closed.set)

    def _take(self, lines: list[bytes], descriptors: list[int]) -> None:
        self.lines += lines
        self.sockets += [socket.socket(fileno=each) for each in descriptors]
        self.messages += 1
        self._changed.set()

    async def has(self, lines: int) -> None:
        async with asyncio.timeout(WITHIN):
            while len(self.lines) < lines:
                self._changed.clear()
                await self._changed.wait()


def between(tell: Callable[[End, End], Coroutine[object, object, None]]) -> None:
    async def told() -> None:
        one, other = (End(each) for each in socket.socketpair(type=socket.SOCK_SEQPACKET))
        try:
            await tell(one, other)
        finally:
            for end in (one, other):
                end.channel.close()
                for each in end.sockets:
                    each.close()

    asyncio.run(told())


def bound() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    return made


def test_lines_of_one_turn_are_one_message_in_order() -> None:
    async def tell(one: End, other: End) -> None:
        for number in range(50):
            one.channel.put(b"line %d" % number)
        assert other.lines == []
        await other.has(50)
        assert other.lines == [b"line %d" % number for number in range(50)]
        assert other.messages == 1

    between(tell)


def test_sockets_come_with_their_lines_and_are_closed_here() -> None:
    async def tell(one: End, other: End) -> None:
        sockets = [bound() for _ in range(2 * 150)]  # more than go with one message
        ports = [each.getsockname()[1] for each in sockets]
        for number in range(150):
            one.channel.put(b"%d" % number, sockets[2 * number : 2 * number + 2])
        await other.has(150)
        assert [each.getsockname()[1] for each in other.sockets] == ports
        assert all(each.fileno() == -1 for each in sockets)
        assert not any(os.get_inheritable(each.fileno()) for each in other.sockets)

    between(tell)


def test_more_than_the_kernel_holds_arrives_when_it_is_taken() -> None:
    async def tell(one: End, other: End) -> None:
        lines = [b"%05d" % number + bytes(1000) for number in range(3000)]
        lines = [each.replace(b"\0", b".") for each in lines]
        for each in lines:
            one.channel.put(each)
        await other.has(3000)
        assert other.lines == lines
        assert one.channel.waiting == 0
        one.channel.put(b"and more")
        await other.has(3001)

    between(tell)


def test_an_end_that_is_closed_is_told_at_the_other_after_what_was_said() -> None:
    async def tell(one: End, other: End) -> None:
        one.channel.put(b"last words")
        one.channel.close()
        async with asyncio.timeout(WITHIN):
            await other.closed.wait()
        assert other.lines == [b"last words"]
        assert not one.closed.is_set()
        left = bound()
        other.channel.put(b"nobody hears", [left])
        assert left.fileno() == -1
        assert other.channel.waiting == 0

    between(tell)


def test_an_end_that_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "WAITING_AT_MOST", 100)

    async def told() -> None:
        ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        with theirs:
            one = End(ours)
            left = bound()
            with suppress(TimeoutError):
                for _ in range(1000):
                    one.channel.put(b"." * 30_000)
                    await asyncio.sleep(0)
                    if one.closed.is_set():
                        break
            one.channel.put(b"too late", [left])
            assert one.closed.is_set()
            assert one.channel.waiting == 0
            assert left.fileno() == -1

    asyncio.run(told())
