"""The registrar: who may register, where he is then rung, and what guessing brings."""

import re

import pytest
import sipmessage
from hypothesis import given, settings
from hypothesis import strategies as st

from callwright.engines.network import SipAccount, Trunk
from callwright.engines.sip.admission.admission import Admission
from callwright.engines.sip.admission.bindings import CONTACTS_AT_MOST, Binding
from callwright.engines.sip.admission.login_throttle import (
    BLOCKED_FOR,
    BLOCKED_FROM,
    FREE,
    ONE_TRY_FROM,
    SHUT_FROM,
    SUBSIDES,
)
from callwright.engines.sip.admission.nonces import LASTS
from callwright.engines.sip.wire.hop import Hop, Transport
from callwright.engines.sip.wire.message import SipRequest, SipResponse, parse
from tests.engines.sip.guest import authorization, challenges, request
from tests.engines.sip.world import World

HERE = Hop("192.0.2.10", 5060)
ELSEWHERE = Hop("192.0.2.20", 5062)
CONTACT = "<sip:101@192.0.2.10:5060>"
PHONES = [SipAccount("101", "geheim-101"), SipAccount("102", "geheim-102")]


class Office(World):
    """A world whose phones 101 and 102 may register."""

    def __init__(self) -> None:
        super().__init__()
        self.admission.use_phones(PHONES)

    def ask(self, data: bytes, source: Hop = HERE) -> sipmessage.Response:
        """Send a request; return the one answer."""
        before = len(self.responses())
        self.hear(data, source=source)
        [answer] = self.responses()[before:]
        return answer

    def register(
        self,
        contact: str | None = CONTACT,
        *,
        user: str = "101",
        password: str = "",
        to: str = "",
        source: Hop = HERE,
        call_id: str = "one",
        cseq: int = 1,
        extra: tuple[str, ...] = (),
        algorithm: str = "MD5",
        method: str = "REGISTER",
    ) -> sipmessage.Response:
        """Register as a phone does: the first try is challenged, the second one has the answer."""
        to, password = to or user, password or f"geheim-{user}"

        def once(cseq: int, *more: str) -> sipmessage.Response:
            data = request(
                method, user=user, to=to, source=source, contact=contact, call_id=call_id,
                cseq=cseq, extra=[*extra, *more],
            )  # fmt: skip
            return self.ask(data, source)

        answer = once(cseq)
        if answer.code != 401:
            return answer
        challenge = challenges(answer)[algorithm]
        return once(cseq + 1, authorization(challenge, user=user, password=password, method=method))

    def bindings(self, number: str = "101") -> list[Binding]:
        return list(self.admission.bindings.of(number, self.now))

    def contacts(self, number: str = "101") -> list[str]:
        return [one.uri for one in self.bindings(number)]


def granted(answer: sipmessage.Response) -> list[tuple[str, int]]:
    """The contacts a 200 lists, each with its seconds."""
    assert answer.code == 200
    return [(str(one.uri), int(one.parameters["expires"] or "")) for one in answer.contact]


PLAIN = 'username="101", realm="callwright", nonce="1", uri="1", response="1"'


# Who may register.


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_a_phone_registers(algorithm: str) -> None:
    office = Office()
    answer = office.register(algorithm=algorithm)
    assert granted(answer) == [("sip:101@192.0.2.10:5060", 300)]
    [binding] = office.bindings()
    assert (binding.hop, binding.natted, binding.ends) == (HERE, False, 300.0)


def test_the_challenge_prefers_sha_256() -> None:
    answer = Office().ask(request("REGISTER", contact=CONTACT))
    offered = challenges(answer)
    assert list(offered) == ["SHA-256", "MD5"]
    assert all(one["qop"] == "auth" and one["realm"] == "callwright" for one in offered.values())
    assert "stale" not in offered["MD5"]


def test_a_phone_that_gives_up_at_sha_256_is_not_shown_it() -> None:
    old = request("REGISTER", contact=CONTACT, extra=["User-Agent: baresip v1.0.0 (x86_64/linux)"])
    assert list(challenges(Office().ask(old))) == ["MD5"]
    new = request("REGISTER", contact=CONTACT, extra=["User-Agent: baresip v2.0.0 (x86_64/linux)"])
    assert len(challenges(Office().ask(new))) == 2


