"""Calls that come in: from whom they are taken, and how they go with callers of every kind."""

from typing import Any

import pytest
import sipmessage

from callwright.engines.media.media import RtpStream
from callwright.engines.network import SipAccount, Trunk
from callwright.engines.port import Cause, LegId, LegReleased
from callwright.engines.sip.dialog.call_leg import StreamAgreed
from callwright.engines.sip.dialog.invite_server import RING_BACK_EVERY
from callwright.engines.sip.wire.hop import Hop, Transport
from tests.engines.sip.guest import SDP, authorization, challenges, request
from tests.engines.sip.world import FAR, Packet, World, reply

CARRIER = Hop("192.0.2.1", 5060)
STRANGER = Hop("198.51.100.66", 5060)
CONTACT = "<sip:carrier@192.0.2.1:5060>"
CALLED = "sip:74993720692@127.0.0.1:5060"
LEG = LegId(101)


class House(World):
    """A world with a trunk at 192.0.2.1, whose calls are taken."""

    def __init__(self, *trunks: Trunk, loss: float = 0.0, seed: int = 0) -> None:
        super().__init__(loss=loss, seed=seed)
        self.admission.use_trunks(trunks or [Trunk("carrier", "192.0.2.1")])
        self.branch = ""

    def called(
        self,
        *,
        source: Hop = CARRIER,
        user: str = "+79261234567",
        to: str = "74993720692",
        uri: str = CALLED,
        body: str = SDP,
        contact: str | None = CONTACT,
        extra: tuple[str, ...] = (),
        call_id: str = "in",
        cseq: int = 1,
        branch: str = "invite",
        tag: str = "guest",
    ) -> bytes:
        """Send an INVITE; return it."""
        invite = request(
            "INVITE", user=user, to=to, uri=uri, source=source, contact=contact, body=body,
            extra=extra, call_id=call_id, cseq=cseq, branch=branch, tag=tag,
        )  # fmt: skip
        self.hear(invite, source=source)
        return invite

    def ask(
        self,
        method: str,
        *,
        cseq: int = 1,
        branch: str = "",
        body: str = "",
        to: str | None = None,
        tag: str = "guest",
    ) -> None:
        """Send another request of the caller, inside the dialog that our latest answer has made."""
        answered = [one for one in self.responses() if one.code > 100]
        data = request(
            method, user="+79261234567", to=to or answered[-1].headers["To"], uri=CALLED,
            source=CARRIER, contact=CONTACT, call_id="in", cseq=cseq, body=body,
            branch=branch or f"{method}{cseq}", tag=tag,
        )  # fmt: skip
        self.hear(data, source=CARRIER)

    def codes(self) -> list[int]:
        return [one.code for one in self.responses()]

    def final(self) -> sipmessage.Response:
        return self.responses()[-1]


# Who may call.


def test_a_call_of_a_trunk_is_offered() -> None:
    house = House()
    house.called()
    [arrival] = house.arrivals
    assert (arrival.caller, arrival.called) == ("79261234567", "74993720692")
    assert arrival.trunk == "carrier"
    assert house.codes() == [100]


@pytest.mark.parametrize("number", ["74993720692", "00000", "101"])
def test_a_stranger_is_told_the_same_whatever_he_calls(number: str) -> None:
    house = House()
    house.called(source=STRANGER, uri=f"sip:{number}@127.0.0.1:5060", to=number)
    assert house.codes() == [403]
    house.admission.use_phones([SipAccount("101", "geheim-101")])
    house.called(source=STRANGER, uri=f"sip:{number}@127.0.0.1:5060", to=number)
    assert house.codes() == [403, 401]
    assert house.arrivals == []
    assert house.agent.layer._servers == {}


def test_a_trunk_is_known_by_the_addresses_of_its_name() -> None:
    house = House(Trunk("named", "sip.example.net"))
    house.called()
    assert house.codes() == [403]
    house.admission.use_hosts({"named": ["192.0.2.9", "192.0.2.1"]})
    house.called(call_id="again", branch="again")
    assert [one.trunk for one in house.arrivals] == ["named"]


