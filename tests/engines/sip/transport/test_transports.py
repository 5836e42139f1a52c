"""Whole calls over every transport: connections, certificates, servers found, floods."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv6Address
from pathlib import Path

import pytest
import sipmessage
import trustme

from callwright.config import SipSettings
from callwright.engines.media.media import MediaEngine
from callwright.engines.network import Trunk
from callwright.engines.port import (
    Address,
    Cause,
    EngineEvent,
    LegConnected,
    LegId,
    LegReleased,
    LegRinging,
)
from callwright.engines.simulated.far_end import Act, Answers, HangsUp, Rings
from callwright.engines.sip.engine import SipEngine
from callwright.engines.sip.transaction import layer
from callwright.engines.sip.transport.resolver import Resolver
from tests.autojump import jumping
from tests.engines.media.engines import rtp_engine
from tests.engines.sip.media import RememberingMedia, ids
from tests.engines.sip.phone import Phone
from tests.engines.sip.places import needs_ipv6
from tests.engines.sip.stream_phone import StreamPhone
from tests.engines.sip.transport.test_resolver import name_server
from tests.engines.sip.wire.torture import VALID, wire
from tests.waiting import WITHIN

pytestmark = pytest.mark.anyio

A = LegId(1)
CALLER = "74993720692"
RINGS_AND_ANSWERS: Sequence[tuple[float, Act]] = [(0, Rings()), (0, Answers())]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Desk:
    """An engine that runs, and what it has told."""

    def __init__(
        self, settings: SipSettings, media: MediaEngine, resolver: Resolver | None
    ) -> None:
        self.engine = SipEngine(settings, media, next_leg=ids(), resolver=resolver)
        self.events: list[EngineEvent] = []
        self._more = asyncio.Event()

    def deliver(self, event: EngineEvent) -> None:
        self.events.append(event)
        self._more.set()

    async def told(self, wanted: type[EngineEvent]) -> EngineEvent:
        async with asyncio.timeout(WITHIN):
            while True:
                for event in self.events:
                    if isinstance(event, wanted):
                        return event
                self._more.clear()
                await self._more.wait()


@asynccontextmanager
async def running(
    settings: SipSettings | None = None,
    *,
    media: MediaEngine | None = None,
    resolver: Resolver | None = None,
) -> AsyncIterator[Desk]:
    desk = Desk(settings or SipSettings(port=0), media or RememberingMedia(), resolver)
    ready = asyncio.Event()
    run = asyncio.create_task(desk.engine.run(desk.deliver, started=ready.set))
    await ready.wait()
    try:
        yield desk
    finally:
        run.cancel()
        await asyncio.wait({run})


def to(phone: Phone) -> Address:
    return Address("25", phone=phone.uri)


async def test_a_call_over_tcp_keeps_to_its_connection() -> None:
    async with StreamPhone(RINGS_AND_ANSWERS) as phone, running() as desk:
        desk.engine.ring(A, to(phone), caller_id=CALLER)
        await desk.told(LegConnected)
        invite = await phone.got("INVITE")
        host, port = desk.engine.address
        assert str(invite.via[0]).startswith(f"SIP/2.0/TCP {host}:{port};")
        assert str(invite.contact[0].uri) == f"sip:callwright@{host}:{port};transport=tcp"
        await phone.got("ACK")
        desk.engine.hang_up(A)
        await phone.got("BYE")
        assert len(phone.connections) == 1


async def test_a_far_end_hangs_up_over_a_connection_of_its_own() -> None:
    acts = [*RINGS_AND_ANSWERS, (0.1, HangsUp())]
    async with StreamPhone(acts) as phone, running() as desk:
        desk.engine.ring(A, to(phone), caller_id=CALLER)
        await desk.told(LegConnected)
        await phone.got("ACK")
        phone.cut()
        await phone.connect(desk.engine.address)
        assert await desk.told(LegReleased) == LegReleased(A, Cause.HUNG_UP)


async def test_a_connection_lost_in_mid_call_is_made_again_for_the_bye() -> None:
    async with StreamPhone(RINGS_AND_ANSWERS) as phone, running() as desk:
        desk.engine.ring(A, to(phone), caller_id=CALLER)
        await desk.told(LegConnected)
        await phone.got("ACK")
        phone.cut()
        desk.engine.hang_up(A)
        await phone.got("BYE")
        assert len(phone.connections) == 2


async def test_a_transport_we_do_not_have_is_no_way() -> None:
    async with running() as desk:
        phone = "sip:25@127.0.0.1:5060;transport=sctp"
        desk.engine.ring(A, Address("25", phone=phone), caller_id=CALLER)
        ended = LegReleased(A, Cause.UNREACHABLE, "contact of the phone: transport")
        assert await desk.told(LegReleased) == ended


# TLS.


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def authority_file(authority: trustme.CA, tmp_path: Path) -> Path:
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return file


def shown(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


async def through(phone: Phone, desk: Desk, *, verify: bool = True, ca: Path | None = None) -> None:
    trunk = Trunk(
        "out", "localhost", phone.address[1], transport="tls", tls_verify=verify, tls_ca=ca
    )
    desk.engine.use_trunks([trunk])
    desk.engine.ring(A, Address("74950000000", trunk="out"), caller_id=CALLER)


async def test_a_trunk_over_tls_whose_certificate_is_believed(
    authority: trustme.CA, authority_file: Path
) -> None:
    certificate = shown(authority, "localhost")
    async with (
        StreamPhone(RINGS_AND_ANSWERS, certificate=certificate) as carrier,
        running() as desk,
    ):
        await through(carrier, desk, ca=authority_file)
        await desk.told(LegConnected)
        invite = await carrier.got("INVITE")
        assert invite.via[0].transport == "TLS"
        port = carrier.address[1]
        assert str(invite.uri) == f"sip:74950000000@localhost:{port};transport=tls"
        await carrier.got("ACK")
        # The far end's Contact is an address, which no certificate is for: what a new connection
        # is checked for is still the trunk's name.
        carrier.cut()
        desk.engine.hang_up(A)
        await carrier.got("BYE")
        assert len(carrier.connections) == 2


async def test_a_trunk_over_tls_with_the_certificate_of_another(
    authority: trustme.CA, authority_file: Path
) -> None:
    certificate = shown(authority, "other.example")
    async with (
        StreamPhone(RINGS_AND_ANSWERS, certificate=certificate) as carrier,
        running() as desk,
    ):
        await through(carrier, desk, ca=authority_file)
        assert await desk.told(LegReleased) == LegReleased(A, Cause.UNREACHABLE, "cannot be sent")
        assert carrier.requests == []


async def test_a_trunk_over_tls_that_is_not_verified(authority: trustme.CA) -> None:
    certificate = shown(authority, "other.example")
    async with (
        StreamPhone(RINGS_AND_ANSWERS, certificate=certificate) as carrier,
        running() as desk,
    ):
        await through(carrier, desk, verify=False)
        await desk.told(LegConnected)


async def test_tls_is_served_with_a_certificate(
    authority: trustme.CA, authority_file: Path, tmp_path: Path
) -> None:
    file = tmp_path / "own.pem"
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(file))
    settings = SipSettings(port=0, tls_port=0, tls_certificate=file)
    context = ssl.create_default_context(cafile=str(authority_file))
    async with running(settings) as desk:
        assert desk.engine.tls_address is not None
        reader, writer = await asyncio.open_connection(
            *desk.engine.tls_address, ssl=context, server_hostname="localhost"
        )
        writer.write(wire(VALID["lwsdisp"]))
        async with asyncio.timeout(WITHIN):
            answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"SIP/2.0 200 OK\r\n")
        writer.close()


async def test_a_certificate_that_is_not_there_is_told() -> None:
    settings = SipSettings(port=0, tls_certificate=Path("/nowhere/cert.pem"))
    engine = SipEngine(settings, RememberingMedia(), next_leg=ids())
    with pytest.raises(FileNotFoundError):
        await engine.run(lambda event: None, started=lambda: None)


# IPv6.


class SixPhone(Phone):
    host = "::1"


class SixStreamPhone(StreamPhone):
    host = "::1"


@needs_ipv6
@pytest.mark.parametrize("kind", [SixPhone, SixStreamPhone])
async def test_a_call_over_ipv6(kind: type[Phone]) -> None:
    settings = SipSettings(host=IPv6Address("::1"), port=0)
    media = rtp_engine("::1")
    async with kind(RINGS_AND_ANSWERS) as phone, running(settings, media=media) as desk:
        desk.engine.ring(A, to(phone), caller_id=CALLER)
        await desk.told(LegConnected)
        invite = await phone.got("INVITE")
        assert invite.via[0].host == "[::1]"
        assert invite.from_address.uri.host == "[::1]"
        assert b"\r\nc=IN IP6 ::1\r\n" in invite.body
        async with asyncio.timeout(WITHIN):
            await phone.audio.heard.wait()
        desk.engine.hang_up(A)
        await phone.got("BYE")


# Servers.


@jumping
async def test_a_server_that_is_gone_is_left_for_the_next_at_once() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind(("127.0.0.1", 0))
        dead = gone.getsockname()[1]
    async with Phone(RINGS_AND_ANSWERS) as carrier:
        zone = {
            ("_sip._udp.carrier.example", "SRV"): [
                f"1 0 {dead} one.carrier.example.",
                f"2 0 {carrier.address[1]} one.carrier.example.",
            ],
            ("one.carrier.example", "A"): ["127.0.0.1"],
        }
        async with (
            name_server(zone) as (_, at),
            running(resolver=Resolver(name_servers=[at])) as desk,
        ):
            desk.engine.use_trunks([Trunk("out", "carrier.example")])
            desk.engine.ring(A, Address("7", trunk="out"), caller_id=CALLER)
            await desk.told(LegConnected)
            assert desk.events == [LegRinging(A), LegConnected(A)]
            invite = await carrier.got("INVITE")
            assert str(invite.uri) == "sip:7@carrier.example"


@jumping
async def test_a_server_that_is_silent_is_left_for_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(layer, "FAILOVER", 0.2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        async with Phone(RINGS_AND_ANSWERS) as carrier:
            zone = {
                ("_sip._udp.carrier.example", "SRV"): [
                    f"1 0 {silent.getsockname()[1]} one.carrier.example.",
                    f"2 0 {carrier.address[1]} one.carrier.example.",
                ],
                ("one.carrier.example", "A"): ["127.0.0.1"],
            }
            resolver = Resolver(name_servers=[])
            async with name_server(zone) as (_, at):
                resolver = Resolver(name_servers=[at])
                async with running(resolver=resolver) as desk:
                    desk.engine.use_trunks([Trunk("out", "carrier.example")])
                    desk.engine.ring(A, Address("7", trunk="out"), caller_id=CALLER)
                    await desk.told(LegConnected)
                    assert desk.events == [LegRinging(A), LegConnected(A)]
        assert silent.recv(2000).startswith(b"INVITE sip:7@carrier.example SIP/2.0\r\n")


@jumping
async def test_a_phone_that_is_gone_is_noticed_at_once() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind(("127.0.0.1", 0))
        uri = f"sip:25@127.0.0.1:{gone.getsockname()[1]}"
    async with running() as desk:
        rung = asyncio.get_running_loop().time()
        desk.engine.ring(A, Address("25", phone=uri), caller_id=CALLER)
        assert await desk.told(LegReleased) == LegReleased(A, Cause.UNREACHABLE, "cannot be sent")
        # Without ICMP it would be tried for 32 seconds.
        assert asyncio.get_running_loop().time() - rung < 0.1


# Floods.


@jumping
async def test_a_flood_from_one_source_leaves_another_served() -> None:
    options = wire(VALID["lwsdisp"]).replace(b"OPTIONS\r\n", b"OPTIONS\r\nX: y\r\n")
    async with running(SipSettings(port=0, requests_per_source=1)) as desk:
        loop = asyncio.get_running_loop()
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as honest,
        ):
            for one, host in ((flood, "127.0.0.1"), (honest, "127.0.0.2")):
                one.bind((host, 0))
                one.setblocking(False)
            for number in range(300):
                flood.sendto(options.replace(b": 60 ", b": %d " % number), desk.engine.address)
            rport = options.replace(b";branch", b";rport;branch")
            honest.sendto(rport, desk.engine.address)
            async with asyncio.timeout(WITHIN):
                answer = sipmessage.Message.parse(await loop.sock_recv(honest, 2000))
            assert isinstance(answer, sipmessage.Response)
            assert answer.code == 200
            assert desk.engine.dropped["too many requests from one source"] == 295
