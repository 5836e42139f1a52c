"""The accept loop: takes connections off a listening socket, also where descriptors run out.

A connection that cannot be taken for want of a descriptor stays in the queue, and its socket stays
readable. asyncio's own server then tries again some thousand times and writes a traceback for each,
and a plain loop spins. This one rests, and says so once.
"""

import asyncio
import contextvars
import logging
import math
import socket
from collections.abc import Callable
from typing import Any

from callwright.descriptors import EXHAUSTED

log = logging.getLogger(__name__)

AT_ONCE = 8
"Connections taken in one turn of the event loop: audio must not wait for many."
PAUSE = 0.5
"Seconds until it is tried again where there was no descriptor."
TOLD_EVERY = 60.0
"Seconds between two lines of the log about that."


class AcceptLoop:
    """Accepts on ``listener`` until it is closed. To be made inside a running event loop.

    ``take`` is given each new socket and the address of its far end. ``what`` is the name of the
    server in the log.
    """

    def __init__(
        self, listener: socket.socket, take: Callable[[socket.socket, Any], None], what: str
    ) -> None:
        self.failed = 0
        "How often there was no descriptor for a connection that waited."
        self._listener = listener
        self._take = take
        self._what = what
        self._loop = asyncio.get_running_loop()
        # A connection is nothing that happens inside of whoever happens to run.
        self._context = contextvars.copy_context()
        self._told_at = -math.inf
        self._pause: asyncio.TimerHandle | None = None
        listener.setblocking(False)
        self._begin()

    def close(self) -> None:
        """Accept no more, and close the listening socket."""
        if self._pause is not None:
            self._pause.cancel()
        if self._listener.fileno() >= 0:
            self._loop.remove_reader(self._listener.fileno())
            self._listener.close()

    def _begin(self) -> None:
        self._pause = None
        self._loop.add_reader(self._listener.fileno(), self._accept)

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            if self._listener.fileno() < 0:
                return  # closed by what the last one led to
            try:
                taken, address = self._listener.accept()
            except OSError as fault:
                # All others are of one connection, which has gone while it waited.
                if fault.errno in EXHAUSTED:
                    self._rest(fault)
                return
            taken.setblocking(False)
            self._context.run(self._take, taken, address)

    def _rest(self, fault: OSError) -> None:
        self.failed += 1
        self._loop.remove_reader(self._listener.fileno())
        self._pause = self._loop.call_later(PAUSE, self._begin)
        now = self._loop.time()
        if now - self._told_at >= TOLD_EVERY:
            self._told_at = now
            log.error("%s cannot take connections: %s", self._what, fault.strerror)
