"""UDP transport: how datagrams leave and come in, and what ICMP says of those lost.

A raw socket that the event loop watches: asyncio's own datagram transport asks for 256 KiB per
packet, which costs more than reading the message.
"""

import asyncio
import contextvars
import errno
import logging
import socket
import struct
from collections import Counter
from collections.abc import Callable

from callwright.engines.sip.transport.datagram import Datagram
from callwright.engines.sip.wire.hop import Hop, is_address
from callwright.engines.sip.wire.message import MAX_MESSAGE

log = logging.getLogger(__name__)

BATCH = 2
"Datagrams taken in one turn of the loop: each may wake a call, and audio must not wait for many."
ERRORS = 32
"Datagrams read before others on the loop get their turn."
BUFFER = 1 << 20
"Bytes the kernel may hold for us while the loop is busy."
QUOTED = 2048
"Bytes read of a datagram that comes back from the error queue."

# Linux, <linux/in.h>, <linux/in6.h> and <linux/errqueue.h>; the socket module lacks them.
_IP_RECVERR = 11
_IPV6_RECVERR = 25
_EXTENDED_ERROR = struct.Struct("=IBBBBII")
_BY_ICMP = frozenset({2, 3})
"Origins of an error that mean ICMP, and ICMP for IPv6."
_UNREACHABLE = frozenset({errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH})


class UdpTransport:
    """One UDP socket, over IPv4 or IPv6 as its address is."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        received: Callable[[list[tuple[bytes, Hop]]], None],
        unsent: Callable[[list[Datagram]], None],
        returned: Callable[[bytes, Hop], None],
    ) -> None:
        """Bind the socket; port 0 takes a free one. Raises `OSError`.

        ``received`` gets the datagrams of one wake-up. ``unsent`` gets those that could not be
        sent, never from inside `send`. ``returned`` gets the beginning of a datagram that ICMP
        says has not arrived, and where it was to go; whoever can write ICMP can write that, so the
        quoted words are to be believed no further than their sender could not have guessed them.
        To be made, and used, inside a running event loop.
        """
        self.dropped: Counter[str] = Counter()
        "Datagrams lost on our side, by reason."
        self._received = received
        self._unsent = unsent
        self._returned = returned
        self._loop = asyncio.get_running_loop()
        # What we tell is nothing that happens inside of whoever happened to send.
        self._context = contextvars.copy_context()
        self._buffer = bytearray(MAX_MESSAGE + 1)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
            if family == socket.AF_INET6:
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                self._socket.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
            else:
                self._socket.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
            self._socket.bind((host, port))
        except OSError:
            self._socket.close()
            raise
        self.address: tuple[str, int] = self._socket.getsockname()[:2]
        self._loop.add_reader(self._socket.fileno(), self._readable)

    def send(self, datagram: Datagram) -> None:
        """Send a datagram to a hop that is found."""
        try:
            self._send(datagram)
        except (BlockingIOError, InterruptedError):
            self.dropped["socket buffer full"] += 1
        except OSError as fault:
            log.debug("to %s %s", datagram.hop, fault.strerror)
            self._loop.call_soon(self._unsent, [datagram], context=self._context)

    def close(self) -> None:
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def _send(self, datagram: Datagram) -> None:
        try:
            self._socket.sendto(datagram.data, datagram.hop.place)
        except OSError as fault:
            if fault.errno not in _UNREACHABLE:
                raise
            # The kernel tells an ICMP error of another datagram on this occasion, and only once.
            self._socket.sendto(datagram.data, datagram.hop.place)

    def _readable(self) -> None:
        batch: list[tuple[bytes, Hop]] = []
        buffer = self._buffer
        for _ in range(BATCH):
            try:
                size, source = self._socket.recvfrom_into(buffer)
            except (BlockingIOError, InterruptedError):
                break
            except OSError as fault:
                log.debug("%s", fault.strerror)  # said again, and in full, by the error queue
                continue
            if size > MAX_MESSAGE:
                self.dropped["oversize"] += 1
                continue
            batch.append((bytes(memoryview(buffer)[:size]), Hop(source[0], source[1])))
        if batch:
            self._received(batch)
        self._take_errors()

    def _take_errors(self) -> None:
        for _ in range(ERRORS):
            if self._socket.fileno() < 0:
                return  # closed by what the last one led to
            try:
                data, notes, _, to = self._socket.recvmsg(QUOTED, 512, socket.MSG_ERRQUEUE)
            except OSError:
                return
            if not is_address(to[0]):
                continue
            for _, _, note in notes:
                if len(note) < _EXTENDED_ERROR.size:
                    continue
                fault, origin, *_ = _EXTENDED_ERROR.unpack_from(note)
                if origin in _BY_ICMP and fault in _UNREACHABLE:
                    self._returned(data, Hop(to[0], to[1]))
