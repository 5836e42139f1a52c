"""Stories of the manager: what it does with calls that nobody waits for."""

import logging
from pathlib import Path

import anyio
import pytest

from callwright.engines.port import LegId, LegOffered, LegReleased
from callwright.engines.simulated.far_end import FarEnd, HangsUp
from tests.calls.stage import CONTACT, Props, play, stage

LEG = LegId(1)


def test_a_call_that_comes_in_leads_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def story() -> None:
        async with stage({}) as scene:
            scene.engine.offer(LEG, caller="79261234567", called="74993720692", trunk="t")
            await anyio.sleep(1)
            assert not scene.engine.legs
            [leg] = scene.engine.rung
            assert not leg.answered

    play(story)
    assert "a call came in from t" in caplog.text
    assert "no session has" not in caplog.text
    assert "79261234567" not in caplog.text


def test_a_caller_gives_up_before_the_manager_has_heard_of_it() -> None:
    async def story() -> None:
        async with stage({CONTACT: FarEnd(((0.0, HangsUp()),))}) as scene:
            scene.manager.deliver(LegOffered(LEG, CONTACT, "74993720692", "t"))
            scene.manager.deliver(LegReleased(LEG, HangsUp().cause))
            scene.engine.offer(LegId(2), caller=CONTACT, called="74993720692", trunk="t")
            await anyio.sleep(1)
            assert not scene.engine.legs

    play(story)


def test_a_call_that_comes_in_when_the_manager_has_ended_is_refused() -> None:
    async def story() -> None:
        async with stage({}) as scene:
            async with anyio.create_task_group() as tasks:
                await tasks.start(
                    lambda task_status: scene.manager.run(started=task_status.started)
                )
                tasks.cancel_scope.cancel()
            scene.engine.offer(LEG, caller="79261234567", called="74993720692", trunk="t")
            await anyio.sleep(1)
            assert not scene.engine.legs

    play(story)


def test_calls_that_come_in_leave_others_alone(tmp_path: Path) -> None:
    async def story() -> None:
        async with stage({}) as scene:
            session = await scene.manager.start(Props(tmp_path).plan())
            scene.engine.offer(LEG, caller="79261234567", called="74993720692", trunk="t")
            await scene.verdict(session)

    play(story)
