"""Hops: where a SIP message goes next, or where it has come from."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_address
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
def is_address(host: str) -> bool:
    """Whether a host is an IPv4 or IPv6 address rather than a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def bracketed(host: str) -> str:
    """Write a host as URIs and Via have it: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host
