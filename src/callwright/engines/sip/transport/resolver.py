"""DNS resolver: which addresses a hop may mean, in the order to be tried (RFC 3263, RFC 2782).

A hop with a port goes to the addresses of its host. Without one, SRV records may name servers, in
groups by priority, and within a group at random by weight. Answers are kept for as long as the name
server allows.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.rdata
import dns.rdatatype
import dns.resolver
from dns.rdtypes.IN.SRV import SRV

from callwright.engines.sip.wire.hop import Hop, Transport, is_address

log = logging.getLogger(__name__)

ASK_WITHIN = 3.0
"Seconds name servers have to answer one question."
AT_ONCE_AT_MOST = 256
"Hops being looked up; further ones are answered that there is nothing."
CACHED_AT_MOST = 1024
"Answers remembered, those that there is nothing included."
ADDRESSES_AT_MOST = 32
"Addresses one hop is taken to mean."
SERVERS_AT_MOST = 16
"SRV records of one name that are looked at."
HOSTS = Path("/etc/hosts")

_SERVICES = {
    Transport.UDP: "_sip._udp",
    Transport.TCP: "_sip._tcp",
    Transport.TLS: "_sips._tcp",
}
_LOOPBACK = {4: "127.0.0.1", 6: "::1"}


class Resolver:
    """Looks names up; one for all transports, which are all of one IP version."""

    def __init__(
        self,
        *,
        version: int = 4,
        name_servers: Sequence[tuple[str, int]] | None = None,
        choose: random.Random | None = None,
        hosts: Path = HOSTS,
    ) -> None:
        """``version``: 4 or 6. ``name_servers``: addresses and ports; None: the system's.

        ``choose`` makes the choices by weight. ``hosts`` is a file as ``/etc/hosts``.
        """
        self.dropped: Counter[str] = Counter()
        self._version = version
        self._kind = dns.rdatatype.A if version == 4 else dns.rdatatype.AAAA
        self._random = choose or random.Random()
        self._hosts = hosts
        self._running: dict[Hop, asyncio.Task[list[Hop]]] = {}
        self._servers: dns.asyncresolver.Resolver | None = None
        try:
            self._servers = dns.asyncresolver.Resolver(configure=name_servers is None)
        except dns.resolver.NoResolverConfiguration:
            log.warning("no name servers: only addresses, and names in %s, can be called", hosts)
            return
        if name_servers is not None:
            self._servers.nameservers = [
                dns.nameserver.Do53Nameserver(host, port) for host, port in name_servers
            ]
        self._servers.lifetime = ASK_WITHIN
        self._servers.cache = dns.resolver.LRUCache(CACHED_AT_MOST)

    async def targets(self, hop: Hop) -> list[Hop]:
        """Find where ``hop`` is; best first, empty if nowhere. Never raises for what comes back."""
        if hop.found:
            return [hop]
        task = self._running.get(hop)
        if task is None:
            if len(self._running) >= AT_ONCE_AT_MOST:
                self.dropped["too many names"] += 1
                return []
            task = self._running[hop] = asyncio.create_task(self._find(hop))
            task.add_done_callback(lambda _: self._running.pop(hop, None))
        # Others may wait for the same answer: whoever is cancelled, cancels it not.
        return await asyncio.shield(task)

    def close(self) -> None:
        for task in self._running.values():
            task.cancel()

    async def _find(self, hop: Hop) -> list[Hop]:
        if hop.port is not None or is_address(hop.host):
            places = [(hop.host, hop.place[1])]
        else:
            served = await self._servers_of(hop)
            places = [(hop.host, hop.transport.port)] if served is None else served
        found: list[Hop] = []
        for host, port in places:
            for address in await self._addresses(host):
                if len(found) < ADDRESSES_AT_MOST:
                    found.append(hop.at(address, port))
        return found

    async def _servers_of(self, hop: Hop) -> list[tuple[str, int]] | None:
        """Servers of SRV records in the order of RFC 2782; None where there are no records."""
        answer = await self._ask(f"{_SERVICES[hop.transport]}.{hop.host}", dns.rdatatype.SRV)
        records = [one for one in answer if isinstance(one, SRV)][:SERVERS_AT_MOST]
        if not records:
            return None
        # The root for a target means that there is decidedly no such service here.
        records = [one for one in records if one.target != dns.name.root]
        groups: dict[int, list[SRV]] = {}
        for record in records:
            groups.setdefault(record.priority, []).append(record)
        ordered: list[tuple[str, int]] = []
        for _, group in sorted(groups.items()):
            while group:
                weights = [record.weight for record in group]
                # Those of weight zero are to have a very small chance, not none.
                chosen = self._random.choices(group, [weight or 0.01 for weight in weights])[0]
                group.remove(chosen)
                ordered.append((chosen.target.to_text(omit_final_dot=True), chosen.port))
        return ordered

    async def _addresses(self, host: str) -> list[str]:
        if is_address(host):
            return [host] if ip_address(host).version == self._version else []
        name = host.lower().rstrip(".")
        if name == "localhost" or name.endswith(".localhost"):  # RFC 6761 6.3
            return [_LOOPBACK[self._version]]
        if written := self._written(name):
            return written
        answer = await self._ask(host, self._kind)
        return [record.to_text() for record in answer]

    def _written(self, name: str) -> list[str]:
        """What the hosts file says; it is small, and read each time as the C library does."""
        try:
            lines = self._hosts.read_text("utf-8", "replace").splitlines()
        except OSError:
            return []
        found: list[str] = []
        for line in lines:
            address, *names = line.partition("#")[0].lower().split() or [""]
            if name in names and is_address(address):
                found += [address] if ip_address(address).version == self._version else []
        return found

    async def _ask(self, name: str, kind: dns.rdatatype.RdataType) -> Sequence[dns.rdata.Rdata]:
        # RFC 6761 6.4: what ends in "invalid" is known not to exist.
        if self._servers is None or name.lower().rstrip(".").endswith(".invalid"):
            return []
        try:
            # Only a short name such as ``pbx1`` is one of the local domain.
            answer = await self._servers.resolve(name, kind, search="." not in name)
        except (dns.exception.DNSException, OSError, ValueError) as fault:
            log.debug("%s %s: %s", name, kind.name, fault)
            return []
        return list(answer)
