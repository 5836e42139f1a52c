"""The UDP transport on real sockets: names, sizes, and many datagrams at once."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from callwright.engines.sip.hop import Hop
from callwright.engines.sip.layer import Datagram
from callwright.engines.sip.transport import BATCH, NAMES_AT_MOST, WAITING_AT_MOST, UdpTransport

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        one.settimeout(5)
        yield one


class Ear:
    """A transport, and what it has said."""

    def __init__(self) -> None:
        self.batches: list[list[tuple[bytes, Hop]]] = []
        self.unsent: list[Datagram] = []
        self._more = asyncio.Event()
        self.transport = UdpTransport("127.0.0.1", 0, received=self._received, unsent=self._failed)

    def _received(self, batch: list[tuple[bytes, Hop]]) -> None:
        self.batches.append(batch)
        self._more.set()

    def _failed(self, datagrams: list[Datagram]) -> None:
        self.unsent += datagrams
        self._more.set()

    async def more(self) -> None:
        async with asyncio.timeout(5):
            await self._more.wait()
        self._more.clear()


async def test_many_datagrams_are_read_a_batch_at_a_time(peer: socket.socket) -> None:
    ear = Ear()
    for number in range(BATCH + 3):
        peer.sendto(str(number).encode(), ear.transport.address)
    while sum(map(len, ear.batches)) < BATCH + 3:
        await ear.more()
    assert [len(batch) for batch in ear.batches] == [BATCH, 3]
    assert ear.batches[1][2] == (str(BATCH + 2).encode(), Hop(*peer.getsockname()))
    ear.transport.close()


async def test_whatever_waits_for_a_name_is_sent_when_it_is_known(peer: socket.socket) -> None:
    ear = Ear()
    hop = Hop("localhost", peer.getsockname()[1])
    for data in (b"one", b"two"):
        ear.transport.send(Datagram(data, hop))
    loop = asyncio.get_running_loop()
    assert [await loop.run_in_executor(None, peer.recv, 10) for _ in range(2)] == [b"one", b"two"]
    ear.transport.send(Datagram(b"three", hop))
    assert peer.recv(10) == b"three"
    ear.transport.close()


async def test_what_cannot_be_sent_is_said_later() -> None:
    ear = Ear()
    nowhere = Datagram(b"x", Hop("no-such-host.invalid", 5060))
    too_long = Datagram(b"x" * 70000, Hop("127.0.0.1", 9))
    strange = Datagram(b"x", Hop("." * 70, 5060))
    for datagram in (nowhere, too_long, strange):
        ear.transport.send(datagram)
    assert ear.unsent == []
    while len(ear.unsent) < 3:
        await ear.more()
    assert {id(one) for one in ear.unsent} == {id(nowhere), id(too_long), id(strange)}
    ear.transport.close()


async def test_names_without_end_are_bounded() -> None:
    ear = Ear()
    for _ in range(WAITING_AT_MOST + 5):
        ear.transport.send(Datagram(b"x", Hop("localhost", 9)))
    for number in range(NAMES_AT_MOST + 6):
        ear.transport.send(Datagram(b"x", Hop(f"{number}.invalid", 9)))
    assert ear.transport.dropped == {"too many waiting for a name": 5, "too many names": 7}
    ear.transport.close()
