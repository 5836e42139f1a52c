"""A Contact that leads nowhere: what becomes of the ACK, the PRACK and the BYE."""

import pytest
import sipmessage

from callwright.engines.network import Trunk
from callwright.engines.port import Cause
from callwright.engines.sip.dialog.dialog import Dialog
from callwright.engines.sip.transport.datagram import Datagram
from callwright.engines.sip.wire.hop import Hop, leads_nowhere
from tests.engines.sip.dialog.test_invite_server import House
from tests.engines.sip.world import SDP, World, ask, reply

NAMED = "<sip:far@pbx.invalid>"
"A name that nobody can look up."
GATEWAY = Hop("198.51.100.7", 5060)


@pytest.mark.parametrize(
    ("named", "seen_at", "nowhere"),
    [
        ("0.0.0.0", "198.51.100.7", True),
        ("0.0.0.0", "127.0.0.1", True),
        ("::", "2001:db8::7", True),
        ("224.0.0.1", "198.51.100.7", True),
        ("255.255.255.255", "198.51.100.7", True),
        ("127.0.0.1", "198.51.100.7", True),
        ("127.0.0.1", "10.0.0.7", True),
        ("169.254.3.4", "10.0.0.7", True),
        ("10.0.0.5", "198.51.100.7", True),
        ("172.31.0.5", "198.51.100.7", True),
        ("192.168.1.5", "198.51.100.7", True),
        ("100.64.1.5", "198.51.100.7", True),
        ("fd00::5", "2001:db8::7", True),
        ("2001:db8::5", "198.51.100.7", True),
        ("198.51.100.9", "198.51.100.7", False),
        ("198.51.100.7", "198.51.100.7", False),
        ("198.51.100.7", "10.0.0.7", False),
        ("10.0.0.5", "192.168.0.7", False),
        ("172.32.0.5", "198.51.100.7", False),
        ("127.0.0.5", "127.0.0.1", False),
        ("10.0.0.5", "127.0.0.1", False),
        ("pbx.example", "198.51.100.7", False),
    ],
)
def test_a_host_that_cannot_be_him(named: str, seen_at: str, nowhere: bool) -> None:
    assert leads_nowhere(named, seen_at) is nowhere


class Line(World):
    """A world whose network does not take what goes to a name that nobody can look up."""

    source = GATEWAY
    unsendable = frozenset({"pbx.invalid"})

    def answered(self, contact: str, status: int = 200, **said: str) -> None:
        self.ring()
        self.say(status, contact, **said)

    def say(self, status: int, contact: str, **said: str) -> None:
        extra = [f"{name.replace('_', '-')}: {value}" for name, value in said.items()]
        invite = self.requests("INVITE")[0]
        self.hear(reply(invite, status, contact=contact, sdp=SDP, extra=extra), source=self.source)

    def _pump(self) -> None:
        layer = self.agent.layer
        queue = layer.to_send
        while layer.to_find:
            layer.found(layer.to_find.popleft(), [], self.now)
        while unsent := [one for one in queue if one.hop.host in self.unsendable]:
            self.record(unsent)
            for one in unsent:
                queue.remove(one)
                layer.unsent(one, self.now)
        super()._pump()

    def record(self, datagrams: list[Datagram]) -> None:
        for one in datagrams:
            self.sent.append((self.now, sipmessage.Message.parse(one.data), one.hop))


@pytest.mark.parametrize("contact", ["0.0.0.0", "10.0.0.5:5070", "127.0.0.1", "[2001:db8::1]"])
def test_ack_and_bye_go_to_the_source_of_the_200_where_contact_cannot_be_it(contact: str) -> None:
    line = Line()
    line.answered(f"<sip:far@{contact}>")
    assert line.hops("ACK") == [GATEWAY.place]
    assert str(line.requests("ACK")[0].uri) == f"sip:far@{contact}"
    line.hang_up()
    assert line.hops("BYE") == [GATEWAY.place]


def test_an_ack_that_cannot_be_sent_goes_to_the_source_of_the_200() -> None:
    line = Line()
    line.answered(NAMED)
    first, second = line.requests("ACK")
    assert line.sent[-1][2] == GATEWAY
    assert str(second.uri) == str(first.uri) == "sip:far@pbx.invalid"
    assert second.headers["Via"] != first.headers["Via"]
    assert line.told() == ["LegConnected"]
    line.hang_up()
    assert [hop for _, one, hop in line.sent if _is(one, "BYE")] == [GATEWAY]


def test_a_leg_whose_ack_cannot_be_sent_at_all_ends_with_a_reason() -> None:
    line = Line()
    line.unsendable = frozenset({"pbx.invalid", GATEWAY.host})
    line.answered(NAMED)
    ending = line.ending()
    assert (ending.cause, ending.raw) == (Cause.UNREACHABLE, "ACK cannot be sent")


def test_a_200_that_comes_again_and_again_is_acknowledged_where_it_comes_from() -> None:
    line = Line()
    line.answered("<sip:far@198.51.100.99>")
    for _ in range(4):
        line.say(200, "<sip:far@198.51.100.99>")
    elsewhere = ("198.51.100.99", 5060)
    assert line.hops("ACK") == [elsewhere] * 3 + [GATEWAY.place] * 2
    assert line.told() == ["LegConnected"]


def test_a_200_that_comes_again_from_where_its_ack_goes_ends_nothing() -> None:
    line = Line()
    line.answered(f"<sip:far@{GATEWAY.host}>")
    for _ in range(8):
        line.say(200, f"<sip:far@{GATEWAY.host}>")
    assert line.hops("ACK") == [GATEWAY.place] * 9
    assert line.told() == ["LegConnected"]


def test_icmp_about_an_ack_is_heard() -> None:
    line = Line()
    line.answered("<sip:far@198.51.100.99>")
    [ack] = line.requests("ACK")
    line.agent.layer.returned(bytes(ack), Hop("198.51.100.99", 5060), line.now)
    line._pump()
    assert line.hops("ACK") == [("198.51.100.99", 5060), GATEWAY.place]


def test_a_prack_that_cannot_be_sent_goes_to_the_source_of_the_183() -> None:
    line = Line()
    line.answered(NAMED, 183, Require="100rel", RSeq="1")
    assert line.hops("PRACK") == [GATEWAY.place]


def test_a_new_contact_is_followed_again() -> None:
    line = Line()
    line.answered(NAMED)
    invite = line.requests("INVITE")[0]
    moved = ask(invite, "UPDATE", cseq=7, extra=["Contact: <sip:far@198.51.100.8>"])
    line.hear(moved, source=GATEWAY)
    line.hang_up()
    assert line.hops("BYE") == [("198.51.100.8", 5060)]


@pytest.mark.parametrize("contact", ["<sip:carrier@0.0.0.0>", "<sip:carrier@10.0.0.1>"])
def test_the_bye_of_a_call_that_came_in_goes_to_where_it_came_from(contact: str) -> None:
    house = House(Trunk("carrier", GATEWAY.host))
    house.called(source=GATEWAY, contact=contact)
    house.answer()
    house.ask("ACK")
    house.hang_up(101)
    assert house.hops("BYE") == [GATEWAY.place]


def test_the_journal_knows_where_the_far_end_is_found() -> None:
    dialog = Dialog("1", "a", "b", "1", "2", "sip:far@198.51.100.99", 1, heard_at=GATEWAY)
    before = dialog.detour
    dialog.goes_astray()
    assert (before, dialog.detour, dialog.goes_astray()) == (None, GATEWAY, False)


def _is(message: object, method: str) -> bool:
    return isinstance(message, sipmessage.Request) and message.method == method
