"""Hops: where a SIP message goes next, or where it has come from."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path


class Transport(StrEnum):
    """What carries messages; the value is how URIs spell it (RFC 3261 19.1.1)."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"

    @property
    def reliable(self) -> bool:
        return self is not Transport.UDP

    @property
    def port(self) -> int:
        """The port where none is said (RFC 3261 19.1.2)."""
        return 5061 if self is Transport.TLS else 5060


@dataclass(frozen=True, slots=True)
class Trust:
    """How the certificate of a server is judged before anything is said to it over TLS."""

    verify: bool = True
    "False: any certificate will do; the line is then secret, but to nobody knows whom."
    ca: Path | None = None
    "File of the authorities believed, in PEM; None: those the system believes."


@dataclass(frozen=True, slots=True)
class Hop:
    """One place a message can be sent to. Hops that are equal may share a connection."""

    host: str
    "A name, or an address; IPv6 without brackets."
    port: int | None = None
    "None: what SRV records say, else the usual port of the transport (RFC 3263 4.2)."
    transport: Transport = Transport.UDP
    name: str = ""
    "The name that led to the address: a TLS certificate must be made out to it (RFC 5922)."
    trust: Trust = Trust()
    flow: int | None = field(default=None, compare=False)
    "Number of the connection a message came over, or should go over while it is up."

    @property
    def found(self) -> bool:
        """Whether host and port are numbers, so that nothing needs to be looked up."""
        return self.port is not None and is_address(self.host)

    @property
    def place(self) -> tuple[str, int]:
        """Address and port, for a socket. Only of a hop that is found."""
        return self.host, self.port or self.transport.port

    def at(self, host: str, port: int) -> "Hop":
        """The same hop, found at an address."""
        return replace(self, host=host, port=port, name=self.name or self.host)

    def __str__(self) -> str:
        return f"{self.transport} {bracketed(self.host)}:{self.port or '?'}"


@lru_cache(maxsize=1024)
@lru_cache(maxsize=1024)
def is_address(host: str) -> bool:
    """Whether a host is an IPv4 or IPv6 address rather than a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


_NEAR = (
    (1, ("127.0.0.0/8", "::1/128")),
    (2, ("169.254.0.0/16", "fe80::/10")),
    (3, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")),
)
"Addresses that mean something on one host, one link, in one network (RFC 6890)."
_SCOPES = [(scope, ip_network(net)) for scope, nets in _NEAR for net in nets]
_EVERYWHERE = 4
_EVERYBODY = IPv4Address("255.255.255.255")


@lru_cache(maxsize=1024)
def leads_nowhere(host: str, seen_at: str) -> bool:
    """Whether a host that somebody names cannot be him, as he was seen at another address.

    So it is with nobody's address and everybody's, with one of the other IP version, and with one
    that only means something in a narrower network than the one he was seen in: a gateway behind a
    NAT that names its inner address. A name is believed.
    """
    if host == seen_at or not is_address(host) or not is_address(seen_at):
        return False
    named, seen = ip_address(host), ip_address(seen_at)
    if named.is_unspecified or named.is_multicast or named == _EVERYBODY:
        return True
    return named.version != seen.version or _scope(named) < _scope(seen)


def _scope(address: IPv4Address | IPv6Address) -> int:
    return next((scope for scope, net in _SCOPES if address in net), _EVERYWHERE)


def bracketed(host: str) -> str:
    """Write a host as URIs and Via have it: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host