@pytest.mark.parametrize("symmetric", [True, False])
def test_a_trunks_audio_is_taken_as_its_setting_says(symmetric: bool) -> None:
    house = House(Trunk("carrier", "192.0.2.1", symmetric_rtp=symmetric))
    house.called()
    house.answer()
    [agreed] = [one for one in house.facts if isinstance(one, StreamAgreed)]
    assert agreed.stream.symmetric is symmetric


def test_of_two_trunks_at_one_address_the_port_tells() -> None:
    house = House(Trunk("one", "192.0.2.1"), Trunk("two", "192.0.2.1", port=5070))
    for port, trunk in ((5060, "one"), (5070, "two"), (40000, "one")):
        house.called(source=Hop("192.0.2.1", port), call_id=str(port), branch=str(port))
        assert house.arrivals[-1].trunk == trunk


def invited(house: House, user: str, password: str, source: Hop = STRANGER) -> None:
    """Call as a phone does that is challenged."""
    house.called(source=source, user=user, contact=f"<sip:{user}@{source.host}>")
    challenge = challenges(house.final())["SHA-256"]
    proof = authorization(challenge, method="INVITE", user=user, password=password, uri=CALLED)
    house.called(
        source=source, user=user, contact=f"<sip:{user}@{source.host}>", cseq=2, branch="2",
        extra=(proof,),
    )  # fmt: skip


def test_a_phone_of_ours_calls_after_it_has_proved_itself() -> None:
    house = House()
    house.admission.use_phones([SipAccount("101", "geheim-101")])
    invited(house, "101", "geheim-101")
    [arrival] = house.arrivals
    assert (arrival.caller, arrival.called, arrival.trunk) == ("101", "74993720692", None)


def test_a_phone_cannot_pass_as_another() -> None:
    """Who has the password of 101 is 101, whatever From says."""
    house = House()
    house.admission.use_phones([SipAccount("101", "geheim-101"), SipAccount("102", "geheim-102")])
    house.called(source=STRANGER, user="102")
    challenge = challenges(house.final())["MD5"]
    proof = authorization(challenge, method="INVITE", uri=CALLED)
    house.called(source=STRANGER, user="102", cseq=2, branch="2", extra=(proof,))
    assert house.arrivals[0].caller == "101"


def test_a_wrong_password_is_challenged_again() -> None:
    house = House()
    house.admission.use_phones([SipAccount("101", "geheim-101")])
    invited(house, "101", "wrong")
    assert house.codes() == [401, 401]
    assert house.arrivals == []


def test_a_trunk_without_a_fixed_address_proves_itself() -> None:
    house = House(Trunk("roaming", "pbx.example", user="pbx", password="geheim"))
    invited(house, "pbx", "geheim")
    assert house.arrivals[0].trunk == "roaming"


@pytest.mark.parametrize("phones_first", [True, False])
def test_a_phone_numbered_as_a_trunks_user_does_not_take_its_place(phones_first: bool) -> None:
    trunk = Trunk("roaming", "pbx.example", user="101", password="geheim")
    phones = [SipAccount("101", "geheim-101"), SipAccount("102", "geheim-102")]
    house = House()
    if phones_first:
        house.admission.use_phones(phones)
        house.admission.use_trunks([trunk])
    else:
        house.admission.use_trunks([trunk])
        house.admission.use_phones(phones)
    invited(house, "101", "geheim-101")
    assert house.arrivals == []
    invited(house, "101", "geheim", source=Hop("198.51.100.67", 5060))
    assert [one.trunk for one in house.arrivals] == ["roaming"]
    house.admission.use_trunks([])
    assert set(house.admission.registrar.numbers) == {"101", "102"}


