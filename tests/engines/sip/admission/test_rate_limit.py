"""How many requests of strangers are let in, and that one source costs no other."""

from callwright.engines.sip.admission.rate_limit import BURST, SOURCES_AT_MOST, FloodGate


def let_in(gate: FloodGate, host: str, times: int, now: float) -> int:
    return sum(gate.lets_in(host, now) for _ in range(times))


def test_a_source_has_a_burst_and_then_its_rate() -> None:
    gate = FloodGate(10.0)
    assert let_in(gate, "192.0.2.1", 1000, 0.0) == 10 * BURST
    assert let_in(gate, "192.0.2.1", 1000, 0.5) == 5
    assert let_in(gate, "192.0.2.1", 1000, 3600.0) == 10 * BURST


def test_another_source_is_not_held_to_account() -> None:
    gate = FloodGate(10.0)
    let_in(gate, "192.0.2.1", 1000, 0.0)
    assert gate.lets_in("192.0.2.2", 0.0)
    assert not gate.lets_in("192.0.2.1", 0.0)


def test_a_network_of_ipv6_is_one_source() -> None:
    gate = FloodGate(10.0)
    passed = sum(gate.lets_in(f"2001:db8::{number:x}", 0.0) for number in range(1000))
    assert passed == 10 * BURST
    assert gate.lets_in("2001:db8:0:1::1", 0.0)
    assert not gate.lets_in("2001:db8::1%eth0", 0.0)


def test_the_table_is_bounded_and_forgets_the_quietest() -> None:
    gate = FloodGate(1.0)
    for number in range(SOURCES_AT_MOST + 10):
        gate.lets_in(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 0.0)
        let_in(gate, "192.0.2.1", 10, 0.0)
    assert len(gate._buckets) == SOURCES_AT_MOST
    assert not gate.lets_in("192.0.2.1", 0.0)
