"""Our registration at trunks, and whether they answer: refreshes, refusals, outages, farewells."""

from collections.abc import Sequence

import pytest
import sipmessage

from callwright.engines.network import Trunk, TrunkRegistration, TrunkState
from callwright.engines.sip.transaction.digest_client import DigestClient
from callwright.engines.sip.trunks.registration import LONGEST_PAUSE
from callwright.engines.sip.trunks.trunk_registrations import TrunkRegistrations
from callwright.engines.sip.trunks.trunk_uri import trunk_hop
from tests.engines.sip.world import Packet, World, reply

TRUNK = Trunk("carrier", "192.0.2.1", 5080, user="me", password="geheim", register=True)
CHALLENGE = 'Digest realm="carrier", nonce="{}", qop="auth"'


class Carrier:
    """The far end: what it says to each REGISTER and OPTIONS, in turn; the last word stays."""

    def __init__(self, *says: tuple[int, Sequence[str]] | None) -> None:
        self.says = list(says)
        self.asked: list[sipmessage.Request] = []

    def __call__(self, request: sipmessage.Request) -> Sequence[Packet]:
        self.asked.append(request)
        said = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        if said is None:
            return ()
        status, extra = said
        contact = f"<{request.contact[0].uri}>" if status == 200 else None
        return [Packet(reply(request, status, "Whatever", contact=contact, extra=extra))]


class Registered(World):
    """A world with trunks; ``chance`` is what the random numbers are."""

    def __init__(self, carrier: Carrier, *trunks: Trunk, chance: float = 0.0) -> None:
        super().__init__(carrier)
        self.carrier = carrier
        self.lines = TrunkRegistrations(
            lambda trunk: self.agent.sender(
                DigestClient(trunk.user, trunk.password), trunk_hop(trunk)
            ),
            lambda: chance,
        )
        self.use(*(trunks or (TRUNK,)))

    def use(self, *trunks: Trunk) -> None:
        self.lines.use(trunks, self.now)
        self._pump()

    def leave(self) -> None:
        self.lines.leave(self.now)
        self._pump()

    def state(self, place: int = 0) -> TrunkState:
        return self.lines.states(self.now)[place]


def ok(*extra: str) -> tuple[int, Sequence[str]]:
    return 200, extra


def test_we_register() -> None:
    world = Registered(Carrier(ok()))
    world.until(1)
    [request] = world.requests("REGISTER")
    assert world.hops("REGISTER") == [("192.0.2.1", 5080)]
    assert str(request.uri) == "sip:192.0.2.1"
    assert str(request.from_address.uri) == str(request.to_address.uri) == "sip:me@192.0.2.1"
    assert str(request.contact[0].uri) == "sip:me@127.0.0.1:5060"
    assert request.headers["Expires"] == "300"
    state = world.state()
    assert (state.registration, state.detail) == (TrunkRegistration.REGISTERED, "")
    assert state.registered_for == pytest.approx(299, abs=0.1)


def test_a_trunk_that_is_not_registered_at_is_let_alone() -> None:
    world = Registered(Carrier(ok()), Trunk("carrier", "192.0.2.1"))
    world.until(1000)
    assert world.sent == []
    assert world.state() == TrunkState("carrier", TrunkRegistration.OFF)


def test_it_is_refreshed_at_four_fifths_of_what_is_granted() -> None:
    world = Registered(Carrier(ok("Expires: 100")))
    world.until(250)
    assert world.times("REGISTER") == pytest.approx([0, 80, 160, 240], abs=0.1)
    requests = world.requests("REGISTER")
    assert len({one.headers["Call-ID"] for one in requests}) == 1
    assert [one.headers["CSeq"] for one in requests] == [f"{n} REGISTER" for n in range(1, 5)]


