"""Stories of queues: who waits, what they hear, and whom they are given."""

from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from callwright.calls.events import QueueEntered, QueueLeft, SessionFinished
from callwright.calls.plan import AdmittedAddress, SessionId
from callwright.calls.scenario_plan import Play, Queue, ScenarioCall
from callwright.engines.port import Address
from callwright.engines.simulated.far_end import (
    Answers,
    FarEnd,
    HangsUp,
    answers,
    busy,
    never_answers,
)
from tests.calls.lobby import Lobby, calls_in, person, queue, scenario
from tests.calls.stage import CONTACT, EMPLOYEE, EMPLOYEE_2, Props, Stage, play, stage

FIRST, SECOND, THIRD = "79261000001", "79261000002", "79261000003"

WAITS = FarEnd(((0.0, Answers()),))


@pytest.fixture
def props(tmp_path: Path) -> Props:
    return Props(tmp_path)


def open_lobby(scene: Stage, props: Props, queue: Queue) -> None:
    scene.manager.door.reception = Lobby(
        props,
        scenario(
            queue,
            Play(props.recorded("sorry", 1.0)),
            rate=[Play(props.recorded("rate", 1.0))],
        ),
    )
    scene.raised_curtain = anyio.current_time()


async def session_of(scene: Stage, caller: str) -> SessionId:
    """Let somebody call in."""
    calls_in(scene, caller)
    await anyio.sleep(0.001)
    return list(scene.journal.stories)[-1]


def left(scene: Stage, session: SessionId) -> QueueLeft:
    [event] = [e for e in scene.journal.stories[session] if isinstance(e, QueueLeft)]
    return event


def position(scene: Stage, session: SessionId) -> int:
    [event] = [e for e in scene.journal.stories[session] if isinstance(e, QueueEntered)]
    return event.position


def hears(scene: Stage, number: str) -> str:
    return scene.phone(number).heard[-1][1]


def rung(scene: Stage, number: str) -> list[float]:
    """When a phone was rung."""
    return [
        round(leg.rung_at - scene.raised_curtain, 1)
        for leg in scene.engine.rung
        if leg.to.number == number
    ]


def test_somebody_free_is_rung_at_once(props: Props) -> None:
    async def story() -> None:
        far_ends = {FIRST: WAITS, EMPLOYEE: answers(then=[(5.0, HangsUp())])}
        async with stage(far_ends) as scene:
            open_lobby(scene, props, queue(props, person(EMPLOYEE, employee=25), then="rate"))
            session = await session_of(scene, FIRST)
            verdict = await scene.verdict(session)
            assert position(scene, session) == 1
            assert left(scene, session).reached
            assert [what for _, what in scene.heard(FIRST)[:3]] == [
                "music.wav",
                EMPLOYEE,
                "rate.wav",
            ]
            assert verdict.finish_reason == "no_operation"

    play(story)


def test_first_come_first_served(props: Props) -> None:
    """Two wait for one employee, who is busy while in a live session."""

    async def story() -> None:
        far_ends = {
            FIRST: WAITS,
            SECOND: WAITS,
            THIRD: WAITS,
            EMPLOYEE: answers(then=[(10.0, HangsUp())]),
        }
        async with stage(far_ends) as scene:
            open_lobby(scene, props, queue(props, person(EMPLOYEE, employee=25)))
            sessions = [await session_of(scene, caller) for caller in (FIRST, SECOND, THIRD)]
            assert [position(scene, session) for session in sessions] == [1, 2, 3]
            verdicts = [await scene.verdict(session) for session in sessions]
            assert [v.finish_reason for v in verdicts] == ["operator_disconnects"] * 3
            waited = [round(left(scene, session).waited, 1) for session in sessions]
            assert waited == [1.1, 12.2, 23.3]
            assert rung(scene, EMPLOYEE) == [0.0, 11.1, 22.2]

    play(story)


def test_several_free_people_take_several_contacts_at_once(props: Props) -> None:
    async def story() -> None:
        far_ends = {
            FIRST: WAITS,
            SECOND: WAITS,
            EMPLOYEE: answers(),
            EMPLOYEE_2: answers(),
        }
        async with stage(far_ends) as scene:
            people = person(EMPLOYEE, employee=25), person(EMPLOYEE_2, employee=26)
            open_lobby(scene, props, queue(props, *people))
            for caller in (FIRST, SECOND):
                await session_of(scene, caller)
            await anyio.sleep(2.0)
            assert [hears(scene, caller) for caller in (FIRST, SECOND)] == [EMPLOYEE, EMPLOYEE_2]

    play(story)


