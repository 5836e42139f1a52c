import pytest

from callwright.engines.media.latch import WITHIN_PACKETS, WITHIN_SECONDS, Latch, reachable

SDP = ("10.0.0.5", 4000)
NAT = ("198.51.100.7", 62000)
THIEF = ("203.0.113.66", 5555)


@pytest.fixture
def latch() -> Latch:
    latch = Latch()
    latch.signalled(SDP)
    return latch


def test_until_packets_come_the_address_of_sdp_is_used(latch: Latch) -> None:
    assert latch.far == SDP
    assert not latch.locked


def test_packets_from_the_address_of_sdp_lock_at_once(latch: Latch) -> None:
    assert latch.admits(SDP, 0.0)
    assert latch.locked
    assert not latch.admits(THIEF, 0.01)
    assert latch.far == SDP


def test_the_source_of_the_first_packets_replaces_it(latch: Latch) -> None:
    assert latch.admits(NAT, 0.0)
    assert latch.far == NAT


def test_it_may_change_only_within_the_first_packets(latch: Latch) -> None:
    for number in range(WITHIN_PACKETS):
        assert latch.admits((NAT[0], NAT[1] + number % 2), 0.02 * number)
    held = latch.far
    assert latch.locked
    assert not latch.admits(THIEF, 0.6)
    assert latch.far == held


def test_it_may_change_only_within_the_first_second(latch: Latch) -> None:
    assert latch.admits(NAT, 5.0)
    assert not latch.admits(THIEF, 5.0 + WITHIN_SECONDS)
    assert latch.locked
    assert latch.far == NAT
    assert latch.admits(NAT, 7.0)


def test_only_a_new_address_in_sdp_opens_it_again(latch: Latch) -> None:
    latch.admits(SDP, 0.0)
    latch.signalled(SDP)
    assert latch.locked
    latch.signalled(NAT)
    assert latch.far == NAT
    assert latch.admits(THIEF, 9.0)


@pytest.mark.parametrize(
    "remote",
    [
        ("0.0.0.0", 4000),
        ("239.1.1.1", 4000),
        ("255.255.255.255", 9),
        ("sip.example.org", 4000),
        ("", 1),
        (SDP[0], 0),
    ],
)
def test_nothing_is_sent_where_nobody_can_be(remote: tuple[str, int]) -> None:
    assert reachable(remote) is None
    latch = Latch()
    latch.signalled(remote)
    assert latch.far is None
    assert latch.admits(NAT, 0.0)
    assert latch.far == NAT
