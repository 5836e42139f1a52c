"""One request over several targets: which is tried when, and what late answers become."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from callwright.engines.sip.transaction.failover import AVOIDED, FAILOVER, OutgoingRequest
from callwright.engines.sip.transaction.layer import TransactionLayer
from callwright.engines.sip.transaction.transactions import Lost, Timing
from callwright.engines.sip.wire.hop import Hop, Transport
from callwright.engines.sip.wire.message import SipRequest, SipResponse, answer_to, parse

if TYPE_CHECKING:
    from callwright.engines.sip.transport.datagram import Datagram

NAME = Hop("carrier.example")
FIRST = Hop("192.0.2.1", 5060, name="carrier.example")
SECOND = Hop("192.0.2.2", 5060, name="carrier.example")
THIRD = Hop("192.0.2.3", 5060, name="carrier.example")


class Line:
    """A layer on a clock that jumps; the test is the network."""

    def __init__(self) -> None:
        self.now = 0.0
        self.layer = TransactionLayer(
            sent_by=lambda over: f"192.0.2.99:{over.port}", timing=Timing()
        )
        self.sent: list[tuple[float, Hop, SipRequest]] = []
        self.told: list[SipResponse | Lost] = []
        self._latest: Datagram

    def ask(self, method: str = "INVITE", hop: Hop = NAME, *, padding: int = 0) -> OutgoingRequest:
        headers = {
            "from": ["<sip:us@h.example>;tag=us"],
            "to": ["<sip:them@h.example>"],
            "call-id": ["c"],
            "cseq": [f"1 {method}"],
            "x": ["x" * padding],
        }
        request = SipRequest(method, "sip:them@carrier.example", headers)
        outgoing = self.layer.request(
            request, hop, self.now, lambda what, at: self.told.append(what)
        )
        self._carry()
        return outgoing

    def found(self, targets: Sequence[Hop]) -> None:
        self.layer.found(self.layer.to_find.popleft(), targets, self.now)
        self._carry()

    def until(self, when: float) -> None:
        while (due := self.layer.next_timer()) is not None and due <= when:
            self.now = due
            self.layer.on_timer(due)
            self._carry()
        self.now = when

    def answers(self, hop: Hop, status: int, *, method: str = "INVITE") -> None:
        """Let a target answer the first request it has got."""
        request = next(one for _, to, one in self.sent if to == hop and one.method == method)
        self.layer.receive(answer_to(request, status, "Said", tag=hop.host), hop, self.now)
        self._carry()

    def unreachable(self, hop: Hop, method: str = "INVITE") -> None:
        request = next(one for _, to, one in self.sent if to == hop and one.method == method)
        self.layer.returned(bytes(request)[:500], hop, self.now)
        self._carry()

    def refused_by_the_network(self) -> None:
        """Let the connection that the latest datagram was to go over not come up."""
        self.layer.unsent(self._latest, self.now)
        self._carry()

    def to(self, method: str = "INVITE") -> list[tuple[float, str]]:
        return [(at, hop.host) for at, hop, one in self.sent if one.method == method]

    def _carry(self) -> None:
        while self.layer.to_send:
            datagram = self.layer.to_send.popleft()
            self._latest = datagram
            message = parse(datagram.data)
            assert isinstance(message, SipRequest)
            self.sent.append((self.now, datagram.hop, message))

    @property
    def outcome(self) -> list[int | Lost]:
        return [what if isinstance(what, Lost) else what.status for what in self.told]


def test_nothing_goes_out_before_the_name_is_found() -> None:
    line = Line()
    line.ask()
    assert line.sent == []
    assert line.layer.waiting()
    line.found([FIRST])
    assert line.to() == [(0.0, "192.0.2.1")]


def test_a_name_that_leads_nowhere_is_told() -> None:
    line = Line()
    line.ask()
    line.found([])
    assert line.told == [Lost.UNSENT]
    assert not line.layer.waiting()


def test_an_address_needs_not_be_found() -> None:
    line = Line()
    line.ask(hop=FIRST)
    assert not line.layer.to_find
    assert line.to() == [(0.0, "192.0.2.1")]


def test_a_dead_server_is_left_within_four_seconds_and_nobody_is_told() -> None:
    line = Line()
    line.ask()
    line.found([FIRST, SECOND])
    line.until(FAILOVER)
    assert line.to()[-1] == (FAILOVER, "192.0.2.2")
    line.answers(SECOND, 180)
    line.answers(SECOND, 200)
    assert line.outcome == [180, 200]
    line.until(100.0)
    assert {host for at, host in line.to() if at > FAILOVER} == set()
    assert line.outcome == [180, 200]


def test_each_target_has_a_branch_of_its_own_and_the_same_request() -> None:
    line = Line()
    line.ask()
    line.found([FIRST, SECOND])
    line.until(FAILOVER)
    one, other = line.sent[0][2], line.sent[-1][2]
    assert one.via.branch != other.via.branch
    assert len(other.headers["via"]) == 1
    one.headers.pop("via"), other.headers.pop("via")
    assert one == other


def test_who_has_said_anything_is_waited_for() -> None:
    line = Line()
    line.ask()
    line.found([FIRST, SECOND])
    line.answers(FIRST, 100)
    line.until(60.0)
    assert {host for _, host in line.to()} == {"192.0.2.1"}


@pytest.mark.parametrize("method", ["INVITE", "REGISTER"])
def test_who_is_unreachable_is_left_at_once(method: str) -> None:
    line = Line()
    line.ask(method)
    line.found([FIRST, SECOND])
    line.unreachable(FIRST, method)
    assert line.to(method) == [(0.0, "192.0.2.1"), (0.0, "192.0.2.2")]
    line.unreachable(SECOND, method)
    assert line.told == [Lost.UNSENT]


def test_who_is_out_of_service_is_left_and_acknowledged() -> None:
    line = Line()
    line.ask()
    line.found([FIRST, SECOND])
    line.answers(FIRST, 503)
    assert line.to("ACK") == [(0.0, "192.0.2.1")]
    assert line.told == []
    line.answers(SECOND, 503)
    assert line.outcome == [503]


def test_other_refusals_are_the_answer() -> None:
    line = Line()
    line.ask()
    line.found([FIRST, SECOND])
    line.answers(FIRST, 486)
    line.until(60.0)
    assert line.outcome == [486]
    assert {host for _, host in line.to()} == {"192.0.2.1"}


def test_when_all_are_silent_the_last_one_times_out() -> None:
    line = Line()
    line.ask()
    line.found([FIRST, SECOND, THIRD])
    line.until(100.0)
    assert line.told == [Lost.TIMEOUT]
    begun = [
        next(at for at, host in line.to() if host == hop.host) for hop in (FIRST, SECOND, THIRD)
    ]
    assert begun == [0.0, FAILOVER, 2 * FAILOVER]


def test_a_phone_that_wakes_late_is_told_that_nobody_wants_it_any_more() -> None:
    line = Line()
    line.ask()
    line.found([FIRST, SECOND])
    line.until(5.0)
    line.answers(SECOND, 180)
    line.answers(FIRST, 180)
    line.answers(FIRST, 180)
    assert line.to("CANCEL") == [(5.0, "192.0.2.1")]
    line.answers(FIRST, 487)
    assert line.outcome == [180]
    assert line.to("ACK") == [(5.0, "192.0.2.1")]


def test_a_late_answer_wins_over_one_that_rings() -> None:
    line = Line()
    outgoing = line.ask()
    line.found([FIRST, SECOND])
    line.until(5.0)
    line.answers(SECOND, 180)
    line.answers(FIRST, 200)
    assert line.outcome == [180, 200]
    assert line.to("CANCEL") == [(5.0, "192.0.2.2")]
    assert outgoing.hop == FIRST
    line.answers(SECOND, 487)
    assert line.outcome == [180, 200]


def test_a_late_answer_wins_over_one_that_is_silent_which_is_cancelled_when_it_wakes() -> None:
    line = Line()
    line.ask()
    line.found([FIRST, SECOND])
    line.until(5.0)
    line.answers(FIRST, 200)
    line.until(6.0)
    line.answers(SECOND, 180)
    assert line.outcome == [200]
    assert line.to("CANCEL") == [(6.0, "192.0.2.2")]


def test_a_late_answer_beside_an_answer_is_told_so_that_it_is_hung_up() -> None:
    line = Line()
    outgoing = line.ask()
    line.found([FIRST, SECOND])
    line.until(5.0)
    line.answers(SECOND, 200)
    line.answers(FIRST, 200)
    assert line.outcome == [200, 200]
    assert outgoing.hop == SECOND


def test_what_is_given_up_is_not_tried_elsewhere() -> None:
    line = Line()
    outgoing = line.ask()
    line.found([FIRST, SECOND])
    outgoing.give_up()
    line.until(100.0)
    assert {host for _, host in line.to()} == {"192.0.2.1"}
    late = line.ask()
    late.give_up()
    line.found([FIRST])
    assert not line.layer.waiting()


def test_a_server_that_has_failed_comes_last_for_a_while() -> None:
    line = Line()
    line.ask()
    line.found([FIRST, SECOND])
    line.until(FAILOVER)
    line.answers(SECOND, 486)
    line.ask()
    line.found([FIRST, SECOND])
    assert line.to()[-1] == (FAILOVER, "192.0.2.2")
    line.until(FAILOVER + AVOIDED)
    line.ask()
    line.found([FIRST, SECOND])
    assert line.to()[-1] == (FAILOVER + AVOIDED, "192.0.2.1")


def test_a_long_request_goes_over_tcp_and_over_udp_where_there_is_none() -> None:
    line = Line()
    line.ask(padding=1200)
    line.found([FIRST])
    at, hop, request = line.sent[0]
    assert (at, hop.transport, request.via.transport) == (0.0, Transport.TCP, "TCP")
    line.refused_by_the_network()
    at, hop, request = line.sent[1]
    assert (at, hop.transport, request.via.transport) == (0.0, Transport.UDP, "UDP")
    # What is learnt of one request holds for the next.
    line.ask(padding=1200)
    line.found([FIRST])
    assert line.sent[-1][1].transport is Transport.UDP


def test_a_short_request_goes_as_it_is_told() -> None:
    line = Line()
    line.ask(padding=900)
    line.found([FIRST])
    assert line.sent[0][1].transport is Transport.UDP


def test_over_a_connection_nothing_is_sent_again() -> None:
    line = Line()
    line.ask(hop=Hop("192.0.2.1", 5060, Transport.TCP))
    line.until(100.0)
    assert len(line.sent) == 1
    assert line.told == [Lost.TIMEOUT]


def test_a_forged_icmp_error_ends_nothing() -> None:
    line = Line()
    line.ask(hop=FIRST)
    request = bytes(line.sent[0][2])
    forged = re.sub(rb"branch=z9hG4bK[0-9a-f]{8}", b"branch=z9hG4bK00000000", request)
    for quoted, hop in (
        (forged, FIRST),
        (request, SECOND),
        (request[:20], FIRST),
        (b"", FIRST),
        (request.replace(b"INVITE", b"BYE"), FIRST),
    ):
        line.layer.returned(quoted, hop, 0.0)
    assert line.told == []
    assert line.layer.dropped == {"ICMP about nothing": 5}
    line.layer.returned(request[:200], FIRST, 0.0)
    assert line.told == [Lost.UNSENT]


def test_an_icmp_error_after_an_answer_ends_nothing() -> None:
    line = Line()
    line.ask(hop=FIRST)
    line.answers(FIRST, 180)
    line.unreachable(FIRST)
    assert line.outcome == [180]
