"""As whom a trunk sees us: From, the header of the caller id, the account in OPTIONS."""

from dataclasses import replace

import pytest

from callwright.engines.network import Trunk
from callwright.engines.port import Address, Cause, LegConnected, LegId, LegReleased
from callwright.engines.simulated.far_end import Answers, Rejects
from callwright.engines.sip.routing import route_to
from callwright.engines.sip.trunks.trunk_identity import (
    account_uri,
    caller_headers,
    caller_name,
    caller_uri,
)
from tests.engines.sip.desk import running
from tests.engines.sip.phone import Phone
from tests.engines.sip.trunks.pbx import Pbx
from tests.engines.sip.trunks.test_registration import Carrier, Registered, ok

OURS = "74993720692"
PBX = Trunk("pbx", "pbx.example", user="6001", password="geheim")
ANONYMOUS = "sip:anonymous@anonymous.invalid"
PAI, PPI = "p-asserted-identity", "p-preferred-identity"


@pytest.mark.parametrize(
    ("trunk", "name", "uri"),
    [
        (PBX, "", f"sip:{OURS}@pbx.example"),
        (replace(PBX, from_user="6001"), OURS, "sip:6001@pbx.example"),
        (replace(PBX, from_domain="ims.example"), "", f"sip:{OURS}@ims.example"),
        (replace(PBX, from_user="a b", from_domain="2001:db8::1"), OURS, "sip:a%20b@[2001:db8::1]"),
    ],
)
def test_from_of_a_call(trunk: Trunk, name: str, uri: str) -> None:
    assert (caller_name(trunk, OURS), caller_uri(trunk, OURS)) == (name, uri)


@pytest.mark.parametrize(
    ("header", "caller", "user", "headers"),
    [
        ("from", OURS, None, {}),
        ("pai", OURS, None, {PAI: [f"<sip:{OURS}@pbx.example>"]}),
        ("pai", OURS, "6001", {PAI: [f"<sip:{OURS}@pbx.example>"]}),
        ("ppi", OURS, "6001", {PPI: [f"<sip:{OURS}@pbx.example>"]}),
        ("pai", "", None, {}),
        ("ppi", "", "6001", {"privacy": ["id"]}),
        ("from", "", "6001", {"privacy": ["id"]}),
    ],
)
def test_the_header_of_the_caller_id(
    header: str, caller: str, user: str | None, headers: dict[str, list[str]]
) -> None:
    trunk = replace(PBX, caller_id_header=header, from_user=user)
    assert caller_headers(trunk, caller) == headers


@pytest.mark.parametrize(
    ("trunk", "name", "uri"),
    [(PBX, "", ANONYMOUS), (replace(PBX, from_user="6001"), "Anonymous", "sip:6001@pbx.example")],
)
def test_who_withholds_his_number_is_known_to_the_trunk_alone(
    trunk: Trunk, name: str, uri: str
) -> None:
    assert (caller_name(trunk, ""), caller_uri(trunk, "")) == (name, uri)


def test_the_domain_is_not_where_the_call_goes() -> None:
    trunk = replace(PBX, host="192.0.2.1", from_domain="ims.example")
    way = route_to(
        Address("79260000001", trunk="pbx"), {"pbx": trunk}, [], caller_id=OURS, local_host="::1"
    )
    [place] = way.invited
    assert (place.uri, place.hop.place) == ("sip:79260000001@192.0.2.1", ("192.0.2.1", 5060))
    assert place.from_uri == f"sip:{OURS}@ims.example"


def test_the_name_of_the_caller_is_for_phones_of_our_own() -> None:
    def name_shown(to: Address, name: str = 'Седов "Олег"') -> str:
        way = route_to(
            to, {"pbx": PBX}, [], caller_id=OURS, caller_name=name, local_host="127.0.0.1"
        )
        return way.invited[0].from_name

    phone = Address("25", phone="sip:25@127.0.0.1")
    assert name_shown(phone) == 'Седов "Олег"'
    assert len(name_shown(phone, "Я" * 600)) == 64, "the request has to fit into a datagram"
    assert name_shown(Address("79260000001", trunk="pbx")) == ""


@pytest.mark.parametrize(
    ("trunk", "uri"),
    [
        (PBX, "sip:6001@pbx.example"),
        (replace(PBX, from_user="7001", from_domain="ims.example"), "sip:7001@ims.example"),
        (Trunk("pbx", "pbx.example"), None),
    ],
)
def test_the_account_of_what_is_no_call(trunk: Trunk, uri: str | None) -> None:
    assert account_uri(trunk) == uri


def test_options_come_from_the_account() -> None:
    world = Registered(Carrier(ok()), replace(PBX, host="192.0.2.1", options_ping=30.0))
    world.until(1)
    [ping] = world.requests("OPTIONS")
    assert str(ping.from_address.uri) == "sip:6001@192.0.2.1"
    assert str(ping.uri) == "sip:192.0.2.1"


