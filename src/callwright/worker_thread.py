"""Worker thread: one thread that carries out work for an event loop, piece after piece.

What is written for every call is handed over here rather than to a pool: a pool looks for a thread,
counts them and copies results between futures of two kinds, which costs more than many a piece of
work does.
"""

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, ClassVar, TypeVar

T = TypeVar("T")

_Item = tuple[Callable[[], Any], "asyncio.Future[Any]"]


class WorkerThread:
    """Carries work out in the order it is given. Its thread begins with the first piece."""

    under_way: ClassVar[int] = 0
    "Pieces of all worker threads whose end has not been told yet: a clock that may jump waits."

    def __init__(self, name: str) -> None:
        self._name = name
        self._items: SimpleQueue[_Item | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def run(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        """Have ``work`` done; the future takes what it returns or raises.

        Who cancels the future does not learn of the end; the work is done all the same.
        """
        if self._thread is None:
            # A disk that hangs must not keep the process from ending.
            self._thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
            self._thread.start()
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        WorkerThread.under_way += 1
        self._items.put((work, done))
        return done

    def close(self) -> None:
        """Let the thread end after what it has been given."""
        if self._thread is not None:
            self._items.put(None)
            self._thread = None

    def _serve(self) -> None:
        while (item := self._items.get()) is not None:
            work, done = item
            result, fault = None, None
            try:
                result = work()
            except BaseException as raised:  # it is raised where the work is waited for
                fault = raised
            try:
                done.get_loop().call_soon_threadsafe(_tell, done, result, fault)
            except RuntimeError:
                _count_down()  # the loop is closed: nobody waits any more
            del item, work, done, result, fault  # or they would live until the next piece


def _tell(done: "asyncio.Future[Any]", result: object, fault: BaseException | None) -> None:
    _count_down()
    if done.cancelled():
        return
    if fault is None:
        done.set_result(result)
    else:
        done.set_exception(fault)


def _count_down() -> None:
    WorkerThread.under_way -= 1
