"""Stories of transfers that a phone asks for: it keeps its call until another has the contact."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from callwright.calls.commands import RestoreTalk, TransferTalk
from callwright.calls.events import TransferFinished
from callwright.calls.phone_transfers import MayNotCall
from callwright.calls.plan import AdmittedAddress, Caption, Target
from callwright.calls.state import State
from callwright.engines.port import Address, Cause
from callwright.engines.simulated.far_end import (
    Act,
    FarEnd,
    HangsUp,
    Holds,
    Transfers,
    answers,
    busy,
    never_answers,
)
from tests.calls.stage import CONTACT, EMPLOYEE, Props, Stage, play, stage
from tests.calls.test_conversation import PHONES, THIRD, hearing, state, talking, verdict

FORBIDDEN, NOBODY = "79990000000", "404"


@dataclass(frozen=True)
class Colleagues:
    """An exchange that knows two refusals."""

    async def targets(self, caption: Caption, number: str) -> Sequence[Target]:
        if number == FORBIDDEN:
            raise MayNotCall(Cause.REJECTED)
        if number == NOBODY:
            raise MayNotCall(Cause.WRONG_NUMBER)
        return [Target(AdmittedAddress(Address(number, trunk="t")), caption.virtual_number, 10.0)]


def phones(
    *acts: tuple[float, Act], by: str = EMPLOYEE, third: FarEnd | None = None
) -> Mapping[str, FarEnd]:
    """The phones; ``by`` does something once it has answered."""
    found = PHONES | {by: answers(after=0.1, then=acts)}
    return found | ({THIRD: third} if third else {})


def staged(scene: Stage) -> None:
    scene.manager.transfers.exchange = Colleagues()


@pytest.fixture
def props(tmp_path: Path) -> Props:
    return Props(tmp_path)


@pytest.mark.parametrize("holds_first", [True, False])
def test_a_phone_hands_over_and_is_hung_up_when_the_other_answers(
    props: Props, holds_first: bool
) -> None:
    first: list[tuple[float, Act]] = [(1.0, Holds())] if holds_first else [(1.0, Transfers(NOBODY))]

    async def story() -> None:
        async with stage(phones(*first, (1.0, Transfers(THIRD)))) as scene:
            staged(scene)
            session = await talking(scene, props.plan())
            await anyio.sleep(2.3)
            assert state(session) is State.DIALING
            assert hearing(scene, CONTACT)[0] == "music.wav"
            assert scene.phone(EMPLOYEE).id in scene.engine.legs, "it keeps its call"
            await anyio.sleep(1.5)
            assert state(session) is State.TALK
            assert hearing(scene, CONTACT, THIRD) == [THIRD, CONTACT]
            assert scene.phone(EMPLOYEE).id not in scene.engine.legs
            assert scene.phone(EMPLOYEE).transfers[-1:] == [None]
            told = scene.journal.stories[session.id]
            [handed] = [one for one in told if isinstance(one, TransferFinished)]
            assert handed.leg == scene.phone(EMPLOYEE).id
            assert handed.to == scene.phone(THIRD).id
            assert scene.leg_reasons()[EMPLOYEE] == "transfer_disconnects"

    play(story)


@pytest.mark.parametrize(
    ("third", "cause"),
    [(busy(), Cause.BUSY), (never_answers(), Cause.NO_ANSWER)],
)
@pytest.mark.parametrize("holds_first", [True, False])
def test_a_third_party_that_is_not_reached_costs_nobody_the_contact(
    props: Props, third: FarEnd, cause: Cause, holds_first: bool
) -> None:
    acts: list[tuple[float, Act]] = [(1.0, Transfers(THIRD))]
    if holds_first:
        acts = [(0.5, Holds()), (0.5, Transfers(THIRD))]

    async def story() -> None:
        async with stage(phones(*acts, third=third)) as scene:
            staged(scene)
            session = await talking(scene, props.plan())
            await anyio.sleep(15.0)
            assert scene.phone(EMPLOYEE).transfers == [cause]
            if holds_first:
                assert state(session) is State.HOLD
                assert hearing(scene, CONTACT) == ["music.wav"]
            else:
                assert state(session) is State.TALK
                assert hearing(scene, CONTACT, EMPLOYEE) == [EMPLOYEE, CONTACT]

    play(story)


@pytest.mark.parametrize(
    ("number", "cause"), [(FORBIDDEN, Cause.REJECTED), (NOBODY, Cause.WRONG_NUMBER)]
)
def test_whom_a_phone_may_not_call_it_hands_nobody_over_to(
    props: Props, number: str, cause: Cause
) -> None:
    async def story() -> None:
        async with stage(phones((1.0, Transfers(number)))) as scene:
            staged(scene)
            session = await talking(scene, props.plan())
            await anyio.sleep(2.0)
            assert scene.phone(EMPLOYEE).transfers == [cause]
            assert state(session) is State.TALK
            assert hearing(scene, CONTACT, EMPLOYEE) == [EMPLOYEE, CONTACT]

    play(story)


def test_the_contacts_phone_hands_nobody_over(props: Props) -> None:
    async def story() -> None:
        async with stage(phones((1.0, Transfers(THIRD)), by=CONTACT)) as scene:
            staged(scene)
            session = await talking(scene, props.plan())
            await anyio.sleep(2.0)
            assert scene.phone(CONTACT).transfers == [Cause.REJECTED]
            assert state(session) is State.TALK

    play(story)


def test_a_phone_that_hangs_up_at_once_has_handed_over_all_the_same(props: Props) -> None:
    async def story() -> None:
        async with stage(phones((1.0, Transfers(THIRD)), (0.2, HangsUp()))) as scene:
            staged(scene)
            session = await talking(scene, props.plan())
            await anyio.sleep(1.5)
            assert state(session) is State.DIALING
            assert hearing(scene, CONTACT) == ["music.wav"]
            await anyio.sleep(2.0)
            assert hearing(scene, CONTACT, THIRD) == [THIRD, CONTACT]
            assert scene.leg_reasons()[EMPLOYEE] == "transfer_disconnects"

    play(story)


def test_a_phone_that_hangs_up_at_once_and_a_third_that_is_busy_end_the_session(
    props: Props,
) -> None:
    async def story() -> None:
        slow = FarEnd(((2.0, busy().acts[0][1]),))
        acts = ((1.0, Transfers(THIRD)), (0.2, HangsUp()))
        async with stage(phones(*acts, third=slow)) as scene:
            staged(scene)
            session = await talking(scene, props.plan())
            assert (await verdict(scene, session)).finish_reason == "operator_busy"

    play(story)


def test_a_contact_that_leaves_while_it_is_handed_over_ends_the_session(props: Props) -> None:
    async def story() -> None:
        far_ends = dict(phones((1.0, Transfers(THIRD)), third=never_answers()))
        far_ends[CONTACT] = answers(after=0.1, then=[(3.0, HangsUp())])
        async with stage(far_ends) as scene:
            staged(scene)
            session = await talking(scene, props.plan())
            assert (await verdict(scene, session)).finish_reason == "subscriber_disconnects"

    play(story)


@pytest.mark.parametrize("restored", [True, False])
def test_a_client_may_decide_while_the_third_party_rings(props: Props, restored: bool) -> None:
    async def story() -> None:
        async with stage(phones((1.0, Transfers(THIRD)), third=answers(after=5.0))) as scene:
            staged(scene)
            session = await talking(scene, props.plan())
            await anyio.sleep(2.0)
            await session.inbox.ask(RestoreTalk() if restored else TransferTalk())
            await anyio.sleep(6.0)
            assert state(session) is State.TALK
            partner = EMPLOYEE if restored else THIRD
            assert hearing(scene, CONTACT, partner) == [partner, CONTACT]
            failed = Cause.RELEASED if restored else None
            assert scene.phone(EMPLOYEE).transfers == [failed]

    play(story)


def test_without_an_exchange_every_transfer_is_refused(props: Props) -> None:
    async def story() -> None:
        async with stage(phones((1.0, Transfers(THIRD)))) as scene:
            session = await talking(scene, props.plan())
            await anyio.sleep(2.0)
            assert scene.phone(EMPLOYEE).transfers == [Cause.REJECTED]
            assert state(session) is State.TALK

    play(story)
