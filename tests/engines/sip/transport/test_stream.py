"""Connections on real sockets: reuse, limits, keep-alive, and far ends that misbehave."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from callwright.engines.sip.transaction.layer import TransactionLayer
from callwright.engines.sip.transaction.transactions import Timing
from callwright.engines.sip.transport import connection_places, stream
from callwright.engines.sip.transport.connection_places import (
    NO_PEERS,
    PER_SOURCE_AT_MOST,
    KnownPeers,
    NoPeers,
)
from callwright.engines.sip.transport.datagram import Datagram
from callwright.engines.sip.transport.stream import WAITING_AT_MOST, StreamTransport
from callwright.engines.sip.wire.hop import Hop, Transport
from callwright.engines.sip.wire.message import SipRequest
from tests.autojump import jumping
from tests.engines.sip.places import HOSTS
from tests.engines.sip.wire.torture import VALID, wire
from tests.waiting import WITHIN

pytestmark = pytest.mark.anyio

OPTIONS = wire(VALID["lwsdisp"])


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Ear:
    """A transport, and what it has said."""

    def __init__(self, host: str = "127.0.0.1", peers: KnownPeers = NO_PEERS) -> None:
        self.got: list[tuple[bytes, Hop]] = []
        self.unsent: list[Datagram] = []
        self._more = asyncio.Event()
        self.transport = StreamTransport(
            Transport.TCP, host, 0, received=self._received, unsent=self._failed, peers=peers
        )
        assert self.transport.address is not None
        self.address = self.transport.address

    def _received(self, batch: list[tuple[bytes, Hop]]) -> None:
        self.got += batch
        self._more.set()

    def _failed(self, datagrams: list[Datagram]) -> None:
        self.unsent += datagrams
        self._more.set()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for something that comes with an event of the transport, or without one."""
        async with asyncio.timeout(WITHIN):
            while not true():
                self._more.clear()
                try:
                    await asyncio.wait_for(self._more.wait(), 0.02)
                except TimeoutError:
                    continue


@asynccontextmanager
async def listening(host: str = "127.0.0.1", peers: KnownPeers = NO_PEERS) -> AsyncIterator[Ear]:
    ear = Ear(host, peers)
    try:
        yield ear
    finally:
        ear.transport.close()