@pytest.mark.parametrize(("user", "is_trunk"), [("pbx", True), ("101", False)])
def test_a_connection_over_which_a_password_was_shown_is_known_until_its_end(
    user: str, is_trunk: bool
) -> None:
    house = House(Trunk("roaming", "pbx.example", user="pbx", password="geheim"))
    house.admission.use_phones([SipAccount("101", "geheim")])
    line = Hop("198.51.100.66", 40000, Transport.TCP, flow=7)
    assert not house.admission.has_proved(line)
    invited(house, user, "geheim", source=line)
    assert house.admission.has_proved(line)
    assert house.admission.knows(line) is is_trunk
    house.admission.forget(line)
    assert not house.admission.has_proved(line)


def test_a_phone_on_the_machine_of_a_trunk_is_a_phone() -> None:
    house = House()
    house.admission.use_phones([SipAccount("101", "geheim-101")])
    phone = Hop("192.0.2.1", 40000)
    house.hear(request("REGISTER", source=phone), source=phone)
    proof = authorization(challenges(house.final())["MD5"])
    data = request("REGISTER", source=phone, contact="<sip:101@192.0.2.1>", extra=[proof])
    house.hear(data, source=phone)
    assert house.final().code == 200
    house.called(source=phone, user="101")
    assert house.final().code == 401
    house.called(call_id="carrier", branch="carrier")
    assert house.arrivals[-1].trunk == "carrier"


@pytest.mark.parametrize(
    ("extra", "user", "caller"),
    [
        ((), "+7 (926) 123-45-67".replace(" ", "%20"), "79261234567"),
        ((), "anonymous", ""),
        ((), "Restricted", ""),
        ((), "x" * 33, ""),
        ((), "%0d%0aX", ""),
        (("P-Asserted-Identity: <sip:+79990001122@carrier>",), "anonymous", "79990001122"),
        (("P-Asserted-Identity: <tel:+7-999-000-11-22>",), "1", "79990001122"),
        (("P-Asserted-Identity: <mailto:x>, <tel:+79990001122>",), "1", "79990001122"),
        (("P-Asserted-Identity: <sip:+79990001122@carrier>", "Privacy: id"), "1", ""),
        (("P-Asserted-Identity: <<<",), "79261234567", ""),
        (("Privacy: none",), "79261234567", "79261234567"),
    ],
)
def test_who_calls(extra: tuple[str, ...], user: str, caller: str) -> None:
    house = House()
    house.called(user=user, extra=extra)
    assert [one.caller for one in house.arrivals] == [caller]


def test_a_phones_word_about_itself_is_not_asked_for() -> None:
    house = House()
    house.admission.use_phones([SipAccount("101", "geheim-101")])
    house.called(source=STRANGER, user="101")
    proof = authorization(challenges(house.final())["MD5"], method="INVITE", uri=CALLED)
    evil = "P-Asserted-Identity: <sip:79990001122@carrier>"
    house.called(source=STRANGER, user="101", cseq=2, branch="2", extra=(proof, evil))
    assert house.arrivals[0].caller == "101"


def test_a_call_to_our_own_contact_is_for_the_number_in_to() -> None:
    house = House(Trunk("carrier", "192.0.2.1", user="me", password="geheim"))
    house.called(uri="sip:me@127.0.0.1:5060", to="+74993720692")
    assert house.arrivals[0].called == "74993720692"


# How it goes.


def test_a_call_is_rung_back_answered_and_hung_up_by_the_caller() -> None:
    house = House()
    house.called(extra=("Record-Route: <sip:p1;lr>, <sip:p2;lr>", "Session-Expires: 1800"))
    house.ring_back()
    house.ring_back()
    house.answer()
    house.answer()
    assert house.codes() == [100, 180, 200]
    ringing, ok = house.responses()[1:]
    assert ringing.to_address.parameters["tag"] == ok.to_address.parameters["tag"]
    assert [str(one.uri) for one in ok.contact] == ["sip:callwright@127.0.0.1:5060"]
    assert b"Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\n" in bytes(ok)
    assert b"m=audio 16386 RTP/AVP 0 96" in ok.body
    assert house.facts == [StreamAgreed(LEG, RtpStream(("127.0.0.8", 7100), "PCMU", 0, 96))]
    house.ask("ACK")
    assert house.told() == ["LegConnected"]
    house.ask("BYE", cseq=2)
    assert house.final().code == 200
    assert house.ending().cause is Cause.HUNG_UP
    house.until(100)
    assert house.codes() == [100, 180, 200, 200]
    assert (house.agent.layer._servers, house.agent._calls) == ({}, {})
    assert house.agent.layer.next_timer() is None