def test_the_log_tells_of_changes_of_a_registration_alone(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    world = Registered(Carrier(ok("Expires: 100"), (500, ()), (500, ()), ok("Expires: 100")))
    world.until(300)
    assert [record.getMessage() for record in caplog.records] == [
        "trunk carrier: registered for 100 s",
        "trunk carrier: not registered: 500 Whatever",
        "trunk carrier: registered for 100 s",
    ]


def test_what_is_granted_to_our_contact_counts() -> None:
    """RFC 3261 10.3: the answer lists all contacts of the number, others' too.

    What another phone has put there, and the trunk hands on, need not even be a URI.
    """
    nonsense = "Contact: <sip:me@192.0.2.98:port>;expires=3600, <me>;expires=3600"
    others = "Contact: <sip:me@192.0.2.99>;expires=3600, <sip:ME@127.0.0.1:5060>;expires=11"
    ours = "Contact: <sip:me@127.0.0.1:5060>;expires=200"

    def carrier(request: sipmessage.Request) -> Sequence[Packet]:
        extra = [nonsense, others, ours, "Expires: 5000"]
        return [Packet(reply(request, 200, contact=None, extra=extra))]

    world = World(carrier)
    lines = TrunkRegistrations(
        lambda trunk: world.agent.sender(DigestClient(None, None), trunk_hop(trunk)), lambda: 0.0
    )
    lines.use([TRUNK], 0.0)
    world._pump()
    world.until(330)
    assert world.times("REGISTER") == pytest.approx([0, 160, 320], abs=0.1)


@pytest.mark.parametrize("granted", ["1", "0", "nonsense", "-5"])
def test_however_little_is_granted_we_do_not_flood(granted: str) -> None:
    world = Registered(Carrier(ok(f"Expires: {granted}")))
    world.until(100)
    assert len(world.times("REGISTER")) <= 6


@pytest.mark.parametrize(
    ("status", "header", "answer"),
    [
        (401, "WWW-Authenticate", "Authorization"),
        (407, "Proxy-Authenticate", "Proxy-Authorization"),
    ],
)
def test_a_challenge_is_answered_and_refreshes_carry_the_answer(
    status: int, header: str, answer: str
) -> None:
    challenge = (status, [f"{header}: {CHALLENGE.format('n1')}"])
    world = Registered(Carrier(challenge, ok("Expires: 100")))
    world.until(100)
    first, second, refresh = world.requests("REGISTER")
    assert answer.encode() not in bytes(first)
    assert 'nonce="n1"' in second.headers[answer]
    assert "nc=00000001" in second.headers[answer]
    assert "nc=00000002" in refresh.headers[answer]
    assert world.state().registration is TrunkRegistration.REGISTERED


def test_a_stale_nonce_is_replaced() -> None:
    stale = (401, [f"WWW-Authenticate: {CHALLENGE.format('n2')}, stale=true"])
    world = Registered(
        Carrier(
            (401, [f"WWW-Authenticate: {CHALLENGE.format('n1')}"]), ok("Expires: 100"), stale, ok()
        )
    )
    world.until(90)
    assert len(world.requests("REGISTER")) == 4
    assert 'nonce="n2"' in world.requests("REGISTER")[-1].headers["Authorization"]
    assert world.state().registration is TrunkRegistration.REGISTERED


def test_a_wrong_password_is_not_tried_again_and_again() -> None:
    world = Registered(Carrier((401, [f"WWW-Authenticate: {CHALLENGE.format('n1')}"])))
    world.until(LONGEST_PAUSE - 1)
    assert len(world.requests("REGISTER")) == 2
    state = world.state()
    assert (state.registration, state.detail) == (TrunkRegistration.REFUSED, "401 Whatever")
    world.until(LONGEST_PAUSE + 1)
    assert len(world.requests("REGISTER")) > 2


@pytest.mark.parametrize("status", [403, 404])
def test_who_does_not_know_us_is_asked_rarely(status: int) -> None:
    world = Registered(Carrier((status, ())))
    world.until(3 * LONGEST_PAUSE + 10)
    assert len(world.times("REGISTER")) == 4
    assert world.state().detail == f"{status} Whatever"


def test_a_longer_interval_is_agreed_to() -> None:
    world = Registered(Carrier((423, ["Min-Expires: 1800"]), ok()))
    world.until(1500)
    requests = world.requests("REGISTER")
    assert [one.headers["Expires"] for one in requests] == ["300", "1800", "1800"]
    assert world.times("REGISTER") == pytest.approx([0, 0.01, 1440], abs=0.1)


@pytest.mark.parametrize("least", ["100", "300", "99999999", "soon", ""])
def test_a_423_that_makes_no_sense_is_a_failure(least: str) -> None:
    world = Registered(Carrier((423, [f"Min-Expires: {least}"])))
    world.until(29)
    assert len(world.times("REGISTER")) == 1
    assert world.state().registration is TrunkRegistration.TRYING


def test_a_423_without_end_is_a_failure() -> None:
    world = Registered(Carrier(*((423, [f"Min-Expires: {n}"]) for n in range(400, 420))))
    world.until(29)
    assert len(world.times("REGISTER")) == 2


def test_after_failures_the_pauses_grow_up_to_ten_minutes() -> None:
    world = Registered(Carrier((500, ())))
    world.until(3500)
    times = world.times("REGISTER")
    pauses = [round(after - before) for before, after in zip(times, times[1:], strict=False)]
    assert pauses == [30, 60, 120, 240, 480, 600, 600, 600, 600][: len(pauses)]
    assert len(pauses) >= 8


def test_chance_spreads_those_who_come_back() -> None:
    world = Registered(Carrier((500, ())), chance=1.0)
    world.until(120)
    assert world.times("REGISTER") == pytest.approx([0, 36, 36 + 72], abs=0.1)


def test_after_a_success_the_pauses_begin_anew() -> None:
    world = Registered(Carrier((500, ()), (500, ()), ok("Expires: 100"), (500, ()), ok()))
    world.until(240)
    times = world.times("REGISTER")
    assert times == pytest.approx([0, 30, 90, 170, 200], abs=0.2)


def test_retry_after_is_waited_for() -> None:
    world = Registered(Carrier((503, ["Retry-After: 120 (maintenance)"]), ok()))
    world.until(119)
    assert len(world.times("REGISTER")) == 1
    world.until(121)
    assert world.state().registration is TrunkRegistration.REGISTERED


def test_nobody_answers() -> None:
    world = Registered(Carrier(None))
    world.until(33)
    state = world.state()
    assert (state.registration, state.detail) == (TrunkRegistration.TRYING, "no reply")
    world.carrier.says = [ok()]
    world.until(63)
    assert world.state().registration is TrunkRegistration.REGISTERED


def test_a_refresh_that_fails_leaves_the_time_that_is_left() -> None:
    world = Registered(Carrier(ok("Expires: 100"), (500, ())))
    world.until(81)
    state = world.state()
    assert state.registration is TrunkRegistration.TRYING
    assert state.registered_for == pytest.approx(19, abs=0.2)
    world.until(200)
    assert world.state().registered_for is None


def test_we_take_the_registration_back_when_we_stop() -> None:
    world = Registered(Carrier(ok()))
    world.until(10)
    world.leave()
    world.leave()
    world.until(1000)
    [_, last] = world.requests("REGISTER")
    assert last.headers["Expires"] == "0"
    assert last.contact[0].parameters["expires"] == "0"
    assert not world.agent.layer.waiting()
    assert world.agent.layer.next_timer() is None


def test_what_is_granted_while_we_leave_is_given_back() -> None:
    world = Registered(Carrier(ok()))
    world.leave()
    world.until(10)
    assert [one.headers["Expires"] for one in world.requests("REGISTER")] == ["300", "0"]


def test_nothing_is_taken_back_that_was_not_granted() -> None:
    world = Registered(Carrier((403, ())))
    world.until(1)
    world.leave()
    world.until(10)
    assert len(world.requests("REGISTER")) == 1


def test_a_change_of_one_trunk_leaves_the_others() -> None:
    other = Trunk("other", "192.0.2.2", user="me", password="x", register=True)
    world = Registered(Carrier(ok()), TRUNK, other)
    world.until(1)
    changed = Trunk("carrier", "192.0.2.3", user="me", password="geheim", register=True)
    world.use(changed, other)
    world.until(2)
    sent = list(
        zip(world.hops("REGISTER"), [o.headers["Expires"] for o in world.requests("REGISTER")],
            strict=True)
    )  # fmt: skip
    assert sent == [
        (("192.0.2.1", 5080), "300"),
        (("192.0.2.2", 5060), "300"),
        (("192.0.2.1", 5080), "0"),
        (("192.0.2.3", 5060), "300"),
    ]
    world.use()
    assert world.lines.states(world.now) == []


# Whether it answers.


PINGED = Trunk("carrier", "192.0.2.1", options_ping=30.0)


@pytest.mark.parametrize("status", [200, 404, 503])
def test_any_answer_shows_that_a_trunk_is_there(status: int) -> None:
    world = Registered(Carrier((status, ())), PINGED)
    assert world.state().reachable is None
    world.until(100)
    assert world.times("OPTIONS") == pytest.approx([0, 30, 60, 90], abs=0.1)
    state = world.state()
    assert state.reachable is True
    assert state.round_trip == pytest.approx(0.01)


def test_a_trunk_goes_away_and_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    world = Registered(Carrier(ok(), None), PINGED)
    world.until(61)
    assert world.state().reachable is True, "not yet given up"
    world.until(63)
    state = world.state()
    assert (state.reachable, state.round_trip, state.detail) == (False, None, "no reply")
    world.carrier.says = [ok()]
    world.until(93)
    assert (world.state().reachable, world.state().detail) == (True, "")
    assert [record.getMessage() for record in caplog.records] == [
        "trunk carrier does not answer: no reply",
        "trunk carrier answers again",
    ]


BOTH = Trunk("carrier", "192.0.2.1", user="me", register=True, options_ping=30.0)


def test_we_register_as_soon_as_a_trunk_answers_again() -> None:
    world = Registered(Carrier(None), BOTH)
    world.until(400)
    assert world.times("REGISTER")[-1] < 340, "given up, and not tried again before 578"
    world.carrier.says = [ok("Expires: 1000")]
    world.until(470)
    state = world.state()
    assert (state.reachable, state.registration) == (True, TrunkRegistration.REGISTERED)
    again = [at for at in world.times("REGISTER") if at > 400]
    world.until(2200)
    refreshed = [at for at in world.times("REGISTER") if at > 400]
    assert refreshed == pytest.approx([again[0], again[0] + 800, again[0] + 1600], abs=0.2)


def test_a_trunk_that_was_away_is_told_of_us_anew() -> None:
    """It has perhaps been restarted, and forgotten us."""
    world = Registered(Carrier(ok("Expires: 3600")), BOTH)
    world.until(20)
    world.carrier.says = [None]
    world.until(100)
    assert (world.state().reachable, len(world.requests("REGISTER"))) == (False, 1)
    world.carrier.says = [ok("Expires: 3600")]
    world.until(140)
    assert [world.state().reachable, len(world.times("REGISTER"))] == [True, 2]


def test_a_trunk_that_has_sent_us_away_is_not_hurried() -> None:
    world = Registered(Carrier((503, ["Retry-After: 300"]), ok(), None), BOTH)
    world.until(100)
    world.carrier.says = [ok()]
    world.until(290)
    assert (world.state().reachable, len(world.times("REGISTER"))) == (True, 1)
    world.until(310)
    assert world.state().registration is TrunkRegistration.REGISTERED


def test_a_trunk_that_is_gone_from_the_list_is_not_asked() -> None:
    world = Registered(Carrier(ok()), PINGED)
    world.until(10)
    world.use()
    world.until(1000)
    assert len(world.requests("OPTIONS")) == 1
    assert world.agent.layer.next_timer() is None
