"""The sockets of the media: the only place where packets enter and leave.

asyncio's datagram transport spends more on a packet than the packet's whole way through here: it
makes room for 256 KiB each time and takes a turn of the loop for each. So the sockets are plain
ones, all watched by one epoll descriptor, and that one is what the event loop watches.
"""

import ctypes
import logging
import select
import socket
from collections import deque
from collections.abc import Callable
from ipaddress import ip_address
from random import randrange
from typing import Protocol

from callwright.descriptors import EXHAUSTED, left_by_calls, limit
from callwright.engines.media.latch import Source
from callwright.engines.media.media import NoPorts
from callwright.engines.media.rtp import Buffer

log = logging.getLogger(__name__)

LARGEST = 2048
"Bytes; longer packets are no telephone's and are dropped as malformed."
AT_ONCE = 64
"Packets taken in one turn of the loop; the slot clock must come to its turn between."
_LIBC = ctypes.CDLL(None)
_NOBODY = bytes(16)
"""An address of the family AF_UNSPEC, 0: to connect to it undoes a connection (connect(2)), and
Python's `connect` can only give it a socket's own family."""
_EXPEDITED = 0xB8
"DSCP EF in the place of IP's type of service (RFC 4594 section 4.1)."

_Receive = Callable[[bytearray], int]
_ReceiveFrom = Callable[[bytearray], tuple[int, Source]]
_QUEUED_AT_MOST = 1000
"Packets; more do not fit into a socket's buffer."
Arrived = Callable[[int, Source, float], None]
"Told of a packet in the shared buffer: its size, where it came from, and when (loop time)."


class Port:
    """A leg's pair of sockets: an even port for RTP, the next one for RTCP."""

    def __init__(self, number: int, rtp: socket.socket, rtcp: socket.socket) -> None:
        self.number = number
        self.rtp = rtp
        self.rtcp = rtcp
        self.held_to: Source | None = None
        "The only one whose RTP packets are taken; see `hold`."
        self._send = rtp.send
        self._unsent = 0

    @property
    def local(self) -> Source:
        """The address that RTP is bound to."""
        host, number = self.rtp.getsockname()[:2]
        return host, number

    def send_rtp(self, packet: Buffer, to: Source) -> None:
        try:
            if to == self.held_to:
                self._send(packet)
            else:
                self.rtp.sendto(packet, to)
        except ConnectionRefusedError:
            self._send_once_more(packet, to)
        except OSError as fault:
            self._not_sent(fault)

    def _send_once_more(self, packet: Buffer, to: Source) -> None:
        """Send in place of one that the kernel has not: it told what became of an earlier one."""
        try:
            self.rtp.sendto(packet, to)
        except OSError as fault:
            self._not_sent(fault)

    def hold(self, far: Source) -> bool:
        """Let the kernel keep RTP packets of all others out, and the way to ``far`` in mind.

        That saves a tenth of what a relayed packet costs. False: it cannot be. Where we are bound
        to every address of the machine it cannot, for then only packets to the one by which
        ``far`` is reached would be taken.
        """
        try:
            if ip_address(self.rtp.getsockname()[0]).is_unspecified:
                return False
            self.rtp.connect(far)
        except (OSError, ValueError):
            return False
        self.held_to = far
        return True

    def let_go(self) -> None:
        """Take packets from everywhere again."""
        if self.held_to is not None:
            self.held_to = None
            _LIBC.connect(self.rtp.fileno(), _NOBODY, len(_NOBODY))

    def send_rtcp(self, packet: Buffer, to: Source) -> None:
        try:
            self.rtcp.sendto(packet, to)
        except OSError as fault:
            self._not_sent(fault)

    def duplicates(self) -> tuple[socket.socket, socket.socket]:
        """The same two sockets once more, to be handed to another process."""
        return self.rtp.dup(), self.rtcp.dup()

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()

    def _not_sent(self, fault: OSError) -> None:
        """A packet that cannot go now is lost, as on any network; the first one is told."""
        self._unsent += 1
        if self._unsent == 1:
            log.warning("port %d: packets cannot be sent: %s", self.number, fault)


class PortSource(Protocol):
    """Where the ports of legs come from, and go back to."""

    def take(self) -> Port:
        """Raises `NoPorts`."""

    def free(self, port: Port) -> None:
        """Close it."""


