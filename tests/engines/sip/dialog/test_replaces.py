"""Calls that take the place of another one of ours, as RFC 3891 section 3 has them."""

import pytest

from callwright.engines.network import SipAccount
from callwright.engines.port import LegId
from callwright.engines.sip.dialog.replaces import Replaced, read_replaces
from tests.engines.sip.dialog.test_invite_server import CONTACT, STRANGER, House
from tests.engines.sip.guest import SDP, authorization, challenges, request
from tests.engines.sip.world import answered

URI = "sip:127.0.0.1:5060"


class Switchboard(House):
    """A house in which a phone of ours talks with us; its other phone calls in."""

    def __init__(self) -> None:
        super().__init__()
        self.admission.use_phones([SipAccount("101", "geheim-101")])
        self.ring()
        answered(self)
        dialog = self.calls[LegId(1)].dialog
        assert dialog is not None
        self.names = f"{dialog.call_id};to-tag={dialog.local_tag};from-tag={dialog.remote_tag}"

    def phone_calls(self, *extra: str) -> int:
        """What a phone is told that has proved itself; 100 where it is to be answered."""
        self.invite(*extra)
        told = challenges(self.final())
        answer = authorization(told["MD5"], method="INVITE", uri=URI)
        self.invite(*extra, answer, cseq=2)
        return self.final().code

    def invite(self, *extra: str, cseq: int = 1) -> None:
        data = request(
            "INVITE", uri=URI, source=STRANGER, contact="<sip:101@198.51.100.66>", body=SDP,
            extra=extra, call_id="place", cseq=cseq, branch=f"place{cseq}",
        )  # fmt: skip
        self.hear(data, source=STRANGER)


def test_a_phone_is_offered_with_the_leg_whose_place_it_takes() -> None:
    house = Switchboard()
    assert house.phone_calls(f"Replaces: {house.names}", "Require: replaces") == 100
    [arrival] = house.arrivals
    assert arrival.replaces == LegId(1)


@pytest.mark.parametrize(
    ("replaces", "status"),
    [
        ("Replaces: {};early-only", 486),
        ("Replaces: {}, {}", 400),
        ("Replaces: nobody;to-tag=1;from-tag=2", 481),
        ("Replaces: ;", 481),
    ],
)
def test_a_place_that_is_not_there_is_refused(replaces: str, status: int) -> None:
    house = Switchboard()
    assert house.phone_calls(replaces.replace("{}", house.names)) == status
    assert house.arrivals == []


def test_the_place_in_a_call_that_is_over_is_declined() -> None:
    house = Switchboard()
    house.hang_up()
    assert house.phone_calls(f"Replaces: {house.names}") == 603


def test_nobody_takes_a_place_through_a_trunk() -> None:
    house = Switchboard()
    house.called(extra=(f"Replaces: {house.names}",))
    assert house.final().code == 603
    assert house.arrivals == []


def test_a_stranger_learns_nothing_of_our_calls() -> None:
    house = Switchboard()
    house.invite(f"Replaces: {house.names}")
    known = house.final()
    house.invite("Replaces: nobody;to-tag=1;from-tag=2", cseq=2)
    assert known.code == house.final().code == 401


def test_phones_alone_are_told_that_a_place_may_be_taken() -> None:
    house = Switchboard()
    assert "replaces" in house.requests("INVITE")[0].headers["Supported"]
    house.ring(2, user="carrier")
    assert "replaces" not in house.requests("INVITE")[-1].headers["Supported"]
    house.called(contact=CONTACT)
    house.answer()
    assert "replaces" not in house.final().headers["Supported"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a@b ;from-tag=1; To-Tag = 2", Replaced("a@b", "2", "1")),
        ("a;from-tag=1;to-tag=2;early-only", Replaced("a", "2", "1", early_only=True)),
        ("a", Replaced("a", "", "")),
    ],
)
def test_what_a_replaces_says(value: str, expected: Replaced) -> None:
    assert read_replaces(value) == expected
