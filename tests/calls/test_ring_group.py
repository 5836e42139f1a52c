"""Stories of phones that ring at once, and of operators who must press a key to take the call."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from callwright.calls.dtmf import timed_keys
from callwright.calls.events import (
    KeyReceived,
    LegAnswered,
    LegEnded,
    LegStarted,
    SessionFinished,
    TalkStarted,
)
from callwright.calls.party import Party, present
from callwright.calls.plan import AdmittedAddress, Confirmation, RingGroup, Role, Target
from callwright.engines.port import Address
from callwright.engines.simulated.far_end import (
    Answers,
    FarEnd,
    HangsUp,
    Presses,
    Rings,
    answers,
    busy,
    never_answers,
)
from tests.calls.stage import CONTACT, EMPLOYEE, Props, Stage, play, stage

ONE, TWO, THREE, FOUR = "79260000011", "79260000012", "79260000013", "79260000014"


@pytest.fixture
def props(tmp_path: Path) -> Props:
    return Props(tmp_path)


def target(number: str, *, within: float = 30.0, confirm: Confirmation | None = None) -> Target:
    return Target(
        AdmittedAddress(Address(number, trunk="t")), CONTACT, within, confirmation=confirm
    )


def confirmation(props: Props, keys: str = "5") -> Confirmation:
    return Confirmation(frozenset(keys), props.recorded("press", 2.0), 15.0)


def rung(scene: Stage) -> list[tuple[str, float]]:
    start = scene.raised_curtain
    return [(leg.to.number, round(leg.rung_at - start, 2)) for leg in scene.engine.rung]


async def whole_call(scene: Stage, props: Props, *groups: RingGroup) -> SessionFinished:
    return await scene.whole_call(props.plan(employee=groups))


def test_the_first_to_answer_wins_and_the_others_are_cancelled(props: Props) -> None:
    """Choreography 4: "the first leg that is accepted wins, the others are cancelled"."""

    async def story() -> None:
        phones = {
            ONE: answers(after=5),
            TWO: answers(after=2, then=[(9.0, HangsUp())]),
            THREE: never_answers(),
            CONTACT: answers(after=1),
        }
        async with stage(phones) as scene:
            targets = [target(ONE), target(TWO), target(THREE)]
            verdict = await whole_call(scene, props, RingGroup(targets, 3, 3))
            assert rung(scene) == [(ONE, 0.0), (TWO, 0.0), (THREE, 0.0), (CONTACT, 2.1)]
            assert scene.heard(CONTACT)[0] == (3.2, TWO)
            assert scene.heard(ONE) == scene.heard(THREE) == []
            assert scene.leg_reasons() == {
                ONE: "another_operator_answer",
                THREE: "another_operator_answer",
                TWO: "operator_disconnects",
                CONTACT: "operator_disconnects",
            }
            assert verdict.finish_reason == "operator_disconnects"

    play(story)


def test_two_who_answer_in_the_same_moment_are_not_both_taken(props: Props) -> None:
    async def story() -> None:
        both = answers(after=2, then=[(9.0, HangsUp())])
        phones = {ONE: both, TWO: both, CONTACT: answers(after=1)}
        async with stage(phones) as scene:
            await whole_call(scene, props, RingGroup([target(ONE), target(TWO)], 2, 2))
            assert scene.heard(CONTACT)[0] == (3.2, ONE)
            assert scene.leg_reasons()[TWO] == "another_operator_answer"

    play(story)


def test_waves_grow_to_the_limit(props: Props) -> None:
    """ "ring lines_start at once, add dialing_increment more … up to lines_limit"."""

    async def story() -> None:
        numbers = [f"7926000010{i}" for i in range(9)]
        phones = dict.fromkeys(numbers, never_answers())
        async with stage(phones) as scene:
            group = RingGroup([target(number, within=60) for number in numbers], 1, 6, 2, 10.0)
            verdict = await whole_call(scene, props, group)
            assert [at for _, at in rung(scene)] == [0, 10, 10, 20, 20, 30, 60, 70, 70]
            assert verdict.finish_reason == "operator_not_responsible"

    play(story)


def test_a_phone_that_fails_leaves_its_line_to_the_next(props: Props) -> None:
    async def story() -> None:
        phones = {
            ONE: busy(),
            TWO: never_answers(),
            THREE: answers(after=1, then=[(9.0, HangsUp())]),
            CONTACT: answers(after=1),
        }
        async with stage(phones) as scene:
            targets = [target(ONE), target(TWO), target(THREE)]
            await whole_call(scene, props, RingGroup(targets, 2, 2))
            assert rung(scene)[:3] == [(ONE, 0.0), (TWO, 0.0), (THREE, 0.1)]
            assert scene.leg_reasons()[ONE] == "operator_busy"
            assert scene.leg_reasons()[TWO] == "another_operator_answer"

    play(story)


def test_the_next_group_is_rung_when_nobody_in_the_first_takes_the_call(props: Props) -> None:
    async def story() -> None:
        phones = {
            ONE: busy(),
            TWO: never_answers(),
            THREE: answers(after=1, then=[(9.0, HangsUp())]),
            CONTACT: answers(after=1),
        }
        async with stage(phones) as scene:
            first = RingGroup([target(ONE), target(TWO, within=7)], 2, 2)
            await whole_call(scene, props, first, RingGroup([target(THREE)]))
            assert rung(scene)[:3] == [(ONE, 0.0), (TWO, 0.0), (THREE, 7.0)]
            assert scene.leg_reasons()[TWO] == "operator_not_responsible"

    play(story)


@pytest.mark.parametrize(
    ("far_ends", "reason"),
    [
        ([busy(), busy()], "operator_busy"),
        ([busy(), never_answers()], "no_success_operator_call"),
        ([never_answers(), never_answers()], "operator_not_responsible"),
    ],
)
def test_nobody_takes_the_call(props: Props, far_ends: Sequence[FarEnd], reason: str) -> None:
    async def story() -> None:
        phones = dict(zip((ONE, TWO), far_ends, strict=True))
        async with stage(phones) as scene:
            verdict = await whole_call(scene, props, RingGroup([target(ONE), target(TWO)], 2, 2))
            assert (verdict.finish_reason, verdict.ended_by) == (reason, "employee")
            assert CONTACT not in [number for number, _ in rung(scene)]

    play(story)


def test_the_contact_leaves_while_a_group_rings(props: Props) -> None:
    """Choreography 8: no leg is left ringing, and each says why it was hung up."""

    async def story() -> None:
        phones = {
            CONTACT: answers(after=1, then=[(5.0, HangsUp())]),
            ONE: never_answers(),
            TWO: FarEnd(((0.1, Rings()), (1.0, Answers()))),
            THREE: never_answers(),
        }
        async with stage(phones) as scene:
            targets = [target(ONE), target(TWO, confirm=confirmation(props)), target(THREE)]
            plan = props.plan(first=Role.CONTACT, employee=[RingGroup(targets, 2, 2)])
            verdict = await scene.whole_call(plan)
            assert verdict.finish_reason == "subscriber_disconnects"
            assert round(verdict.total_duration, 1) == 6.1
            assert set(scene.leg_reasons().values()) == {"subscriber_disconnects"}
            assert THREE not in scene.leg_reasons()

    play(story)


def test_the_operator_takes_the_call_by_the_key(props: Props) -> None:
    """ "after answering, the operator must press that key"; a prompt invites to it."""

    async def story() -> None:
        phones = {
            ONE: answers(
                after=1, then=[(1.0, Presses("4")), (3.0, Presses("5")), (9.0, HangsUp())]
            ),
            CONTACT: answers(after=1),
        }
        async with stage(phones) as scene:
            group = RingGroup([target(ONE, confirm=confirmation(props))])
            await scene.whole_call(
                props.plan(employee=[group], employee_message=props.recorded("brief", 1.0))
            )
            # The wrong key changes nothing, the right one ends the wait.
            assert scene.heard(ONE)[:4] == [
                (1.1, "press.wav"),
                (3.1, "silence"),
                (5.1, "brief.wav"),
                (6.1, "music.wav"),
            ]
            assert rung(scene)[1] == (CONTACT, 6.1)

    play(story)


def test_the_key_cuts_the_prompt(props: Props) -> None:
    async def story() -> None:
        phones = {
            ONE: answers(after=1, then=[(0.5, Presses("#")), (9.0, HangsUp())]),
            CONTACT: answers(after=1),
        }
        async with stage(phones) as scene:
            group = RingGroup([target(ONE, confirm=confirmation(props, "0123456789*#"))])
            await whole_call(scene, props, group)
            assert rung(scene)[1] == (CONTACT, 1.6)
            assert (1.6, "music.wav") in scene.heard(ONE)

    play(story)


KEYS_SOUNDED = [(0.5, "4"), (0.5, "5"), (2.0, "6")]


def test_the_key_may_be_sounded(props: Props) -> None:
    """By a phone without telephone-events, which is listened to until it has pressed."""

    async def story() -> None:
        keys = [(after, Presses(key, by_tone=True)) for after, key in KEYS_SOUNDED]
        phones = {ONE: answers(after=1, then=[*keys, (9.0, HangsUp())]), CONTACT: answers(after=1)}
        async with stage(phones) as scene:
            group = RingGroup([target(ONE, confirm=confirmation(props))])
            await whole_call(scene, props, group)
            assert rung(scene)[1] == (CONTACT, 2.1)
            [story] = scene.journal.stories.values()
            assert [one.key for one in story if isinstance(one, KeyReceived)] == ["4", "5"]

    play(story)


@pytest.mark.parametrize("then", [[], [(2.0, Presses("4")), (3.0, Presses("A"))]])
def test_without_the_key_the_leg_is_hung_up(
    props: Props, then: Sequence[tuple[float, Presses]]
) -> None:
    """Else that leg is hung up, and so is the session; the wrong key is no key.

    Only sessions have a published word for it.
    """

    async def story() -> None:
        async with stage({ONE: answers(after=1, then=then)}) as scene:
            group = RingGroup([target(ONE, confirm=confirmation(props))])
            verdict = await whole_call(scene, props, group)
            assert (verdict.finish_reason, verdict.ended_by, verdict.fault) == (
                "no_operator_confirmation",
                "employee",
                "employee",
            )
            assert scene.leg_reasons() == {ONE: "operator_not_responsible"}
            assert round(verdict.total_duration, 1) == 16.1

    play(story)


def test_who_does_not_confirm_leaves_the_call_to_the_next(props: Props) -> None:
    async def story() -> None:
        phones = {
            ONE: answers(after=1),
            TWO: answers(after=1, then=[(2.0, HangsUp())]),
            THREE: answers(after=1, then=[(2.0, Presses("5")), (9.0, HangsUp())]),
            CONTACT: answers(after=1),
        }
        async with stage(phones) as scene:
            confirm = confirmation(props)
            targets = [target(number, confirm=confirm) for number in (ONE, TWO, THREE)]
            await whole_call(scene, props, RingGroup(targets))
            assert rung(scene) == [(ONE, 0.0), (TWO, 16.1), (THREE, 19.2), (CONTACT, 22.3)]
            assert scene.leg_reasons()[ONE] == "operator_not_responsible"
            assert scene.leg_reasons()[TWO] == "operator_disconnects"
            assert scene.leg_reasons()[THREE] == "operator_disconnects"

    play(story)


def test_one_who_confirms_beats_one_who_answered_before(props: Props) -> None:
    async def story() -> None:
        phones = {
            ONE: answers(after=1, then=[(8.0, Presses("5"))]),
            TWO: answers(after=3, then=[(1.0, Presses("5")), (9.0, HangsUp())]),
            CONTACT: answers(after=1),
        }
        async with stage(phones) as scene:
            confirm = confirmation(props)
            targets = [target(number, confirm=confirm) for number in (ONE, TWO)]
            await whole_call(scene, props, RingGroup(targets, 2, 2))
            assert (5.2, TWO) in scene.heard(CONTACT)
            assert scene.leg_reasons()[ONE] == "another_operator_answer"

    play(story)


def asked(props: Props, keys: str = "5") -> Confirmation:
    """A confirmation with messages of the client's own, 2 and 3 seconds long."""
    messages = [props.recorded("who", 2.0), props.recorded("press", 3.0)]
    return Confirmation(frozenset(keys), None, 15.0, messages)


