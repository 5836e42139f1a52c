"""TCP and TLS transport: connections, used again and kept (RFC 3261 section 18, RFC 5923).

A connection is used again for what goes to the same place under the same trust. What belongs to a
dialog stays on the dialog's connection while that is up, even where the far end's Contact cannot be
connected to. Whoever sends no SIP, sends too slowly, or takes nothing, is cut off.
"""

import asyncio
import contextvars
import itertools
import logging
import math
import socket
import ssl
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from dataclasses import replace
from ipaddress import ip_address

from callwright.accept_loop import AcceptLoop
from callwright.descriptors import left_by_strangers, limit
from callwright.engines.sip.transport.connection_places import (
    NO_PEERS,
    ConnectionPlaces,
    KnownPeers,
)
from callwright.engines.sip.transport.datagram import Datagram
from callwright.engines.sip.transport.tls import check_name, client_context
from callwright.engines.sip.wire.framing import PING, PONG, Framer, Garbage
from callwright.engines.sip.wire.hop import Hop, Transport

log = logging.getLogger(__name__)

CONNECT_WITHIN = 4.0
"Seconds a connection may take to come up, TLS included."
MESSAGE_WITHIN = 10.0
"Seconds from the first byte of a message to its last; also from a connection to its first."
IDLE_AT_MOST = 900.0
"Seconds without a byte after which a connection others made is closed; phones ping far oftener."
KEEPALIVE = 60
"Seconds of silence before TCP asks whether the far end is still there."
SWEEP = 2.0
"Seconds between looks at what has become overdue."
UNREAD_AT_MOST = 256 * 1024
"Bytes a peer may leave unread before it is cut off."
WAITING_AT_MOST = 64
"Datagrams that wait for one connection to come up."
ASKED_AT_MOST = 256
"Requests remembered per connection, to be told of its end."


class StreamConnection(asyncio.Protocol):
    """One connection, made by us or taken."""

    def __init__(self, owner: "StreamTransport", hop: Hop, *, taken: bool) -> None:
        self.hop = hop
        "Its far end. Of one that we have made: the hop it was made for."
        self.taken = taken
        self.up = False
        self.waiting: list[Datagram] = []
        "What is to be sent once it is up."
        self.coming: asyncio.Task[None] | None = None
        "What brings it up."
        self._owner = owner
        self._framer = Framer()
        self._asked: deque[Datagram] = deque(maxlen=ASKED_AT_MOST)
        self._transport: asyncio.Transport
        self.overdue_at = owner.now() + MESSAGE_WITHIN if taken else math.inf
        "When it is cut off. One of ours may be silent: whoever is called does not keep it alive."

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        # A far end that has vanished without a word is found out by TCP itself.
        raw: socket.socket = transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE)
        if not self.taken and self.hop.transport is Transport.TLS and self.hop.trust.verify:
            secured: ssl.SSLObject = transport.get_extra_info("ssl_object")
            try:
                check_name(secured.getpeercert(), self.hop.name or self.hop.host)
            except ssl.SSLError as fault:
                # Nothing has been said yet, and nothing will be.
                log.warning("TLS to %s refused: %s", self.hop, fault.args[0])
                transport.abort()
                return
        self.up = True
        waiting, self.waiting = self.waiting, []
        for datagram in waiting:
            self.send(datagram)

    def send(self, datagram: Datagram) -> None:
        if not self.up:
            if len(self.waiting) < WAITING_AT_MOST:
                self.waiting.append(datagram)
            else:
                self._owner.dropped["too many waiting for a connection"] += 1
            return
        if datagram.sender is not None and datagram.sender.is_client:
            self._asked.append(datagram)
        self._write(datagram.data)

    def data_received(self, data: bytes) -> None:
        owner = self._owner
        was_waiting = self._framer.waiting
        try:
            messages = self._framer.feed(data)
        except Garbage as fault:
            owner.dropped[f"stream: {fault}"] += 1
            self.close()
            return
        if not self._framer.waiting:
            self.overdue_at = owner.now() + IDLE_AT_MOST if self.taken else math.inf
        elif messages or not was_waiting:
            self.overdue_at = owner.now() + MESSAGE_WITHIN
        batch = [(message, self.hop) for message in messages if message is not PING]
        if len(batch) < len(messages):
            self._write(PONG)
        if batch:
            owner.received(batch)

    def connection_lost(self, exc: Exception | None) -> None:
        self.end()

    def end(self) -> None:
        """Take the connection off the list.

        Requests that nobody has reacted to go out once more, over a new connection: most often the
        far end had closed this one before it could see them. Their branch tells them for copies.
        What has waited in vain for this one to come up is told as unsent.
        """
        self.up = False
        unheard = [one for one in self._asked if one.sender and one.sender.unheard]
        unsent = [one for one in unheard if one.again] + self.waiting
        self._asked.clear()
        self.waiting = []
        self._owner.forget(self, unsent, [one for one in unheard if not one.again])

    def close(self) -> None:
        """Cut it off, without waiting for the far end."""
        if self.up:
            self.up = False
            self._transport.abort()
        elif self.coming is not None:
            self.coming.cancel()

    def leads_to(self, hop: Hop) -> bool:
        """Whether what is meant for ``hop``, and has come to be tied to us, may go here."""
        here = self.hop
        if hop.place == here.place or (self.taken and hop.host == here.host):
            return True
        # A Contact of a private network we do not see the far end in: it is behind a NAT, and the
        # connection is the only way to it (RFC 5626 section 1).
        outside = self.taken or not ip_address(here.host).is_private
        return ip_address(hop.host).is_private and outside

    def _write(self, data: bytes) -> None:
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > UNREAD_AT_MOST:
            self._owner.dropped["stream: far end reads nothing"] += 1
            self.close()


