"""``GET /metrics``: the meter's page, for those who may see it."""

from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from callwright.config import HttpSettings
from callwright.rpc.client import client_of

METRICS_PATH = "/metrics"
_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metrics_route(
    page: Callable[[], Awaitable[bytes]],
    networks: Sequence[IPv4Network | IPv6Network],
    settings: HttpSettings,
) -> Route:
    """Serve the page to clients of these networks. It names nobody, but tells how much is done."""

    async def metrics(request: Request) -> Response:
        if not may_see_metrics(request, networks, settings):
            return PlainTextResponse("Forbidden\n", 403)
        return Response(await page(), headers={"Content-Type": _TYPE})

    return Route(METRICS_PATH, metrics, methods=["GET"])


def may_see_metrics(
    request: Request, networks: Sequence[IPv4Network | IPv6Network], settings: HttpSettings
) -> bool:
    """Whether a request comes from one of these networks, as far as can be known."""
    peer = request.client.host if request.client else ""
    forwarded = "x-forwarded-for" in request.headers or "forwarded" in request.headers
    if forwarded and peer not in {str(proxy) for proxy in settings.trusted_proxies}:
        # A proxy on this machine that nobody has told us of: whoever is behind it would be local.
        return False
    try:
        address = ip_address(client_of(request, settings.trusted_proxies).address)
    except ValueError:
        return False
    return any(address in network for network in networks)
