"""Stories of the door: calls that come in while nobody knows yet where they lead."""

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import pytest

from callwright.calls.inbound_gate import DECIDED_WITHIN, WAITING_AT_MOST
from callwright.calls.journal import JournalUnavailable
from callwright.calls.scenario_plan import InboundCall, Play, RefusedCall
from callwright.engines.port import Cause, LegOffered, LegReleased
from callwright.engines.simulated.far_end import FarEnd, HangsUp, answers
from tests.calls.lobby import Lobby, calls_in, scenario
from tests.calls.stage import CONTACT, Props, Stage, play, stage


class Slow:
    """A reception that does something before it lets a call in."""

    def __init__(self, lobby: Lobby, first: Callable[[], Awaitable[None]]) -> None:
        self.lobby = lobby
        self.first = first

    async def receive(self, offered: LegOffered) -> InboundCall | RefusedCall | None:
        await self.first()
        return await self.lobby.receive(offered)


class Nowhere:
    async def receive(self, offered: LegOffered) -> InboundCall | RefusedCall | None:
        return None


@pytest.fixture
def lobby(tmp_path: Path) -> Lobby:
    props = Props(tmp_path)
    return Lobby(props, scenario(Play(props.recorded("hello", 2.0))))


def causes(scene: Stage) -> list[Cause]:
    """Why legs have ended, in order."""
    return [event.cause for event in scene.told if isinstance(event, LegReleased)]


async def breaks() -> None:
    raise RuntimeError("a bug")


async def database_is_locked() -> None:
    raise JournalUnavailable("locked")


def test_a_number_that_leads_nowhere() -> None:
    async def story() -> None:
        async with stage({}) as scene:
            scene.manager.door.reception = Nowhere()
            calls_in(scene, CONTACT)
            await anyio.sleep(1)
            assert causes(scene) == [Cause.WRONG_NUMBER]
            assert not scene.journal.stories

    play(story)


@pytest.mark.parametrize(
    ("first", "after"),
    [
        (breaks, 1.0),
        (database_is_locked, 1.0),
        (anyio.sleep_forever, DECIDED_WITHIN + 1),
    ],
)
def test_a_reception_that_cannot_say(
    lobby: Lobby,
    first: Callable[[], Awaitable[None]],
    after: float,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)

    async def story() -> None:
        async with stage({CONTACT: answers()}) as scene:
            scene.manager.door.reception = Slow(lobby, first)
            calls_in(scene, CONTACT)
            await anyio.sleep(after)
            assert causes(scene) == [Cause.NO_RESOURCES]
            assert not scene.engine.legs
            # The next call is none the worse for it.
            scene.manager.door.reception = lobby
            calls_in(scene, CONTACT)
            await anyio.sleep(0.1)
            assert len(scene.manager.live(1)) == 1

    play(story)
    assert "is turned away: no_resources" in caplog.text
    assert CONTACT not in caplog.text


def test_a_caller_who_gives_up_while_it_is_decided(lobby: Lobby) -> None:
    async def story() -> None:
        async with stage({CONTACT: FarEnd(((1.0, HangsUp()),))}) as scene:
            scene.manager.door.reception = Slow(lobby, lambda: anyio.sleep(2))
            calls_in(scene, CONTACT)
            await anyio.sleep(3)
            [session] = scene.journal.stories
            verdict = await scene.verdict(session)
            assert verdict.finish_reason == "disconnect_before_call_processing"
            assert not scene.engine.legs

    play(story)


def test_no_more_calls_wait_than_can_be_dealt_with(lobby: Lobby) -> None:
    async def story() -> None:
        async with stage({CONTACT: answers()}) as scene:
            scene.manager.door.reception = Slow(lobby, lambda: anyio.sleep(2))
            for _ in range(WAITING_AT_MOST + 3):
                calls_in(scene, CONTACT)
            await anyio.sleep(1)
            assert causes(scene) == [Cause.NO_RESOURCES] * 3
            await anyio.sleep(2)
            assert len(scene.journal.stories) == WAITING_AT_MOST

    play(story)


def test_while_the_service_is_drained_calls_are_refused(lobby: Lobby) -> None:
    async def story() -> None:
        async with stage({CONTACT: answers()}) as scene:
            scene.manager.door.reception = lobby
            await scene.manager.drain(within=0)
            calls_in(scene, CONTACT)
            await anyio.sleep(1)
            assert causes(scene) == [Cause.NO_RESOURCES]
            assert not scene.journal.stories

    play(story)