def test_messages_before_a_confirmation_are_heard_in_order(props: Props) -> None:
    """ "played in order before the key is waited for": the time for it counts from their end."""

    async def story() -> None:
        phones = {
            ONE: answers(after=1, then=[(19.9, Presses("5")), (9.0, HangsUp())]),
            CONTACT: answers(after=1),
        }
        async with stage(phones) as scene:
            await whole_call(scene, props, RingGroup([target(ONE, confirm=asked(props))]))
            told = [(1.1, "who.wav"), (3.1, "press.wav"), (6.1, "silence"), (21.0, "music.wav")]
            assert scene.heard(ONE)[:4] == told
            assert rung(scene)[1] == (CONTACT, 21.0)

    play(story)


def test_who_does_not_press_after_the_messages_is_hung_up(props: Props) -> None:
    async def story() -> None:
        async with stage({ONE: answers(after=1)}) as scene:
            group = RingGroup([target(ONE, confirm=asked(props))])
            verdict = await whole_call(scene, props, group)
            assert verdict.finish_reason == "no_operator_confirmation"
            assert round(verdict.total_duration, 1) == 21.1

    play(story)


def test_a_key_cuts_the_messages_and_another_one_does_not(props: Props) -> None:
    async def story() -> None:
        keys = [(1.0, Presses("4")), (0.5, Presses("5"))]
        phones = {
            ONE: answers(after=1, then=[*keys, (9.0, HangsUp())]),
            CONTACT: answers(after=1),
        }
        async with stage(phones) as scene:
            await whole_call(scene, props, RingGroup([target(ONE, confirm=asked(props))]))
            assert scene.heard(ONE)[:2] == [(1.1, "who.wav"), (2.6, "music.wav")]

    play(story)


