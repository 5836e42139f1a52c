"""TLS on real sockets, with an authority of the test's own."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from callwright.engines.sip.transport import connection_places
from callwright.engines.sip.transport.datagram import Datagram
from callwright.engines.sip.transport.stream import StreamTransport
from callwright.engines.sip.transport.tls import (
    Distrusted,
    check_name,
    client_context,
    server_context,
)
from callwright.engines.sip.wire.hop import Hop, Transport, Trust
from tests.engines.sip.wire.torture import VALID, wire
from tests.waiting import WITHIN

pytestmark = pytest.mark.anyio

OPTIONS = wire(VALID["lwsdisp"])


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def authority_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return file


def certificate(authority: trustme.CA, folder: Path, *names: str) -> Path:
    file = folder / "server.pem"
    authority.issue_cert(*names).private_key_and_cert_chain_pem.write_to_path(str(file))
    return file


class Ear:
    def __init__(self, server: ssl.SSLContext | None) -> None:
        self.got: list[tuple[bytes, Hop]] = []
        self.unsent: list[Datagram] = []
        self._more = asyncio.Event()
        self.transport = StreamTransport(
            Transport.TLS,
            "127.0.0.1",
            None if server is None else 0,
            server=server,
            received=self._received,
            unsent=self._failed,
        )

    def _received(self, batch: list[tuple[bytes, Hop]]) -> None:
        self.got += batch
        self._more.set()

    def _failed(self, datagrams: list[Datagram]) -> None:
        self.unsent += datagrams
        self._more.set()

    async def told(self) -> None:
        async with asyncio.timeout(WITHIN):
            await self._more.wait()
        self._more.clear()


@asynccontextmanager
async def two(file: Path) -> AsyncIterator[tuple[Ear, Ear, int]]:
    """A server with a certificate, a client, and the server's port."""
    server, client = Ear(server_context(file, None)), Ear(None)
    assert server.transport.address is not None
    try:
        yield server, client, server.transport.address[1]
    finally:
        server.transport.close()
        client.transport.close()


def hop(port: int, name: str, trust: Trust) -> Hop:
    return Hop("127.0.0.1", port, Transport.TLS, name, trust)


async def test_a_good_certificate_for_the_name_is_believed(
    authority: trustme.CA, authority_file: Path, tmp_path: Path
) -> None:
    file = certificate(authority, tmp_path, "sip.carrier.example")
    async with two(file) as (server, client, port):
        client.transport.send(
            Datagram(OPTIONS, hop(port, "sip.carrier.example", Trust(ca=authority_file)))
        )
        await server.told()
        data, source = server.got[0]
        assert data == OPTIONS
        assert source.transport is Transport.TLS
        server.transport.send(Datagram(OPTIONS, source))
        await client.told()
        assert client.got[0][0] == OPTIONS


