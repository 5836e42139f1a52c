"""Transfers that a far end asks for by REFER, and what it is told of them."""

import pytest
import sipmessage
from hypothesis import given
from hypothesis import strategies as st

from callwright.engines.port import LegId
from callwright.engines.sip.dialog.call_leg import Referred
from callwright.engines.sip.dialog.refer import Refer, read_refer
from callwright.engines.sip.dialog.replaces import Replaced
from callwright.engines.sip.wire.address import Malformed
from callwright.engines.sip.wire.message import SipRequest
from tests.engines.sip.world import World, answered, ask, reply, ringing, talking

TO = "Refer-To: <sip:101@callwright.example>"


def refer(world: World, *extra: str, cseq: int = 1) -> sipmessage.Response:
    before = len(world.responses())
    world.hear(ask(world.requests("INVITE")[0], "REFER", cseq=cseq, extra=extra or (TO,)))
    return world.responses()[before]


def notified(world: World) -> list[bytes]:
    return [request.body for request in world.requests("NOTIFY")]


def asked(world: World) -> list[Refer]:
    return [fact.refer for fact in world.facts if isinstance(fact, Referred)]


def test_a_refer_is_accepted_and_told_of_until_its_end() -> None:
    world = talking()
    response = refer(world)
    assert response.code == 202
    assert response.headers["Contact"]
    assert asked(world) == [Refer("101", None, 1, quiet=False)]
    call = world.calls[LegId(1)]
    call.report_transfer(200, "OK", world.now)
    call.report_transfer(200, "OK", world.now)
    world._pump()
    trying, done = world.requests("NOTIFY")
    assert trying.body == b"SIP/2.0 100 Trying\r\n"
    assert trying.headers["Event"] == "refer"
    assert trying.headers["Subscription-State"].startswith("active;expires=")
    assert trying.headers["Content-Type"] == "message/sipfrag;version=2.0"
    assert done.body == b"SIP/2.0 200 OK\r\n"
    assert done.headers["Subscription-State"] == "terminated;reason=noresource"
    assert not call.ended, "who has asked hangs up, or is hung up by whoever rang it"


def test_the_second_refer_of_a_dialog_is_told_from_the_first() -> None:
    world = talking()
    refer(world)
    assert refer(world, cseq=2).code == 491
    world.calls[LegId(1)].report_transfer(486, "Busy Here", world.now)
    assert refer(world, cseq=3).code == 491, "the phone has not said that it knows"
    world.hear(*(reply(told, 200, contact=None) for told in world.requests("NOTIFY")))
    assert refer(world, cseq=4).code == 202
    assert world.requests("NOTIFY")[-1].headers["Event"] == "refer;id=4"
    assert b"SIP/2.0 486 Busy Here\r\n" in notified(world)
    assert len(asked(world)) == 2


def test_a_baresip_that_would_hang_up_hears_only_that_it_is_over() -> None:
    """Up to version 1 it ends its call when it hears that a transfer has failed."""
    world = talking()
    refer(world, TO, "User-Agent: baresip v1.0.0 (x86_64/linux)")
    world.calls[LegId(1)].report_transfer(486, "Busy Here", world.now)
    world._pump()
    last = world.requests("NOTIFY")[-1]
    assert last.body == b"SIP/2.0 100 Trying\r\n"
    assert last.headers["Subscription-State"] == "terminated;reason=giveup"


def test_who_wants_to_hear_nothing_is_told_nothing() -> None:
    """RFC 4488."""
    world = talking()
    response = refer(world, TO, "Refer-Sub: false")
    assert (response.code, response.headers["Refer-Sub"]) == (202, "false")
    world.calls[LegId(1)].report_transfer(200, "OK", world.now)
    world._pump()
    assert notified(world) == []
    assert len(asked(world)) == 1


@pytest.mark.parametrize("status", [200, 481, 405])
def test_whatever_is_said_to_a_notify_the_call_goes_on(status: int) -> None:
    world = talking()
    refer(world)
    world.hear(reply(world.requests("NOTIFY")[0], status, contact=None))
    world.until(40)
    assert not world.calls[LegId(1)].ended