def test_messages_without_a_key_are_heard_before_the_call_is_taken(props: Props) -> None:
    async def story() -> None:
        phones = {
            ONE: answers(after=1, then=[(1.0, HangsUp())]),
            TWO: answers(after=1, then=[(9.0, HangsUp())]),
            CONTACT: answers(after=1),
        }
        async with stage(phones) as scene:
            targets = [target(number, confirm=asked(props, "")) for number in (ONE, TWO)]
            await whole_call(scene, props, RingGroup(targets))
            assert scene.heard(TWO)[:3] == [
                (3.2, "who.wav"),
                (5.2, "press.wav"),
                (8.2, "music.wav"),
            ]
            assert rung(scene) == [(ONE, 0.0), (TWO, 2.1), (CONTACT, 8.2)]

    play(story)


def test_a_phone_gets_the_keys_of_the_extension_behind_it(props: Props) -> None:
    """They do not delay the join; whoever they lead to is asked to confirm after them."""

    async def story() -> None:
        phones = {
            ONE: answers(after=1, then=[(4.0, Presses("5")), (9.0, HangsUp())]),
            CONTACT: answers(after=1),
        }
        async with stage(phones) as scene:
            keys = timed_keys(".2.5")
            confirming = replace(target(ONE, confirm=confirmation(props)), keys=keys)
            await whole_call(scene, props, RingGroup([confirming]))
            got = [(round(at - scene.raised_curtain, 2), key) for at, key in scene.phone(ONE).keys]
            assert got == [(2.1, "2"), (3.1, "5")]
            assert scene.heard(ONE)[:2] == [(1.1, "silence"), (3.26, "press.wav")]
        async with stage(phones) as scene:
            await whole_call(scene, props, RingGroup([replace(target(ONE), keys=keys)]))
            assert rung(scene)[1] == (CONTACT, 1.1)
            assert [key for _, key in scene.phone(ONE).keys] == ["2", "5"]

    play(story)