def test_our_bye_goes_the_way_the_call_has_come() -> None:
    house = House()
    house.called(extra=("Record-Route: <sip:192.0.2.3;lr>, <sip:192.0.2.4;lr>",))
    house.answer()
    house.ask("ACK")
    house.hang_up(101)
    [bye] = house.requests("BYE")
    assert house.hops("BYE") == [("192.0.2.3", 5060)]
    assert str(bye.uri) == "sip:carrier@192.0.2.1:5060"
    assert bye.to_address.parameters["tag"] == "guest"


def test_a_phone_behind_a_nat_gets_its_bye_where_it_is() -> None:
    house = House()
    house.admission.use_phones([SipAccount("101", "geheim-101")])
    source = Hop("198.51.100.1", 40001)
    house.called(source=source, user="101", contact="<sip:101@10.0.0.5>")
    proof = authorization(challenges(house.final())["MD5"], method="INVITE", uri=CALLED)
    house.called(
        source=source, user="101", contact="<sip:101@10.0.0.5>", cseq=2, branch="2", extra=(proof,)
    )
    house.answer()
    ok = house.final()
    ack = request("ACK", user="101", to=ok.headers["To"], call_id="in", cseq=2, source=source)
    house.hear(ack, source=source)
    house.hang_up(101)
    assert house.hops("BYE") == [source.place]
    assert str(house.requests("BYE")[0].uri) == "sip:101@10.0.0.5"


def test_an_invite_without_an_offer_gets_ours() -> None:
    house = House()
    house.called(body="")
    house.answer()
    offer = house.final().body
    assert b"m=audio 16386" in offer
    assert b"PCMA" in offer
    assert house.facts == []
    house.ask("ACK", body=SDP)
    assert house.told() == ["LegConnected"]
    # Keys may come under 96, which it has answered, and under 101, which we have offered.
    stream = RtpStream(("127.0.0.8", 7100), "PCMU", 0, 96, own_dtmf_payload_type=101)
    assert house.facts[0] == StreamAgreed(LEG, stream)


@pytest.mark.parametrize("body", ["", "v=0\r\nm=audio 7 RTP/AVP 31\r\nc=IN IP4 127.0.0.1\r\n"])
def test_an_ack_without_a_usable_answer_ends_the_call(body: str) -> None:
    house = House()
    house.called(body="")
    house.answer()
    house.ask("ACK", body=body)
    assert house.told() == ["LegReleased"]
    assert house.ending().cause is Cause.UNREACHABLE
    assert len(house.requests("BYE")) == 1


def test_our_answer_is_repeated_until_it_is_acknowledged() -> None:
    house = House()
    house.called()
    house.answer()
    house.until(3.6)
    assert house.codes() == [100] + [200] * 4
    house.ask("ACK")
    house.until(60)
    assert house.codes() == [100] + [200] * 4
    assert house.told() == ["LegConnected"]


def test_no_ack_in_32_seconds_ends_the_call_by_a_bye() -> None:
    house = House()
    house.called()
    house.answer()
    house.until(31.9)
    assert house.told() == []
    house.until(32.1)
    assert house.ending() == LegReleased(LEG, Cause.UNREACHABLE, "no ACK")
    assert len({bytes(one) for one in house.requests("BYE")}) == 1
    house.until(200)
    assert (house.agent.layer._servers, house.agent._calls) == ({}, {})


