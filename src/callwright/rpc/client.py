"""The client of a request: its address, also behind a proxy, and what it brings beside the body."""

from collections.abc import Collection, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from starlette.requests import HTTPConnection

from callwright.rpc.auth import Client
from callwright.rpc.wire import recogniser_of

UNKNOWN = "unknown"
"Address of a client whose proxy does not say it properly; in no network."


def client_of(
    request: HTTPConnection, trusted_proxies: Collection[IPv4Address | IPv6Address]
) -> Client:
    """Read the client off the connection and the headers."""
    return Client(
        client_address(
            request.client.host if request.client else None,
            request.headers.getlist("x-forwarded-for"),
            trusted_proxies,
        ),
        tuple(_bearers(request)),
        tuple(request.headers.getlist("idempotency-key")),
        recogniser_of(request.scope),
    )


def _bearers(request: HTTPConnection) -> list[str]:
    headers = (header.partition(" ") for header in request.headers.getlist("authorization"))
    return [token.strip() for scheme, _, token in headers if scheme.lower() == "bearer"]


def client_address(
    peer: str | None,
    forwarded_for: Sequence[str],
    trusted_proxies: Collection[IPv4Address | IPv6Address],
) -> str:
    """Return the client's address, or `UNKNOWN`.

    ``peer`` is the connection's far end, ``forwarded_for`` the X-Forwarded-For headers in order.
    Every proxy adds, on the right, the address it was called from; so we walk from the right as
    long as it is our own proxies that speak. What stands further left, the client may have written.
    """
    address = address_of(peer or "")
    hops = [hop.strip() for header in forwarded_for for hop in header.split(",")]
    while hops and address in trusted_proxies:
        address = address_of(hops.pop())
    return UNKNOWN if address is None else str(address)


@lru_cache(maxsize=1024)
def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """Read ``192.0.2.1``, ``192.0.2.1:5678``, ``2001:db8::1`` or ``[2001:db8::1]:5678``."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        # A link-local address may bring its interface along: fe80::1%eth0.
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address
