"""SSRF guard: which addresses the service may be sent to by a URL somebody else has chosen.

Without it a URL of the directory would reach what only this machine reaches: databases, consoles,
the metadata of a cloud. A name is resolved here, its addresses are judged, and the connection goes
to the address that was judged: a name that changes between the two gains nothing.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import anyio

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


async def judged_address(host: str, port: int, *, allow_private: bool) -> str:
    """Resolve a name; return the address to connect to, and to no other.

    Raises `NotAllowed`, if one of the host's addresses is private and ``allow_private`` does not
    say otherwise, and OSError if there is none.
    """
    addresses = await _addresses(host, port)
    if not allow_private and not all(map(is_public, addresses)):
        raise NotAllowed(f"{host} is in a private network")
    # One address, and not all in turn: the time there is, is short.
    return str(addresses[0])


async def _addresses(host: str, port: int) -> list[IPv4Address | IPv6Address]:
    try:
        found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as fault:
        raise OSError(f"{host} is no name of a host") from fault
    return [ip_address(str(where[0]).partition("%")[0]) for *_, where in found]
