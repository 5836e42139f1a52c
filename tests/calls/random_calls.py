"""Random calls: phones that do anything, and clients who ask for anything, at any moment."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
from hypothesis import event as reached
from hypothesis import strategies as st

from callwright.calls.commands import (
    ALLOWED,
    AddCoach,
    AttendedTransfer,
    Command,
    CommandRefused,
    DisconnectLeg,
    Hold,
    MakeCall,
    Moving,
    Mute,
    PhoneTransfer,
    RecordTalk,
    RemoveTag,
    RestoreTalk,
    RunScenario,
    SendKey,
    SetCoachMode,
    SetTag,
    TransferCall,
    TransferTalk,
    Unhold,
    WrongState,
)
from callwright.calls.ending import RELEASED
from callwright.calls.immediate_commands import carry_out
from callwright.calls.plan import AdmittedAddress, Conversation, Target
from callwright.calls.scenario_plan import HangUp
from callwright.calls.session import Session
from callwright.engines.port import Address, CoachMode, LegId
from callwright.engines.simulated.far_end import (
    FarEnd,
    HangsUp,
    Holds,
    Resumes,
    answers,
    busy,
    never_answers,
)
from tests.calls.lobby import person, ring, scenario
from tests.calls.stage import CONTACT, EMPLOYEE, Props, Stage, play, stage

OTHERS = ("79260000003", "79260000004", "79260000005")


@dataclass(frozen=True)
class Step:
    after: float
    choice: int
    fitting: bool
    "Whether only commands are chosen that the state allows."


steps = st.lists(
    st.builds(
        Step,
        after=st.sampled_from([0.0, 0.1, 0.2, 0.5, 1.0, 0.123456]),
        choice=st.integers(0, 1000),
        fitting=st.sampled_from([True, True, False]),
    ),
    min_size=3,
    max_size=25,
)

at_the_phone = st.one_of(
    st.just(answers(after=0.0)),
    st.builds(
        lambda gone: answers(after=0.0, then=[(gone, HangsUp())]), st.sampled_from([4.0, 15.0])
    ),
    st.builds(
        lambda held, resumed: answers(after=0.0, then=[(held, Holds()), (resumed, Resumes())]),
        st.sampled_from([0.5, 1.0, 2.0]),
        st.sampled_from([0.0, 0.5, 3.0]),
    ),
)

far_ends = st.one_of(
    st.builds(lambda after: answers(after=after), st.sampled_from([0.0, 0.5, 1.0])),
    st.builds(
        lambda after, gone: answers(after=after, then=[(gone, HangsUp())]),
        st.sampled_from([0.0, 0.5]),
        st.sampled_from([0.1, 1.0, 2.5, 6.0]),
    ),
    st.builds(busy),
    st.builds(never_answers),
)

mostly_there = st.integers(0, 9).flatmap(lambda one: far_ends if one == 9 else at_the_phone)
"Whoever is not reached makes a short story."


def commands_of(
    choice: int, legs: Sequence[LegId], conversation: Conversation
) -> Sequence[Command]:
    """One command of each kind."""
    number = OTHERS[choice % len(OTHERS)]
    target = [Target(AdmittedAddress(Address(number, trunk="t")), "1", 2.0)]
    leg = legs[choice % len(legs)]
    on = choice % 2 == 0
    mode = list(CoachMode)[choice % 3]
    onward = scenario(ring(person(number, within=2.0), then="again"), again=[HangUp()])
    return [
        Hold(None),
        Unhold(),
        MakeCall(target, None),
        TransferTalk(),
        RestoreTalk(),
        TransferCall(target),
        PhoneTransfer(target),
        AttendedTransfer(lambda: None),
        RunScenario(onward, conversation),
        AddCoach(target, mode),
        SetCoachMode(mode),
        RecordTalk(on=on),
        Mute(leg, muted=on),
        SendKey("5"),
        SetTag(choice % 5, "tag"),
        RemoveTag(choice % 5),
        DisconnectLeg(leg),
    ]


def command(session: Session, step: Step, conversation: Conversation) -> Command:
    commands = commands_of(step.choice, [*session.legs, LegId(1)], conversation)
    if step.choice % 5 != 0:  # it ends most calls
        commands = [one for one in commands if not isinstance(one, DisconnectLeg)]
    # Moving the call three times as often: that is where it can go wrong.
    commands = [*commands, *2 * [one for one in commands if isinstance(one, Moving)]]
    if step.fitting:
        state = session.record.state
        commands = [one for one in commands if state in ALLOWED[type(one)]] or commands
    return commands[step.choice // 8 % len(commands)]


async def give(session: Session, asked: Command) -> None:
    """Give a command as a client does; the table alone says when its state is refused."""
    state = session.record.state
    reached(f"asked for {type(asked).__name__} in {state}")
    try:
        if isinstance(asked, Moving):
            with anyio.fail_after(1.0):  # no command waits for a phone
                await session.inbox.ask(asked)
        else:
            carry_out(session, asked)
    except WrongState:
        return
    except CommandRefused:
        pass
    assert state in ALLOWED[type(asked)], f"{asked} was taken in {state}"


@dataclass(frozen=True)
class RandomCall:
    steps: list[Step]
    contact: FarEnd
    employee: FarEnd
    others: list[FarEnd]
    at_once: bool


random_calls = st.builds(
    RandomCall,
    steps=steps,
    contact=mostly_there,
    employee=mostly_there,
    others=st.lists(st.one_of(at_the_phone, far_ends), min_size=3, max_size=3),
    at_once=st.booleans(),
)


def carried_out(call: RandomCall, check: Callable[[Stage, Session], None]) -> None:
    """Let a call take place, from its beginning to its verdict; then look at it."""

    async def story() -> None:
        others = dict(zip(OTHERS, call.others, strict=True))
        phones = {CONTACT: call.contact, EMPLOYEE: call.employee, **others}
        with tempfile.TemporaryDirectory() as folder:
            async with stage(phones) as scene:
                plan = Props(Path(folder)).plan(dial_time=4.0, switch_at_once=call.at_once)
                session = scene.manager.find(1, await scene.manager.start(plan))
                assert session
                async with anyio.create_task_group() as clients:
                    await anyio.sleep(0.5)
                    for step in call.steps:
                        await anyio.sleep(step.after)
                        if scene.manager.find(1, session.id) is None:
                            break
                        asked = command(session, step, plan.conversation)
                        clients.start_soon(give, session, asked)
                    await anyio.sleep(1.0)
                    session.end(RELEASED)
                await scene.verdict(session.id)
                check(scene, session)

    play(story)