def test_options_to_a_trunk_without_an_account_come_from_this_program() -> None:
    world = Registered(Carrier(ok()), Trunk("pbx", "192.0.2.1", options_ping=30.0))
    world.until(1)
    assert str(world.requests("OPTIONS")[0].from_address.uri) == "sip:callwright@127.0.0.1:5060"


def test_the_address_that_is_registered_has_the_domain() -> None:
    """RFC 3261 10.2: the request line names the domain, and goes to the host all the same."""
    trunk = replace(PBX, host="192.0.2.1", from_domain="ims.example", register=True)
    world = Registered(Carrier(ok()), trunk)
    world.until(1)
    [request] = world.requests("REGISTER")
    assert str(request.uri) == "sip:ims.example"
    assert str(request.from_address.uri) == str(request.to_address.uri) == "sip:6001@ims.example"
    assert world.hops("REGISTER") == [("192.0.2.1", 5060)]


def test_a_refused_ping_is_told_beside_its_time(caplog: pytest.LogCaptureFixture) -> None:
    world = Registered(
        Carrier((401, ()), (401, ()), ok()), replace(PBX, host="192.0.2.1", options_ping=30.0)
    )
    world.until(31)
    state = world.state()
    assert (state.reachable, state.ping_refusal, state.detail) == (True, "401 Whatever", "")
    world.until(61)
    assert world.state().ping_refusal == ""
    assert [record.getMessage() for record in caplog.records] == [
        "trunk pbx refuses our OPTIONS: 401 Whatever"
    ]


# Whole calls. A PBX that knows its phones by the user in From alone, as Asterisk's default is.

LEG, NEXT = LegId(1), LegId(2)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_a_pbx_that_knows_the_user_in_from_takes_the_call() -> None:
    async with Pbx() as pbx, running() as desk:
        trunk = replace(pbx.trunk, from_user="6001", caller_id_header="pai", options_ping=30.0)
        desk.engine.use_trunks([trunk])
        await pbx.answered("OPTIONS")
        await pbx.answered("REGISTER")
        desk.engine.ring(LEG, Address("79260000001", trunk="pbx"), caller_id=OURS)
        await desk.told(LegConnected)
        invite = pbx.last["INVITE"]
        assert invite.headers["From"].startswith(f'"{OURS}" <sip:6001@127.0.0.1>;tag=')
        assert invite.headers["P-Asserted-Identity"] == f"<sip:{OURS}@127.0.0.1>"
        [state] = desk.engine.trunk_states()
        assert (state.ping_refusal, state.call_refusal) == ("", "")


@pytest.mark.anyio
async def test_calls_that_are_not_taken_for_ours_are_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with Pbx() as pbx, running() as desk:
        desk.engine.use_trunks([pbx.trunk])
        await pbx.answered("REGISTER")
        desk.engine.ring(LEG, Address("79260000001", trunk="pbx"), caller_id=OURS)
        ended = await desk.told(LegReleased)
        assert ended == LegReleased(LEG, Cause.UNREACHABLE, "401 Unauthorized")
        assert desk.engine.trunk_states()[0].call_refusal == "401 Unauthorized"
        assert (
            "trunk pbx refuses our calls: 401 Unauthorized; it may know us by the user in From "
            "(from_user)"
        ) in caplog.messages
        pbx.known = {"6001", OURS}
        desk.engine.ring(NEXT, Address("79260000001", trunk="pbx"), caller_id=OURS)
        await desk.told(LegConnected)
        assert desk.engine.trunk_states()[0].call_refusal == ""


@pytest.mark.anyio
async def test_a_number_that_is_not_there_is_no_refusal_of_ours() -> None:
    async with Phone([(0, Rejects(Cause.REJECTED, "404 Not Found"))]) as carrier, running() as desk:
        desk.engine.use_trunks([Trunk("out", "127.0.0.1", carrier.address[1])])
        desk.engine.ring(LEG, Address("79260000001", trunk="out"), caller_id=OURS)
        await desk.told(LegReleased)
        assert desk.engine.trunk_states()[0].call_refusal == ""


@pytest.mark.anyio
async def test_without_an_account_calls_are_as_they_were() -> None:
    async with Phone([(0, Answers())]) as carrier, running() as desk:
        desk.engine.use_trunks([Trunk("out", "127.0.0.1", carrier.address[1])])
        desk.engine.ring(LEG, Address("79260000001", trunk="out"), caller_id=OURS)
        await desk.told(LegConnected)
        invite = await carrier.got("INVITE")
        assert invite.headers["From"].startswith(f"<sip:{OURS}@127.0.0.1>;tag=")
        assert invite.headers.get("P-Asserted-Identity") is None
