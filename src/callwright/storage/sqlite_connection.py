"""SQLite connections for asyncio: aiosqlite's, closed by their thread whatever cuts them off.

aiosqlite drops what its thread opens for a task that has been cancelled meanwhile, and what is
stopped and closed at once; the first is a file left open, the second a task that never ends.
"""

import sqlite3
from asyncio import Future, shield
from collections.abc import Callable
from contextlib import closing
from typing import Any

import aiosqlite
import anyio


class SqliteConnection(aiosqlite.Connection):
    """A connection and the thread it is worked in, which ends with it."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(self._open, iter_chunk_size=64)
        self._connect_now = connect
        self._opened: sqlite3.Connection | None = None
        self._stopped: Future[Any] | None = None
        # A statement that does not end must not keep the program from ending.
        self._thread.daemon = True

    def stop(self) -> Future[Any] | None:
        """Let the thread close the connection and end, after what it has been given to do.

        The future is done when it has; it is the same for whoever asks again.
        """
        if self._stopped is None:
            self._tx.put_nowait((None, self._close_opened))
            self._stopped = super().stop()
        return self._stopped

    async def close(self) -> None:
        """Close the connection, after what its thread has been given to do."""
        if stopped := self.stop():
            await shield(stopped)

    # What follows is called in the thread.

    def _open(self) -> sqlite3.Connection:
        self._opened = self._connect_now()
        return self._opened

    def _close_opened(self) -> None:
        if self._opened is not None:
            with closing(self._opened):
                # Else it keeps its locks for as long as anybody holds a cursor with rows to come.
                self._opened.rollback()


async def connected(connect: Callable[[], sqlite3.Connection]) -> SqliteConnection:
    """Call ``connect`` in a new thread; return the connection it makes.

    Cut off or refused, it returns when nothing is open any more.
    """
    connection = SqliteConnection(connect)
    try:
        await connection
    except BaseException:
        with anyio.CancelScope(shield=True):
            await connection.close()
        raise
    return connection
