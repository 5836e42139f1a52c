"""Stories of keys that a script waits for."""

from pathlib import Path

import anyio
import pytest

from callwright.calls.events import KeyReceived
from callwright.calls.keypad import WAITING_AT_MOST
from callwright.calls.party import Party, PartyLeft, present
from callwright.calls.plan import AdmittedAddress, Role, Target
from callwright.calls.session import Session
from callwright.engines.port import Address, DtmfReceived
from callwright.engines.simulated.far_end import HangsUp, Presses, answers
from tests.calls.stage import CONTACT, Props, Stage, play, stage


@pytest.fixture
def props(tmp_path: Path) -> Props:
    return Props(tmp_path)


async def contact_of(scene: Stage, props: Props) -> tuple[Session, Party]:
    """A contact that has just answered, in a session whose script goes on to ring somebody else."""
    number = await scene.manager.start(props.plan(first=Role.CONTACT))
    session = scene.manager.find(1, number)
    assert session
    await anyio.sleep(1.2)
    assert session.contact_leg
    return session, session.contact_leg.party


def test_keys_are_taken_in_order_and_only_those_of_the_block(props: Props) -> None:
    async def story() -> None:
        keys = [(1.0, Presses("9")), (2.0, Presses("1")), (0.1, Presses("2")), (3.0, Presses("#"))]
        async with stage({CONTACT: answers(after=1, then=keys)}) as scene:
            _, contact = await contact_of(scene, props)
            await anyio.sleep(1.5)
            with present(contact), contact.presses() as keypad:
                assert await keypad.next() == "1"
                await anyio.sleep(0.5)
                assert await keypad.next() == "2"
                assert await keypad.next_of("*#") == "#"
            assert contact.keypads == []

    play(story)


def test_a_phone_that_sounds_its_keys_is_listened_to_while_somebody_waits(props: Props) -> None:
    async def story() -> None:
        keys = [
            (at, Presses(key, by_tone=True)) for at, key in ((1.0, "9"), (2.0, "1"), (2.0, "3"))
        ]
        async with stage({CONTACT: answers(after=1, then=keys)}) as scene:
            session, contact = await contact_of(scene, props)
            await anyio.sleep(1.5)
            with present(contact), contact.presses() as keypad:
                with contact.presses() as another:
                    assert await another.next() == "1"
                assert await keypad.next() == "1"
                assert contact.leg
                assert scene.engine.legs[contact.leg.id].listened_to, "one still waits"
            assert not scene.engine.legs[contact.leg.id].listened_to
            await anyio.sleep(2.5)
            told = scene.journal.stories[session.id]
            assert [event.key for event in told if isinstance(event, KeyReceived)] == ["1"]

    play(story)


def test_waiting_for_a_key_ends_when_the_party_leaves(props: Props) -> None:
    async def story() -> None:
        async with stage({CONTACT: answers(after=1, then=[(2.0, HangsUp())])}) as scene:
            _, contact = await contact_of(scene, props)
            with pytest.raises(PartyLeft), present(contact), contact.presses() as keypad:
                await keypad.next()

    play(story)


def test_keys_nobody_takes_are_bounded(props: Props) -> None:
    async def story() -> None:
        async with stage({CONTACT: answers(after=1)}) as scene:
            session, contact = await contact_of(scene, props)
            assert contact.leg
            with contact.presses() as keypad:
                for _ in range(WAITING_AT_MOST):
                    session.deliver(DtmfReceived(contact.leg.id, "1"))
                session.deliver(DtmfReceived(contact.leg.id, "2"))
                for _ in range(WAITING_AT_MOST):
                    assert await keypad.next() == "1"
                with anyio.move_on_after(5) as waited:
                    await keypad.next()
                assert waited.cancelled_caught

    play(story)


def test_keys_of_a_phone_that_was_given_up_are_not_the_partys(props: Props) -> None:
    async def story() -> None:
        async with stage({CONTACT: answers(after=1)}) as scene:
            session, contact = await contact_of(scene, props)
            old = contact.leg
            assert old
            with contact.presses() as keypad:
                contact.ring(
                    Target(AdmittedAddress(Address("79260000009", trunk="t")), CONTACT, 30.0)
                )
                session.deliver(DtmfReceived(old.id, "1"))
                with anyio.move_on_after(5) as waited:
                    await keypad.next()
                assert waited.cancelled_caught

    play(story)
