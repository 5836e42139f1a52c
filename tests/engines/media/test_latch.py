"""Symmetric RTP latching: who is believed to be the far end, and for how long."""

import pytest

from callwright.engines.media.latch import (
    CANDIDATES_AT_MOST,
    LEFT_FOR,
    PROOF,
    PROVEN_WITHIN,
    SILENT_FOR,
    Latch,
    Source,
    reachable,
)

SDP = ("10.0.0.5", 4000)
NAT = ("198.51.100.7", 62000)
MOVED = ("198.51.100.7", 62001)
THIEF = ("203.0.113.66", 5555)
OURS, FOREIGN = 0xABC, 0xDEF


class Line:
    """A latch, and what it has heard last: as a leg keeps it."""

    def __init__(self) -> None:
        self.latch = Latch()
        self.latch.signalled(SDP, 0.0)
        self.now = 0.0
        self.heard_at = 0.0
        self.heard: int | None = None

    def packet(
        self, source: Source, sequence: int, ssrc: int = OURS, *, authentic: bool = False
    ) -> bool:
        admitted = self.latch.admits(
            source,
            ssrc,
            sequence,
            self.now,
            heard_at=self.heard_at,
            heard=self.heard,
            authentic=authentic,
        )
        if admitted:
            self.heard_at, self.heard = self.now, ssrc
        return admitted

    def stream(
        self, source: Source, count: int, ssrc: int = OURS, *, first: int = 0, every: float = 0.02
    ) -> list[bool]:
        """Send packets in order; return which were admitted."""
        admitted = []
        for number in range(count):
            admitted.append(self.packet(source, (first + number) & 0xFFFF, ssrc))
            self.now += every
        return admitted


@pytest.fixture
def line() -> Line:
    return Line()


def test_until_packets_come_the_address_of_sdp_is_used(line: Line) -> None:
    assert line.latch.far == SDP
    assert not line.latch.locked


def test_the_address_of_sdp_needs_no_proof(line: Line) -> None:
    assert line.packet(SDP, 1)
    assert line.latch.locked
    assert not any(line.stream(THIEF, 100, FOREIGN, every=0.004))
    assert line.latch.far == SDP


def test_another_is_believed_after_some_packets_in_order(line: Line) -> None:
    assert line.stream(NAT, PROOF + 2, first=0xFFFE) == [False] * (PROOF - 1) + [True] * 3
    assert line.latch.far == NAT
    assert line.latch.locked


def test_sprayed_packets_take_nothing(line: Line) -> None:
    """One packet a second, in order, while the far end is silent."""
    assert not any(line.stream(THIEF, 30, FOREIGN, every=1.0))
    assert line.latch.far == SDP
    assert line.packet(SDP, 1)


@pytest.mark.parametrize("sequence", [[5, 5, 5, 5, 5, 5], [1, 3, 5, 7, 9, 11], [9, 8, 7, 6, 5, 4]])
def test_packets_out_of_order_prove_nothing(line: Line, sequence: list[int]) -> None:
    assert not any(line.packet(THIEF, number) for number in sequence)


def test_packets_of_several_streams_prove_nothing(line: Line) -> None:
    assert not any(line.packet(THIEF, number, ssrc=number % 2) for number in range(20))


def test_a_proof_has_its_time(line: Line) -> None:
    assert not any(line.stream(NAT, 12, every=PROVEN_WITHIN / (PROOF - 1) + 0.01))
    assert line.stream(NAT, PROOF, first=100)[-1]


def test_the_address_of_sdp_always_wins_back(line: Line) -> None:
    assert line.stream(THIEF, PROOF, FOREIGN)[-1]
    assert line.packet(SDP, 1)
    assert line.latch.far == SDP
    assert not any(line.stream(THIEF, 50, FOREIGN, first=PROOF, every=0.005))


def test_a_thief_does_not_keep_a_stream_behind_nat_from_proving_itself(line: Line) -> None:
    for number in range(PROOF):
        for port in range(CANDIDATES_AT_MOST - 1):
            assert not line.packet((THIEF[0], 1024 + port), 7 * port, FOREIGN)
        heard = line.packet(NAT, number)
        line.now += 0.02
    assert heard
    assert line.latch.far == NAT


