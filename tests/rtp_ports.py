"""Which RTP ports a test may have: none that a test in another worker has, too.

Packets on their way to a leg that has been closed reach whoever binds its port next. One engine
lets a freed port rest; of two tests that run side by side, neither knows what the other has freed.
So every worker of pytest-xdist has ports of its own, and every engine in the tests is given some of
them. Phones have theirs elsewhere: baresip below, all others where Linux puts a socket that names
no port, which is from 32768 on.
"""

import os
import socket
from contextlib import ExitStack
from random import shuffle

HOST = "127.0.0.1"
FIRST, LAST = 16384, 32767
"Of all workers."


def ports_of(worker: int, workers: int) -> tuple[int, int]:
    """The first and the last port of a worker, of which there are so many; the first is even."""
    size = (LAST + 1 - FIRST) // workers // 2 * 2
    # One that takes the place of a crashed worker has a number beyond those of the first ones.
    first = FIRST + worker % workers * size
    return first, first + size - 1


def own_ports() -> tuple[int, int]:
    """The ports of the worker that asks; without workers, all."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    return ports_of(int(worker), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def free_range(pairs: int) -> tuple[int, int]:
    """Find so many pairs of the worker's ports that nobody holds at the moment.

    Looked for from anywhere on: another run of these tests on the machine looks, too.
    """
    lowest, highest = own_ports()
    ranges = list(range(lowest, highest + 2 - 2 * pairs, 2 * pairs))
    shuffle(ranges)
    for first in ranges:
        with ExitStack() as stack:
            try:
                for number in range(first, first + 2 * pairs):
                    taken = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                    taken.bind((HOST, number))
            except OSError:
                continue
            return first, first + 2 * pairs - 1
    raise AssertionError("no free ports on this machine")
