"""All transports at once: each datagram leaves over the one its hop names."""

import asyncio
import contextvars
import logging
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

from callwright.config import SipSettings
from callwright.engines.sip.transport.connection_places import NO_PEERS, KnownPeers
from callwright.engines.sip.transport.datagram import Datagram
from callwright.engines.sip.transport.stream import StreamTransport
from callwright.engines.sip.transport.tls import client_context, server_context
from callwright.engines.sip.transport.udp import UdpTransport
from callwright.engines.sip.wire.hop import Hop, Transport

if TYPE_CHECKING:
    from callwright.engines.sip.transport.resolver import Resolver

log = logging.getLogger(__name__)

PORTS_TRIED = 20
"Free ports tried until one is free for UDP and for TCP."
WAITING_AT_MOST = 256
"Datagrams that wait for a name: ACKs to a far end whose Contact has no address."


class Transports:
    """UDP and TCP at one port, TLS at another where there is a certificate."""

    def __init__(
        self,
        settings: SipSettings,
        *,
        received: Callable[[list[tuple[bytes, Hop]]], None],
        unsent: Callable[[list[Datagram]], None],
        returned: Callable[[bytes, Hop], None],
        peers: KnownPeers = NO_PEERS,
        resolver: "Resolver | None" = None,
    ) -> None:
        """Open everything. Raises `OSError`.

        See `UdpTransport` for the functions. ``peers``: who is known here.
        """
        host = str(settings.host)
        self._settings = settings
        self._context = contextvars.copy_context()
        self._waiting: set[asyncio.Task[None]] = set()
        self._dropped: Counter[str] = Counter()
        self._version = ip_address(host).version
        self._resolver = resolver
        self._unsent = unsent
        self._udp, self._tcp = _open_pair(settings, received, unsent, returned, peers)
        self.address = self._udp.address
        "Address and port of UDP and TCP."
        server, port = None, None
        try:
            if settings.tls_certificate is not None:
                server = server_context(settings.tls_certificate, settings.tls_key)
                port = settings.tls_port
            self._tls = StreamTransport(
                Transport.TLS,
                host,
                port,
                server=server,
                client=self._client_context,
                received=received,
                unsent=unsent,
                peers=peers,
            )
        except OSError:
            self._udp.close()
            self._tcp.close()
            raise
        self.tls_address = self._tls.address
        "The same of TLS; None without a certificate."

    @property
    def dropped(self) -> Counter[str]:
        parts = (self._udp, self._tcp, self._tls, self._resolver)
        return sum((part.dropped for part in parts if part), self._dropped)

    def send(self, datagram: Datagram) -> None:
        """Send a datagram; never calls back from inside."""
        if not datagram.hop.found:
            if len(self._waiting) >= WAITING_AT_MOST:
                self._dropped["too many waiting for a name"] += 1
                return
            loop = asyncio.get_running_loop()
            task = loop.create_task(self._send_later(datagram), context=self._context)
            self._waiting.add(task)
            task.add_done_callback(self._waiting.discard)
            return
        match datagram.hop.transport:
            case Transport.UDP:
                self._udp.send(datagram)
            case Transport.TCP:
                self._tcp.send(datagram)
            case Transport.TLS:
                self._tls.send(datagram)

    async def targets(self, hop: Hop) -> list[Hop]:
        """Find where a hop is; see `Resolver.targets`."""
        return [hop] if hop.found else await self._names().targets(hop)

    def close(self) -> None:
        for task in self._waiting:
            task.cancel()
        if self._resolver is not None:
            self._resolver.close()
        for part in (self._udp, self._tcp, self._tls):
            part.close()

    async def _send_later(self, datagram: Datagram) -> None:
        targets = await self.targets(datagram.hop)
        if targets:
            self.send(replace(datagram, hop=targets[0]))
        else:
            self._unsent([datagram])

    def _names(self) -> "Resolver":
        if self._resolver is None:
            # Only now: it brings a library along, and not every service has names to look up.
            from callwright.engines.sip.transport.resolver import Resolver

            self._resolver = Resolver(version=self._version)
        return self._resolver

    def _client_context(self, hop: Hop) -> ssl.SSLContext:
        return client_context(hop.trust, self._settings.tls_certificate, self._settings.tls_key)


def _open_pair(
    settings: SipSettings,
    received: Callable[[list[tuple[bytes, Hop]]], None],
    unsent: Callable[[list[Datagram]], None],
    returned: Callable[[bytes, Hop], None],
    peers: KnownPeers,
) -> tuple[UdpTransport, StreamTransport]:
    """Open UDP and TCP at the same port; what port 0 finds for one may be taken for the other."""
    host = str(settings.host)
    for left in reversed(range(PORTS_TRIED)):
        udp = UdpTransport(host, settings.port, received=received, unsent=unsent, returned=returned)
        try:
            tcp = StreamTransport(
                Transport.TCP,
                host,
                udp.address[1],
                received=received,
                unsent=unsent,
                peers=peers,
            )
        except OSError:
            udp.close()
            if settings.port or not left:
                raise
        else:
            return udp, tcp
    raise AssertionError("unreachable")
