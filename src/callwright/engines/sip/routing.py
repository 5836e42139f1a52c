"""Routes: which URIs, hops and credentials an address of the engine port means in SIP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from callwright.engines.network import Trunk
from callwright.engines.port import Address
from callwright.engines.sip.admission.bindings import Binding
from callwright.engines.sip.dialog.invite_client import Invited
from callwright.engines.sip.transaction.digest_client import Digest
from callwright.engines.sip.trunks.trunk_uri import NoRoute, trunk_hop, trunk_uri
from callwright.engines.sip.wire.address import Malformed, escape_user, parse_uri
from callwright.engines.sip.wire.hop import bracketed


@dataclass(frozen=True, slots=True)
class Way:
    invited: Sequence[Invited]
    "The places to ring, all at once; one at least."
    digest: Digest
    srtp: bool = False
    "The audio must go over SRTP."


def route_to(
    to: Address,
    trunks: Mapping[str, Trunk],
    registered: Sequence[Binding],
    *,
    caller_id: str,
    local_host: str,
) -> Way:
    """Find the way to an address. Raises `NoRoute`.

    ``registered``: where the phone of that number is registered, for an address without a way.
    """
    if to.phone is not None:
        return replace(_to_phone(to.phone, caller_id, local_host), srtp=to.srtp)
    if to.trunk is None:
        if not registered:
            raise NoRoute("not registered")
        caller = _uri_of(caller_id, local_host)
        places = [Invited(one.uri, one.hop, caller, natted=one.natted) for one in registered]
        return Way(places, Digest(None, None), to.srtp)
    trunk = trunks.get(to.trunk)
    if trunk is None:
        raise NoRoute(f"no trunk {to.trunk!r}")
    return _through(trunk, to.number, caller_id)


def _to_phone(phone: str, caller_id: str, local_host: str) -> Way:
    # RFC 3261 19.1.1: headers of a URI are not for the request line.
    text = phone.partition("?")[0].strip()
    try:
        uri = parse_uri(text)
    except Malformed as fault:
        raise NoRoute(f"contact of the phone: {fault}") from fault
    if uri.scheme != "sip":
        raise NoRoute(f"contact of the phone: {uri.scheme} is not supported, only sip")
    try:
        places = [Invited(text, uri.hop, _uri_of(caller_id, local_host))]
    except Malformed as fault:
        raise NoRoute(f"contact of the phone: {fault}") from fault
    return Way(places, Digest(None, None))


def _through(trunk: Trunk, number: str, caller_id: str) -> Way:
    uri = trunk_uri(trunk, number)
    hop = trunk_hop(trunk)
    # Carriers take the caller for theirs by the host in From.
    caller = _uri_of(caller_id, trunk.host)
    asserted = caller if trunk.caller_id_header == "pai" else None
    return Way(
        [Invited(uri, hop, caller, asserted)], Digest(trunk.user, trunk.password), trunk.srtp
    )


def _uri_of(caller_id: str, host: str) -> str:
    if not caller_id:
        return "sip:anonymous@anonymous.invalid"  # RFC 3323 4.1.1.3
    return f"sip:{escape_user(caller_id)}@{bracketed(host)}"
