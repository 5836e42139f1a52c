"""Trunk URIs: by which URI a trunk, or a number behind it, is asked, and over which hop."""

from dataclasses import replace

from callwright.engines.network import Trunk
from callwright.engines.sip.wire.address import Malformed, escape_user, parse_uri
from callwright.engines.sip.wire.hop import Hop, Transport, Trust, bracketed


class Unroutable(Exception):
    """The address cannot be rung; the text says why."""


def trunk_uri(trunk: Trunk, number: str = "") -> str:
    """The URI of a trunk, or of a number behind it."""
    user = f"{escape_user(number)}@" if number else ""
    port = f":{trunk.port}" if trunk.port else ""
    over = "" if trunk.transport == Transport.UDP else f";transport={trunk.transport}"
    return f"sip:{user}{bracketed(trunk.host)}{port}{over}"


def trunk_hop(trunk: Trunk) -> Hop:
    """Where requests to a trunk go. Raises `Unroutable`."""
    try:
        hop = parse_uri(trunk_uri(trunk)).hop
        return replace(hop, trust=Trust(trunk.tls_verify, trunk.tls_ca))
    except Malformed as fault:
        raise Unroutable(f"trunk {trunk.name!r}: {fault}") from fault
