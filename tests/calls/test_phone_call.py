"""Stories of calls that employees make from their phones."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from callwright.calls.events import CallLost
from callwright.calls.phone_transfers import MayNotCall
from callwright.calls.plan import AdmittedAddress, Caption, Direction, EmployeeRef, Target
from callwright.calls.scenario_plan import PhoneCall
from callwright.calls.state import State
from callwright.engines.port import Address, Cause, LegId, LegOffered
from callwright.engines.simulated.far_end import (
    Answers,
    FarEnd,
    HangsUp,
    answers,
    busy,
    never_answers,
)
from tests.calls.stage import Props, Stage, play, stage

CALLER, COLLEAGUE, FORBIDDEN = "101", "102", "79990000000"
LEG = LegId(7)


@dataclass(frozen=True)
class Extensions:
    """A reception for phones of our own."""

    props: Props

    async def receive(self, offered: LegOffered) -> PhoneCall:
        if offered.called == FORBIDDEN:
            raise MayNotCall(Cause.REJECTED)
        caller = EmployeeRef(1, "Anna")
        return PhoneCall(
            Caption(1, "phone", Direction.OUT, "7499", offered.called, None, "", caller),
            offered.leg,
            Target(AdmittedAddress(Address(offered.caller)), offered.called, 0.0, caller),
            [Target(AdmittedAddress(Address(offered.called, trunk="t")), offered.caller, 10.0)],
            self.props.plan().conversation,
        )


@pytest.fixture
def props(tmp_path: Path) -> Props:
    return Props(tmp_path)


def calls(scene: Stage, props: Props, called: str = COLLEAGUE) -> None:
    scene.manager.door.reception = Extensions(props)
    scene.engine.offer(LEG, caller=CALLER, called=called)


def phones(colleague: FarEnd, caller: FarEnd | None = None) -> Mapping[str, FarEnd]:
    return {COLLEAGUE: colleague, CALLER: caller or FarEnd(((0.0, Answers()),))}


def test_a_phone_calls_a_colleague_and_is_answered_when_he_is(props: Props) -> None:
    async def story() -> None:
        async with stage(phones(answers(after=2.0))) as scene:
            calls(scene, props)
            await anyio.sleep(1.0)
            assert not scene.engine.legs[LEG].answered
            await anyio.sleep(2.0)
            [session] = scene.manager.live(1)
            assert session.record.state is State.TALK
            assert scene.engine.legs[LEG].heard[-1][1] == COLLEAGUE
            assert scene.phone(COLLEAGUE).heard[-1][1] == CALLER
            roles = [leg.role.value for leg in session.record.legs.values()]
            assert roles == ["employee", "contact"]

    play(story)


@pytest.mark.parametrize(
    ("colleague", "told", "reason"),
    [
        (busy(), Cause.BUSY, "subscriber_busy"),
        (never_answers(), Cause.NO_ANSWER, "subscriber_not_responsible"),
    ],
)
def test_a_colleague_who_is_not_reached_is_told_to_the_phone(
    props: Props, colleague: FarEnd, told: Cause, reason: str
) -> None:
    async def story() -> None:
        async with stage(phones(colleague)) as scene:
            calls(scene, props)
            await anyio.sleep(0.01)
            [session] = scene.manager.live(1)
            assert (await scene.verdict(session.id)).finish_reason == reason
            [ended] = [one for one in scene.told if one.leg == LEG and "cause" in dir(one)]
            assert getattr(ended, "cause", None) is told
            story = scene.journal.stories[session.id]
            assert not any(isinstance(event, CallLost) for event in story), "nobody has called in"

    play(story)


def test_a_caller_who_gives_up_leaves_nobody_ringing(props: Props) -> None:
    async def story() -> None:
        async with stage(phones(never_answers(), FarEnd(((2.0, HangsUp()),)))) as scene:
            calls(scene, props)
            await anyio.sleep(0.01)
            [session] = scene.manager.live(1)
            assert (await scene.verdict(session.id)).finish_reason == "operator_disconnects"
            assert not scene.engine.legs

    play(story)


def test_whom_a_phone_may_not_call_is_not_rung(props: Props) -> None:
    async def story() -> None:
        async with stage(phones(busy())) as scene:
            calls(scene, props, FORBIDDEN)
            await anyio.sleep(1.0)
            assert [leg.to.number for leg in scene.engine.rung] == [CALLER]
            assert not scene.manager.live(1)
            assert not scene.engine.legs

    play(story)


def test_who_is_called_may_hang_up(props: Props) -> None:
    async def story() -> None:
        gone = answers(after=0.5, then=[(3.0, HangsUp())])
        async with stage(phones(gone)) as scene:
            calls(scene, props)
            await anyio.sleep(0.01)
            [session] = scene.manager.live(1)
            verdict = await scene.verdict(session.id)
            assert verdict.finish_reason == "subscriber_disconnects"
            assert verdict.talk_duration == pytest.approx(3.0, abs=0.1)

    play(story)
