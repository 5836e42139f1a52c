"""Stories of operators who leave their contact to a scenario, by a talk option."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import anyio
import pytest

from callwright.calls.commands import Hold, Moving, RunScenario, WrongState
from callwright.calls.ending import RELEASED
from callwright.calls.events import (
    CoachJoined,
    OperationStarted,
    OptionFailed,
    OptionRun,
    SessionEvent,
    SessionFinished,
    StateEntered,
)
from callwright.calls.options import Option, StartScenario, ToggleCoach, run_option
from callwright.calls.plan import Caption, RingGroup
from callwright.calls.scenario_plan import HangUp, Play, PreparedScenario, Ring
from callwright.calls.state import State
from callwright.engines.simulated.far_end import (
    FarEnd,
    HangsUp,
    Presses,
    answers,
    busy,
    never_answers,
)
from tests.calls.lobby import Lobby, calls_in, person, ring, scenario
from tests.calls.stage import CONTACT, EMPLOYEE, EMPLOYEE_2, Props, Stage, play, stage

COACH = "79260000009"
BUTTON, COACHING = "7", "8"
PRESSES = answers(then=[(3.0, Presses(BUTTON))])

Kind = TypeVar("Kind", bound=SessionEvent)


@pytest.fixture
def props(tmp_path: Path) -> Props:
    return Props(tmp_path)


class Shelf:
    """Where a scenario is found when it is wanted, if it still is there."""

    def __init__(self, props: Props, scenario: PreparedScenario | None) -> None:
        self.asked: list[Caption] = []
        self._found: RunScenario | None = None
        if scenario:
            self._found = RunScenario(scenario, Lobby(props, scenario).conversation)

    async def ready(self, caption: Caption) -> RunScenario | None:
        self.asked.append(caption)
        await anyio.sleep(0.1)
        return self._found


class BrokenShelf:
    """What a database that has gone makes of one."""

    async def ready(self, caption: Caption) -> RunScenario | None:
        raise OSError("the server is gone")


def told(scene: Stage, kind: type[Kind]) -> list[Kind]:
    [story] = scene.journal.stories.values()
    return [event for event in story if isinstance(event, kind)]


def operations(scene: Stage) -> list[str]:
    return [f"{one.branch}:{one.operation}" for one in told(scene, OperationStarted)]


async def whole_call(scene: Stage, props: Props, options: Mapping[str, Option]) -> SessionFinished:
    """Employee first; both have answered after 2.2 s, the employee after 1.1."""
    scene.raised_curtain = anyio.current_time()
    plan = props.plan()
    conversation = replace(plan.conversation, options=options)
    return await scene.whole_call(replace(plan, conversation=conversation))


def test_the_operator_leaves_and_the_contact_goes_on_in_the_scenario(props: Props) -> None:
    async def story() -> None:
        shelf = Shelf(props, scenario(Play(props.recorded("rate", 2.0)), HangUp()))
        async with stage({EMPLOYEE: PRESSES, CONTACT: answers()}) as scene:
            verdict = await whole_call(scene, props, {BUTTON: StartScenario(shelf)})
            assert (verdict.finish_reason, verdict.ended_by) == ("scenario_disconnects", "service")
            assert scene.heard(CONTACT) == [
                (2.2, EMPLOYEE),
                (4.2, "rate.wav"),
                (6.2, "silence"),
            ]
            assert scene.leg_reasons() == {
                EMPLOYEE: "transfer_disconnects",
                CONTACT: "scenario_disconnects",
            }
            assert [caption.contact_number for caption in shelf.asked] == [CONTACT]
            assert [one.state for one in told(scene, StateEntered)] == [State.TALK, State.SESSION]
            assert [one.button for one in told(scene, OptionRun)] == [BUTTON]
            assert operations(scene) == [":play", ":hangup"]
            assert verdict.talk_duration == pytest.approx(2.0)

    play(story)


def test_a_scenario_that_cannot_be_looked_up_ends_nobodys_talk(props: Props) -> None:
    async def story() -> None:
        hanging_up = answers(then=[(6.0, HangsUp())])
        async with stage({EMPLOYEE: PRESSES, CONTACT: hanging_up}) as scene:
            verdict = await whole_call(scene, props, {BUTTON: StartScenario(BrokenShelf())})
            assert verdict.finish_reason == "subscriber_disconnects"
            assert scene.heard(CONTACT)[0] == (2.2, EMPLOYEE)
            assert [one.button for one in told(scene, OptionFailed)] == [BUTTON]
            assert told(scene, OptionRun) == []
            assert [one.state for one in told(scene, StateEntered)] == [State.TALK]

    play(story)


def test_coaches_leave_with_the_operator(props: Props) -> None:
    async def story() -> None:
        shelf = Shelf(props, scenario(Play(props.recorded("rate", 5.0))))
        keys = answers(then=[(2.0, Presses(COACHING)), (5.0, Presses(BUTTON))])
        async with stage({EMPLOYEE: keys, CONTACT: answers(), COACH: answers()}) as scene:
            options: Mapping[str, Option] = {
                BUTTON: StartScenario(shelf),
                COACHING: ToggleCoach(person(COACH)),
            }
            verdict = await whole_call(scene, props, options)
            assert len(told(scene, CoachJoined)) == 1
            assert verdict.finish_reason == "no_operation"
            assert scene.phone(COACH).heard[-1][0] - scene.raised_curtain < 9.0
            assert scene.heard(CONTACT)[-2][1] == "rate.wav"

    play(story)


def test_somebody_else_is_rung_by_the_scenario_and_may_do_the_same(props: Props) -> None:
    """The second operator's options are those of the second conversation."""

    async def story() -> None:
        last = Shelf(props, scenario(Play(props.recorded("bye", 1.0)), HangUp()))
        [phone] = person(EMPLOYEE_2)
        conversation = replace(
            Lobby(props, scenario()).conversation, options={BUTTON: StartScenario(last)}
        )
        second = Ring([RingGroup([replace(phone, conversation=conversation)])], None, "never")
        first = Shelf(props, scenario(second, never=[Play(props.recorded("never", 1.0))]))
        far_ends = {EMPLOYEE: PRESSES, EMPLOYEE_2: PRESSES, CONTACT: answers()}
        async with stage(far_ends) as scene:
            verdict = await whole_call(scene, props, {BUTTON: StartScenario(first)})
            assert verdict.finish_reason == "scenario_disconnects"
            assert [what for _, what in scene.heard(CONTACT)] == [
                EMPLOYEE,
                "music.wav",
                EMPLOYEE_2,
                "bye.wav",
                "silence",
            ]
            assert operations(scene) == [":ring", ":play", ":hangup"]

    play(story)


