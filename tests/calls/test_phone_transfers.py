"""Stories of transfers that a phone asks for: it keeps its call until another has the contact."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
import pytest

from callwright.calls.commands import Mute, RestoreTalk, TransferTalk
from callwright.calls.ending import RELEASED
from callwright.calls.events import TransferFinished
from callwright.calls.immediate_commands import carry_out
from callwright.calls.phone_transfers import MayNotCall
from callwright.calls.plan import (
    AdmittedAddress,
    Caption,
    Direction,
    EmployeeCall,
    EmployeeRef,
    RingGroup,
    Target,
)
from callwright.calls.scenario_plan import PhoneCall
from callwright.calls.session import Session
from callwright.calls.state import State
from callwright.engines.port import Address, Cause, LegId, LegOffered, TransferAsked
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
from tests.calls.stage import ANNA, CONTACT, EMPLOYEE, Props, Stage, play, stage
from tests.calls.test_conversation import PHONES, THIRD, hearing, state, talking, verdict

FORBIDDEN, NOBODY = "79990000000", "404"


@dataclass(frozen=True)
class Colleagues:
    """An exchange that knows two refusals, and whose phones are all Boris'."""

    async def phone(self, caption: Caption, number: str) -> Target:
        if number == FORBIDDEN:
            raise MayNotCall(Cause.REJECTED)
        number_of_phone = AdmittedAddress(Address(number))
        return Target(number_of_phone, caption.virtual_number, 0.0, EmployeeRef(2, "Boris"))

    async def targets(
        self, caption: Caption, number: str, by: EmployeeRef | None
    ) -> Sequence[Target]:
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


def own_phone(props: Props, *, recorded: bool = False) -> EmployeeCall:
    """A plan whose employee is rung at a phone of ours, through no trunk."""
    phone = AdmittedAddress(Address(EMPLOYEE, phone="sip:25@192.0.2.7"))
    anna = Target(phone, CONTACT, 30.0, ANNA)
    return props.plan(employee=[RingGroup([anna])], recorded=recorded)


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
            session = await talking(scene, own_phone(props))
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
            session = await talking(scene, own_phone(props))
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
            session = await talking(scene, own_phone(props))
            await anyio.sleep(2.0)
            assert scene.phone(EMPLOYEE).transfers == [cause]
            assert state(session) is State.TALK
            assert hearing(scene, CONTACT, EMPLOYEE) == [EMPLOYEE, CONTACT]

    play(story)


def test_the_contacts_phone_hands_nobody_over(props: Props) -> None:
    async def story() -> None:
        async with stage(phones((1.0, Transfers(THIRD)), by=CONTACT)) as scene:
            staged(scene)
            session = await talking(scene, own_phone(props))
            await anyio.sleep(2.0)
            assert scene.phone(CONTACT).transfers == [Cause.REJECTED]
            assert state(session) is State.TALK

    play(story)


def test_an_operator_outside_hands_nobody_over(props: Props) -> None:
    async def story() -> None:
        async with stage(phones((1.0, Transfers(THIRD)))) as scene:
            staged(scene)
            session = await talking(scene, props.plan())
            await anyio.sleep(2.0)
            assert scene.phone(EMPLOYEE).transfers == [Cause.REJECTED]
            assert state(session) is State.TALK
            assert hearing(scene, CONTACT, EMPLOYEE) == [EMPLOYEE, CONTACT]

    play(story)


def test_a_third_outside_that_has_taken_over_hands_nobody_over(props: Props) -> None:
    async def story() -> None:
        third = answers(after=0.1, then=[(3.0, Transfers(EMPLOYEE))])
        async with stage(phones((1.0, Transfers(THIRD)), third=third)) as scene:
            staged(scene)
            session = await talking(scene, own_phone(props))
            await anyio.sleep(6.0)
            assert scene.phone(THIRD).transfers == [Cause.REJECTED]
            assert state(session) is State.TALK
            assert hearing(scene, CONTACT, THIRD) == [THIRD, CONTACT]

    play(story)


def test_a_phone_that_hangs_up_at_once_has_handed_over_all_the_same(props: Props) -> None:
    async def story() -> None:
        async with stage(phones((1.0, Transfers(THIRD)), (0.2, HangsUp()))) as scene:
            staged(scene)
            session = await talking(scene, own_phone(props))
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
            session = await talking(scene, own_phone(props))
            assert (await verdict(scene, session)).finish_reason == "operator_busy"

    play(story)


