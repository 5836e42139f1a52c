"""How many requests of strangers are let in, and that one source costs no other."""

from callwright.engines.sip.admission.rate_limit import BURST, SOURCES_AT_MOST, RateLimit


def let_in(digest_server: RateLimit, host: str, times: int, now: float) -> int:
    return sum(digest_server.allows(host, now) for _ in range(times))


def test_a_source_has_a_burst_and_then_its_rate() -> None:
    digest_server = RateLimit(10.0)
    assert let_in(digest_server, "192.0.2.1", 1000, 0.0) == 10 * BURST
    assert let_in(digest_server, "192.0.2.1", 1000, 0.5) == 5
    assert let_in(digest_server, "192.0.2.1", 1000, 3600.0) == 10 * BURST


def test_another_source_is_not_held_to_account() -> None:
    digest_server = RateLimit(10.0)
    let_in(digest_server, "192.0.2.1", 1000, 0.0)
    assert digest_server.allows("192.0.2.2", 0.0)
    assert not digest_server.allows("192.0.2.1", 0.0)


def test_a_network_of_ipv6_is_one_source() -> None:
    digest_server = RateLimit(10.0)
    passed = sum(digest_server.allows(f"2001:db8::{number:x}", 0.0) for number in range(1000))
    assert passed == 10 * BURST
    assert digest_server.allows("2001:db8:0:1::1", 0.0)
    assert not digest_server.allows("2001:db8::1%eth0", 0.0)


def test_the_table_is_bounded_and_forgets_the_quietest() -> None:
    digest_server = RateLimit(1.0)
    for number in range(SOURCES_AT_MOST + 10):
        digest_server.allows(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 0.0)
        let_in(digest_server, "192.0.2.1", 10, 0.0)
    assert len(digest_server._buckets) == SOURCES_AT_MOST
    assert not digest_server.allows("192.0.2.1", 0.0)