class Ports:
    """The pairs of ports of the configured range, taken in turn.

    A freed pair goes to the end of the queue: packets of the old call that are still on their way
    must not reach a new one.
    """

    def __init__(
        self, host: str, ports: tuple[int, int], *, descriptors: int | None = None
    ) -> None:
        """Raises ValueError if ``ports``, first and last, hold no pair.

        ``descriptors``: how many the process may have; None: as many as the system says.
        """
        most = descriptors if descriptors is not None else limit()
        self._descriptors_end = most - left_by_calls(most)
        "A socket whose descriptor is beyond is one too many."
        self._host = host
        self._family = socket.AF_INET6 if ":" in host else socket.AF_INET
        first, last = ports
        self._free = deque(range(first + first % 2, last, 2))
        if not self._free:
            raise ValueError(f"rtp_ports: {first} to {last} holds no even port with the next one")
        # After a restart far ends of old calls may go on sending for a while: begin elsewhere.
        self._free.rotate(randrange(len(self._free)))

    def take(self) -> Port:
        """Bind the next free pair, passing over those others have. Raises `NoPorts`."""
        for _ in range(len(self._free)):
            number = self._free.popleft()
            try:
                port = self._bind(number)
            except NoPorts:
                self._free.appendleft(number)
                raise
            if port:
                return port
            self._free.append(number)
        raise NoPorts("every RTP port of the range is in use; widen rtp_ports or ring less at once")

    def free(self, port: Port) -> None:
        port.close()
        self._free.append(port.number)

    def _bind(self, number: int) -> Port | None:
        sockets: list[socket.socket] = []
        try:
            for at in (number, number + 1):
                sockets.append(socket.socket(self._family, socket.SOCK_DGRAM))
                sockets[-1].setblocking(False)
                if self._family == socket.AF_INET6:
                    sockets[-1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, _EXPEDITED)
                    sockets[-1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                else:
                    sockets[-1].setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _EXPEDITED)
                sockets[-1].bind((self._host, at))
        except OSError as fault:
            for opened in sockets:
                opened.close()
            if fault.errno in EXHAUSTED:
                raise NoPorts(f"no more calls: {fault.strerror}") from fault
            log.debug("port %d is not to be had: %s", number, fault)
            return None
        if sockets[1].fileno() >= self._descriptors_end:
            for opened in sockets:
                opened.close()
            raise NoPorts("no more calls: what is left of open files is for the API and the disk")
        return Port(number, sockets[0], sockets[1])


class Watch:
    """All sockets under one descriptor."""

    def __init__(self) -> None:
        self.buffer = bytearray(LARGEST)
        "Where a packet lies while it is being told of."
        self._epoll = select.epoll()
        self._watched: dict[int, tuple[_ReceiveFrom, Arrived]] = {}
        self._held: dict[int, tuple[_Receive, Arrived, Source]] = {}
        "Those of them that are held to one far end."

    def fileno(self) -> int:
        return self._epoll.fileno()

    def add(self, port: Port, rtp_arrived: Arrived, rtcp_arrived: Arrived) -> None:
        for socket_, arrived in ((port.rtp, rtp_arrived), (port.rtcp, rtcp_arrived)):
            self._watched[socket_.fileno()] = (_receiver(socket_), arrived)
            self._epoll.register(socket_.fileno(), select.EPOLLIN)

    def remove(self, port: Port) -> None:
        for socket_ in (port.rtp, port.rtcp):
            del self._watched[socket_.fileno()]
            self._held.pop(socket_.fileno(), None)
            self._epoll.unregister(socket_.fileno())

    def take(self, now: float) -> int:
        """Tell of the packets that have come, one a socket; return how many there were."""
        ready = self._epoll.poll(0, AT_ONCE)
        buffer, held = self.buffer, self._held
        for descriptor, _ in ready:
            try:
                if descriptor in held:
                    receive, arrived, source = held[descriptor]
                    size = receive(buffer)
                else:
                    receive_from, arrived = self._watched[descriptor]
                    size, source = receive_from(buffer)
            except OSError:  # withdrawn in between, a bad checksum, or nobody is there any more
                continue
            arrived(size, source, now)
        return len(ready)

    def hold(self, port: Port, far: Source | None, now: float) -> None:
        """Take RTP from ``far`` alone, without asking for each packet's source; None: from all."""
        descriptor = port.rtp.fileno()
        if far == port.held_to:
            return
        self._held.pop(descriptor, None)
        port.let_go()
        if far is None or not port.hold(far):
            return
        receive_from, arrived = self._watched[descriptor]
        for _ in range(_QUEUED_AT_MOST):
            # What came before may be anybody's.
            try:
                size, source = receive_from(self.buffer)
            except BlockingIOError:
                self._held[descriptor] = (port.rtp.recv_into, arrived, far)
                return
            except OSError:
                continue
            arrived(size, source, now)
        port.let_go()

    def close(self) -> None:
        self._epoll.close()


def _receiver(socket_: socket.socket) -> _ReceiveFrom:
    if socket_.family == socket.AF_INET:
        return socket_.recvfrom_into

    def receive(buffer: bytearray) -> tuple[int, Source]:
        # Over IPv6 a source comes with flow label and scope, which belong to no address here.
        size, source = socket_.recvfrom_into(buffer)
        return size, source[:2]

    return receive
