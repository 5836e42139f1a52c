"""Names against a name server of the test's own: SRV, addresses, time to live, silence."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from callwright.engines.sip.transport.resolver import ASK_WITHIN, AT_ONCE_AT_MOST, Resolver
from callwright.engines.sip.wire.hop import Hop, Transport

pytestmark = pytest.mark.anyio


class NameServer(asyncio.DatagramProtocol):
    """Answers from a zone; a question it has no answer for does not exist."""

    def __init__(self, zone: Mapping[tuple[str, str], list[str]], ttl: int) -> None:
        self.asked: list[tuple[str, str]] = []
        self.silent = False
        self._zone = zone
        self._ttl = ttl
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        (question,) = query.question
        name = question.name.to_text(omit_final_dot=True)
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        if self.silent:
            return
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        if found := self._zone.get((name, kind)):
            answer = dns.rrset.from_text_list(question.name, self._ttl, "IN", kind, found)
            response.answer.append(answer)
        elif all(known != name for known, _ in self._zone):
            response.set_rcode(dns.rcode.NXDOMAIN)
        self._transport.sendto(response.to_wire(), addr)


@asynccontextmanager
async def name_server(
    zone: Mapping[tuple[str, str], list[str]], *, ttl: int = 300
) -> AsyncIterator[tuple[NameServer, tuple[str, int]]]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        lambda: NameServer(zone, ttl), ("127.0.0.1", 0)
    )
    try:
        yield server, transport.get_extra_info("sockname")
    finally:
        transport.close()


def places(targets: list[Hop]) -> list[tuple[str, int]]:
    return [target.place for target in targets]


ZONE = {
    ("_sip._udp.carrier.example", "SRV"): [
        "20 0 5080 backup.carrier.example.",
        "10 0 5070 one.carrier.example.",
    ],
    ("one.carrier.example", "A"): ["192.0.2.1"],
    ("one.carrier.example", "AAAA"): ["2001:db8::1"],
    ("backup.carrier.example", "A"): ["192.0.2.2", "192.0.2.3"],
    ("carrier.example", "A"): ["192.0.2.9"],
    ("_sips._tcp.carrier.example", "SRV"): ["1 1 5071 one.carrier.example."],
    ("closed.example", "A"): ["192.0.2.10"],
    ("_sip._udp.closed.example", "SRV"): ["0 0 0 ."],
}


async def test_servers_come_by_priority_and_each_with_all_its_addresses() -> None:
    async with name_server(ZONE) as (_, at):
        found = await Resolver(name_servers=[at]).targets(Hop("carrier.example"))
        first, *others = places(found)
        assert first == ("192.0.2.1", 5070)
        # Name servers turn the addresses of a name around from answer to answer.
        assert sorted(others) == [("192.0.2.2", 5080), ("192.0.2.3", 5080)]
        assert {target.name for target in found} == {"carrier.example"}


async def test_each_transport_has_records_of_its_own() -> None:
    async with name_server(ZONE) as (server, at):
        resolver = Resolver(name_servers=[at])
        found = await resolver.targets(Hop("carrier.example", transport=Transport.TLS))
        assert places(found) == [("192.0.2.1", 5071)]
        found = await resolver.targets(Hop("carrier.example", transport=Transport.TCP))
        assert places(found) == [("192.0.2.9", 5060)]
        assert server.asked[-2:] == [
            ("_sip._tcp.carrier.example", "SRV"),
            ("carrier.example", "A"),
        ]


async def test_a_port_that_is_said_needs_no_records() -> None:
    async with name_server(ZONE) as (server, at):
        found = await Resolver(name_servers=[at]).targets(Hop("carrier.example", 5099))
        assert places(found) == [("192.0.2.9", 5099)]
        assert server.asked == [("carrier.example", "A")]


async def test_ipv6_has_its_own_addresses() -> None:
    async with name_server(ZONE) as (_, at):
        found = await Resolver(version=6, name_servers=[at]).targets(Hop("carrier.example"))
        assert places(found) == [("2001:db8::1", 5070)]


async def test_a_service_that_is_declared_absent_is_not_looked_for_elsewhere() -> None:
    async with name_server(ZONE) as (_, at):
        assert await Resolver(name_servers=[at]).targets(Hop("closed.example")) == []


async def test_weights_share_the_load() -> None:
    zone = {
        ("_sip._udp.c.example", "SRV"): [
            "1 90 1 h.example.",
            "1 10 2 h.example.",
            "1 0 3 h.example.",
        ],
        ("h.example", "A"): ["192.0.2.1"],
    }
    async with name_server(zone) as (_, at):
        resolver = Resolver(name_servers=[at], choose=random.Random(1))
        first = [(await resolver.targets(Hop("c.example")))[0].port for _ in range(1000)]
        assert first.count(1) == pytest.approx(900, abs=40)
        assert first.count(2) == pytest.approx(100, abs=40)
        found = await resolver.targets(Hop("c.example"))
        assert sorted(target.port or 0 for target in found) == [1, 2, 3]


async def test_an_answer_is_kept_for_as_long_as_it_lives() -> None:
    async with name_server(ZONE, ttl=300) as (server, at):
        resolver = Resolver(name_servers=[at])
        for _ in range(3):
            await resolver.targets(Hop("carrier.example", 5060))
        assert len(server.asked) == 1
    async with name_server(ZONE, ttl=0) as (server, at):
        resolver = Resolver(name_servers=[at])
        for _ in range(3):
            await resolver.targets(Hop("carrier.example", 5060))
        assert len(server.asked) == 3


async def test_many_who_ask_at_once_are_one_question() -> None:
    async with name_server(ZONE, ttl=0) as (server, at):
        resolver = Resolver(name_servers=[at])
        hops = [Hop("carrier.example", 5060)] * 50
        found = await asyncio.gather(*(resolver.targets(hop) for hop in hops))
        assert all(places(one) == [("192.0.2.9", 5060)] for one in found)
        assert len(server.asked) == 1


async def test_a_silent_name_server_is_not_waited_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What the resolver's library looks at beside the loop's clock.
    monkeypatch.setattr("time.time", asyncio.get_running_loop().time)
    async with name_server(ZONE) as (server, at):
        server.silent = True
        async with asyncio.timeout(ASK_WITHIN * 2 + 1):
            assert await Resolver(name_servers=[at]).targets(Hop("carrier.example", 5060)) == []


@pytest.mark.parametrize("host", ["no-such-host.invalid", "." * 70, "a" * 300, "missing.example"])
async def test_names_that_lead_nowhere(host: str) -> None:
    async with name_server(ZONE) as (_, at):
        assert await Resolver(name_servers=[at]).targets(Hop(host, 5060)) == []


async def test_too_many_names_at_once_lead_nowhere() -> None:
    async with name_server(ZONE) as (server, at):
        server.silent = True
        resolver = Resolver(name_servers=[at])
        asking = [
            asyncio.create_task(resolver.targets(Hop(f"{number}.example", 5060)))
            for number in range(AT_ONCE_AT_MOST)
        ]
        await asyncio.sleep(0)
        assert await resolver.targets(Hop("carrier.example", 5060)) == []
        assert resolver.dropped == {"too many names": 1}
        resolver.close()
        await asyncio.wait(asking)


async def test_names_of_this_machine_are_not_asked_for(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("192.0.2.7 pbx1 pbx # ours\n2001:db8::7 pbx1\n\n#192.0.2.8 x\nnonsense pbx1\n")
    async with name_server(ZONE) as (server, at):
        for version, localhost, pbx in ((4, "127.0.0.1", "192.0.2.7"), (6, "::1", "2001:db8::7")):
            resolver = Resolver(version=version, name_servers=[at], hosts=hosts)
            assert places(await resolver.targets(Hop("localhost", 5060))) == [(localhost, 5060)]
            assert places(await resolver.targets(Hop("PBX1", 5060))) == [(pbx, 5060)]
        assert server.asked == []