def test_a_stream_that_goes_on_from_another_port_is_followed(line: Line) -> None:
    line.stream(NAT, PROOF)
    line.now += SILENT_FOR
    assert line.stream(MOVED, PROOF, first=PROOF) == [False] * (PROOF - 1) + [True]
    assert line.latch.far == MOVED


def test_nobody_is_followed_while_the_stream_goes_on(line: Line) -> None:
    line.stream(NAT, PROOF)
    for number in range(100):
        assert line.packet(NAT, PROOF + number)
        assert not line.packet(THIEF, PROOF + number)
        line.now += 0.02
    assert line.latch.far == NAT


def test_another_stream_is_not_followed_into_silence(line: Line) -> None:
    line.stream(NAT, PROOF)
    line.now += 60.0
    assert not any(line.stream(THIEF, 100, FOREIGN))
    assert line.packet(NAT, PROOF)


def test_late_packets_of_where_it_was_do_not_take_the_latch_back(line: Line) -> None:
    line.packet(SDP, 1)
    line.latch.signalled(NAT, line.now)
    assert line.latch.far == NAT
    assert not any(line.stream(SDP, 10, first=2, every=0.01))
    assert line.latch.far == NAT
    assert line.packet(NAT, 1)


def test_who_goes_on_from_where_it_was_proves_itself_again(line: Line) -> None:
    line.packet(SDP, 1)
    line.latch.signalled(NAT, line.now)
    line.now += LEFT_FOR
    assert line.stream(SDP, PROOF, first=60) == [False] * (PROOF - 1) + [True]


def test_only_a_new_address_in_sdp_opens_it_again(line: Line) -> None:
    line.packet(SDP, 1)
    line.latch.signalled(SDP, line.now)
    assert line.latch.locked
    line.latch.signalled(NAT, line.now)
    assert line.latch.far == NAT
    assert not line.latch.locked


def test_what_srtp_vouches_for_needs_no_other_proof(line: Line) -> None:
    assert line.packet(NAT, 1, authentic=True)
    assert line.packet(MOVED, 2, authentic=True)
    assert line.latch.far == MOVED


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
    latch.signalled(remote, 0.0)
    assert latch.far is None
    line = Line()
    line.latch = latch
    assert line.stream(NAT, PROOF)[-1]
    assert latch.far == NAT


def test_spraying_from_many_ports_costs_no_memory(line: Line) -> None:
    for port in range(1024, 1024 + 10 * CANDIDATES_AT_MOST):
        assert not line.packet((THIEF[0], port), 1, FOREIGN)
    assert len(line.latch._candidates) == CANDIDATES_AT_MOST


# Strict: what SDP says, and nothing else.


def strict(line: Line) -> Line:
    line.latch.signalled(SDP, 0.0, strict=True)
    return line


def test_strict_no_proof_is_looked_at(line: Line) -> None:
    strict(line)
    assert not any(line.stream(NAT, 50))
    assert not line.packet(NAT, 50, authentic=True)
    assert not any(line.stream((SDP[0], SDP[1] + 2), 50))
    assert line.latch.far == SDP
    assert line.packet(SDP, 60)


def test_strict_a_stream_that_goes_on_elsewhere_is_not_followed(line: Line) -> None:
    strict(line)
    assert all(line.stream(SDP, 10))
    line.now += SILENT_FOR
    assert not any(line.stream(MOVED, 50, first=10))


def test_strict_a_reinvite_is_followed(line: Line) -> None:
    strict(line)
    assert line.packet(SDP, 1)
    line.latch.signalled(MOVED, line.now, strict=True)
    assert not line.packet(SDP, 2)
    assert line.packet(MOVED, 3)


def test_strict_nobody_is_believed_where_sdp_names_nobody(line: Line) -> None:
    line.latch.signalled(("0.0.0.0", 4000), 0.0, strict=True)
    assert line.latch.far is None
    assert not any(line.stream(NAT, 50))


def test_strictness_may_change_with_the_address_as_it_is(line: Line) -> None:
    assert line.stream(NAT, PROOF)[-1]
    line.latch.signalled(SDP, line.now, strict=True)
    assert line.latch.far == SDP
    assert not line.packet(NAT, PROOF)
