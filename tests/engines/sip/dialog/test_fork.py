"""Forking: one leg that rings several places, in every order of their answers."""

import pytest
import sipmessage

from callwright.engines.port import Cause, LegId, LegReleased
from callwright.engines.sip.dialog.causes import cause_of
from callwright.engines.sip.dialog.invite_client import InviteTarget
from callwright.engines.sip.transaction.digest_client import DigestClient
from callwright.engines.sip.wire.hop import Hop
from tests.engines.sip.world import SDP, World, ask, reply

DESK, CELL, LAPTOP = (Hop(f"192.0.2.{number}", 5060) for number in (1, 2, 3))
LEG = LegId(1)


class Places(World):
    """A world in which leg 1 rings at three places."""

    def __init__(self) -> None:
        super().__init__()
        caller = "sip:74993720692@127.0.0.1"
        self.places = [
            InviteTarget(f"sip:101@{hop.host}", hop, caller) for hop in (DESK, CELL, LAPTOP)
        ]
        self.calls[LEG] = self.agent.ring(
            LEG, self.places, DigestClient(None, None), ("127.0.0.1", 16384), self.now
        )
        self._pump()

    def invite(self, place: Hop) -> sipmessage.Request:
        return next(one for one in self.requests("INVITE") if one.uri.host == place.host)

    def says(self, place: Hop, status: int, *, sdp: str = "", tag: str = "far") -> None:
        contact = f"<sip:101@{place.host}>"
        answer = reply(self.invite(place), status, "Whatever", contact=contact, sdp=sdp, tag=tag)
        self.hear(answer, source=place)

    def asked(self, method: str) -> list[str]:
        """The hosts that such requests went to."""
        return [host for host, _ in self.hops(method)]


def test_all_places_are_rung_at_once() -> None:
    world = Places()
    assert world.asked("INVITE") == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    invites = world.requests("INVITE")
    assert len({one.headers["Call-ID"] for one in invites}) == 3
    assert len({one.body for one in invites}) == 1
    world.says(DESK, 180)
    world.says(CELL, 180)
    assert world.told() == ["LegRinging"]


def test_the_first_answer_wins_and_the_others_are_withdrawn() -> None:
    world = Places()
    for place in (DESK, CELL, LAPTOP):
        world.says(place, 180, tag=place.host)
    world.says(CELL, 200, sdp=SDP, tag=CELL.host)
    assert world.told() == ["LegRinging", "LegConnected"]
    assert world.asked("ACK") == ["192.0.2.2"]
    assert sorted(world.asked("CANCEL")) == ["192.0.2.1", "192.0.2.3"]
    elsewhere = 'SIP;cause=200;text="Call completed elsewhere"'
    assert {one.headers["Reason"] for one in world.requests("CANCEL")} == {elsewhere}, "not missed"
    for place in (DESK, LAPTOP):
        world.says(place, 487)
    world.hang_up()
    assert world.asked("BYE") == ["192.0.2.2"]
    assert world.told() == ["LegRinging", "LegConnected", "LegReleased"]


def test_a_place_that_has_said_nothing_is_withdrawn_when_it_does() -> None:
    world = Places()
    world.says(DESK, 200, sdp=SDP)
    assert world.asked("CANCEL") == []
    world.says(CELL, 180)
    assert world.asked("CANCEL") == ["192.0.2.2"]


def test_two_who_answer_at_once_are_not_both_on_the_line() -> None:
    world = Places()
    world.says(DESK, 200, sdp=SDP)
    world.says(CELL, 200, sdp=SDP)
    assert world.told() == ["LegConnected"]
    assert world.asked("ACK") == ["192.0.2.1", "192.0.2.2"]
    assert world.asked("BYE") == ["192.0.2.2"]


@pytest.mark.parametrize(
    ("statuses", "cause"),
    [
        ((486, 480, 404), Cause.BUSY),
        ((503, 404, 480), Cause.NO_ANSWER),
        ((404, 503, 488), Cause.WRONG_NUMBER),
        ((503, 503, 503), Cause.UNREACHABLE),
    ],
)
def test_when_all_refuse_the_most_telling_counts(statuses: tuple[int, ...], cause: Cause) -> None:
    world = Places()
    for place, status in zip((DESK, CELL, LAPTOP), statuses, strict=True):
        assert world.told() == []
        world.says(place, status)
    assert world.ending().cause is cause


