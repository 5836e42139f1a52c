"""A phone that has all the calls it may have is busy: it is told so, and not rung once more."""

from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from callwright.calls.commands import Hold, MakeCall
from callwright.calls.ending import RELEASED
from callwright.calls.events import LegEnded
from callwright.calls.manager import CallManager
from callwright.calls.plan import (
    AdmittedAddress,
    EmployeeCall,
    GroupRef,
    RingGroup,
    Role,
    SessionId,
    Target,
)
from callwright.calls.state import State
from callwright.engines.port import Address
from callwright.engines.simulated.far_end import answers
from tests.calls.stage import ANNA, CONTACT, EMPLOYEE, EMPLOYEE_2, Props, Stage, play, stage

PHONES = {number: answers(after=1) for number in (CONTACT, EMPLOYEE, EMPLOYEE_2)}


@pytest.fixture
def props(tmp_path: Path) -> Props:
    return Props(tmp_path)


def phone(number: str, channels: int | None) -> Target:
    return Target(
        AdmittedAddress(Address(number, trunk="t")), CONTACT, 30.0, ANNA, channels=channels
    )


def to(*phones: Target, lines: int = 1) -> list[RingGroup]:
    return [RingGroup(phones, lines_start=lines, lines_limit=lines)]


async def talks(scene: Stage, plan: EmployeeCall) -> SessionId:
    session = await scene.manager.start(plan)
    await anyio.sleep(5)
    assert "TalkStarted" in scene.names(session)
    return session


def release(manager: CallManager, session: SessionId) -> None:
    live = manager.find(1, session)
    assert live
    live.end(RELEASED)


def rung(scene: Stage, number: str) -> int:
    return sum(leg.to.number == number for leg in scene.engine.rung)


@pytest.mark.parametrize("channels", [1, 2])
def test_one_call_more_than_a_phone_has_channels_is_busy(props: Props, channels: int) -> None:
    async def story() -> None:
        async with stage(PHONES) as scene:
            plan = props.plan(employee=to(phone(EMPLOYEE, channels)))
            talking = [await talks(scene, plan) for _ in range(channels)]
            beyond = await scene.manager.start(plan)
            verdict = await scene.verdict(beyond)
            assert (verdict.finish_reason, verdict.fault) == ("operator_channels_busy", "employee")
            [ended] = [one for one in scene.journal.stories[beyond] if isinstance(one, LegEnded)]
            assert (ended.finish_reason, ended.cause) == ("operator_channels_busy", "channels_busy")
            assert scene.names(beyond) == [
                "SessionStarted", "LegStarted", "LegEnded", "SessionFinished"
            ]  # fmt: skip
            assert rung(scene, EMPLOYEE) == channels
            release(scene.manager, talking[0])
            await scene.verdict(talking[0])
            await talks(scene, plan)

    play(story)


def test_one_call_more_than_a_group_has_channels_is_busy(props: Props) -> None:
    """However many of its phones a call rings it is one call."""

    async def story() -> None:
        async with stage(PHONES) as scene:
            group = GroupRef(5, "sales", 1)
            phones = [
                replace(phone(number, None), group=group) for number in (EMPLOYEE, EMPLOYEE_2)
            ]
            talking = await talks(scene, props.plan(employee=to(*phones, lines=2)))
            assert rung(scene, EMPLOYEE_2) == 1
            beyond = await scene.verdict(
                await scene.manager.start(props.plan(employee=to(*phones)))
            )
            assert beyond.finish_reason == "operator_channels_busy"
            release(scene.manager, talking)
            await scene.verdict(talking)
            await talks(scene, props.plan(employee=to(*phones)))

    play(story)


def test_a_phone_that_rings_is_not_rung_once_more(props: Props) -> None:
    async def story() -> None:
        async with stage(PHONES | {EMPLOYEE: answers(after=20)}) as scene:
            plan = props.plan(employee=to(phone(EMPLOYEE, 1)))
            # Two requests in one turn; either may come to ring first.
            sessions = [await scene.manager.start(plan) for _ in range(2)]
            await anyio.sleep(5)
            [ringing] = [one for one in sessions if scene.manager.find(1, one)]
            [busy] = [one for one in sessions if one != ringing]
            assert (await scene.verdict(busy)).finish_reason == "operator_channels_busy"
            release(scene.manager, ringing)
            await scene.verdict(ringing)
            assert rung(scene, EMPLOYEE) == 1

    play(story)


@pytest.mark.parametrize("lines", [1, 2])
def test_the_next_phone_is_rung_in_place_of_a_busy_one(props: Props, lines: int) -> None:
    async def story() -> None:
        async with stage(PHONES) as scene:
            await talks(scene, props.plan(employee=to(phone(EMPLOYEE, 1))))
            phones = phone(EMPLOYEE, 1), phone(EMPLOYEE_2, 1)
            await talks(scene, props.plan(employee=to(*phones, lines=lines)))
            assert (rung(scene, EMPLOYEE), rung(scene, EMPLOYEE_2)) == (1, 1)

    play(story)


def test_numbers_that_are_nobodys_phones_have_any_number_of_channels(props: Props) -> None:
    async def story() -> None:
        async with stage(PHONES) as scene:
            plan = props.plan(employee=to(phone(EMPLOYEE, None)))
            for _ in range(3):
                await talks(scene, plan)

    play(story)


def test_a_colleague_who_is_called_as_a_contact_is_busy_too(props: Props) -> None:
    async def story() -> None:
        async with stage(PHONES) as scene:
            await talks(scene, props.plan(employee=to(phone(EMPLOYEE, 1))))
            plan = props.plan(first=Role.CONTACT, employee=to(phone(EMPLOYEE_2, 1)))
            verdict = await scene.verdict(
                await scene.manager.start(replace(plan, contact=phone(EMPLOYEE, 1)))
            )
            assert verdict.finish_reason == "subscriber_busy"
            assert rung(scene, EMPLOYEE) == 1

    play(story)


def test_who_is_consulted_on_the_phone_that_consults_is_busy(props: Props) -> None:
    async def story() -> None:
        async with stage(PHONES) as scene:
            session = await talks(scene, props.plan(employee=to(phone(EMPLOYEE, 1))))
            live = scene.manager.find(1, session)
            assert live
            await live.inbox.ask(Hold(None))
            await live.inbox.ask(MakeCall([phone(EMPLOYEE, 1)], None))
            await anyio.sleep(5)
            assert rung(scene, EMPLOYEE) == 1
            assert scene.names(session).count("LegEnded") == 1
            assert live.record.state is State.HOLD

    play(story)
