"""Packet loop: an event loop that collects packets while it would wait, without a turn for each.

A turn of asyncio's loop, with the sleep before it, costs more than a packet's whole way through the
engine, and its waits end on whole milliseconds. So while packets come in number the loop does not
wait for each: it naps for half a millisecond at a time, has the packets taken that have come in
between, and turns only when there is something else to do.
"""

import asyncio
import selectors
import time
from collections.abc import Callable

NAP = 0.0005
"""Seconds. A nap costs some 20 µs, more than a packet does: shorter ones would tell on the price of
few calls, longer ones on the delay of each packet, of which a nap is half at the median."""

Collect = Callable[[], bool]
"Take the packets that have come; return whether the loop has got something to do by them."

Ready = list[tuple[selectors.SelectorKey, int]]


class NappingSelector(selectors.DefaultSelector):
    """The selector of a `PacketLoop`."""

    def __init__(self) -> None:
        super().__init__()
        self.collect: Collect | None = None
        "None: every file that is watched ends a wait."

    def select(self, timeout: float | None = None) -> Ready:
        collect = self.collect
        if collect is None:
            return super().select(timeout)
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            busy = collect()
            ready = super().select(0)
            if busy or ready:
                return ready
            left = NAP if until is None else until - time.monotonic()
            if left <= 0:
                return ready
            time.sleep(min(left, NAP))


class PacketLoop(asyncio.SelectorEventLoop):
    """Beside `collect_by` an event loop as any other; its time is ``time.monotonic``."""

    def __init__(self) -> None:
        self._napping = NappingSelector()
        super().__init__(self._napping)

    def collect_by(self, collect: Collect | None) -> None:
        """Have packets collected from now on; None: wait for whatever is watched, as ever."""
        self._napping.collect = collect
