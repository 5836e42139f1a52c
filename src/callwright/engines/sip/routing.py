"""Routing: which URIs, hops and credentials an address of the engine port means in SIP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from callwright.engines.network import Trunk
from callwright.engines.port import Address
from callwright.engines.sip.admission.bindings import Binding
from callwright.engines.sip.dialog.invite_client import InviteTarget
from callwright.engines.sip.transaction.digest_client import DigestClient
from callwright.engines.sip.trunks.trunk_identity import (
    ANONYMOUS,
    caller_headers,
    caller_name,
    caller_uri,
)
from callwright.engines.sip.trunks.trunk_uri import Unroutable, trunk_hop, trunk_uri
from callwright.engines.sip.wire.address import Malformed, escape_user, parse_uri
from callwright.engines.sip.wire.hop import bracketed

NAME_AT_MOST = 64
"Characters of a display name: no phone shows more, and the request is to fit into a datagram."


@dataclass(frozen=True, slots=True)
class SipRoute:
    invited: Sequence[InviteTarget]
    "The places to ring, all at once; one at least."
    digest: DigestClient
    srtp: bool = False
    "The audio must go over SRTP."
    symmetric_rtp: bool = True
    "The audio may come from elsewhere than SDP says."


def route_to(
    to: Address,
    trunks: Mapping[str, Trunk],
    registered: Sequence[Binding],
    *,
    caller_id: str,
    caller_name: str = "",
    local_host: str,
) -> SipRoute:
    """Find the way to an address. Raises `Unroutable`.

    ``registered``: where the phone of that number is registered, for an address without a way.
    ``caller_name``: the display name in From, for phones of our own.
    """
    name = caller_name[:NAME_AT_MOST]
    if to.phone is not None:
        return replace(_to_phone(to.phone, caller_id, name, local_host), srtp=to.srtp)
    if to.trunk is None:
        if not registered:
            raise Unroutable("not registered")
        caller = _uri_of(caller_id, local_host)
        places = [
            InviteTarget(one.uri, one.hop, caller, name, natted=one.natted) for one in registered
        ]
        return SipRoute(places, DigestClient(None, None), to.srtp)
    trunk = trunks.get(to.trunk)
    if trunk is None:
        raise Unroutable(f"no trunk {to.trunk!r}")
    return _through(trunk, to.number, caller_id)


def _to_phone(phone: str, caller_id: str, name: str, local_host: str) -> SipRoute:
    # RFC 3261 19.1.1: headers of a URI are not for the request line.
    text = phone.partition("?")[0].strip()
    try:
        uri = parse_uri(text)
    except Malformed as fault:
        raise Unroutable(f"contact of the phone: {fault}") from fault
    if uri.scheme != "sip":
        raise Unroutable(f"contact of the phone: {uri.scheme} is not supported, only sip")
    try:
        places = [InviteTarget(text, uri.hop, _uri_of(caller_id, local_host), name)]
    except Malformed as fault:
        raise Unroutable(f"contact of the phone: {fault}") from fault
    return SipRoute(places, DigestClient(None, None))


def _through(trunk: Trunk, number: str, caller_id: str) -> SipRoute:
    uri = trunk_uri(trunk, number)
    hop = trunk_hop(trunk)
    place = InviteTarget(
        uri,
        hop,
        caller_uri(trunk, caller_id),
        from_name=caller_name(trunk, caller_id),
        identity=caller_headers(trunk, caller_id),
    )
    return SipRoute(
        [place],
        DigestClient(trunk.user, trunk.password),
        trunk.srtp,
        trunk.symmetric_rtp,
    )


def _uri_of(caller_id: str, host: str) -> str:
    if not caller_id:
        return ANONYMOUS
    return f"sip:{escape_user(caller_id)}@{bracketed(host)}"
