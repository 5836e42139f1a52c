"""The sockets of the media: the only place where packets enter and leave.

asyncio's datagram transport spends more on a packet than the packet's whole way through here: it
makes room for 256 KiB each time and takes a turn of the loop for each. So the sockets are plain
ones, all watched by one epoll descriptor, and that one is what the event loop watches.
"""

import logging
import select
import socket
from collections import deque
from collections.abc import Callable
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
_EXPEDITED = 0xB8
"DSCP EF in the place of IP's type of service (RFC 4594 section 4.1)."

Arrived = Callable[[int, Source, float], None]
"Told of a packet in the shared buffer: its size, where it came from, and when (loop time)."


class Port:
    """A leg's pair of sockets: an even port for RTP, the next one for RTCP."""

    def __init__(self, number: int, rtp: socket.socket, rtcp: socket.socket) -> None:
        self.number = number
        self.rtp = rtp
        self.rtcp = rtcp
        self._unsent = 0

    def send_rtp(self, packet: Buffer, to: Source) -> None:
        try:
            self.rtp.sendto(packet, to)
        except OSError as fault:
            self._not_sent(fault)

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
        self._watched: dict[int, tuple[Callable[[bytearray], tuple[int, Source]], Arrived]] = {}

    def fileno(self) -> int:
        return self._epoll.fileno()

    def add(self, port: Port, rtp_arrived: Arrived, rtcp_arrived: Arrived) -> None:
        for socket_, arrived in ((port.rtp, rtp_arrived), (port.rtcp, rtcp_arrived)):
            self._watched[socket_.fileno()] = (_receiver(socket_), arrived)
            self._epoll.register(socket_.fileno(), select.EPOLLIN)

    def remove(self, port: Port) -> None:
        for socket_ in (port.rtp, port.rtcp):
            del self._watched[socket_.fileno()]
            self._epoll.unregister(socket_.fileno())

    def take(self, now: float) -> int:
        """Tell of the packets that have come, one a socket; return how many there were."""
        ready = self._epoll.poll(0, AT_ONCE)
        for descriptor, _ in ready:
            receive, arrived = self._watched[descriptor]
            try:
                size, source = receive(self.buffer)
            except OSError:  # withdrawn in between, or a bad checksum
                continue
            arrived(size, source, now)
        return len(ready)

    def close(self) -> None:
        self._epoll.close()


def _receiver(socket_: socket.socket) -> Callable[[bytearray], tuple[int, Source]]:
    if socket_.family == socket.AF_INET:
        return socket_.recvfrom_into

    def receive(buffer: bytearray) -> tuple[int, Source]:
        # Over IPv6 a source comes with flow label and scope, which belong to no address here.
        size, source = socket_.recvfrom_into(buffer)
        return size, source[:2]

    return receive