def test_md5_alone_is_offered_where_that_is_set() -> None:
    admission = Admission("callwright", b"a secret", ["MD5"])
    admission.use_phones(PHONES)
    asked = parse(request("REGISTER", contact=CONTACT))
    assert isinstance(asked, SipRequest)
    answer, _ = admission.register(asked, HERE, 0.0, tag="t")
    [challenge] = answer.headers["www-authenticate"]
    assert "algorithm=MD5" in challenge


def test_the_answer_without_qop_of_old_phones_is_good_once() -> None:
    office = Office()
    challenge = challenges(office.ask(request("REGISTER", contact=CONTACT)))["MD5"]
    old = authorization(challenge, qop="")
    assert office.ask(request("REGISTER", contact=CONTACT, extra=[old])).code == 200
    again = office.ask(request("REGISTER", contact=CONTACT, extra=[old]))
    assert challenges(again)["MD5"]["stale"] == "true"


def test_an_unknown_number_is_told_nothing_else_than_a_wrong_password() -> None:
    def shape(answer: sipmessage.Response) -> str:
        return re.sub(
            r'nonce="\w+"|tag=\w+|branch=\w+|Call-ID: .*|<sip:\d+@', "", bytes(answer).decode()
        )

    known = Office().register(password="wrong", user="101")
    assert shape(known) == shape(Office().register(password="wrong", user="999"))
    first_known = Office().ask(request("REGISTER", user="101", contact=CONTACT))
    first_unknown = Office().ask(request("REGISTER", user="999", to="999", contact=CONTACT))
    assert shape(first_known) == shape(first_unknown)


def test_a_phone_may_register_itself_only() -> None:
    office = Office()
    assert office.register(to="102").code == 403
    assert office.bindings("102") == []


def test_a_stale_nonce_is_answered_anew() -> None:
    office = Office()
    challenge = challenges(office.ask(request("REGISTER", contact=CONTACT)))["MD5"]
    office.until(LASTS + 1)
    late = request("REGISTER", contact=CONTACT, extra=[authorization(challenge)])
    assert challenges(office.ask(late))["MD5"]["stale"] == "true"
    assert office.bindings() == []


def test_a_nonce_of_before_our_restart_is_answered_anew() -> None:
    challenge = challenges(Office().ask(request("REGISTER", contact=CONTACT)))["MD5"]
    challenge["nonce"] = challenge["nonce"][:-1] + "x"
    answer = Office().ask(request("REGISTER", extra=[authorization(challenge)]))
    assert challenges(answer)["MD5"]["stale"] == "true"


def test_an_overheard_answer_is_of_no_use() -> None:
    office = Office()
    challenge = challenges(office.ask(request("REGISTER", contact=CONTACT)))["MD5"]
    overheard = authorization(challenge)
    assert office.ask(request("REGISTER", contact=CONTACT, extra=[overheard])).code == 200
    evil = "<sip:101@198.51.100.66>"
    assert office.ask(request("REGISTER", contact=evil, extra=[overheard])).code == 401
    assert office.ask(request("REGISTER", contact=evil, extra=[overheard]), ELSEWHERE).code == 401
    for_another = request("REGISTER", contact=evil, uri="sip:other", extra=[overheard])
    assert office.ask(for_another).code == 401
    assert office.contacts() == ["sip:101@192.0.2.10:5060"]


def test_a_connection_is_known_once_a_password_was_shown_over_it() -> None:
    office = Office()
    line = Hop("192.0.2.10", 40000, Transport.TCP, flow=7)
    office.register(source=line, password="wrong")
    assert not office.admission.has_proved(line)
    office.register(source=line, call_id="two")
    assert office.admission.has_proved(line)
    assert not office.admission.has_proved(Hop("192.0.2.10", 40000, Transport.TLS, flow=7))
    office.admission.use_trunks([Trunk("carrier", "192.0.2.30")])
    assert office.admission.has_proved(Hop("192.0.2.30", 40000, Transport.TCP, flow=8))


