"""What happens where a connection waits and there is no descriptor for it."""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable
from typing import Any, cast

import pytest

from callwright import accept_loop
from callwright.accept_loop import AcceptLoop
from tests import autojump

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> autojump.Backend:
    return autojump.BACKEND


class Poor:
    """A listening socket of a process that gets so many descriptors refused."""

    def __init__(self, real: socket.socket, refused: int) -> None:
        self._real = real
        self.refused = refused
        self.asked = 0

    def accept(self) -> tuple[socket.socket, object]:
        self.asked += 1
        if self.asked <= self.refused:
            raise OSError(errno.EMFILE, "Too many open files")
        return self._real.accept()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return cast("Callable[..., Any]", getattr(self._real, name))


async def test_a_connection_that_cannot_be_taken_is_waited_for_without_spinning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    taken: asyncio.Queue[socket.socket] = asyncio.Queue()
    with socket.create_server(("127.0.0.1", 0)) as real:
        poor = Poor(real, refused=5)
        accepting = AcceptLoop(
            cast("socket.socket", poor), lambda one, _: taken.put_nowait(one), "the test"
        )
        began = asyncio.get_running_loop().time()
        with caplog.at_level(logging.ERROR), socket.create_connection(real.getsockname()):
            (await taken.get()).close()
        assert asyncio.get_running_loop().time() - began == pytest.approx(5 * accept_loop.PAUSE)
        assert poor.asked <= 5 + accept_loop.AT_ONCE
        assert accepting.failed == 5
        assert [record.message for record in caplog.records] == [
            "the test cannot take connections: Too many open files"
        ]
        accepting.close()
        accepting.close()