def test_who_leaves_its_notifys_without_an_answer_is_not_sent_more() -> None:
    """Its Contact may be the address of somebody who has asked for nothing."""
    world = talking()
    codes = []
    for cseq in range(1, 21):
        codes.append(refer(world, cseq=cseq).code)
        world.calls[LegId(1)].report_transfer(603, "Decline", world.now)
        world.until(world.now + 3.0)
    assert codes == [202] + [491] * 10 + [603] * 9
    assert {told.headers["Event"] for told in world.requests("NOTIFY")} == {"refer"}


@pytest.mark.parametrize(("status", "then"), [(481, 603), (200, 202), (405, 202)])
def test_who_denies_having_asked_may_not_ask_again(status: int, then: int) -> None:
    world = talking()
    refer(world)
    world.calls[LegId(1)].report_transfer(603, "Decline", world.now)
    world._pump()
    world.hear(*(reply(told, status, contact=None) for told in world.requests("NOTIFY")))
    assert refer(world, cseq=2).code == then


def test_who_wants_to_hear_nothing_may_ask_again_once_it_is_over() -> None:
    world = talking()
    quiet = (TO, "Refer-Sub: false")
    refer(world, *quiet)
    assert refer(world, *quiet, cseq=2).code == 491
    world.calls[LegId(1)].report_transfer(603, "Decline", world.now)
    assert refer(world, *quiet, cseq=3).code == 202


def test_before_the_answer_nobody_can_be_handed_over() -> None:
    world = World()
    world.ring()
    ringing(world)
    assert refer(world).code == 491
    answered(world)
    assert refer(world, cseq=2).code == 202


@pytest.mark.parametrize(
    "lines",
    [
        ("X: y",),
        (TO, "Refer-To: <sip:102@callwright.example>"),
        ("Refer-To: <sip:callwright.example>",),
        ("Refer-To: <sip:a%0d%0ab@callwright.example>",),
        (f"Refer-To: <sip:{'1' * 40}@callwright.example>",),
        ("Refer-To: <>",),
        ("Refer-To: <sip:10%D9%A3@callwright.example>",),  # a digit, but none of ASCII
    ],
)
def test_a_refer_that_names_nobody_is_refused(lines: tuple[str, ...]) -> None:
    world = talking()
    assert refer(world, *lines).code == 400
    assert asked(world) == []
    assert notified(world) == []


def read(value: str) -> Refer:
    headers = {"refer-to": [value], "cseq": ["7 REFER"]}
    return read_refer(SipRequest("REFER", "sip:a@b", headers))


@pytest.mark.parametrize(
    ("value", "number", "replaces"),
    [
        ("<sip:101@pbx>", "101", None),
        ("sip:101@pbx", "101", None),
        ('"Anna" <sip:+7%20(926)%20123-45-67@pbx;user=phone>', "79261234567", None),
        ("<tel:+7-926-123-45-67>", "79261234567", None),
        ("<sip:101@pbx;method=INVITE>", "101", None),
        (
            "<sip:101@pbx?Replaces=a%40b%3Bto-tag%3Dours%3Bfrom-tag%3Dtheirs>",
            "101",
            Replaced("a@b", "ours", "theirs"),
        ),
        (
            "<sip:101@pbx?Require=replaces&replaces=a%3Bfrom-tag%3Dtheirs%3Bto-tag%3Dours%3Bearly-only>",
            "101",
            Replaced("a", "ours", "theirs", early_only=True),
        ),
    ],
)
def test_what_a_refer_to_says(value: str, number: str, replaces: Replaced | None) -> None:
    assert read(value) == Refer(number, replaces, 7, quiet=False)


@given(st.text(max_size=80))
def test_garbage_in_a_refer_to_is_only_malformed(value: str) -> None:
    try:
        read(value)
    except Malformed:
        return


def test_the_call_that_a_refer_names_is_found_by_its_dialog() -> None:
    world = talking()
    dialog = world.calls[LegId(1)].dialog
    assert dialog is not None
    named = Replaced(dialog.call_id, dialog.local_tag, dialog.remote_tag)
    assert world.agent.replaced(named) == LegId(1)
    assert world.agent.replaced(Replaced(dialog.call_id, "x", dialog.remote_tag)) is None
    assert world.agent.replaced(Replaced("x", dialog.local_tag, dialog.remote_tag)) is None
    world.hang_up()
    assert world.agent.replaced(named) is None
