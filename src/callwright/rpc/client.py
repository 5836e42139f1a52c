"""The client of a request: where it is, and what it brings beside the body."""

from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address

from starlette.requests import HTTPConnection

from callwright.rpc.address import client_address
from callwright.rpc.auth import Client


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
    )


def _bearers(request: HTTPConnection) -> list[str]:
    headers = (header.partition(" ") for header in request.headers.getlist("authorization"))
    return [token.strip() for scheme, _, token in headers if scheme.lower() == "bearer"]
