"""Keys that do not reach a phone are told, whatever keeps them from it."""

from pathlib import Path

import anyio
import pytest

from callwright.calls.ending import RELEASED
from callwright.calls.events import KeySent, KeysFailed, LegEnded, SessionEvent
from callwright.calls.plan import SessionId
from callwright.engines.port import DtmfFailed
from callwright.engines.simulated.far_end import HangsUp, answers
from tests.calls.stage import CONTACT, EMPLOYEE, Props, Stage, play, stage

PHONES = {CONTACT: answers(after=1), EMPLOYEE: answers(after=1)}


@pytest.fixture
def props(tmp_path: Path) -> Props:
    return Props(tmp_path)


def told(scene: Stage, session: SessionId) -> list[tuple[str, ...]]:
    """Of keys: what was sent and was still to be sent then, what failed and why."""
    return [said for event in scene.journal.stories[session] for said in _said(event)]


def _said(event: SessionEvent) -> list[tuple[str, ...]]:
    match event:
        case KeySent():
            return [("sent", event.key, event.pending)]
        case KeysFailed():
            return [("failed", event.keys, event.reason)]
    return []


def test_what_is_left_when_the_contact_goes_is_told_before_its_end(props: Props) -> None:
    async def story() -> None:
        phones = PHONES | {CONTACT: answers(after=1, then=[(1.5, HangsUp())])}
        async with stage(phones) as scene:
            session = await scene.manager.start(props.plan(dtmf_string="1.2.34"))
            await scene.verdict(session)
            assert told(scene, session) == [
                ("sent", "1", ".2.34"),
                ("sent", "2", ".34"),
                ("failed", ".34", "its leg has ended"),
            ]
            story = scene.journal.stories[session]
            [failed] = [event for event in story if isinstance(event, KeysFailed)]
            [ended] = [one for one in story if isinstance(one, LegEnded) and one.leg == failed.leg]
            assert failed.sequence < ended.sequence

    play(story)


def test_what_was_sent_to_its_end_has_not_failed(props: Props) -> None:
    async def story() -> None:
        phones = PHONES | {CONTACT: answers(after=1, then=[(5.0, HangsUp())])}
        async with stage(phones) as scene:
            session = await scene.manager.start(props.plan(dtmf_string="12.."))
            await scene.verdict(session)
            assert told(scene, session) == [("sent", "1", "2"), ("sent", "2", "")]

    play(story)


def test_a_contact_who_never_answers_gets_no_keys_and_nothing_has_failed(props: Props) -> None:
    async def story() -> None:
        async with stage(PHONES | {CONTACT: answers(after=60)}) as scene:
            session = await scene.manager.start(props.plan(dtmf_string="12"))
            await scene.verdict(session)
            assert told(scene, session) == []

    play(story)


def test_keys_that_wait_in_the_engine_when_the_leg_ends_are_told(props: Props) -> None:
    async def story() -> None:
        async with stage(PHONES) as scene:
            session = await scene.manager.start(props.plan())
            await anyio.sleep(5)
            live = scene.manager.find(1, session)
            assert live
            assert live.contact_leg
            for key in "987":
                live.keys.send(live.contact_leg, key, planned=False)
            await anyio.sleep(0.01)
            live.end(RELEASED)
            await scene.verdict(session)
            assert told(scene, session) == [
                ("sent", "9", ""),
                ("failed", "87", "its leg has ended"),
            ]

    play(story)


def test_a_key_that_the_engine_could_not_send_is_told_and_the_next_one_goes(props: Props) -> None:
    async def story() -> None:
        async with stage(PHONES) as scene:
            session = await scene.manager.start(props.plan(dtmf_string="1..2"))
            await anyio.sleep(2.5)
            live = scene.manager.find(1, session)
            assert live
            assert live.contact_leg
            # Told as sent, and then refused by the phone.
            scene.deliver(DtmfFailed(live.contact_leg.id, "1", "415 to INFO"))
            await anyio.sleep(4)
            live.end(RELEASED)
            await scene.verdict(session)
            assert told(scene, session) == [
                ("sent", "1", "..2"),
                ("failed", "1", "415 to INFO"),
                ("sent", "2", ""),
            ]

    play(story)
