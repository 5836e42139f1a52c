"""The client's address, directly and behind proxies that are or are not ours."""

from ipaddress import ip_address

import pytest

from callwright.rpc.client import client_address

OURS = [ip_address("127.0.0.1"), ip_address("10.0.0.2"), ip_address("fd00::2")]


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "expected"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("::ffff:192.0.2.1", [], "192.0.2.1"),
        ("fe80::1%eth0", [], "fe80::1"),
        (None, [], "unknown"),
        ("", [], "unknown"),
        # A stranger's header.
        ("192.0.2.1", ["127.0.0.1"], "192.0.2.1"),
        # Our proxy's.
        ("127.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("::ffff:127.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", ["192.0.2.1:4711"], "192.0.2.1"),
        ("127.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("127.0.0.1", ["2001:db8::1"], "2001:db8::1"),
        # The client wrote the first; our proxy the last.
        ("127.0.0.1", ["127.0.0.1, 192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", ["127.0.0.1", "192.0.2.1"], "192.0.2.1"),
        # Two proxies of ours in a row.
        ("127.0.0.1", ["198.51.100.7, 192.0.2.1,10.0.0.2"], "192.0.2.1"),
        ("fd00::2", ["192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["10.0.0.2"], "10.0.0.2"),
        # What cannot be read is nobody's address, not the proxy's.
        ("127.0.0.1", ["192.0.2.1, unknown"], "unknown"),
        ("127.0.0.1", [""], "unknown"),
        ("127.0.0.1", ["192.0.2.1, "], "unknown"),
        ("127.0.0.1", ["192.0.2.999"], "unknown"),
        ("127.0.0.1", ["[::1"], "::1"),
    ],
)
def test_address(peer: str | None, forwarded_for: list[str], expected: str) -> None:
    assert client_address(peer, forwarded_for, OURS) == expected