def test_who_waits_for_nobody_free_does_not_hold_up_who_comes_for_others(props: Props) -> None:
    """The queue has been given other people since the first contact joined it."""

    async def story() -> None:
        far_ends = {
            FIRST: WAITS,
            SECOND: WAITS,
            EMPLOYEE: answers(),
            EMPLOYEE_2: answers(),
            CONTACT: answers(),
        }
        async with stage(far_ends) as scene:
            await scene.manager.start(props.plan(talk_at_most=60.0))
            await anyio.sleep(5.0)
            open_lobby(scene, props, queue(props, person(EMPLOYEE, employee=25)))
            await session_of(scene, FIRST)
            open_lobby(scene, props, queue(props, person(EMPLOYEE_2, employee=26)))
            await session_of(scene, SECOND)
            await anyio.sleep(5.0)
            assert [hears(scene, caller) for caller in (FIRST, SECOND)] == ["music.wav", EMPLOYEE_2]

    play(story)


def test_an_employee_in_another_call_is_not_rung(props: Props) -> None:
    async def story() -> None:
        far_ends = {FIRST: WAITS, EMPLOYEE: answers(), "79260000000": answers()}
        async with stage(far_ends) as scene:
            await scene.manager.start(props.plan(talk_at_most=20.0))
            await anyio.sleep(5.0)
            mobile = person(EMPLOYEE, employee=25)
            open_lobby(scene, props, queue(props, mobile))
            await session_of(scene, FIRST)
            await anyio.sleep(60.0)
            # At 5 s of the other call, which ends 20 s after both have answered.
            assert rung(scene, EMPLOYEE)[1:] == [pytest.approx(17.2)]
            assert scene.engine.rung[-1].answered

    play(story)


@pytest.mark.parametrize("how", ["busy", "silent"])
def test_who_does_not_answer_is_left_alone_a_while(props: Props, how: str) -> None:
    """The contact keeps its place, and others are tried meanwhile."""

    async def story() -> None:
        silent = never_answers() if how == "silent" else busy()
        far_ends = {FIRST: WAITS, EMPLOYEE: silent, EMPLOYEE_2: silent}
        async with stage(far_ends) as scene:
            people = (
                person(EMPLOYEE, employee=25, within=5.0),
                person(EMPLOYEE_2, employee=26, within=5.0),
            )
            open_lobby(scene, props, queue(props, *people, at_most=33.0, rest=10.0))
            session = await session_of(scene, FIRST)
            verdict = await scene.verdict(session)
            if how == "silent":
                assert rung(scene, EMPLOYEE) == [0.0, 15.0, 30.0]
                assert rung(scene, EMPLOYEE_2) == [5.0, 20.0]
            else:
                assert rung(scene, EMPLOYEE) == [0.0, 10.1, 20.2, 30.3]
                assert rung(scene, EMPLOYEE_2) == [0.1, 10.2, 20.3, 30.4]
            assert left(scene, session).waited == pytest.approx(33.0)
            assert not left(scene, session).reached
            assert hears(scene, FIRST) in ("sorry.wav", "silence")
            assert verdict.finish_reason == "call_enqueued"
            assert not scene.engine.legs

    play(story)


def test_a_call_that_begins_with_the_employee_rings_who_is_free(props: Props) -> None:
    """Not who is in a call, nor who is left alone, nor who is kept for a contact that waits."""

    async def story() -> None:
        third, fourth = "79260000003", "79260000004"
        far_ends = {
            FIRST: WAITS,
            SECOND: answers(then=[(9.0, HangsUp())]),
            EMPLOYEE: answers(),
            EMPLOYEE_2: busy(),
            third: busy(),
            fourth: answers(),
        }
        async with stage(far_ends) as scene:
            talks = person(EMPLOYEE, employee=25)
            rests = person(EMPLOYEE_2, employee=26)
            open_lobby(scene, props, queue(props, rests, talks, rest=60.0))
            await session_of(scene, FIRST)  # is turned down by 26, and talks with 25
            await anyio.sleep(5.0)
            line = queue(props, talks, rests, person(third), person(fourth))
            plan = props.plan(employee_numbers=())
            asked = replace(
                plan,
                contact=replace(plan.contact, address=AdmittedAddress(Address(SECOND, trunk="t"))),
            )
            session = await scene.manager.start(ScenarioCall(asked, scenario(line)))
            verdict = await scene.verdict(session)
            assert verdict.finish_reason == "subscriber_disconnects"
            numbers = [leg.to.number for leg in list(scene.engine.rung)[3:]]
            assert numbers == [third, fourth, SECOND], "each once, and one after another"

    play(story)


def test_a_call_that_begins_with_the_employee_does_not_wait_for_one(props: Props) -> None:
    async def story() -> None:
        far_ends = {EMPLOYEE: answers(), CONTACT: answers()}
        async with stage(far_ends) as scene:
            await scene.manager.start(props.plan(talk_at_most=20.0))
            await anyio.sleep(5.0)
            line = queue(props, person(EMPLOYEE, employee=25))
            plan = ScenarioCall(props.plan(employee_numbers=()), scenario(line))
            verdict = await scene.verdict(await scene.manager.start(plan))
            assert (verdict.finish_reason, verdict.total_duration) == ("operator_busy", 0.0)
            assert len(scene.engine.rung) == 2

    play(story)


