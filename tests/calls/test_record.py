"""A session's record: a fold over its events, the same live and from storage."""

from pathlib import Path

import anyio
import pytest

from callwright.calls.commands import Hold, Unhold
from callwright.calls.ending import RELEASED
from callwright.calls.events import RecordingReady
from callwright.calls.record import CallRecord
from callwright.engines.simulated.far_end import HangsUp, answers, busy
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
            assert not any(leg.recorded for leg in live.record.legs.values())

    play(story)


def test_a_file_that_is_ready_late_does_not_end_the_next_recording(tmp_path: Path) -> None:
    """record_call_enabled of list.calls (call-api 3): files are closed beside the call."""

    async def story() -> None:
        phones = {EMPLOYEE: answers(after=0.1), CONTACT: answers(after=0.1)}
        async with stage(phones) as scene:
            plan = Props(tmp_path).plan(recorded=True)
            session = scene.manager.find(1, await scene.manager.start(plan))
            assert session
            await anyio.sleep(2.0)
            await session.inbox.ask(Hold(None))
            await anyio.sleep(1.0)
            await session.inbox.ask(Unhold())
            await anyio.sleep(1.0)
            told = list(scene.journal.stories[session.id])
            [ready] = [event for event in told if isinstance(event, RecordingReady)]
            told.remove(ready)
            late = CallRecord.of([*told, ready])
            assert [leg.recorded for leg in late.legs.values()] == [True, True]
            session.end(RELEASED)
            await scene.verdict(session.id)
            assert not any(leg.recorded for leg in session.record.legs.values())

    play(story)


def test_a_story_without_a_beginning_is_none() -> None:
    with pytest.raises(ValueError, match="begins"):
        CallRecord.of([])
