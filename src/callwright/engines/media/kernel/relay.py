"""The kernel relay: talks that the kernel carries, by a program at the devices they come in on.

Nothing is installed and nothing is left behind: the program, what it knows and its place at the
devices belong to descriptors of this process, and go with it. Should the process stand still, the
program passes everything on after `PROLONGED_BY`.
"""

import errno
import fcntl
import logging
import mmap
import os
import socket
import sys
import time
from collections import deque

from callwright.engines.media.kernel import bpf, flow_layout
from callwright.engines.media.kernel.flow import Flow, FlowPath
from callwright.engines.media.kernel.relay_program import relay_program
from callwright.engines.media.kernel.routes import DeviceRoute, Routes

log = logging.getLogger(__name__)

FLOWS_AT_MOST = 8192
"Directions; 4096 talks, and 1 MB of memory."
PROLONGED_BY = 3.0
"Seconds."
_HARDWARE_ADDRESS, _REQUEST = 0x8927, 40
"The question for a device's address (SIOCGIFHWADDR), and its bytes."
_ETHERNET, _LOOPBACK = 1, 772
"Kinds of devices (ARPHRD) whose packets begin as the program expects."


class NoKernelRelay(Exception):
    """The kernel cannot relay for this process; the text says why."""


class KernelRelay:
    """`prolong` must be called every second or so."""

    def __init__(self) -> None:
        """Raises `NoKernelRelay`."""
        self._links: dict[int, int | None] = {}
        "By device: the link of our program, None where it cannot be."
        self._descriptors: list[int] = []
        try:
            self._index = bpf.HashMap(
                "callwright_keys", key=flow_layout.KEY_SIZE, value=4, count=FLOWS_AT_MOST
            )
            self._descriptors.append(self._index.descriptor)
            flows = bpf.make_array("callwright_flow", size=flow_layout.SIZE, count=FLOWS_AT_MOST)
            self._descriptors.append(flows)
            program = relay_program(self._index.descriptor, flows)
            self._program = bpf.load("callwright", program)
            self._descriptors.append(self._program)
            # Whether devices take it is known by the one that is everywhere.
            os.close(bpf.attach(self._program, socket.if_nametoindex("lo")))
            self._memory = mmap.mmap(flows, flow_layout.SIZE * FLOWS_AT_MOST)
            self._routes = Routes()
        except OSError as fault:
            self._close_descriptors()
            raise NoKernelRelay(_told(fault)) from fault
        self._until = memoryview(self._memory).cast("Q")[flow_layout.UNTIL // 8 :][:1]
        self._free = deque(range(flow_layout.CONTROL + 1, FLOWS_AT_MOST))
        self._flows: dict[Flow, tuple[bytes, int]] = {}
        self.prolong()

    def __len__(self) -> int:
        """How many flows there are."""
        return len(self._flows)

    @property
    def relayed(self) -> int:
        """Packets of the flows that there are."""
        return sum(flow.progress.packets for flow in self._flows)

    def route(self, host: str) -> DeviceRoute | None:
        """By which device a far end is reached, if the program can be at it; see `Routes.to`."""
        found = self._routes.to(host)
        return found if found is not None and self._is_at(found.device) else None

    def flow(self) -> Flow | None:
        """Return a flow to be filled, and then begun; None: there are as many as can be."""
        if not self._free:
            return None
        number = self._free.popleft()
        begin = number * flow_layout.SIZE
        memory = memoryview(self._memory)[begin : begin + flow_layout.SIZE]
        flow = Flow(memory, lambda: self._remove(flow))
        self._flows[flow] = b"", number
        return flow

    def begin(self, flow: Flow, path: FlowPath) -> bool:
        """Let packets find a flow that has been filled. False: it cannot be, and has ended."""
        _, number = self._flows[flow]
        key = path.key
        try:
            self._index.put(key, number.to_bytes(4, sys.byteorder))
        except OSError as fault:
            log.warning("the kernel takes no further flow: %s", fault)
            flow.end()
            return False
        self._flows[flow] = key, number
        return True

    def prolong(self) -> None:
        """Relay on for `PROLONGED_BY`."""
        self._until[0] = time.monotonic_ns() + int(PROLONGED_BY * 1e9)

    def close(self) -> None:
        """Leave the devices. No flow may be in use."""
        self._until[0] = 0
        self._close_descriptors()
        self._routes.close()

    def _remove(self, flow: Flow) -> None:
        key, number = self._flows.pop(flow)
        if key:
            try:
                self._index.remove(key)
            except OSError as fault:
                log.warning("a flow cannot be removed: %s", fault)
        self._free.append(number)

    def _is_at(self, device: int) -> bool:
        """Whether the program is at a device, where it is put at the first question."""
        if device not in self._links:
            self._links[device] = self._attached(device)
        return self._links[device] is not None

    def _attached(self, device: int) -> int | None:
        try:
            name = socket.if_indextoname(device)
            if _kind(name) not in (_ETHERNET, _LOOPBACK):
                log.info("talks by %s are not relayed by the kernel: no Ethernet", name)
                return None
            link = bpf.attach(self._program, device)
        except OSError as fault:
            log.warning("talks by device %d are not relayed by the kernel: %s", device, fault)
            return None
        log.info("talks by %s are relayed by the kernel", name)
        return link

    def _close_descriptors(self) -> None:
        for link in self._links.values():
            if link is not None:
                os.close(link)
        self._links.clear()
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors.clear()


def _kind(name: str) -> int:
    """The kind of a device (ARPHRD, netdevice(7)). Raises OSError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        answer = fcntl.ioctl(asking, _HARDWARE_ADDRESS, name.encode().ljust(_REQUEST, b"\0"))
    return int.from_bytes(answer[16:18], sys.byteorder)


def _told(fault: OSError) -> str:
    if fault.errno in (errno.EPERM, errno.EACCES):
        return "it needs the capabilities CAP_BPF and CAP_NET_ADMIN"
    if fault.errno == errno.EINVAL:
        return "it needs Linux 6.6 or later"
    return fault.strerror or str(fault)
