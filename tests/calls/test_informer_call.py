"""Stories of informer calls: a message, and nobody to talk with."""

from pathlib import Path

import pytest

from callwright.calls.plan import AdmittedAddress, InformerCall, Target
from callwright.engines.port import Address
from callwright.engines.simulated.far_end import FarEnd, HangsUp, answers, busy, never_answers
from tests.calls.stage import CONTACT, Props, play, stage


@pytest.fixture
def props(tmp_path: Path) -> Props:
    return Props(tmp_path)


def informer(props: Props, message_seconds: float = 4.0, within: float = 30.0) -> InformerCall:
    plan = props.plan()
    return InformerCall(
        plan.caption,
        Target(AdmittedAddress(Address(CONTACT, trunk="t")), "74993720692", within),
        props.recorded("news", message_seconds),
        plan.keys,
    )


def test_an_informer_plays_its_message_once_and_hangs_up(props: Props) -> None:
    """Choreography 4: "play contact_message once; hang up 0.5 s after its end"."""

    async def story() -> None:
        async with stage({CONTACT: answers(after=1)}) as scene:
            verdict = await scene.whole_call(informer(props))
            assert scene.heard(CONTACT) == [(1.1, "news.wav"), (5.1, "silence")]
            assert round(verdict.total_duration, 2) == 5.6
            assert (verdict.finish_reason, verdict.ended_by) == ("success_finish", "service")
            assert scene.leg_reasons() == {CONTACT: "scenario_disconnects"}

    play(story)


def test_an_informer_whose_message_cannot_be_played_is_no_success(props: Props) -> None:
    async def story() -> None:
        async with stage({CONTACT: answers(after=1)}) as scene:
            plan = informer(props)
            silent = InformerCall(plan.caption, plan.contact, props.unspeakable(), ())
            verdict = await scene.whole_call(silent)
            assert (verdict.finish_reason, verdict.fault) == ("internal_error", "service")

    play(story)


@pytest.mark.parametrize(
    ("far_end", "reason"),
    [
        (busy(), "subscriber_busy"),
        (never_answers(), "subscriber_not_responsible"),
        (answers(after=1, then=[(2.0, HangsUp())]), "subscriber_disconnects"),
    ],
)
def test_an_informer_that_does_not_come_through(props: Props, far_end: FarEnd, reason: str) -> None:
    async def story() -> None:
        async with stage({CONTACT: far_end}) as scene:
            verdict = await scene.whole_call(informer(props, within=7.0))
            assert verdict.finish_reason == reason
            if reason == "subscriber_not_responsible":
                assert round(verdict.total_duration, 1) == 7.0

    play(story)
