"""Network namespaces: hosts with a network of their own, for the time of a test.

Nothing of them has a name on this machine: they go when nobody has them any more. Needs root.
"""

import ctypes
import fcntl
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from struct import Struct

from callwright.engines.media.kernel.relay import KernelRelay, NoKernelRelay

_LIBC = ctypes.CDLL(None, use_errno=True)
_NEW_NETWORK = 0x40000000
_ETHTOOL, _SET_SUMS = 0x8946, 0x17
_OWN = "/proc/thread-self/ns/net"


class Host:
    """A namespace. What is made inside ``with host.entered():`` is its for good."""

    def __init__(self) -> None:
        """Raises OSError where it cannot be had."""
        before = os.open(_OWN, os.O_RDONLY)
        try:
            _check(_LIBC.unshare(_NEW_NETWORK))
            self.descriptor = os.open(_OWN, os.O_RDONLY)
            self._run("link", "set", "lo", "up")
        finally:
            _check(_LIBC.setns(before, _NEW_NETWORK))
            os.close(before)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Let this thread, and the processes that it starts, be on the host."""
        before = os.open(_OWN, os.O_RDONLY)
        _check(_LIBC.setns(self.descriptor, _NEW_NETWORK))
        try:
            yield
        finally:
            _check(_LIBC.setns(before, _NEW_NETWORK))
            os.close(before)

    def connect(self, other: "Host", network: str) -> None:
        """Lay a cable: of ``network``, as 10.9.1, we get .1 and the other .2."""
        far, near = f"far{network[-1]}", f"near{network[-1]}"
        with self.entered():
            there = f"/proc/{os.getpid()}/fd/{other.descriptor}"
            self._run("link", "add", near, "type", "veth", "peer", "name", far, "netns", there)
            self._run("addr", "add", f"{network}.1/24", "dev", near)
            self._run("link", "set", near, "up")
        with other.entered():
            self._run("addr", "add", f"{network}.2/24", "dev", far)
            self._run("link", "set", far, "up")
            self._run("route", "add", "default", "via", f"{network}.1")

    def sum_by_itself(self, device: str) -> None:
        """Have checksums made before packets leave, as far ends beyond a network have theirs.

        Between namespaces they are not made at all otherwise, but looked through the fingers.
        """
        wanted = ctypes.create_string_buffer(Struct("=II").pack(_SET_SUMS, 0), 8)
        request = Struct("=16sQ16x").pack(device.encode(), ctypes.addressof(wanted))
        with self.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            fcntl.ioctl(asking, _ETHTOOL, request)

    def close(self) -> None:
        os.close(self.descriptor)

    def _run(self, *words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)


@contextmanager
def service_and_phones(phones: int) -> Iterator[tuple[Host, list[Host]]]:
    """A host for the service, 10.9.N.1, and one for each phone, 10.9.N.2, N from 1 on."""
    service = Host()
    others = [Host() for _ in range(phones)]
    try:
        for number, each in enumerate(others, 1):
            service.connect(each, f"10.9.{number}")
        yield service, others
    finally:
        for each in (service, *others):
            each.close()


@cache
def lacking() -> str | None:
    """What is lacking for namespaces and for relaying in them; None: nothing."""
    try:
        host = Host()
    except (OSError, subprocess.CalledProcessError) as fault:
        return f"network namespaces cannot be had: {fault}"
    try:
        with host.entered():
            KernelRelay().close()
    except NoKernelRelay as fault:
        return f"the kernel does not relay: {fault}"
    finally:
        host.close()
    return None


def _check(result: int) -> None:
    if result < 0:
        fault = ctypes.get_errno()
        raise OSError(fault, os.strerror(fault))