async def test_a_certificate_for_another_name_is_refused_before_a_word_is_said(
    authority: trustme.CA,
    authority_file: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    file = certificate(authority, tmp_path, "sip.other.example")
    async with two(file) as (server, client, port):
        lost = Datagram(OPTIONS, hop(port, "sip.carrier.example", Trust(ca=authority_file)))
        client.transport.send(lost)
        await client.told()
        assert client.unsent == [lost]
        assert server.got == []
        assert "the certificate is not for sip.carrier.example" in caplog.text


async def test_a_handshake_that_does_not_come_to_its_end_gives_way(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_places, "AT_MOST", 2)
    async with two(certificate(authority, tmp_path, "sip.carrier.example")) as (server, _, port):
        silent, writer = await asyncio.open_connection("127.0.0.1", port)
        _, other = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(WITHIN):
            assert await silent.read() == b""
        assert server.transport.connections == 1
        for one in (writer, other):
            one.close()


async def test_an_unknown_authority_is_refused(authority: trustme.CA, tmp_path: Path) -> None:
    file = certificate(authority, tmp_path, "sip.carrier.example")
    async with two(file) as (server, client, port):
        client.transport.send(Datagram(OPTIONS, hop(port, "sip.carrier.example", Trust())))
        await client.told()
        assert len(client.unsent) == 1
        assert server.got == []


async def test_without_verification_any_certificate_will_do(
    authority: trustme.CA, tmp_path: Path
) -> None:
    file = certificate(authority, tmp_path, "sip.other.example")
    async with two(file) as (server, client, port):
        trust = Trust(verify=False)
        client.transport.send(Datagram(OPTIONS, hop(port, "sip.carrier.example", trust)))
        await server.told()
        assert server.got[0][0] == OPTIONS


async def test_what_is_not_verified_is_not_shared_with_what_is(
    authority: trustme.CA, authority_file: Path, tmp_path: Path
) -> None:
    file = certificate(authority, tmp_path, "sip.other.example")
    async with two(file) as (server, client, port):
        careless = hop(port, "sip.carrier.example", Trust(verify=False))
        client.transport.send(Datagram(OPTIONS, careless))
        await server.told()
        careful = hop(port, "sip.carrier.example", Trust(ca=authority_file))
        client.transport.send(Datagram(OPTIONS, careful))
        await client.told()
        assert len(server.got) == 1
        assert len(client.unsent) == 1


async def test_who_speaks_no_tls_is_not_answered(authority: trustme.CA, tmp_path: Path) -> None:
    file = certificate(authority, tmp_path, "sip.carrier.example")
    async with two(file) as (server, _, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(OPTIONS)
        async with asyncio.timeout(WITHIN):
            try:
                answer = await reader.read()
            except ConnectionResetError:
                answer = b""
        assert b"SIP" not in answer
        assert server.got == []
        writer.close()


def test_old_protocols_are_not_spoken() -> None:
    assert client_context(Trust()).minimum_version is ssl.TLSVersion.TLSv1_2


def names(*given: tuple[str, str]) -> dict[str, object]:
    return {"subjectAltName": given}


@pytest.mark.parametrize(
    ("certificate", "wanted"),
    [
        (names(("DNS", "sip.example.com")), "sip.example.com"),
        (names(("DNS", "SIP.Example.COM")), "sip.example.com."),
        (names(("DNS", "a.example"), ("DNS", "sip.example.com")), "sip.example.com"),
        (names(("URI", "sip:example.com"), ("DNS", "host.example.com")), "example.com"),
        (names(("URI", "https://example.com/"), ("DNS", "example.com")), "example.com"),
        (names(("DNS", "*.example.com")), "sip.example.com"),
        (names(("IP Address", "192.0.2.1")), "192.0.2.1"),
        (names(("IP Address", "2001:DB8:0:0:0:0:0:1")), "2001:db8::1"),
    ],
)
def test_names_that_are_the_one(certificate: dict[str, object], wanted: str) -> None:
    check_name(certificate, wanted)


@pytest.mark.parametrize(
    ("certificate", "wanted"),
    [
        (None, "example.com"),
        ({}, "example.com"),
        ({"subject": ((("commonName", "example.com"),),)}, "example.com"),
        (names(("DNS", "example.com")), "sip.example.com"),
        (names(("DNS", "sip.example.com")), "example.com"),
        # RFC 5922 7.1: where there are SIP URIs, they alone count.
        (names(("URI", "sip:other.com"), ("DNS", "example.com")), "example.com"),
        (names(("URI", "sip:user@example.com")), "example.com"),
        (names(("DNS", "*.example.com")), "example.com"),
        (names(("DNS", "*.example.com")), "a.b.example.com"),
        (names(("DNS", "*.com")), "example.com"),
        (names(("DNS", "*")), "example"),
        (names(("DNS", "192.0.2.1")), "192.0.2.1"),
        (names(("IP Address", "192.0.2.2")), "192.0.2.1"),
        (names(("IP Address", "nonsense")), "192.0.2.1"),
    ],
)
def test_names_that_are_not(certificate: dict[str, object] | None, wanted: str) -> None:
    with pytest.raises(Distrusted):
        check_name(certificate, wanted)