def test_hanging_up_before_the_ack_waits_for_it() -> None:
    """RFC 3261 15: the callee must not send a BYE before the ACK has come, or never will."""
    house = House()
    house.called()
    house.answer()
    house.hang_up(101)
    assert house.told() == ["LegReleased"]
    assert house.requests("BYE") == []
    house.ask("ACK")
    assert len(house.requests("BYE")) == 1
    assert house.told() == ["LegReleased"]


def test_a_call_hung_up_and_never_acknowledged_gets_its_bye_all_the_same() -> None:
    house = House()
    house.called()
    house.answer()
    house.hang_up(101)
    house.until(33)
    assert house.requests("BYE")
    assert house.told() == ["LegReleased"]


@pytest.mark.parametrize(
    ("cause", "status"),
    [
        (Cause.BUSY, 486),
        (Cause.REJECTED, 603),
        (Cause.WRONG_NUMBER, 404),
        (Cause.NO_RESOURCES, 503),
        (Cause.ENGINE_LOST, 503),
        (Cause.RELEASED, 480),
        (Cause.NO_ANSWER, 480),
    ],
)
def test_a_call_is_refused(cause: Cause, status: int) -> None:
    house = House()
    house.called()
    house.ring_back()
    house.calls[LEG].hang_up(house.now, cause)
    house._pump()
    assert house.final().code == status
    assert house.ending().cause is cause
    house.ask("ACK", branch="invite")
    house.until(100)
    assert house.codes() == [100, 180, status]
    assert (house.agent.layer._servers, house.agent._calls) == ({}, {})


def test_a_caller_gives_up() -> None:
    house = House()
    house.called()
    house.ring_back()
    house.ask("CANCEL", branch="invite", to="74993720692")
    assert sorted(house.codes()) == [100, 180, 200, 487]
    assert house.ending() == LegReleased(LEG, Cause.HUNG_UP, "487 Request Terminated")
    house.answer()
    assert sorted(house.codes()) == [100, 180, 200, 487]


def test_a_cancel_that_crosses_our_answer_has_no_effect() -> None:
    house = House()
    house.called()
    house.answer()
    house.ask("CANCEL", branch="invite", to="74993720692")
    assert house.told() == []
    house.responses()
    ok = next(one for one in house.responses() if one.code == 200 and one.body)
    house.ask("ACK", to=ok.headers["To"])
    assert house.told() == ["LegConnected"]


def test_a_cancel_of_something_else_changes_nothing() -> None:
    house = House()
    house.called()
    house.ask("CANCEL", branch="another", to="74993720692")
    assert house.final().code == 481
    assert house.told() == []


def test_a_caller_may_give_up_by_a_bye_too() -> None:
    house = House()
    house.called()
    house.ring_back()
    house.ask("BYE", cseq=2)
    assert house.codes() == [100, 180, 487, 200]
    assert house.ending().cause is Cause.HUNG_UP


def test_a_bye_that_overtakes_the_ack() -> None:
    house = House()
    house.called()
    house.answer()
    house.ask("BYE", cseq=2)
    assert house.ending().cause is Cause.HUNG_UP
    house.ask("ACK")
    house.until(100)
    assert house.requests("BYE") == []


def test_copies_of_the_invite_are_one_call() -> None:
    house = House()
    invite = house.called()
    house.hear(invite, source=CARRIER)
    house.ring_back()
    house.hear(invite, source=CARRIER)
    assert len(house.arrivals) == 1
    assert house.codes() == [100, 100, 180, 180]