def test_one_nonce_serves_a_phone_for_long() -> None:
    office = Office()
    challenge = challenges(office.ask(request("REGISTER", contact=CONTACT)))["MD5"]
    for count in range(1, 6):
        refresh = request(
            "REGISTER", contact=CONTACT, call_id="same", cseq=count,
            extra=[authorization(challenge, nc=count)],
        )  # fmt: skip
        assert office.ask(refresh).code == 200
        office.until(office.now + 60)


def test_a_copy_of_a_lost_answer_s_request_gets_the_answer_again() -> None:
    office = Office()
    challenge = challenges(office.ask(request("REGISTER", contact=CONTACT)))["MD5"]
    data = request("REGISTER", contact=CONTACT, extra=[authorization(challenge)])
    first, second = office.ask(data), office.ask(data)
    assert first.code == second.code == 200
    assert bytes(first) == bytes(second)


@pytest.mark.parametrize(
    "header",
    [
        "Authorization: Basic MTAxOmdlaGVpbQ==",
        'Authorization: Digest username="101"',
        "Authorization: Digest",
        'Authorization: Digest username="101", realm="callwright", nonce="", uri="", response=""',
        'Authorization: Digest username="101", realm="elsewhere", nonce="1", uri="1", response="1"',
        'Authorization: Digest username="1", realm="callwright", nonce="1", uri="1", response="1"',
        "Authorization: Digest algorithm=SHA-512-256, " + PLAIN,
        "Authorization: " + "Digest x=" * 500,
    ],
)
def test_an_authorization_that_makes_no_sense_is_challenged(header: str) -> None:
    office = Office()
    assert office.ask(request("REGISTER", contact=CONTACT, extra=[header])).code == 401
    assert len(office.admission.digest_server.throttle) == 0, "no password was tried"


# Guessing.