def test_a_phone_that_is_busy_does_not_end_the_ringing_of_others() -> None:
    world = Places()
    world.says(DESK, 486)
    world.says(CELL, 180)
    world.says(CELL, 200, sdp=SDP)
    assert world.told() == ["LegRinging", "LegConnected"]


def test_who_declines_declines_everywhere() -> None:
    """RFC 3261 16.7: a 6xx speaks for the person, and not for the phone."""
    world = Places()
    world.says(DESK, 180)
    world.says(CELL, 603)
    assert world.ending() == LegReleased(LEG, Cause.REJECTED, "603 Whatever")
    assert world.asked("CANCEL") == ["192.0.2.1"]
    assert b"Reason" not in bytes(world.requests("CANCEL")[0])
    world.says(LAPTOP, 200, sdp=SDP)
    assert world.asked("BYE") == ["192.0.2.3"]


def test_a_place_that_is_gone_does_not_speak_for_the_others() -> None:
    world = Places()
    world.says(DESK, 180)
    world.says(CELL, 486)
    world.until(40)
    assert world.told() == ["LegRinging"]
    world.says(DESK, 486)
    assert world.ending().cause is Cause.BUSY


@pytest.mark.parametrize("status", [484, 488, 503])
def test_a_place_that_never_answered_says_less_than_any_refusal(status: int) -> None:
    """Though its silence comes first, and even beside a status that is not told apart."""
    world = Places()
    world.says(LAPTOP, 180)
    world.until(40)
    assert world.told() == ["LegRinging"], "two are lost, one still rings"
    world.says(LAPTOP, status)
    assert world.ending() == LegReleased(LEG, cause_of(status), f"{status} Whatever")


def test_when_no_place_ever_answers_the_leg_is_unreachable() -> None:
    world = Places()
    world.until(40)
    assert world.ending().cause is Cause.UNREACHABLE


def test_hanging_up_stops_the_ringing_everywhere() -> None:
    world = Places()
    for place in (DESK, CELL, LAPTOP):
        world.says(place, 180)
    world.hang_up()
    assert world.ending().cause is Cause.RELEASED
    assert sorted(world.asked("CANCEL")) == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    for place in (DESK, CELL, LAPTOP):
        world.says(place, 487)
    world.until(200)
    layer = world.agent.layer
    assert (layer._clients, layer._servers, world.agent._calls) == ({}, {}, {})
    assert layer.next_timer() is None


def test_requests_of_the_winner_find_the_call() -> None:
    world = Places()
    world.says(LAPTOP, 200, sdp=SDP)
    world.hear(ask(world.invite(LAPTOP), "BYE"), source=LAPTOP)
    assert world.ending().cause is Cause.HUNG_UP


def test_early_media_of_any_place_is_heard_until_one_answers() -> None:
    world = Places()
    world.says(DESK, 183, sdp=SDP, tag="desk")
    world.says(CELL, 183, sdp=SDP.replace("7000", "7002"), tag="cell")
    assert world.told() == ["EarlyMediaStarted"]
    world.says(CELL, 200, sdp=SDP.replace("7000", "7002"), tag="cell")
    assert world.told() == ["EarlyMediaStarted", "LegConnected"]


def test_a_phone_behind_a_nat_is_talked_to_where_it_is() -> None:
    world = World()
    source = Hop("198.51.100.1", 40001)
    place = InviteTarget("sip:101@10.0.0.5", source, "sip:1@127.0.0.1", natted=True)
    world.calls[LEG] = world.agent.ring(
        LEG, [place], DigestClient(None, None), ("127.0.0.1", 16384), 0.0
    )
    world._pump()
    [invite] = world.requests("INVITE")
    assert str(invite.uri) == "sip:101@10.0.0.5"
    world.hear(reply(invite, 200, contact="<sip:101@10.0.0.5>", sdp=SDP), source=source)
    world.hang_up()
    for method in ("INVITE", "ACK", "BYE"):
        assert world.hops(method) == [source.place]