# What happens within one turn of the event loop or a few, at every distance.

TURNS = range(12)


def order(scene: Stage, number: str) -> tuple[bool, bool]:
    """Whether anybody was rung, and anybody joined, after the leg of ``number`` had ended."""
    [session_story] = scene.journal.stories.values()
    leg = scene.phone(number).id
    [ended] = [
        place
        for place, event in enumerate(session_story)
        if isinstance(event, LegEnded) and event.leg == leg
    ]
    after = session_story[ended:]
    return (
        any(isinstance(event, LegStarted) for event in after),
        any(isinstance(event, TalkStarted) for event in after),
    )


@pytest.mark.parametrize("turns", TURNS)
def test_nobody_is_rung_once_the_contact_has_gone(props: Props, turns: int) -> None:
    """Choreography 8: never "a second party dialled after the first has gone"."""

    async def story() -> None:
        phones = {CONTACT: answers(after=1), ONE: never_answers(), TWO: never_answers()}
        async with stage(phones) as scene:
            group = RingGroup([target(ONE), target(TWO)])
            session = await scene.manager.start(props.plan(first=Role.CONTACT, employee=[group]))
            await anyio.sleep(3)
            scene.engine.hang_up(scene.phone(ONE).id)
            for _ in range(turns):
                await anyio.lowlevel.checkpoint()
            scene.engine.hang_up(scene.phone(CONTACT).id)
            await scene.verdict(session)
            assert order(scene, CONTACT) == (False, False)

    play(story)


@pytest.mark.parametrize("turns", TURNS)
def test_who_has_taken_the_call_and_gone_is_not_taken_for_there(props: Props, turns: int) -> None:
    async def story() -> None:
        async with stage({ONE: answers(after=1), CONTACT: answers(after=1)}) as scene:
            plan = props.plan(employee=[RingGroup([target(ONE)])])
            answered = anyio.Event()
            scene.manager.listeners.append(
                lambda event: answered.set() if isinstance(event, LegAnswered) else None
            )
            session = await scene.manager.start(plan)
            await answered.wait()
            for _ in range(turns):
                await anyio.lowlevel.checkpoint()
            scene.engine.hang_up(scene.phone(ONE).id)
            await scene.verdict(session)
            assert order(scene, ONE) == (False, False)

    play(story)


def test_a_party_that_tries_its_next_phone_has_not_left(props: Props) -> None:
    async def story() -> None:
        phones = {
            CONTACT: answers(after=1),
            EMPLOYEE: never_answers(),
            ONE: answers(after=1, then=[(2.0, HangsUp())]),
            TWO: answers(after=1),
        }
        async with stage(phones) as scene:
            number = await scene.manager.start(props.plan(first=Role.CONTACT))
            session = scene.manager.find(1, number)
            assert session
            third = Party(session, Role.THIRD)
            confirm = confirmation(props)
            await third.answers([target(ONE, confirm=confirm), target(TWO)])
            with present(third):
                await anyio.sleep(1)
            assert third.leg
            assert third.leg.target.address.number == TWO

    play(story)
