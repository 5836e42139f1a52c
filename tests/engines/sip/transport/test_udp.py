"""The UDP transport on real sockets: sizes, many datagrams at once, and what ICMP says."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from callwright.engines.sip.transport.datagram import Datagram
from callwright.engines.sip.transport.udp import BATCH, UdpTransport
from callwright.engines.sip.wire.hop import Hop
from callwright.engines.sip.wire.message import MAX_MESSAGE
from tests.engines.sip.places import HOSTS, Host
from tests.waiting import WITHIN

pytestmark = pytest.mark.anyio


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest) -> str:
    chosen: Host = request.param
    return chosen


@pytest.fixture
def peer(host: str) -> Iterator[socket.socket]:
    with bound(host) as one:
        yield one


def bound(host: str) -> socket.socket:
    one = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    one.bind((host, 0))
    one.settimeout(WITHIN)
    return one


class Ear:
    """A transport, and what it has said."""

    def __init__(self, host: str) -> None:
        self.batches: list[list[tuple[bytes, Hop]]] = []
        self.unsent: list[Datagram] = []
        self.returned: list[tuple[bytes, Hop]] = []
        self._more = asyncio.Event()
        self.transport = UdpTransport(
            host, 0, received=self._received, unsent=self._failed, returned=self._came_back
        )

    def _received(self, batch: list[tuple[bytes, Hop]]) -> None:
        self.batches.append(batch)
        self._more.set()

    def _failed(self, datagrams: list[Datagram]) -> None:
        self.unsent += datagrams
        self._more.set()

    def _came_back(self, data: bytes, hop: Hop) -> None:
        self.returned.append((data, hop))
        self._more.set()

    async def more(self) -> None:
        async with asyncio.timeout(WITHIN):
            await self._more.wait()
        self._more.clear()


async def test_many_datagrams_are_read_a_batch_at_a_time(host: str, peer: socket.socket) -> None:
    ear = Ear(host)
    for number in range(2 * BATCH + 1):
        peer.sendto(str(number).encode(), ear.transport.address)
    while sum(map(len, ear.batches)) < 2 * BATCH + 1:
        await ear.more()
    assert [len(batch) for batch in ear.batches] == [BATCH, BATCH, 1]
    assert ear.batches[2][0] == (str(2 * BATCH).encode(), Hop(*peer.getsockname()[:2]))
    ear.transport.close()


async def test_a_datagram_goes_where_its_hop_says(host: str, peer: socket.socket) -> None:
    ear = Ear(host)
    ear.transport.send(Datagram(b"one", Hop(*peer.getsockname()[:2])))
    assert peer.recv(10) == b"one"
    ear.transport.close()


async def test_the_largest_datagram_is_one_message() -> None:
    ear = Ear("127.0.0.1")
    with bound("127.0.0.1") as peer:
        peer.sendto(b"x" * 65507, ear.transport.address)  # IP holds no more
        await ear.more()
    assert len(ear.batches[0][0][0]) == 65507 < MAX_MESSAGE
    ear.transport.close()


async def test_what_cannot_be_sent_is_said_later(host: str) -> None:
    ear = Ear(host)
    too_long = Datagram(b"x" * 70000, Hop(host, 9))
    other_version = Datagram(b"x", Hop("127.0.0.1" if ":" in host else "::1", 9))
    for datagram in (too_long, other_version):
        ear.transport.send(datagram)
    assert ear.unsent == []
    while len(ear.unsent) < 2:
        await ear.more()
    assert [id(one) for one in ear.unsent] == [id(too_long), id(other_version)]
    ear.transport.close()


async def test_what_comes_back_by_icmp_is_told_with_its_destination(host: str) -> None:
    ear = Ear(host)
    with bound(host) as gone:
        nobody = Hop(*gone.getsockname()[:2])
    ear.transport.send(Datagram(b"is anybody there", nobody))
    await ear.more()
    assert ear.returned == [(b"is anybody there", nobody)]
    assert ear.unsent == []
    ear.transport.close()


async def test_an_icmp_error_is_not_blamed_on_the_next_datagram(
    host: str, peer: socket.socket
) -> None:
    ear = Ear(host)
    with bound(host) as gone:
        nobody = Hop(*gone.getsockname()[:2])
    # On loopback the error is there before the next call: the kernel reports it on that.
    ear.transport.send(Datagram(b"lost", nobody))
    ear.transport.send(Datagram(b"arrives", Hop(*peer.getsockname()[:2])))
    assert peer.recv(10) == b"arrives"
    while not ear.returned:
        await ear.more()
    assert ear.returned == [(b"lost", nobody)]
    assert ear.unsent == []
    ear.transport.close()