class StreamTransport:
    """All connections over TCP, or all over TLS."""

    def __init__(
        self,
        kind: Transport,
        host: str,
        port: int | None,
        *,
        server: ssl.SSLContext | None = None,
        client: Callable[[Hop], ssl.SSLContext] = lambda hop: client_context(hop.trust),
        received: Callable[[list[tuple[bytes, Hop]]], None],
        unsent: Callable[[list[Datagram]], None],
        peers: KnownPeers = NO_PEERS,
    ) -> None:
        """Listen at ``port``, 0 for a free one; None only makes connections. Raises `OSError`.

        ``server`` and ``client``: for TLS, what we show, and how a hop is checked. ``peers``: who
        is known here. The others are those of `UdpTransport`. To be made, and used, inside a
        running event loop.
        """
        self.dropped: Counter[str] = Counter()
        "Messages and connections lost on our side, by reason."
        self.received = received
        self._unsent = unsent
        self._kind = kind
        self._host = host
        self._server = server
        self._client = client
        self._loop = asyncio.get_running_loop()
        # What we tell is nothing that happens inside of whoever happened to send.
        self._context = contextvars.copy_context()
        self._numbers = itertools.count(1)
        self._by_flow: dict[int, StreamConnection] = {}
        self._by_hop: dict[Hop, StreamConnection] = {}
        self._closed = False
        self._places = ConnectionPlaces[StreamConnection](peers, self._cut)
        self._tasks: set[asyncio.Task[None]] = set()
        self._family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._accepting: AcceptLoop | None = None
        self.address: tuple[str, int] | None = None
        if port is not None:
            listener = self._listen(port)
            self.address = listener.getsockname()[:2]
            self._accepting = AcceptLoop(listener, self._take, f"SIP over {kind}")
        self._sweeper = self._loop.call_later(SWEEP, self._sweep)

    def now(self) -> float:
        return self._loop.time()

    @property
    def connections(self) -> int:
        return len(self._by_flow)

    def send(self, datagram: Datagram) -> None:
        """Send to a hop that is found, over a connection there is or a new one."""
        connection = self._connection_to(datagram.hop)
        if connection is None:
            self._loop.call_soon(self._unsent, [datagram], context=self._context)
        else:
            connection.send(datagram)

    def close(self) -> None:
        self._closed = True
        self._sweeper.cancel()
        for task in self._tasks:
            task.cancel()
        if self._accepting is not None:
            self._accepting.close()
        for connection in list(self._by_flow.values()):
            if connection.up:
                connection.close()

    def forget(
        self, connection: StreamConnection, unsent: list[Datagram], again: list[Datagram]
    ) -> None:
        flow = connection.hop.flow
        if flow is None or self._by_flow.pop(flow, None) is None:
            return
        self._places.leave(connection)
        if not connection.taken and self._by_hop.get(connection.hop) is connection:
            del self._by_hop[connection.hop]
        if unsent:
            self._loop.call_soon(self._unsent, unsent, context=self._context)
        if not self._closed:
            for datagram in again:
                self.send(replace(datagram, again=True))

    # Ours.

    def _connection_to(self, hop: Hop) -> StreamConnection | None:
        tied = self._by_flow.get(hop.flow) if hop.flow is not None else None
        if tied is not None and tied.up and tied.leads_to(hop):
            return tied
        made = self._by_hop.get(hop)
        if made is not None:
            return made
        if not self._places.make(hop, self.connections, self.now()):
            self.dropped["too many connections"] += 1
            return None
        flow = next(self._numbers)
        connection = StreamConnection(self, replace(hop, flow=flow), taken=False)
        self._by_flow[flow] = self._by_hop[hop] = connection
        self._do(self._connect(connection))
        return connection

    async def _connect(self, connection: StreamConnection) -> None:
        hop = connection.hop
        host, port = hop.place
        try:
            async with asyncio.timeout(CONNECT_WITHIN):
                context = self._client(hop) if self._kind is Transport.TLS else None
                name = None if context is None else hop.name or host
                # From our own address, so that the far end sees the one we name in Via.
                await self._loop.create_connection(
                    lambda: connection,
                    host,
                    port,
                    ssl=context,
                    server_hostname=name,
                    local_addr=(self._host, 0),
                    family=self._family,
                )
        except (OSError, TimeoutError, ValueError) as fault:
            if isinstance(fault, ssl.SSLError):
                log.warning("TLS to %s refused: %s", hop, fault)
            log.debug("to %s %s", hop, fault)
            connection.end()

    # Others'.

    def _listen(self, port: int) -> socket.socket:
        listener = socket.socket(self._family, socket.SOCK_STREAM)
        try:
            listener.setblocking(False)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if self._family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((self._host, port))
            listener.listen(128)
        except OSError:
            listener.close()
            raise
        return listener

    def _take(self, taken: socket.socket, peer: tuple[str, int]) -> None:
        # Before the TLS handshake, over which asyncio's own server would count nobody.
        host, port = peer[:2]
        flow = next(self._numbers)
        hop = Hop(host, port, self._kind, flow=flow)
        scarce = taken.fileno() >= limit() - left_by_strangers(limit())
        connection = StreamConnection(self, hop, taken=True)
        if not self._places.take(connection, self.connections, self.now(), scarce=scarce):
            self.dropped["too many connections"] += 1
            taken.close()
            return
        self._by_flow[flow] = connection
        connection.coming = self._do(self._welcome(connection, taken))

    async def _welcome(self, connection: StreamConnection, taken: socket.socket) -> None:
        within = MESSAGE_WITHIN if self._server is not None else None
        try:
            await self._loop.connect_accepted_socket(
                lambda: connection, taken, ssl=self._server, ssl_handshake_timeout=within
            )
        except (OSError, TimeoutError) as fault:
            self.dropped["handshake failed"] += 1
            log.debug("from %s %s", connection.hop, fault)
        finally:
            if not connection.up:
                connection.end()

    def _cut(self, connection: StreamConnection) -> None:
        self.dropped["too many connections"] += 1
        connection.close()

    def _sweep(self) -> None:
        now = self.now()
        for connection in list(self._by_flow.values()):
            if connection.up and connection.overdue_at <= now:
                self.dropped["stream: too slow or idle"] += 1
                connection.close()
        self._sweeper = self._loop.call_later(SWEEP, self._sweep)

    def _do(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task: asyncio.Task[None] = self._loop.create_task(work, context=self._context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