class Peer:
    """A server that keeps what it is sent, and its connections to do with as the test likes."""

    def __init__(self) -> None:
        self.connections: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.came = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append((reader, writer))
        self.came.set()

    async def connection(self, number: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with asyncio.timeout(WITHIN):
            while len(self.connections) <= number:
                self.came.clear()
                await self.came.wait()
        return self.connections[number]


@asynccontextmanager
async def peer(host: str = "127.0.0.1") -> AsyncIterator[tuple[Peer, Hop]]:
    one = Peer()
    server = await asyncio.start_server(one, host, 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield one, Hop(host, port, Transport.TCP)
    finally:
        server.close()
        for _, writer in one.connections:
            writer.close()


async def connect(
    ear: Ear,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(*ear.address)


async def read(reader: asyncio.StreamReader, size: int) -> bytes:
    async with asyncio.timeout(WITHIN):
        return await reader.readexactly(size)


async def closed(reader: asyncio.StreamReader) -> None:
    async with asyncio.timeout(WITHIN):
        with suppress(ConnectionResetError):
            assert await reader.read(1) == b""


@pytest.mark.parametrize("host", HOSTS)
async def test_what_goes_to_the_same_place_shares_a_connection(host: str) -> None:
    async with listening(host) as ear, peer(host) as (far, hop):
        for data in (b"one", b"two"):
            ear.transport.send(Datagram(data, hop))
        reader, _ = await far.connection(0)
        assert await read(reader, 6) == b"onetwo"
        ear.transport.send(Datagram(b"three", replace(hop, flow=77)))
        assert await read(reader, 5) == b"three"
        assert len(far.connections) == 1


async def test_another_trust_or_name_needs_another_connection() -> None:
    async with listening() as ear, peer() as (far, hop):
        ear.transport.send(Datagram(b"one", hop))
        ear.transport.send(Datagram(b"two", replace(hop, name="carrier.example")))
        for number in range(2):
            reader, _ = await far.connection(number)
            assert await read(reader, 3) in (b"one", b"two")


async def test_a_response_goes_back_over_the_connection_of_its_request() -> None:
    async with listening() as ear:
        reader, writer = await connect(ear)
        writer.write(OPTIONS)
        await ear.until(lambda: bool(ear.got))
        data, source = ear.got[0]
        assert data == OPTIONS
        assert source.place == writer.get_extra_info("sockname")
        # Via names a port of the sender's that it listens at, or does not: while it is up, the
        # connection goes before it (RFC 3261 18.2.2).
        ear.transport.send(Datagram(b"answer", replace(source, port=1)))
        assert await read(reader, 6) == b"answer"
        writer.close()


async def test_a_response_whose_connection_is_gone_goes_to_the_via() -> None:
    async with listening() as ear, peer() as (far, hop):
        _, writer = await connect(ear)
        writer.write(OPTIONS)
        await ear.until(lambda: bool(ear.got))
        source = ear.got[0][1]
        writer.close()
        await ear.until(lambda: ear.transport.connections == 0)
        ear.transport.send(Datagram(b"answer", replace(source, port=hop.port)))
        reader, _ = await far.connection(0)
        assert await read(reader, 6) == b"answer"


async def test_what_is_tied_to_a_connection_does_not_follow_it_to_a_stranger() -> None:
    async with listening() as ear, peer() as (far, hop), peer() as (other, elsewhere):
        ear.transport.send(Datagram(b"one", hop))
        (reader, writer) = await far.connection(0)
        writer.write(OPTIONS)
        await ear.until(lambda: bool(ear.got))
        flow = ear.got[0][1].flow
        # We have made the connection to one port: another one is another server.
        ear.transport.send(Datagram(b"two", replace(elsewhere, flow=flow)))
        reader, _ = await other.connection(0)
        assert await read(reader, 3) == b"two"


async def test_a_contact_behind_a_nat_is_reached_over_its_own_connection() -> None:
    async with listening() as ear:
        reader, writer = await connect(ear)
        writer.write(OPTIONS)
        await ear.until(lambda: bool(ear.got))
        behind = Hop("10.66.0.7", 5060, Transport.TCP, flow=ear.got[0][1].flow)
        ear.transport.send(Datagram(b"hello", behind))
        assert await read(reader, 5) == b"hello"
        writer.close()


async def test_a_ping_is_answered() -> None:
    async with listening() as ear:
        reader, writer = await connect(ear)
        writer.write(b"\r\n\r\n")
        assert await read(reader, 2) == b"\r\n"
        writer.write(OPTIONS)
        await ear.until(lambda: bool(ear.got))
        writer.close()


async def test_garbage_closes_the_stream() -> None:
    async with listening() as ear:
        reader, writer = await connect(ear)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await closed(reader)
        assert ear.transport.dropped == {"stream: no start line": 1}
        assert ear.got == []
        writer.close()


async def test_oversize_closes_the_stream() -> None:
    async with listening() as ear:
        reader, writer = await connect(ear)
        writer.write(OPTIONS.replace(b"l: 0", b"l: 70000"))
        await closed(reader)
        assert ear.transport.dropped == {"stream: oversize": 1}
        writer.close()


@jumping
async def test_a_message_that_does_not_end_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "MESSAGE_WITHIN", 0.2)
    monkeypatch.setattr(stream, "SWEEP", 0.05)
    async with listening() as ear:
        dripping, writer = await connect(ear)
        silent, other = await connect(ear)
        steady, good = await connect(ear)
        good.write(OPTIONS)

        async def drip() -> None:
            for byte in OPTIONS:
                writer.write(bytes([byte]))
                await asyncio.sleep(0.01)

        task = asyncio.create_task(drip())
        await closed(dripping)
        await closed(silent)
        task.cancel()
        assert ear.transport.dropped == {"stream: too slow or idle": 2}
        good.write(b"\r\n\r\n")
        assert await read(steady, 2) == b"\r\n"
        for one in (writer, other, good):
            one.close()


async def test_whoever_reads_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "UNREAD_AT_MOST", 1000)
    async with listening() as ear, peer() as (_, hop):
        for _ in range(400):
            ear.transport.send(Datagram(b"x" * 60000, hop))
            await asyncio.sleep(0)
            if ear.transport.dropped["stream: far end reads nothing"]:
                break
        await ear.until(lambda: ear.transport.connections == 0)
        assert ear.transport.dropped["stream: far end reads nothing"] >= 1


async def test_connections_of_one_source_are_limited() -> None:
    async with listening() as ear:
        taken = [await connect(ear) for _ in range(PER_SOURCE_AT_MOST)]
        await ear.until(lambda: ear.transport.connections == PER_SOURCE_AT_MOST)
        reader, writer = await connect(ear)
        await closed(reader)
        assert ear.transport.dropped == {"too many connections": 1}
        _, other = await asyncio.open_connection(*ear.address, local_addr=("127.0.0.2", 0))
        other.write(OPTIONS)
        await ear.until(lambda: bool(ear.got))
        taken[0][1].close()
        await ear.until(lambda: ear.transport.connections == PER_SOURCE_AT_MOST)
        _, again = await connect(ear)
        again.write(OPTIONS)
        await ear.until(lambda: len(ear.got) == 2)
        for _, one in [*taken, (reader, writer), (reader, other), (reader, again)]:
            one.close()


async def test_of_many_strangers_the_oldest_connection_gives_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection_places, "AT_MOST", 4)
    async with listening() as ear:
        (first, writer), *others = [await connect(ear) for _ in range(3)]
        await closed(first)
        await ear.until(lambda: ear.transport.connections == 2)
        others[-1][1].write(OPTIONS)
        await ear.until(lambda: bool(ear.got))
        for one in (writer, *(one for _, one in others)):
            one.close()