def test_guessing_is_slowed_then_blocked_while_others_are_served(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    office = Office()
    codes = []
    for attempt in range(BLOCKED_FROM):
        answer = office.register(password=f"guess {attempt}", call_id=f"g{attempt}")
        codes.append(answer.code)
        if answer.code == 503:
            wait = int(answer.headers["Retry-After"])
            # Nothing is looked at before that, not even the right password.
            assert office.register(call_id=f"early{attempt}").code == 503
            office.until(office.now + wait)
    assert codes == [401] * FREE + [503] * (BLOCKED_FROM - FREE - 1) + [403]
    assert office.register(call_id="right").code == 403
    assert office.ask(request("REGISTER", contact=CONTACT)).code == 403
    assert office.register(source=ELSEWHERE, call_id="other").code == 200
    assert office.register(user="102", call_id="neighbour").code == 200
    office.until(office.now + BLOCKED_FOR)
    assert office.register(call_id="later").code == 200
    assert office.admission.digest_server.wrong == BLOCKED_FROM
    assert [record.getMessage() for record in caplog.records] == [
        *["wrong password for ..101 from 192.0.2.10"] * BLOCKED_FROM,
        "..101 is refused from 192.0.2.10 for 10 minutes",
    ]


def test_one_number_after_another_is_guessing_too(caplog: pytest.LogCaptureFixture) -> None:
    office = Office()

    def guesses(count: int) -> list[int]:
        """Each at a number of its own; time passes, so that requests are not too many."""
        codes = []
        for _ in range(count):
            number = str(1000 + office.admission.digest_server.wrong)
            codes.append(office.register(user=number, password="guess", call_id=number).code)
            office.until(office.now + 0.1)
        return codes

    assert guesses(ONE_TRY_FROM - 1) == [401] * (ONE_TRY_FROM - 1)
    assert guesses(2)[-1] == 403
    assert office.register(call_id="right").code == 200, "who shows the right one is let in"
    assert office.register(user="102", password="wrong", call_id="w").code == 403
    assert office.register(user="102", call_id="too late").code == 403
    guesses(SHUT_FROM)
    assert office.register(user="103", call_id="shut").code == 403
    assert office.register(call_id="right", cseq=10).code == 200, "it is registered from there"
    assert office.register(source=ELSEWHERE, call_id="other").code == 200
    told = [record.getMessage() for record in caplog.records if "guesses" in record.message]
    assert told == [
        "192.0.2.10 guesses passwords: each number has one try from there",
        "192.0.2.10 guesses passwords: it is not listened to",
    ]
    office.until(office.now + SHUT_FROM * SUBSIDES)
    assert office.register(user="102", call_id="later").code == 200


def test_an_office_is_not_cut_off_by_one_phone_with_an_old_password() -> None:
    """All of it is behind one NAT, and after our restart nobody is registered."""
    office = Office()
    nat = Hop("198.51.100.1", 40001)
    for attempt in range(BLOCKED_FROM):
        neighbour = Hop("198.51.100.1", 40002)
        while office.register(
            user="102", password="old", source=neighbour, call_id=f"bad{attempt}"
        ).code not in (401, 403):
            office.until(office.now + 40)
    assert office.register(user="102", source=neighbour, call_id="x").code == 403
    assert office.register(source=nat, call_id="good").code == 200


def test_a_phone_that_is_registered_is_served_beside_a_guessing_neighbour() -> None:
    office = Office()
    nat = Hop("198.51.100.1", 40001)
    assert office.register(source=nat, call_id="good").code == 200
    for attempt in range(BLOCKED_FROM + 5):
        neighbour = Hop("198.51.100.1", 40002)
        office.register(user="102", password="old", source=neighbour, call_id=f"bad{attempt}")
        office.until(office.now + 2)
    assert office.register(user="102", source=neighbour, call_id="x").code in (403, 503)
    assert office.register(source=nat, call_id="good", cseq=10).code == 200
    for attempt in range(FREE + 1):
        office.register(password="guess", source=nat, call_id=f"g{attempt}")
    assert office.register(source=nat, call_id="good", cseq=20).code in (403, 503)


def test_the_addresses_of_one_subnet_are_one_guesser() -> None:
    office = Office()
    codes = [
        office.register(
            "<sip:101@[2001:db8::1]>", password="guess", call_id=str(n),
            source=Hop(f"2001:db8::{n + 1}", 5060),
        ).code
        for n in range(FREE + 1)
    ]  # fmt: skip
    assert codes == [401] * FREE + [503]
    assert office.register(source=Hop("2001:db8:0:1::1", 5060), call_id="other").code == 200


def test_failures_cannot_be_put_down_to_somebody_else() -> None:
    """A forged source never sees its nonce, and without that nothing is tried."""
    office = Office()
    challenge = challenges(office.ask(request("REGISTER"), ELSEWHERE))["MD5"]
    for _ in range(20):
        forged = request("REGISTER", extra=[authorization(challenge, password="guess")])
        assert office.ask(forged, HERE).code == 401
    assert office.register().code == 200


def test_a_flood_of_strangers_leaves_nothing() -> None:
    office = Office()
    for number in range(3000):
        source = Hop(f"198.51.{number // 250}.{number % 250 + 1}", 5060)
        for method in ("REGISTER", "INVITE"):
            office.hear(request(method, user=str(number), source=source), source=source)
    layer = office.agent.layer
    assert {one.code for one in office.responses()} == {401}
    assert (layer._servers, layer._clients, office.agent._calls) == ({}, {}, {})
    assert layer.next_timer() is None
    assert len(office.admission.digest_server.throttle) == 0
    assert len(office.admission.digest_server._nonces) == 0


# What is then in force (RFC 3261 10.3).


def test_several_contacts_are_kept_by_preference_then_the_latest_first() -> None:
    office = Office()
    office.register("<sip:101@192.0.2.10:5060>;q=0.5", call_id="a")
    office.register("<sip:101@192.0.2.11:5060>;q=1.0", call_id="b")
    answer = office.register("<sip:101@192.0.2.12:5060>", call_id="c")
    assert [one.split("@")[1] for one in office.contacts()] == [
        "192.0.2.12:5060",
        "192.0.2.11:5060",
        "192.0.2.10:5060",
    ]
    assert len(granted(answer)) == 3
    assert bytes(answer).count(b";q=0.5") == 1


def test_of_too_many_contacts_the_oldest_goes() -> None:
    office = Office()
    for number in range(CONTACTS_AT_MOST + 2):
        office.register(f"<sip:101@192.0.2.10:{5060 + number}>", call_id=str(number))
    ports = [one.rpartition(":")[2] for one in office.contacts()]
    assert ports == [str(5060 + number) for number in range(CONTACTS_AT_MOST + 1, 1, -1)]


def test_too_many_contacts_at_once_are_refused() -> None:
    office = Office()
    many = ", ".join(f"<sip:101@192.0.2.10:{6000 + n}>" for n in range(CONTACTS_AT_MOST + 1))
    assert office.register(many).code == 400
    assert office.contacts() == []


@pytest.mark.parametrize(
    ("contact", "header", "seconds"),
    [
        (CONTACT, None, 300),
        (CONTACT, "120", 120),
        (CONTACT, "99999", 3600),
        (CONTACT, "4294967295", 3600),
        (CONTACT, "soon", 300),
        (CONTACT, "-1", 300),
        (f"{CONTACT};expires=90", "120", 90),
        (f"{CONTACT};expires=60", None, 60),
        (f"{CONTACT};expires=x", "120", 300),
        (f"{CONTACT};expires", "120", 300),
    ],
)
def test_how_long_a_registration_lasts(contact: str, header: str | None, seconds: int) -> None:
    extra = (f"Expires: {header}",) if header else ()
    assert granted(Office().register(contact, extra=extra)) == [
        ("sip:101@192.0.2.10:5060", seconds)
    ]


def test_what_is_too_brief_is_refused_with_the_least() -> None:
    office = Office()
    for extra, contact in ((("Expires: 59",), CONTACT), ((), f"{CONTACT};expires=1")):
        answer = office.register(contact, extra=extra, call_id=contact)
        assert (answer.code, answer.headers["Min-Expires"]) == (423, "60")
    assert office.contacts() == []


def test_a_registration_ends() -> None:
    office = Office()
    office.register()
    office.until(299)
    assert granted(office.register(None, call_id="fetch")) == [("sip:101@192.0.2.10:5060", 1)]
    office.until(300.5)
    assert office.contacts() == []
    answer = office.register(None, call_id="fetch 2")
    assert answer.code == 200
    assert answer.contact == []


def test_a_refresh_takes_the_place_of_the_first() -> None:
    office = Office()
    office.register(extra=("Expires: 100",))
    office.until(80)
    assert granted(office.register(cseq=3, extra=("Expires: 100",)))[0][1] == 100
    office.until(150)
    assert len(office.contacts()) == 1


def test_a_contact_is_taken_back() -> None:
    office = Office()
    office.register(call_id="a")
    office.register("<sip:101@192.0.2.11>", call_id="b")
    assert office.register(f"{CONTACT};expires=0", call_id="a", cseq=5).code == 200
    assert office.contacts() == ["sip:101@192.0.2.11"]


def test_all_contacts_are_taken_back() -> None:
    office = Office()
    office.register(call_id="a")
    office.register("<sip:101@192.0.2.11>", call_id="b")
    for extra in ((), ("Expires: 300",)):
        assert office.register("*", extra=extra, call_id="c").code == 400
    assert office.register(f"*, {CONTACT}", extra=("Expires: 0",), call_id="c").code == 400
    assert len(office.contacts()) == 2
    assert office.register("*", extra=("Expires: 0",), call_id="c").code == 200
    assert office.contacts() == []


def test_an_older_request_of_the_same_phone_changes_nothing() -> None:
    office = Office()
    office.register(cseq=10)
    assert office.register(f"{CONTACT};expires=0", cseq=5).code == 500
    assert office.register("*", extra=("Expires: 0",), cseq=5).code == 500
    both = f"<sip:101@192.0.2.99>, {CONTACT}"
    assert office.register(both, cseq=5).code == 500
    assert office.contacts() == ["sip:101@192.0.2.10:5060"]
    assert office.register(f"{CONTACT};expires=0", cseq=5, call_id="after a reboot").code == 200
    assert office.contacts() == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("sip:101@192.0.2.10", "sip:101@192.0.2.10:5060", False),
        ("sip:101@PHONE.example", "SIP:101@phone.EXAMPLE", True),
        ("sip:%31%30%31@192.0.2.10", "sip:101@192.0.2.10", True),
        ("sip:101@192.0.2.10;ob", "sip:101@192.0.2.10", True),
        ("sip:101@192.0.2.10;transport=tcp", "sip:101@192.0.2.10", False),
        ("sip:101@192.0.2.10;transport=TCP", "sip:101@192.0.2.10;transport=tcp", True),
        ("sip:Anna@192.0.2.10", "sip:anna@192.0.2.10", False),
    ],
)
def test_which_contacts_are_the_same(one: str, other: str, same: bool) -> None:
    office = Office()
    office.register(f"<{one}>", call_id="a")
    office.register(f"<{other}>", call_id="b")
    assert len(office.contacts()) == (1 if same else 2)


