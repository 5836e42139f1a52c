"""SSRF guard: which addresses the service may be sent to by a URL somebody else has chosen.

Without it a URL of the directory would reach what only this machine reaches: databases, consoles,
the metadata of a cloud. A name is resolved here, its addresses are judged, and the connection goes
to the address that was judged: a name that changes between the two gains nothing.
"""

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import anyio
import httpcore
from httpcore import SOCKET_OPTION, AsyncNetworkBackend, AsyncNetworkStream

_NAT64 = IPv6Network("64:ff9b::/96")
"RFC 6052 section 2.1: the last 32 bits are an IPv4 address."


class NotAllowed(Exception):
    """The URL leads into a private network. The text names the host, not the address."""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is anybody's on the internet, whatever it is wrapped in."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not (address.is_multicast or address.is_reserved)


class GuardedBackend(AsyncNetworkBackend):
    """Connects to public addresses only, unless ``allow_private``."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's own)
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        """Raises `NotAllowed`, if one of the host's addresses is private, and `httpcore`'s own."""
        with anyio.move_on_after(timeout) as scope:
            addresses = await self._addresses(host, port)
        if scope.cancelled_caught:
            raise httpcore.ConnectTimeout("the name was not resolved in time")
        if not self._allow_private and not all(map(is_public, addresses)):
            raise NotAllowed(f"{host} is in a private network")
        # One address, and not all in turn: the time there is, is short.
        return await self._backend.connect_tcp(
            str(addresses[0]), port, timeout, local_address, socket_options
        )

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        raise NotAllowed("a URL leads to no socket of this machine")

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)

    async def _addresses(self, host: str, port: int) -> list[IPv4Address | IPv6Address]:
        try:
            found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as fault:
            raise httpcore.ConnectError(f"{host} cannot be resolved") from fault
        except UnicodeError as fault:
            raise httpcore.ConnectError(f"{host} is no name of a host") from fault
        return [ip_address(str(where[0]).partition("%")[0]) for *_, where in found]