class Callers:
    """Far ends that call, and send everything again until it is answered (RFC 3261 17.1)."""

    def __init__(self) -> None:
        self._heard: set[str] = set()
        self._gone: set[str] = set()

    def invites(self, call: str) -> list[Packet]:
        return self._until(self._heard, call, self._request("INVITE", call))

    def byes(self, call: str, to: str) -> list[Packet]:
        return self._until(self._gone, call, self._request("BYE", call, cseq=2, to=to))

    def __call__(self, response: sipmessage.Response) -> list[Packet]:
        call, method = response.headers["Call-ID"], response.headers["CSeq"].split()[1]
        (self._heard if method == "INVITE" else self._gone).add(call)
        if method == "BYE" or response.code < 200:
            return []
        return [Packet(self._request("ACK", call, to=response.headers["To"]))]

    def _until(self, heard: set[str], call: str, data: bytes) -> list[Packet]:
        times = (0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5)
        return [Packet(data, after, unless=lambda: call in heard) for after in times]

    def _request(self, method: str, call: str, *, cseq: int = 1, to: str = "74993720692") -> bytes:
        return request(
            method, to=to, uri=CALLED, source=FAR, contact="<sip:far@127.0.0.1:6000>",
            body=SDP if method == "INVITE" else "", call_id=call, cseq=cseq,
            branch=f"{call}{method}",
        )  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_thirty_callers_of_thirty_are_answered_at_15_percent_loss(seed: int) -> None:
    house = House(Trunk("lossy", FAR.host, FAR.port), loss=0.15, seed=seed)
    house.caller = callers = Callers()
    for number in range(30):
        house.travel(callers.invites(f"call-{number}"))
    house.until(32)
    assert len(house.arrivals) == 30
    for leg in house.calls:
        house.answer(leg)
    house.until(64)
    assert house.told().count("LegConnected") == 30
    said = {one.headers["Call-ID"]: one.headers["To"] for one in house.responses()}
    for call, to in said.items():
        house.travel(callers.byes(call, to))
    house.until(200)
    assert house.told().count("LegReleased") == 30
    assert house.requests("BYE") == []
    assert house.agent.layer.next_timer() is None
    assert (house.agent.layer._servers, house.agent._calls) == ({}, {})


def test_the_same_call_by_another_way_is_refused() -> None:
    house = House()
    house.called()
    house.called(branch="by another proxy")
    assert house.codes() == [100, 482]
    assert len(house.arrivals) == 1


def test_callers_that_have_made_up_the_same_call_id_are_two_calls() -> None:
    house = House()
    house.called()
    house.called(tag="another", branch="another")
    assert house.codes() == [100, 100]
    house.answer(101)
    first = house.final().headers["To"]
    house.ask("ACK", branch="ack")
    # Taking the second back leaves the first alone, and hanging up the first the third.
    house.ask("CANCEL", branch="another", tag="another", to="74993720692")
    assert sorted(house.codes()[-2:]) == [200, 487]
    house.called(tag="third", branch="third")
    house.answer(103)
    house.ask("ACK", branch="third ack", tag="third")
    house.ask("BYE", cseq=2, to=first)
    assert house.final().code == 200
    assert {one.leg for one in house.facts if isinstance(one, LegReleased)} == {101, 102}
    house.ask("BYE", cseq=2, to=first, tag="third", branch="third bye")
    assert house.final().code == 481
    house.until(64)
    assert list(house.agent._calls.values()) == [house.calls[LegId(103)]]


def test_a_call_of_ours_comes_back_as_it_is_or_as_another() -> None:
    house = House()
    house.ring()
    [invite] = house.requests("INVITE")
    call_id, own = invite.call_id, invite.headers["From"].partition("tag=")[2]
    # A proxy has led it back to us; a PBX has made a call of its own of it, under its Call-ID.
    house.called(call_id=call_id, tag=own, branch="by a proxy")
    house.called(call_id=call_id, tag="of the pbx", branch="by a pbx")
    assert house.codes() == [482, 100]
    house.hear(reply(invite, 486), source=FAR)
    assert [one.leg for one in house.facts if isinstance(one, LegReleased)] == [LegId(1)]


def test_a_caller_may_try_again_after_a_refusal() -> None:
    house = House()
    house.called()
    house.hang_up(101)
    house.called(cseq=2, branch="second")
    assert house.codes() == [100, 480, 100]
    house.answer(102)
    house.until(40)
    assert len(house.arrivals) == 2
    assert LegId(102) in house.calls


