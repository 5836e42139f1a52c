"""Who gets in, and who gives way, where SIP connections are many."""

from dataclasses import dataclass, field

import pytest

from callwright.engines.sip.transport import connection_places
from callwright.engines.sip.transport.connection_places import (
    PER_SOURCE_AT_MOST,
    ConnectionPlaces,
)
from callwright.engines.sip.wire.hop import Hop, Transport

TRUNK = "192.0.2.9"


@dataclass(eq=False)
class Line:
    hop: Hop
    cut: bool = False


@dataclass
class Office:
    """As much of a transport as places need."""

    proved: set[int | None] = field(default_factory=set)
    lines: list[Line] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.places = ConnectionPlaces[Line](self, self._cut)

    def comes(self, host: str, *, scarce: bool = False) -> Line | None:
        line = Line(Hop(host, 5060, Transport.TCP, flow=len(self.lines) + 1))
        if not self.places.take(line, self.up, 0.0, scarce=scarce):
            return None
        self.lines.append(line)
        return line

    def crowd(self, count: int, host: str) -> list[Line]:
        lines = [self.comes(host) for _ in range(count)]
        assert None not in lines
        return [line for line in lines if line]

    @property
    def up(self) -> int:
        return sum(not line.cut for line in self.lines)

    def calls(self, host: str) -> bool:
        """Whether we may make a connection ourselves."""
        return self.places.make(Hop(host, 5060, Transport.TCP), self.up, 0.0)

    def registered(self, count: int, host: str) -> list[Line]:
        lines = []
        for _ in range(count):
            lines += self.crowd(1, host)
            self.proved.add(lines[-1].hop.flow)
        return lines

    def knows(self, source: Hop) -> bool:
        return source.host == TRUNK

    def has_proved(self, connection: Hop) -> bool:
        return self.knows(connection) or connection.flow in self.proved

    def forget(self, connection: Hop) -> None:
        self.proved.discard(connection.flow)

    def _cut(self, line: Line) -> None:
        line.cut = True


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setattr(connection_places, "AT_MOST", 8)
    return Office()


def test_strangers_leave_half_of_the_places_to_the_known(office: Office) -> None:
    crowd = office.crowd(6, "198.51.100.1")
    assert [line.cut for line in crowd] == [True, True, False, False, False, False]
    assert office.comes(TRUNK)
    assert office.up == 5


def test_of_strangers_the_most_crowded_source_gives_way(office: Office) -> None:
    [phone] = office.crowd(1, "203.0.113.5")
    crowd = office.crowd(3, "198.51.100.1")
    office.crowd(1, "203.0.113.6")
    assert [line.cut for line in crowd] == [True, False, False]
    assert not phone.cut


def test_who_has_shown_a_password_stays_and_is_not_counted(office: Office) -> None:
    phones = office.crowd(4, "198.51.100.1")
    office.proved = {line.hop.flow for line in phones}
    office.crowd(6, "203.0.113.6")
    assert not any(line.cut for line in phones)
    assert office.up == 8


def test_a_trunk_comes_in_although_every_place_is_taken_and_so_do_we(office: Office) -> None:
    crowd = office.crowd(4, "198.51.100.1")
    assert [office.comes(TRUNK) is not None for _ in range(5)] == [True] * 5
    assert office.calls("203.0.113.9")
    assert [line.cut for line in crowd] == [True, True, False, False]


def test_among_trunks_alone_nobody_gives_way(office: Office) -> None:
    assert all(office.comes(TRUNK) for _ in range(8))
    assert not office.comes(TRUNK)
    assert not office.comes("203.0.113.6")
    assert not office.calls(TRUNK)


def test_where_descriptors_are_scarce_one_gives_way_for_another(office: Office) -> None:
    [line] = office.crowd(1, "198.51.100.1")
    assert office.comes("203.0.113.6", scarce=True)
    assert line.cut


def test_an_office_whose_phones_have_registered_may_have_more_of_them() -> None:
    office = Office()
    phones = office.crowd(PER_SOURCE_AT_MOST, "198.51.100.1")
    assert not office.comes("198.51.100.1")
    office.proved = {phones[0].hop.flow}
    assert office.comes("198.51.100.1")
    assert not office.comes("198.51.100.1")


def test_a_phone_of_a_crowded_source_gives_way_where_all_are_known(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_places, "PER_SOURCE_AT_MOST", 4)
    [first] = office.registered(1, "203.0.113.5")
    crowd = office.registered(6, "198.51.100.1")
    office.registered(2, "203.0.113.6")
    assert crowd[0].cut, "who is a stranger yet has come in"
    assert office.calls("203.0.113.8")
    assert [line.cut for line in crowd] == [True, True, False, False, False, False]
    office.registered(1, "203.0.113.7")
    assert not office.calls("203.0.113.8"), "none of them is a crowd any more"
    assert not first.cut


def test_for_a_trunk_a_phone_gives_way_however_they_are_spread(office: Office) -> None:
    phones = [office.registered(1, f"203.0.113.{last}")[0] for last in range(8)]
    assert not office.comes("198.51.100.1")
    assert not office.calls("198.51.100.1")
    assert office.comes(TRUNK)
    assert office.calls(TRUNK)
    assert sum(line.cut for line in phones) == 2


def test_while_there_is_room_no_phone_gives_way(office: Office) -> None:
    phones = office.registered(7, "198.51.100.1")
    assert office.comes("203.0.113.6")
    assert not any(line.cut for line in phones)


def test_with_its_end_a_connection_is_forgotten(office: Office) -> None:
    [phone] = office.registered(1, "203.0.113.5")
    office.places.leave(phone)
    assert phone.hop.flow not in office.proved