@pytest.mark.parametrize(
    "contact",
    ["<mailto:a@b>", "<sips:101@192.0.2.10>", "<tel:101>", "<sip:>", "<>", "<sip:101@192.0.2.10"],
)
def test_a_contact_that_cannot_be_rung_is_refused(contact: str) -> None:
    office = Office()
    assert office.register(f"{CONTACT}, {contact}").code == 400
    assert office.contacts() == []


def test_what_we_cannot_do_is_refused() -> None:
    answer = Office().register(extra=("Require: path",))
    assert (answer.code, answer.headers["Unsupported"]) == (420, "path")


# Behind a NAT.


@pytest.mark.parametrize(
    ("contact", "via", "source", "rung_at"),
    [
        ("<sip:101@10.0.0.5:5060>", "10.0.0.5:5060", Hop("198.51.100.1", 40001), "source"),
        ("<sip:101@192.168.1.5:5060>", "192.168.1.5:5060", Hop("192.168.1.5", 5060), "contact"),
        ("<sip:101@192.0.2.10:5062>", "192.0.2.10:40000", Hop("192.0.2.10", 40000), "contact"),
        ("<sip:101@192.0.2.10:5060>", "192.0.2.10:5060", Hop("192.0.2.10", 40000), "source"),
        ("<sip:101@192.0.2.77:5060>", "192.0.2.10:5060", Hop("192.0.2.10", 5060), "source"),
        ("<sip:101@phone.example>", "192.0.2.10:5060", Hop("192.0.2.10", 5060), "contact"),
    ],
)
def test_where_a_phone_is_rung(contact: str, via: str, source: Hop, rung_at: str) -> None:
    office = Office()
    host, _, port = via.partition(":")
    challenge = challenges(office.ask(request("REGISTER"), source))["MD5"]
    data = request(
        "REGISTER", source=Hop(host, int(port)), contact=contact, extra=[authorization(challenge)]
    )
    assert office.ask(data, source).code == 200
    [binding] = office.bindings()
    assert binding.natted == (rung_at == "source")
    assert binding.uri == contact.strip("<>")
    if binding.natted:
        assert binding.hop == source


