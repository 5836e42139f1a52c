"""Free ports: what a program that is about to start may listen on, given to no other meanwhile.

A port that was merely found free may be somebody else's by the time the program binds it: the
kernel gives those of its own range to whoever connects, and another run looks at the same moment.
So these lie below that range, and whoever is given one holds a lock on its number, which all
processes of this network namespace see.
"""

import os
import random
import socket
from collections import deque

FIRST, LAST = 6000, 9998
"Below the ports of RTP in demo and tests, and of connections (`ip_local_port_range`)."
HELD = 200
"So many numbers a process holds at most; by then the first ones are bound, or done with."

_locks: deque[int] = deque()
"Descriptors of sockets that are bound to names, which is all they are for."


def free_port() -> int:
    """Find a port P of 127.0.0.1 that is free over UDP and TCP, where P + 1 is free as well.

    baresip listens on TCP and UDP, and on the next port for TLS, whether it is wanted or not.
    Raises `OSError` if there is none.
    """
    ports = list(range(FIRST, LAST + 1, 2))
    start = random.randrange(len(ports))
    for port in ports[start:] + ports[:start]:
        lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            lock.bind(f"\0callwright-port-{port}")
            _bind(port)
        except OSError:
            lock.close()
            continue
        if len(_locks) == HELD:
            os.close(_locks.popleft())
        _locks.append(lock.detach())
        return port
    raise OSError("no free port on this machine")


def _bind(port: int) -> None:
    """Bind what is to be bound there, and let it go. Raises `OSError` if that cannot be."""
    for kind, number in (
        (socket.SOCK_DGRAM, port),
        (socket.SOCK_STREAM, port),
        (socket.SOCK_STREAM, port + 1),
    ):
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.bind(("127.0.0.1", number))
