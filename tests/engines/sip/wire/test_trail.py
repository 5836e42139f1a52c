"""What a request has come through, on the wire."""

import pytest

from callwright.engines.sip.wire.message import Headers, SipRequest
from callwright.engines.sip.wire.trail import read_trail, trail_headers
from callwright.engines.trail import Trail

ONE, TWO = "0123456789ab", "ba9876543210"


def request(headers: Headers) -> SipRequest:
    return SipRequest("INVITE", "sip:1@127.0.0.1", headers)


@pytest.mark.parametrize("trail", [Trail(), Trail((ONE,)), Trail((ONE, TWO), 3)])
def test_what_is_written_is_read(trail: Trail) -> None:
    assert read_trail(request(trail_headers(trail))) == trail


def test_a_call_that_begins_with_us_says_nothing_of_itself() -> None:
    assert trail_headers(Trail()) == {"max-forwards": ["70"]}


@pytest.mark.parametrize(
    ("headers", "trail"),
    [
        ({}, Trail()),
        ({"max-forwards": ["0"]}, Trail((), 0)),
        ({"max-forwards": ["255"]}, Trail()),
        ({"max-forwards": ["-1"]}, Trail()),
        ({"max-forwards": ["9" * 5000]}, Trail()),
        ({"x-callwright-trail": ["x", f"{ONE} , <script>,{TWO}", "0" * 4000]}, Trail((ONE, TWO))),
        ({"x-callwright-trail": [", ".join([ONE] * 100 + [TWO])]}, Trail((*[ONE] * 15, TWO))),
    ],
)
def test_junk_is_passed_over(headers: Headers, trail: Trail) -> None:
    assert read_trail(request(headers)) == trail
