"""Hosts: which addresses the names of trunks stand for, so that their calls are known as theirs."""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence

from callwright.engines.port import Trunk
from callwright.engines.sip.hop import is_address

log = logging.getLogger(__name__)

LOOKED_UP_EVERY = 60.0
"Seconds; the system's resolver does not tell how long an answer holds."
ADDRESSES_AT_MOST = 32
"Addresses of one name that are kept."


async def follow_hosts(
    trunks: Callable[[], Iterable[Trunk]],
    use: Callable[[Mapping[str, Sequence[str]]], None],
    changed: asyncio.Event,
) -> None:
    """Tell ``use`` the addresses of each trunk that has a name for a host, until cancelled.

    Again after `LOOKED_UP_EVERY`, and at once when ``changed`` is set. A name that cannot be looked
    up keeps the addresses it had.
    """
    known: dict[str, Sequence[str]] = {}
    "By host."
    while True:
        changed.clear()
        named = {trunk.name: trunk.host for trunk in trunks() if not is_address(trunk.host)}
        known = {host: (await _look_up(host)) or known.get(host, ()) for host in named.values()}
        use({name: known[host] for name, host in named.items()})
        try:
            async with asyncio.timeout(LOOKED_UP_EVERY):
                await changed.wait()
        except TimeoutError:
            continue


async def _look_up(host: str) -> Sequence[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as fault:
        log.debug("%s: %s", host, fault)
        return ()
    return [str(address[0]) for *_, address in found[:ADDRESSES_AT_MOST]]