def test_a_scenario_in_place_of_the_one_the_call_was_led_by(props: Props) -> None:
    """What was to follow the talk there is not carried out."""

    async def story() -> None:
        shelf = Shelf(props, scenario(ring(person(EMPLOYEE_2)), HangUp()))
        [phone] = person(EMPLOYEE)
        lobby = Lobby(props, scenario())
        conversation = replace(lobby.conversation, options={BUTTON: StartScenario(shelf)})
        lobby.scenario = scenario(
            Ring([RingGroup([replace(phone, conversation=conversation)])], None, "rate"),
            rate=[Play(props.recorded("never", 1.0))],
        )
        far_ends = {CONTACT: FarEnd(), EMPLOYEE: PRESSES, EMPLOYEE_2: busy()}
        async with stage(far_ends) as scene:
            scene.manager.door.reception = lobby
            calls_in(scene, CONTACT)
            await anyio.sleep(0.001)
            [session] = scene.journal.stories
            verdict = await scene.verdict(session)
            assert operations(scene) == [":ring", ":ring", ":hangup"]
            assert verdict.finish_reason == "scenario_disconnects"
            assert not scene.engine.legs

    play(story)


def test_a_scenario_that_has_gone_changes_nothing(props: Props) -> None:
    async def story() -> None:
        keys = answers(then=[(3.0, Presses(BUTTON)), (5.0, HangsUp())])
        async with stage({EMPLOYEE: keys, CONTACT: answers()}) as scene:
            options = {BUTTON: StartScenario(Shelf(props, None))}
            verdict = await whole_call(scene, props, options)
            assert [one.reason for one in told(scene, OptionFailed)] == ["OptionNotOffered"]
            assert scene.heard(CONTACT)[:2] == [(2.2, EMPLOYEE), (9.1, "silence")]
            assert verdict.finish_reason == "operator_disconnects"

    play(story)


