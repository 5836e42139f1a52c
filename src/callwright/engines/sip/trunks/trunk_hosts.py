"""Trunk hosts: which addresses the names of trunks have, by which their calls are known."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from callwright.engines.network import Trunk
from callwright.engines.sip.trunks.trunk_uri import Unroutable, trunk_hop
from callwright.engines.sip.wire.hop import Hop, is_address

LOOKED_UP_EVERY = 60.0
"Seconds; what still holds is not asked for again."


async def follow_hosts(
    trunks: Callable[[], Iterable[Trunk]],
    targets: Callable[[Hop], Awaitable[Sequence[Hop]]],
    use: Callable[[Mapping[str, Sequence[str]]], None],
    changed: asyncio.Event,
) -> None:
    """Tell ``use`` the addresses of each trunk that has a name for a host, until cancelled.

    ``targets`` finds where a hop is: all servers that SRV records name are the trunk's.

    Again after `LOOKED_UP_EVERY`, and at once when ``changed`` is set. A name that cannot be looked
    up keeps the addresses it had.
    """
    known: dict[str, Sequence[str]] = {}
    "By trunk."
    while True:
        changed.clear()
        found: dict[str, Sequence[str]] = {}
        for trunk in trunks():
            if not is_address(trunk.host):
                found[trunk.name] = await _look_up(trunk, targets) or known.get(trunk.name, ())
        known = found
        use(known)
        try:
            async with asyncio.timeout(LOOKED_UP_EVERY):
                await changed.wait()
        except TimeoutError:
            continue


async def _look_up(
    trunk: Trunk, targets: Callable[[Hop], Awaitable[Sequence[Hop]]]
) -> Sequence[str]:
    try:
        hop = trunk_hop(trunk)
    except Unroutable:
        return ()
    return [target.host for target in await targets(hop)]