def test_a_contact_that_leaves_while_it_is_handed_over_ends_the_session(props: Props) -> None:
    async def story() -> None:
        far_ends = dict(phones((1.0, Transfers(THIRD)), third=never_answers()))
        far_ends[CONTACT] = answers(after=0.1, then=[(3.0, HangsUp())])
        async with stage(far_ends) as scene:
            staged(scene)
            session = await talking(scene, own_phone(props))
            assert (await verdict(scene, session)).finish_reason == "subscriber_disconnects"

    play(story)


@pytest.mark.parametrize("restored", [True, False])
def test_a_client_may_decide_while_the_third_party_rings(props: Props, restored: bool) -> None:
    async def story() -> None:
        async with stage(phones((1.0, Transfers(THIRD)), third=answers(after=5.0))) as scene:
            staged(scene)
            session = await talking(scene, own_phone(props))
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
            session = await talking(scene, own_phone(props))
            await anyio.sleep(2.0)
            assert scene.phone(EMPLOYEE).transfers == [Cause.REJECTED]
            assert state(session) is State.TALK

    play(story)


@dataclass(frozen=True)
class PhoneLines:
    """A reception for the employee's phone, which asks a colleague before it hands over."""

    props: Props
    account: int = 1

    async def receive(self, offered: LegOffered) -> PhoneCall:
        return PhoneCall(
            Caption(self.account, "phone", Direction.OUT, "7499", offered.called, None, "", ANNA),
            offered.leg,
            Target(AdmittedAddress(Address(offered.caller)), offered.called, 0.0, ANNA),
            [
                Target(
                    AdmittedAddress(Address(offered.called, trunk="t")),
                    offered.caller,
                    10.0,
                    EmployeeRef(2, "Boris"),
                )
            ],
            replace(self.props.plan().conversation, recorded=True),
        )


@asynccontextmanager
async def two_calls(
    props: Props, *acts: tuple[float, Act], third: FarEnd, account: int = 1
) -> AsyncIterator[tuple[Stage, Session, Session]]:
    """The employee's phone talks with the contact, holds, and has called a third, a second later.

    ``acts``: what it does then on its first call.
    """
    held = (0.5, Holds())
    async with stage(phones(held, *acts, third=third)) as scene:
        staged(scene)
        first = await talking(scene, own_phone(props, recorded=True))
        scene.manager.door.reception = PhoneLines(props, account)
        await anyio.sleep(0.5)
        scene.engine.offer(LegId(7), caller=EMPLOYEE, called=THIRD)
        await anyio.sleep(0.01)
        second = next(one for one in scene.manager.live(account) if one is not first)
        yield scene, first, second


def test_an_attended_transfer_joins_the_contact_with_whom_the_phone_has_asked(props: Props) -> None:
    async def story() -> None:
        attended = (4.0, Transfers(THIRD, attended=True))
        async with two_calls(props, attended, third=answers(after=0.5)) as (scene, first, second):
            await anyio.sleep(2.0)
            assert state(first) is State.HOLD
            assert hearing(scene, CONTACT) == ["music.wav"]
            assert state(second) in (State.TALK, State.HOLD)
            talked_with = scene.phone(THIRD).id
            await anyio.sleep(2.5)
            assert state(first) is State.TALK
            assert hearing(scene, CONTACT, THIRD) == [THIRD, CONTACT]
            assert set(scene.engine.legs) == {scene.phone(CONTACT).id, talked_with}
            roles = [leg.role.value for leg in first.record.legs.values()]
            assert roles == ["employee", "contact", "third"]
            [handed] = [
                one for one in scene.journal.stories[first.id] if isinstance(one, TransferFinished)
            ]
            assert handed.to not in second.record.legs, "each leg is in one session"
            over = await scene.verdict(second.id)
            assert (over.finish_reason, over.ended_by) == ("transfer_disconnects", "employee")
            told = [leg.transfers for leg in scene.engine.rung if leg.to.number == EMPLOYEE]
            assert [None] in told
            # What is asked of the leg by its new name reaches it.
            carry_out(first, Mute(handed.to, muted=True))
            assert scene.engine.legs[talked_with].muted
            first.end(RELEASED)
            assert (await verdict(scene, first)).finish_reason == "api_release"

    play(story)