def test_whoever_was_rung_longest_ago_is_rung_first(props: Props) -> None:
    async def story() -> None:
        short = answers(then=[(1.0, HangsUp())])
        far_ends = {FIRST: WAITS, SECOND: WAITS, THIRD: WAITS}
        async with stage({**far_ends, EMPLOYEE: short, EMPLOYEE_2: short}) as scene:
            people = person(EMPLOYEE, employee=25), person(EMPLOYEE_2, employee=26)
            open_lobby(scene, props, queue(props, *people))
            for caller in (FIRST, SECOND, THIRD):
                await scene.verdict(await session_of(scene, caller))
            numbers = [leg.to.number for leg in scene.engine.rung if not leg.offered]
            assert numbers == [EMPLOYEE, EMPLOYEE_2, EMPLOYEE]

    play(story)


def test_a_full_queue(props: Props) -> None:
    async def story() -> None:
        far_ends = {FIRST: WAITS, SECOND: WAITS, EMPLOYEE: never_answers()}
        async with stage(far_ends) as scene:
            open_lobby(scene, props, queue(props, person(EMPLOYEE), places=1))
            await session_of(scene, FIRST)
            second = await session_of(scene, SECOND)
            verdict = await scene.verdict(second)
            assert position(scene, second) == 0
            assert scene.heard(SECOND)[0][1] == "sorry.wav"
            assert verdict.finish_reason == "call_enqueued"

    play(story)


def test_a_contact_who_hangs_up_makes_room(props: Props) -> None:
    async def story() -> None:
        far_ends = {
            FIRST: FarEnd(((0.0, Answers()), (3.0, HangsUp()))),
            SECOND: WAITS,
            EMPLOYEE: answers(after=5.0, then=[(5.0, HangsUp())]),
        }
        async with stage(far_ends) as scene:
            open_lobby(scene, props, queue(props, person(EMPLOYEE, employee=25)))
            first = await session_of(scene, FIRST)
            second = await session_of(scene, SECOND)
            gone = await scene.verdict(first)
            assert gone.finish_reason == "subscriber_disconnects"
            assert not left(scene, first).reached
            verdict = await scene.verdict(second)
            # Who was rung for the first is free again in the same moment.
            assert rung(scene, EMPLOYEE) == [0.0, 3.0]
            assert verdict.finish_reason == "operator_disconnects"
            assert verdict.talk_duration == pytest.approx(5.0)

    play(story)


def test_the_position_is_announced_again_and_again(props: Props) -> None:
    async def story() -> None:
        far_ends = {
            FIRST: FarEnd(((0.0, Answers()), (25.0, HangsUp()))),
            SECOND: FarEnd(((0.0, Answers()), (55.0, HangsUp()))),
            EMPLOYEE: never_answers(),
        }
        async with stage(far_ends) as scene:
            line = queue(props, person(EMPLOYEE, within=100.0), announced_every=20.0)
            open_lobby(scene, props, line)
            await session_of(scene, FIRST)
            await scene.verdict(await session_of(scene, SECOND))
            heard = [(round(at), what) for at, what in scene.heard(SECOND)]
            assert heard[:6] == [
                (0, "position-2.wav"),
                (1, "music.wav"),
                (20, "position-2.wav"),
                (21, "music.wav"),
                (40, "position-1.wav"),
                (41, "music.wav"),
            ]

    play(story)


def test_the_operators_message_is_heard_before_the_talk(props: Props) -> None:
    async def story() -> None:
        far_ends = {FIRST: WAITS, EMPLOYEE: answers(then=[(9.0, HangsUp())])}
        async with stage(far_ends) as scene:
            brief = props.recorded("brief", 2.0)
            line = queue(props, person(EMPLOYEE), message=brief, announced_every=30.0)
            open_lobby(scene, props, line)
            await scene.verdict(await session_of(scene, FIRST))
            assert scene.heard(EMPLOYEE)[:2] == [(1.1, "brief.wav"), (3.1, FIRST)]
            assert scene.heard(FIRST)[:3] == [
                (0.0, "position-1.wav"),
                (1.0, "music.wav"),
                (3.1, EMPLOYEE),
            ]

    play(story)


def test_nobody_to_wait_for(props: Props) -> None:
    async def story() -> None:
        async with stage({FIRST: WAITS}) as scene:
            open_lobby(scene, props, queue(props, at_most=30.0))
            verdict: SessionFinished = await scene.verdict(await session_of(scene, FIRST))
            assert verdict.finish_reason == "call_enqueued"
            assert verdict.total_duration == pytest.approx(31.0)

    play(story)
