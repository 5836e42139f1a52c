"""Sources: by what strangers are counted, be it connections, requests or wrong passwords."""

from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network


@lru_cache(maxsize=4096)
def source_of(host: str) -> str:
    """The IPv4 address, or the /64 of an IPv6 one: a single host there has 2**64 addresses.

    What is no address is a source by itself.
    """
    if ":" not in host:
        return host
    try:
        address = IPv6Address(host.partition("%")[0])
    except ValueError:
        return host
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Network((address, 64), strict=False))


@lru_cache(maxsize=4096)
def site_of(host: str) -> str:
    """The IPv4 address, or the /48 of an IPv6 one: what one customer is given at most (RFC 6177).

    Whoever has it has 65,536 sources, so what is to be fair between strangers counts by this.
    """
    source = source_of(host)
    if not source.endswith("/64"):
        return source
    return str(IPv6Network(source).supernet(new_prefix=48))