def test_over_a_connection_a_phone_is_rung_by_that_connection() -> None:
    office = Office()
    source = Hop("192.0.2.10", 40000, Transport.TCP, flow=7)
    office.register("<sip:101@192.0.2.10:40000;transport=tcp>", source=source)
    [binding] = office.bindings()
    assert (binding.hop.transport, binding.hop.flow) == (Transport.TCP, 7)


def keeps_alive(office: Office, until: float, *, answers: bool) -> list[float]:
    """Let time pass beside a phone that answers OPTIONS or is gone; return when it was asked."""
    while office.now < until:
        asked = len(office.requests("OPTIONS"))
        office.until(min(until, office.now + 0.25))
        for one in office.requests("OPTIONS")[asked:] if answers else ():
            via = one.headers.getlist("Via")[0]
            lines = [
                "SIP/2.0 405 Whatever",
                f"Via: {via}",
                f"From: {one.headers['From']}",
                f"To: {one.headers['To']};tag=x",
                f"Call-ID: {one.headers['Call-ID']}",
                f"CSeq: {one.headers['CSeq']}",
                "Content-Length: 0",
            ]
            office.hear("\r\n".join([*lines, "", ""]).encode(), source=Hop("198.51.100.1", 40001))
    return office.times("OPTIONS")


