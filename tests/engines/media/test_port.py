import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import pytest

from callwright.descriptors import left_by_calls
from callwright.engines.media.media import NoPorts
from callwright.engines.media.port import LARGEST, Port, Ports, Watch
from tests.rtp_ports import HOST, free_range


@pytest.fixture
def held() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def take(ports: Ports, held: ExitStack) -> Port:
    port = ports.take()
    held.callback(port.rtp.close)
    held.callback(port.rtcp.close)
    return port


def test_a_leg_gets_an_even_port_and_the_next(held: ExitStack) -> None:
    port = take(Ports(HOST, free_range(2)), held)
    assert port.number % 2 == 0
    assert port.rtp.getsockname() == (HOST, port.number)
    assert port.rtcp.getsockname() == (HOST, port.number + 1)


def test_ports_run_out_and_a_freed_one_is_used_last(held: ExitStack) -> None:
    first, last = free_range(3)
    ports = Ports(HOST, (first, last))
    taken = [take(ports, held) for _ in range(3)]
    assert sorted(port.number for port in taken) == [first, first + 2, first + 4]
    with pytest.raises(NoPorts, match="rtp_ports"):
        ports.take()
    ports.free(taken[1])
    ports.free(taken[0])
    assert take(ports, held).number == taken[1].number
    assert take(ports, held).number == taken[0].number


def test_a_freed_port_rests_while_there_are_others(held: ExitStack) -> None:
    ports = Ports(HOST, free_range(3))
    numbers = []
    for _ in range(6):
        port = take(ports, held)
        numbers.append(port.number)
        ports.free(port)
    assert len(set(numbers[:3])) == 3
    assert numbers[3:] == numbers[:3]


@pytest.mark.parametrize("which", [0, 1])
def test_ports_of_others_are_passed_over(held: ExitStack, which: int) -> None:
    first, last = free_range(2)
    other = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    other.bind((HOST, first + which))
    ports = Ports(HOST, (first, last))
    assert take(ports, held).number == first + 2
    with pytest.raises(NoPorts):
        ports.take()
    other.close()
    assert take(ports, held).number == first


@pytest.mark.parametrize("ports", [(5000, 5000), (5001, 5002), (6000, 5000)])
def test_a_range_without_a_pair_is_refused(ports: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="rtp_ports"):
        Ports(HOST, ports)


def test_all_sockets_are_watched_by_one_descriptor(held: ExitStack) -> None:
    watch = Watch()
    held.callback(watch.close)
    ports = Ports(HOST, free_range(2))
    came: list[tuple[str, bytes, tuple[str, int], float]] = []
    one, other = take(ports, held), take(ports, held)

    def note(name: str, size: int, source: tuple[str, int], now: float) -> None:
        came.append((name, bytes(watch.buffer[:size]), source, now))

    for name, port in (("one", one), ("other", other)):
        watch.add(port, partial(note, name), partial(note, f"{name} rtcp"))
    assert watch.take(1.0) == 0
    one.send_rtp(b"speech", (HOST, other.number))
    one.send_rtcp(b"report", (HOST, other.number + 1))
    assert watch.take(2.0) == 2
    assert sorted(came) == [
        ("other", b"speech", (HOST, one.number), 2.0),
        ("other rtcp", b"report", (HOST, one.number + 1), 2.0),
    ]
    one.send_rtp(bytes(5000), (HOST, other.number))
    watch.take(3.0)
    assert len(came[-1][1]) == LARGEST
    watch.remove(other)
    one.send_rtp(b"late", (HOST, other.number))
    assert watch.take(4.0) == 0


def test_a_port_that_is_held_takes_packets_of_one_far_end_alone(held: ExitStack) -> None:
    watch = Watch()
    held.callback(watch.close)
    ports = Ports(HOST, free_range(3))
    came: list[tuple[bytes, tuple[str, int]]] = []
    port, far, stranger = (take(ports, held) for _ in range(3))
    at = (HOST, port.number)

    def note(size: int, source: tuple[str, int], now: float) -> None:
        came.append((bytes(watch.buffer[:size]), source))

    watch.add(port, note, note)
    stranger.send_rtp(b"before", at)
    watch.hold(port, (HOST, far.number), 1.0)
    assert came == [(b"before", (HOST, stranger.number))]
    stranger.send_rtp(b"meanwhile", at)
    far.send_rtp(b"speech", at)
    while watch.take(2.0):
        pass
    assert came[1:] == [(b"speech", (HOST, far.number))]
    port.send_rtp(b"answer", (HOST, far.number))
    assert far.rtp.recvfrom(100) == (b"answer", at)
    watch.hold(port, None, 3.0)
    assert port.rtp.getsockname() == at
    stranger.send_rtp(b"after", at)
    assert watch.take(4.0) == 1
    assert came[2:] == [(b"after", (HOST, stranger.number))]


def test_a_packet_is_sent_although_an_earlier_one_was_refused(held: ExitStack) -> None:
    ports = Ports(HOST, free_range(2))
    port, far = take(ports, held), take(ports, held)
    at = (HOST, far.number)
    assert port.hold(at)
    far.rtp.close()
    port.send_rtp(b"refused", at)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as back:
        back.bind(at)
        back.setblocking(False)
        port.send_rtp(b"heard", at)
        assert back.recv(100) == b"heard"


def test_where_packets_may_come_to_any_address_no_port_is_held(held: ExitStack) -> None:
    port = take(Ports("0.0.0.0", free_range(1)), held)
    assert not port.hold((HOST, 9))


def test_a_packet_that_cannot_be_sent_is_lost_and_told_once(
    held: ExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    port = take(Ports(HOST, free_range(1)), held)
    for _ in range(3):
        port.send_rtp(bytes(100_000), (HOST, 9))
    port.send_rtcp(bytes(100_000), (HOST, 9))
    assert caplog.text.count("packets cannot be sent") == 1


def test_calls_leave_some_descriptors_to_the_rest(held: ExitStack) -> None:
    # The lowest four that are free need not follow each other.
    with ExitStack() as lowest:
        last = max(lowest.enter_context(socket.socket()).fileno() for _ in range(4))
    ports = Ports(HOST, free_range(4), descriptors=last + 1 + left_by_calls(0))
    taken = [take(ports, held) for _ in range(2)]
    with pytest.raises(NoPorts, match="open files"):
        ports.take()
    ports.free(taken[0])
    assert take(ports, held).number not in {port.number for port in taken}


def test_without_a_descriptor_not_every_port_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []

    def no_more(*words: object) -> socket.socket:
        tried.append(words)
        raise OSError(errno.EMFILE, "Too many open files")

    ports = Ports(HOST, free_range(3))
    monkeypatch.setattr(socket, "socket", no_more)
    with pytest.raises(NoPorts, match="Too many open files"):
        ports.take()
    assert len(tried) == 1
