"""A session's record: a fold over its events, the same live and from storage."""

from pathlib import Path

import pytest

from callwright.calls.record import CallRecord
from callwright.engines.far_end import HangsUp, answers, busy
from tests.calls.stage import CONTACT, EMPLOYEE, EMPLOYEE_2, Props, play, stage


def test_the_story_folded_again_is_the_live_record(tmp_path: Path) -> None:
    props = Props(tmp_path)

    async def story() -> None:
        phones = {
            EMPLOYEE: busy(),
            EMPLOYEE_2: answers(after=1),
            CONTACT: answers(after=1, then=[(9, HangsUp())]),
        }
        async with stage(phones) as scene:
            plan = props.plan(employee_numbers=(EMPLOYEE, EMPLOYEE_2), dtmf_string=".1")
            session = await scene.manager.start(plan)
            live = scene.manager.find(1, session)
            assert live
            await scene.verdict(session)
            assert CallRecord.of(scene.journal.stories[session]) == live.record
            reasons = [leg.finish_reason for leg in live.record.legs.values()]
            assert reasons == ["operator_busy", "subscriber_disconnects", "subscriber_disconnects"]

    play(story)


def test_a_story_without_a_beginning_is_none() -> None:
    with pytest.raises(ValueError, match="begins"):
        CallRecord.of([])