NATTED = Hop("198.51.100.1", 40001)


def test_the_way_to_a_phone_behind_a_nat_is_kept_open() -> None:
    office = Office()
    office.register("<sip:101@10.0.0.5>", source=NATTED)
    times = keeps_alive(office, 200, answers=True)
    assert times[:3] == pytest.approx([30, 60.25, 90.5], abs=1)
    assert set(office.hops("OPTIONS")) == {NATTED.place}
    assert office.contacts() == ["sip:101@10.0.0.5"]
    office.until(1000)
    assert office.agent.layer.next_timer() is None, "after the registration nobody is asked"


def test_a_phone_that_is_gone_is_forgotten_after_two_questions() -> None:
    office = Office()
    office.register("<sip:101@10.0.0.5>", source=NATTED, extra=("Expires: 3600",))
    office.until(93)
    assert office.contacts() == ["sip:101@10.0.0.5"]
    office.until(130)
    assert office.contacts() == []
    office.until(1000)
    assert len({one.headers["CSeq"] for one in office.requests("OPTIONS")}) == 2


def test_a_phone_at_its_own_address_is_not_asked() -> None:
    office = Office()
    office.register()
    office.until(400)
    assert office.requests("OPTIONS") == []


# The directory changes.


def test_a_phone_with_another_password_must_register_anew() -> None:
    office = Office()
    office.register()
    office.register("<sip:102@192.0.2.10>", user="102", call_id="b")
    office.admission.use_phones([SipAccount("101", "another one"), PHONES[1]])
    assert (office.contacts("101"), len(office.contacts("102"))) == ([], 1)
    assert office.register(call_id="c").code == 401
    office.admission.use_phones([PHONES[0]])
    assert office.contacts("102") == []


def test_without_phones_there_is_no_registrar() -> None:
    world = World()
    world.hear(request("REGISTER", contact=CONTACT))
    [answer] = world.responses()
    assert answer.code == 405


# Hostile input.


PIECES = st.sampled_from(
    ["<sip:101@192.0.2.10:5060>", "<sip:a@b>", "*", ";expires=", ";q=", "0", "60", "1.0", "99999",
     ",", " ", '"', "<", ">", ";", "=", "@", ":", "sip:", "ü", "\t", "\\", ";expires=0", ";q=0.3"]
)  # fmt: skip


def test_a_contact_named_twice_counts_as_the_last() -> None:
    office = Office()
    answer = office.register(f"{CONTACT};expires=100, {CONTACT};expires=200")
    assert granted(answer) == [("sip:101@192.0.2.10:5060", 200)]


@given(contact=st.lists(PIECES, max_size=12).map("".join), expires=st.text(max_size=12))
@settings(max_examples=200, deadline=None)
def test_whatever_the_contact_is_the_registrar_stands(contact: str, expires: str) -> None:
    office = Office()
    office.register("<sip:101@192.0.2.50>", call_id="first")
    challenge = challenges(office.ask(request("REGISTER")))["MD5"]
    clean = "".join(one for one in expires if one.isprintable())
    extra = [authorization(challenge), f"Expires: {clean}"]
    office.agent.receive(request("REGISTER", contact=contact, extra=extra), HERE, 0.0)
    answers = [parse(one.data) for one in office.agent.layer.to_send]
    assert all(isinstance(one, SipResponse) and one.status in (200, 400, 423) for one in answers)
    bindings = office.bindings()
    assert len(bindings) <= CONTACTS_AT_MOST
    for binding in bindings:
        assert binding.hop.host
        assert 0 < binding.ends <= 3600
        assert 0 <= binding.q <= 1
        SipRequest("INVITE", binding.uri, {"to": [f"<{binding.uri}>"]})
