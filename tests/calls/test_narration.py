"""The log tells the story of a call, and nobody's number."""

import logging
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callwright.calls.events import KeyReceived, KeySent, SessionEvent
from callwright.calls.narration import LINES, line_of, narrate
from callwright.engines.simulated.far_end import HangsUp, answers
from tests.calls.stage import CONTACT, EMPLOYEE, Props, play, stage


def test_a_whole_call(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    props = Props(tmp_path)
    caplog.set_level(logging.INFO, "callwright.calls")

    async def story() -> None:
        phones = {EMPLOYEE: answers(after=1), CONTACT: answers(after=1, then=[(9, HangsUp())])}
        async with stage(phones) as scene:
            scene.manager.listeners.append(narrate)
            plan = props.plan(dtmf_string="1", employee_message=props.recorded("hello", 1))
            await scene.whole_call(plan)

    play(story)
    lines = [record.getMessage() for record in caplog.records]
    told = [line.split("s: ", 1)[1].split(": ", 1)[-1] for line in lines]
    assert [line for line in told if "music" in line] == ["hears music", "music ends"]
    assert any(line.startswith("the employee's …0001 is rung") for line in told)
    assert told[-1].startswith("subscriber_disconnects, by the contact")
    text = "\n".join(lines)
    assert CONTACT not in text
    assert EMPLOYEE not in text
    assert not any("key" in line for line in lines), "keys may be a PIN"


def test_every_type_of_event_has_a_line() -> None:
    assert list(LINES) == list(get_args(SessionEvent))


@pytest.mark.parametrize("kind", [kind for kind, line in LINES.items() if line is not None])
@settings(deadline=None, max_examples=20)
@given(data=st.data())
def test_every_event_can_be_told(kind: Any, data: st.DataObject) -> None:
    assert line_of(data.draw(st.builds(kind)))


@pytest.mark.parametrize("kind", [KeySent, KeyReceived])
def test_of_keys_nothing_is_said(kind: type[SessionEvent]) -> None:
    assert LINES[kind] is None