def test_an_attended_transfer_asked_for_in_the_second_call_comes_to_the_same(props: Props) -> None:
    """Some phones name the first call in the REFER of the second."""

    async def story() -> None:
        async with two_calls(props, third=answers(after=0.5)) as (scene, first, second):
            await anyio.sleep(2.0)
            legs = [leg.id for leg in scene.engine.rung if leg.to.number == EMPLOYEE]
            scene.manager.deliver(TransferAsked(legs[1], CONTACT, legs[0]))
            await scene.verdict(second.id)
            assert state(first) is State.TALK
            assert hearing(scene, CONTACT, THIRD) == [THIRD, CONTACT]

    play(story)


@pytest.mark.parametrize("leaver", [CONTACT, THIRD])
def test_who_hangs_up_after_an_attended_transfer_ends_the_call(props: Props, leaver: str) -> None:
    async def story() -> None:
        attended = (4.0, Transfers(THIRD, attended=True))
        third = answers(after=0.5, then=[(8.0, HangsUp())] if leaver == THIRD else [])
        async with two_calls(props, attended, third=third) as (scene, first, second):
            await scene.verdict(second.id)
            if leaver == CONTACT:
                await anyio.sleep(1.0)
                scene.engine.hang_up(scene.phone(CONTACT).id)
            reason = (await verdict(scene, first)).finish_reason
            expected = {THIRD: "transfer_disconnects", CONTACT: "api_release"}
            assert reason == expected[leaver]

    play(story)


def test_an_attended_transfer_to_whom_still_rings_is_a_blind_one(props: Props) -> None:
    async def story() -> None:
        attended = (1.5, Transfers(THIRD, attended=True))
        async with two_calls(props, attended, third=answers(after=5.0)) as (scene, first, _):
            await anyio.sleep(1.5)
            assert state(first) is State.DIALING

    play(story)


def test_a_call_of_another_account_is_no_partner(props: Props) -> None:
    async def story() -> None:
        attended = (4.0, Transfers(THIRD, attended=True))
        async with two_calls(props, attended, third=answers(after=0.5), account=2) as (
            scene,
            first,
            second,
        ):
            await anyio.sleep(4.5)
            assert state(first) is State.HOLD
            assert second.record.verdict is None
            assert Cause.REJECTED in scene.engine.rung[0].transfers

    play(story)


@asynccontextmanager
async def place_wanted(
    props: Props, *acts: tuple[float, Act], by: str = "101", of: str = EMPLOYEE, account: int = 1
) -> AsyncIterator[tuple[Stage, Session]]:
    """A phone calls in for the place of one of those who talk, and does ``acts`` then."""
    placed = answers(after=0.5, then=acts)
    async with stage({**phones(), by: placed}) as scene:
        staged(scene)
        scene.manager.door.reception = PhoneLines(props)
        session = await talking(scene, own_phone(props))
        replaces = scene.phone(of).id
        scene.engine.offer(LegId(7), caller=by, called="", replaces=replaces)
        await anyio.sleep(1.0)
        yield scene, session


def test_a_phone_that_calls_takes_the_place_of_the_one_that_talks(props: Props) -> None:
    """RFC 3891 section 3: the new call is answered, and the one it replaces is hung up."""

    async def story() -> None:
        async with place_wanted(props) as (scene, session):
            assert state(session) is State.TALK
            assert hearing(scene, CONTACT) == ["101"]
            assert scene.phone(EMPLOYEE).id not in scene.engine.legs
            assert scene.leg_reasons()[EMPLOYEE] == "transfer_disconnects"
            [handed] = [
                one
                for one in scene.journal.stories[session.id]
                if isinstance(one, TransferFinished)
            ]
            assert handed.to == LegId(7)
            assert len(scene.manager.live(1)) == 1, "no call of its own"

    play(story)


def test_who_has_taken_a_place_ends_the_call_by_hanging_up(props: Props) -> None:
    async def story() -> None:
        async with place_wanted(props, (2.0, HangsUp())) as (scene, session):
            assert (await verdict(scene, session)).finish_reason == "transfer_disconnects"

    play(story)


@pytest.mark.parametrize(("by", "of"), [(FORBIDDEN, EMPLOYEE), ("101", CONTACT)])
def test_nobody_takes_a_place_that_is_not_his_to_take(props: Props, by: str, of: str) -> None:
    """The phone of another account, and the place of somebody who is no phone of ours."""

    async def story() -> None:
        async with place_wanted(props, by=by, of=of) as (scene, session):
            assert state(session) is State.TALK
            assert hearing(scene, CONTACT, EMPLOYEE) == [EMPLOYEE, CONTACT]
            assert LegId(7) not in scene.engine.legs
            assert len(scene.manager.live(1)) == 1

    play(story)