@pytest.mark.parametrize("leaves", [3.0, 3.05, 3.1])
def test_the_contact_leaves_while_the_scenario_is_looked_for(props: Props, leaves: float) -> None:
    async def story() -> None:
        shelf = Shelf(props, scenario(Play(props.recorded("rate", 2.0))))
        contact = answers(then=[(leaves - 1.1, HangsUp())])
        async with stage({EMPLOYEE: PRESSES, CONTACT: contact}) as scene:
            verdict = await whole_call(scene, props, {BUTTON: StartScenario(shelf)})
            assert verdict.finish_reason == "subscriber_disconnects"
            assert verdict.ended_by == "contact"

    play(story)


def test_outside_of_a_talk_it_is_refused(props: Props) -> None:
    async def story() -> None:
        shelf = Shelf(props, scenario(HangUp()))
        async with stage({EMPLOYEE: answers(), CONTACT: answers()}) as scene:
            number = await scene.manager.start(props.plan())
            session = scene.manager.find(1, number)
            assert session
            with pytest.raises(WrongState):
                await run_option(session, StartScenario(shelf))
            assert shelf.asked == [], "nothing is looked for in vain"
            await anyio.sleep(5.0)
            await session.inbox.ask(Hold(None))
            with pytest.raises(WrongState):
                await run_option(session, StartScenario(shelf))
            session.end(RELEASED)
            await scene.verdict(number)

    play(story)


def test_a_hold_that_comes_while_it_is_looked_for_goes_first(props: Props) -> None:
    async def story() -> None:
        shelf = Shelf(props, scenario(HangUp()))
        async with stage({EMPLOYEE: PRESSES, CONTACT: answers()}) as scene:
            plan = props.plan()
            options = {BUTTON: StartScenario(shelf)}
            conversation = replace(plan.conversation, options=options)
            number = await scene.manager.start(replace(plan, conversation=conversation))
            session = scene.manager.find(1, number)
            assert session
            await anyio.sleep(4.15)
            await session.inbox.ask(Hold(None))
            await anyio.sleep(1.0)
            assert session.record.state is State.HOLD
            assert [one.reason for one in told(scene, OptionFailed)] == ["WrongState"]
            session.end(RELEASED)
            await scene.verdict(number)

    play(story)


def test_a_command_of_the_same_instant_does_not_wait_for_the_scenarios_phones(
    props: Props,
) -> None:
    """An API request that waits for a phone: never (choreography 8)."""

    async def story() -> None:
        led = scenario(ring(person(EMPLOYEE_2)))
        async with stage(
            {EMPLOYEE: answers(), CONTACT: answers(), EMPLOYEE_2: never_answers()}
        ) as scene:
            session = scene.manager.find(1, await scene.manager.start(props.plan()))
            assert session
            await anyio.sleep(5.0)
            outcomes: list[str] = []

            async def ask(command: Moving) -> None:
                try:
                    await session.inbox.ask(command)
                    outcomes.append("done")
                except WrongState:
                    outcomes.append("refused")

            with anyio.fail_after(1.0):
                async with anyio.create_task_group() as clients:
                    clients.start_soon(ask, RunScenario(led, Lobby(props, led).conversation))
                    clients.start_soon(ask, RunScenario(led, Lobby(props, led).conversation))
            assert sorted(outcomes) == ["done", "refused"]
            session.end(RELEASED)
            await scene.verdict(session.id)

    play(story)
