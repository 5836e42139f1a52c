"""Who gives way when places are scarce."""

import pytest

from callwright.fair_share import FairShare
from callwright.sources import source_of


@pytest.mark.parametrize(
    ("host", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("unknown", "unknown"),
        ("a:b", "a:b"),
    ],
)
def test_a_source_is_an_address_or_the_subnet_that_one_host_has(host: str, source: str) -> None:
    assert source_of(host) == source


def test_whoever_holds_most_loses_the_place_held_for_longest() -> None:
    share = FairShare[str]()
    for holder, host in [("honest", "::1"), ("a", "192.0.2.1"), ("b", "192.0.2.1")]:
        share.put(holder, host)
    assert share.first_out() == "a"
    share.put("a", "192.0.2.1")
    assert share.first_out() == "b"


def test_all_of_one_subnet_are_one_crowd() -> None:
    share = FairShare[int]()
    share.put(0, "2001:db8::1")
    for number in range(1, 4):
        share.put(number, f"2001:db8:0:1::{number}")
    assert share.of("2001:db8:0:1::ffff") == 3
    assert share.first_out() == 1


def test_of_the_crowd_some_go_rather_than_others() -> None:
    share = FairShare[str]()
    for holder, host in [("idle", "::1"), ("busy", "192.0.2.1"), ("lazy", "192.0.2.1")]:
        share.put(holder, host)
    assert share.first_out(lambda holder: holder != "busy") == "lazy"
    assert share.first_out(lambda holder: False) == "busy"


def test_who_has_left_is_not_asked_to() -> None:
    share = FairShare[str]()
    share.put("a", "192.0.2.1")
    share.take_out("a")
    share.take_out("a")
    assert share.first_out() is None
    assert (len(share), share.of("192.0.2.1"), "a" in share) == (0, 0, False)