class Registered(NoPeers):
    """Whoever comes is a phone that has shown its password."""

    def __init__(self) -> None:
        self.gone: list[int | None] = []

    def has_proved(self, connection: Hop) -> bool:
        return True

    def forget(self, connection: Hop) -> None:
        self.gone.append(connection.flow)


async def test_a_phone_that_holds_every_place_makes_room_and_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection_places, "AT_MOST", 4)
    monkeypatch.setattr(connection_places, "PER_SOURCE_AT_MOST", 3)
    phones = Registered()
    async with listening(peers=phones) as ear:
        (first, writer), *others = [await connect(ear) for _ in range(4)]
        await ear.until(lambda: ear.transport.connections == 4)
        _, other = await asyncio.open_connection(*ear.address, local_addr=("127.0.0.2", 0))
        await closed(first)
        other.write(OPTIONS)
        await ear.until(lambda: bool(ear.got))
        assert phones.gone == [1]
        for one in (writer, other, *(one for _, one in others)):
            one.close()


async def test_nobody_there_is_told_later() -> None:
    with socket.socket() as gone:
        gone.bind(("127.0.0.1", 0))
        nobody = Hop("127.0.0.1", gone.getsockname()[1], Transport.TCP)
    async with listening() as ear:
        lost = [Datagram(b"x", nobody) for _ in range(WAITING_AT_MOST + 3)]
        for one in lost:
            ear.transport.send(one)
        assert ear.unsent == []
        await ear.until(lambda: bool(ear.unsent))
        assert list(map(id, ear.unsent)) == list(map(id, lost[:WAITING_AT_MOST]))
        assert ear.transport.dropped == {"too many waiting for a connection": 3}
        assert ear.transport.connections == 0


async def test_a_request_whose_connection_breaks_is_sent_once_more_and_then_unsent() -> None:
    layer = TransactionLayer(sent_by=lambda over: "127.0.0.1:5060", timing=Timing())
    async with listening() as ear, peer() as (far, hop):
        headers = {
            "call-id": ["c"],
            "cseq": ["1 INVITE"],
            "from": ["<sip:a@h>"],
            "to": ["<sip:b@h>"],
        }
        told: list[object] = []
        layer.request(
            SipRequest("INVITE", "sip:b@h", headers), hop, 0.0, lambda what, at: told.append(what)
        )
        ear.transport.send(layer.to_send.popleft())
        for number in range(2):
            reader, writer = await far.connection(number)
            assert await read(reader, 6) == b"INVITE"
            writer.transport.abort()
        await ear.until(lambda: bool(ear.unsent))
        layer.unsent(ear.unsent[0], 1.0)
        assert [str(one) for one in told] == ["Lost.UNSENT"]