def test_ringing_is_said_again_for_proxies_on_the_way() -> None:
    house = House()
    house.called()
    house.ring_back()
    house.until(2.5 * RING_BACK_EVERY)
    assert house.codes() == [100, 180, 180, 180]


def test_who_requires_reliable_provisional_responses_gets_none_before_the_answer() -> None:
    house = House()
    house.called(extra=("Require: 100rel",))
    house.ring_back()
    house.until(2.5 * RING_BACK_EVERY)
    assert house.codes() == [100]
    house.answer()
    assert house.codes() == [100, 200]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"body": "v=0\r\n"}, 488),
        ({"body": SDP.replace("0 8 96", "31")}, 488),
        ({"contact": None}, 400),
        ({"contact": "<mailto:a@b>"}, 400),
        ({"contact": '"'}, 400),
        ({"extra": ("Require: precondition",)}, 420),
        ({"extra": ("Supported: timer", "Session-Expires: 60")}, 422),
    ],
)
def test_what_we_cannot_take_is_never_offered(change: dict[str, Any], status: int) -> None:
    house = House()
    house.called(**change)
    assert house.codes() == [status]
    assert house.arrivals == []
    assert house.agent.layer._servers == {}


@pytest.mark.parametrize("offer", ["", SDP])
def test_a_second_invite_before_our_answer_is_put_off(offer: str) -> None:
    """RFC 3261 14.2: 500 with Retry-After; 491 is for one that crosses ours."""
    house = House()
    house.called()
    house.ring_back()
    house.ask("INVITE", cseq=2, body=offer)
    assert house.codes() == [100, 180, 500]
    assert 0 <= int(house.final().headers["Retry-After"]) <= 10
    house.answer()
    assert house.final().code == 200


def test_an_offer_in_an_update_waits_for_our_answer_to_the_one_before() -> None:
    """RFC 3311 5.2: 500 with a Retry-After where an offer has been received and not answered."""
    house = House()
    house.called()
    house.ring_back()
    house.ask("UPDATE", cseq=2, body=SDP)
    assert house.codes() == [100, 180, 500]
    assert 0 <= int(house.final().headers["Retry-After"]) <= 10
    house.ask("UPDATE", cseq=3)
    assert house.final().code == 200


def test_an_offer_in_an_update_crosses_the_one_that_we_are_asked_for() -> None:
    house = House()
    house.called(body="")
    house.ring_back()
    house.ask("UPDATE", cseq=2, body=SDP)
    assert house.final().code == 491


@pytest.mark.parametrize("body", ["", SDP])
def test_changes_of_an_answered_call_wait_for_its_ack(body: str) -> None:
    house = House()
    house.called(body=body)
    house.answer()
    house.ask("INVITE", cseq=2, body=SDP)
    assert house.final().code == 491
    house.ask("UPDATE", cseq=3, body=SDP)
    assert house.final().code == 491
    house.ask("ACK", body="" if body else SDP)
    house.ask("INVITE", cseq=4, body=SDP)
    assert house.final().code == 200


def test_keys_and_holds_of_a_caller() -> None:
    house = House()
    house.called()
    house.answer()
    house.ask("ACK")
    house.ask("INVITE", cseq=2, body=SDP + "a=sendonly\r\n")
    assert b"a=recvonly" in house.final().body
    house.ask("ACK", cseq=2)
    assert house.told() == ["LegConnected", "LegHeld"]


def test_a_session_that_is_not_refreshed_ends() -> None:
    house = House()
    house.called(extra=("Supported: timer", "Session-Expires: 120;refresher=uac"))
    house.answer()
    assert house.final().headers["Session-Expires"] == "120;refresher=uac"
    house.ask("ACK")
    house.until(200)
    assert house.ending().cause is Cause.UNREACHABLE
