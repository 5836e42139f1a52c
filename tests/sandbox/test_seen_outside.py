"""What was mended inside, as clients of a started sandbox see it."""

from collections.abc import Iterator
from typing import Any

import pytest

from callwright.sandbox.client import Sandbox, SandboxError, running
from tests.sandbox.test_sandbox import OURS, call

CONTACT = "79261234567"
NOTHING = {"type": "tts", "value": "<speak> … 🙂 </speak>"}
TALK: dict[str, Any] = {"first_call": "employee", "employee": {"id": 1}, "contact": CONTACT}


@pytest.fixture(scope="module")
def process() -> Iterator[Sandbox]:
    with running("--clock", "stepped") as up:
        yield up


@pytest.fixture
def sandbox(process: Sandbox) -> Sandbox:
    process.reset()
    return process


def timeline(sandbox: Sandbox, session: int) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = sandbox.rpc("get.call", call_session_id=session)["timeline"]
    return told


@pytest.mark.parametrize(
    ("method", "field", "params"),
    [
        ("start.employee_call", "contact_message", TALK),
        ("start.employee_call", "employee_message", TALK),
        (
            "start.simple_call",
            "operator_message",
            {"first_call": "operator", "operator": "79261110000", "contact": CONTACT},
        ),
        ("start.informer_call", "contact_message", {"contact": CONTACT}),
    ],
)
def test_a_text_with_nothing_to_say_is_refused_where_it_is_sent(
    sandbox: Sandbox, method: str, field: str, params: dict[str, Any]
) -> None:
    asked: dict[str, Any] = {**params, "virtual_phone_number": OURS, field: NOTHING}
    with pytest.raises(SandboxError) as refused:
        sandbox.rpc(method, **asked)
    assert str(refused.value.field).startswith(field)
    assert sandbox.rpc("list.calls") == []


def test_keys_that_could_not_be_sent_are_told(sandbox: Sandbox) -> None:
    sandbox.script(CONTACT, {"after": 1.0, "do": "answer"}, {"after": 1.5, "do": "hang_up"})
    session = call(sandbox, CONTACT, dtmf_string=".1...2.3")
    sandbox.advance(60)
    [failed] = sandbox.events("keys.failed", session=session)
    assert failed.data["reason"] == "its leg has ended"
    assert failed.data["keys"].endswith("2.3")
    assert [entry for entry in timeline(sandbox, session) if entry["type"] == "keys.failed"]


def test_who_talks_is_busy_for_the_next_call(sandbox: Sandbox) -> None:
    sandbox.script("12000", {"do": "answer", "after": 1.0})  # the phone of employee 2
    first = call(sandbox, CONTACT, employee=2)
    sandbox.advance(5)
    second = call(sandbox, "79261234568", employee=2)
    sandbox.advance(5)
    [busy, *_] = sandbox.events("leg.ended", session=second)
    assert busy.data["cause"] == "channels_busy"
    assert busy.data["finish_reason"] == "operator_channels_busy"
    assert not sandbox.events("leg.ended", session=first)


def test_no_music_lasts_no_time(sandbox: Sandbox) -> None:
    session = call(sandbox, CONTACT, switch_at_once=True)
    sandbox.advance(10)
    sandbox.rpc("release.call", call_session_id=session)
    sandbox.advance(5)
    began: dict[object, str] = {}
    for entry in timeline(sandbox, session):
        if entry["type"] == "music.started":
            began[entry.get("leg_id")] = entry["time"]
        elif entry["type"] == "music.stopped":
            assert began.pop(entry.get("leg_id")) != entry["time"]
