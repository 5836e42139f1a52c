"""The UDP transport: how datagrams leave and come in, and where a host name is.

A raw socket that the event loop watches: asyncio's own datagram transport asks for 256 KiB per
packet, which costs more than reading the message. A transport for streams will have the same
``send`` and ``close``, and give its messages to the same function.
"""

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Callable

from callwright.engines.sip.hop import Hop, is_address
from callwright.engines.sip.layer import Datagram
from callwright.engines.sip.message import MAX_MESSAGE

log = logging.getLogger(__name__)

BATCH = 32
"Datagrams read before others on the loop get their turn."
BUFFER = 1 << 20
"Bytes the kernel may hold for us while the loop is busy."
NAMES_AT_MOST = 256
"Host names remembered, or being looked up."
WAITING_AT_MOST = 64
"Datagrams that wait for one name; a name is needed for a call or two, not for hundreds."
REMEMBERED = 60.0
"Seconds the address of a name is used; the resolver below does not tell us its time to live."


class UdpTransport:
    """One UDP socket over IPv4."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        received: Callable[[list[tuple[bytes, Hop]]], None],
        unsent: Callable[[list[Datagram]], None],
    ) -> None:
        """Bind the socket; port 0 takes a free one. Raises `OSError`.

        ``received`` gets the datagrams of one wake-up. ``unsent`` gets those that could not be
        sent, never from inside `send`. To be made, and used, inside a running event loop.
        """
        self.dropped: Counter[str] = Counter()
        "Datagrams lost on our side, by reason."
        self._received = received
        self._unsent = unsent
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray(MAX_MESSAGE + 1)
        self._known: dict[str, tuple[float, str]] = {}
        self._waiting: dict[str, list[Datagram]] = {}
        self._lookups: set[asyncio.Task[None]] = set()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
            self._socket.bind((host, port))
        except OSError:
            self._socket.close()
            raise
        self.address: tuple[str, int] = self._socket.getsockname()
        self._loop.add_reader(self._socket.fileno(), self._readable)

    def send(self, datagram: Datagram) -> None:
        """Send a datagram, as soon as its host's address is known."""
        host, port = datagram.hop.place
        if is_address(host):
            self._send_to(datagram, (host, port))
            return
        known = self._known.get(host)
        if known is not None and known[0] > self._loop.time():
            self._send_to(datagram, (known[1], port))
        elif host in self._waiting:
            self._wait(datagram, host)
        elif len(self._waiting) < NAMES_AT_MOST:
            self._waiting[host] = [datagram]
            lookup = self._loop.create_task(self._look_up(host))
            self._lookups.add(lookup)
            lookup.add_done_callback(self._lookups.discard)
        else:
            self.dropped["too many names"] += 1

    def close(self) -> None:
        for lookup in self._lookups:
            lookup.cancel()
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def _wait(self, datagram: Datagram, host: str) -> None:
        if len(self._waiting[host]) < WAITING_AT_MOST:
            self._waiting[host].append(datagram)
        else:
            self.dropped["too many waiting for a name"] += 1

    def _send_to(self, datagram: Datagram, address: tuple[str, int]) -> None:
        try:
            self._socket.sendto(datagram.data, address)
        except (BlockingIOError, InterruptedError):
            self.dropped["socket buffer full"] += 1
        except OSError as fault:
            log.debug("to %s:%d %s", *address, fault.strerror)
            self._loop.call_soon(self._unsent, [datagram])

    async def _look_up(self, host: str) -> None:
        address = None
        try:
            found = await self._loop.getaddrinfo(
                host, None, family=socket.AF_INET, type=socket.SOCK_DGRAM
            )
            address = str(found[0][4][0])
        except (OSError, UnicodeError) as fault:
            log.debug("%s: %s", host, fault)
        waiting = self._waiting.pop(host)
        if address is None:
            self._unsent(waiting)
            return
        if len(self._known) >= NAMES_AT_MOST:
            del self._known[next(iter(self._known))]
        self._known[host] = (self._loop.time() + REMEMBERED, address)
        for datagram in waiting:
            self._send_to(datagram, (address, datagram.hop.place[1]))

    def _readable(self) -> None:
        batch: list[tuple[bytes, Hop]] = []
        buffer = self._buffer
        for _ in range(BATCH):
            try:
                size, source = self._socket.recvfrom_into(buffer)
            except (BlockingIOError, InterruptedError):
                break
            except OSError as fault:
                # Some kernels report an earlier ICMP error here; the next datagram is fine.
                self.dropped["socket error"] += 1
                log.debug("%s", fault.strerror)
                continue
            if size > MAX_MESSAGE:
                self.dropped["oversize"] += 1
                continue
            batch.append((bytes(memoryview(buffer)[:size]), Hop(source[0], source[1])))
        if batch:
            self._received(batch)
