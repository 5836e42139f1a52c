"""File descriptors: how many the process may have, and how many of them calls leave to the rest.

The system gives a new descriptor the lowest number that is free (POSIX), so its number tells that
at least as many are in use. That makes admission by descriptors a comparison, and nothing is
counted.
"""

import errno
import resource
import sys

EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"What the system says when it has no more descriptors, or no memory for what is behind them."


def raise_limit() -> None:
    """Take as many open files as we may have: a leg has two sockets, and the usual limit is 1024.

    The soft limit is kept low for programs that use select(); nothing here does.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def limit() -> int:
    """Open files that the process may have."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def left_by_calls(most: int) -> int:
    """Of ``most``, how many calls leave to connections, the database and files."""
    return _between(most // 4, 64, 2048)


def left_by_strangers(most: int) -> int:
    """Of ``most``, how many connections others make leave to the database and files."""
    return _between(most // 16, 16, 128)


def for_connections(most: int, wanted: int) -> int:
    """Of ``wanted`` connections to one server of ours, how many there may be at ``most``."""
    return _between(most // 8, 16, wanted)


def _between(number: int, least: int, most: int) -> int:
    return min(max(least, number), most)
