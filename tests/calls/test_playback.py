"""What is heard between messages: music where one waits, and no blip of it where nobody does."""

from pathlib import Path

import pytest

from callwright.calls.events import MessageFailed, MusicStarted, MusicStopped
from callwright.calls.plan import InformerCall, Role, SessionId
from callwright.engines.simulated.far_end import HangsUp, answers
from tests.calls.stage import CONTACT, EMPLOYEE, Props, Spoken, Stage, play, stage

PHONES = {CONTACT: answers(after=1, then=[(12, HangsUp())]), EMPLOYEE: answers(after=1)}


@pytest.fixture
def props(tmp_path: Path) -> Props:
    return Props(tmp_path)


def music_of(scene: Stage, session: SessionId) -> list[float]:
    """How long each stretch of music lasted."""
    story = scene.journal.stories[session]
    begun: dict[int, float] = {}
    lasted = []
    for event in story:
        match event:
            case MusicStarted():
                begun[event.leg] = event.offset
            case MusicStopped():
                lasted.append(event.offset - begun.pop(event.leg))
            case _:
                pass
    return lasted


@pytest.mark.parametrize("first", [Role.CONTACT, Role.EMPLOYEE])
@pytest.mark.parametrize("messages", ["none", "contact", "employee", "both", "longer"])
@pytest.mark.parametrize("early", [False, True])
def test_no_music_lasts_no_time(props: Props, first: Role, messages: str, early: bool) -> None:
    async def story() -> None:
        async with stage(PHONES) as scene:
            of_contact = {"none": 0.0, "employee": 0.0, "longer": 3.0}.get(messages, 2.0)
            of_employee = {"none": 0.0, "contact": 0.0}.get(messages, 2.0)
            plan = props.plan(
                first=first,
                switch_at_once=early,
                early_switching=early and first is Role.EMPLOYEE,
                contact_message=props.recorded("c", of_contact) if of_contact else None,
                employee_message=props.recorded("e", of_employee) if of_employee else None,
            )
            session = await scene.manager.start(plan)
            await scene.verdict(session)
            assert "TalkStarted" in scene.names(session)
            assert all(lasted > 0.0 for lasted in music_of(scene, session))

    play(story)


def test_music_passes_the_time_until_a_text_is_spoken(props: Props) -> None:
    async def story() -> None:
        async with stage(PHONES) as scene:
            late = props.spoken("late", 1.0, ready_after=2.0)
            await scene.whole_call(props.plan(contact_message=late))
            assert scene.heard(CONTACT) == [
                (2.2, "silence"),
                (2.45, "music.wav"),
                (4.2, "late.wav"),
                (5.2, EMPLOYEE),
            ]

    play(story)


@pytest.mark.parametrize(
    ("after", "heard"),
    [
        (0.0, [(2.2, "soon.wav")]),
        (0.2, [(2.2, "silence"), (2.4, "soon.wav")]),
        # Not a blip of music, but some.
        (0.3, [(2.2, "silence"), (2.45, "music.wav"), (2.95, "soon.wav")]),
    ],
)
def test_speech_that_is_there_soon_has_no_blip_of_music_before_it(
    props: Props, after: float, heard: list[tuple[float, str]]
) -> None:
    async def story() -> None:
        async with stage(PHONES) as scene:
            soon = props.spoken("soon", 1.0, ready_after=after)
            await scene.whole_call(props.plan(contact_message=soon))
            told = scene.heard(CONTACT)
            assert [one for one in told if one[1] != EMPLOYEE] == heard

    play(story)


def test_music_ends_when_a_text_cannot_be_spoken(props: Props) -> None:
    async def story() -> None:
        async with stage(PHONES) as scene:
            session = await scene.manager.start(props.plan(contact_message=Spoken(None, 3.0)))
            await scene.verdict(session)
            assert scene.heard(CONTACT) == [
                (2.2, "silence"),
                (2.45, "music.wav"),
                (5.2, EMPLOYEE),
            ]
            told = scene.journal.stories[session]
            assert sum(isinstance(event, MessageFailed) for event in told) == 1

    play(story)


def test_who_is_informed_hears_music_until_the_text_is_spoken(props: Props) -> None:
    async def story() -> None:
        async with stage({CONTACT: answers(after=1)}) as scene:
            call = props.plan()
            plan = InformerCall(
                call.caption,
                call.contact,
                props.spoken("news", 2.0, ready_after=3.0),
                (),
                waiting_music=props.music,
            )
            verdict = await scene.whole_call(plan)
            assert verdict.finish_reason == "success_finish"
            assert [what for _, what in scene.heard(CONTACT)] == [
                "silence",
                "music.wav",
                "news.wav",
                "silence",
            ]

    play(story)


def test_who_leaves_in_that_music_leaves_nothing_playing(props: Props) -> None:
    async def story() -> None:
        phones = PHONES | {CONTACT: answers(after=1, then=[(1.0, HangsUp())])}
        async with stage(phones) as scene:
            late = props.spoken("late", 1.0, ready_after=60.0)
            session = await scene.manager.start(props.plan(contact_message=late))
            verdict = await scene.verdict(session)
            assert verdict.finish_reason == "subscriber_disconnects"
            assert verdict.total_duration == pytest.approx(3.2, abs=0.1)
            assert not scene.engine.legs

    play(story)
