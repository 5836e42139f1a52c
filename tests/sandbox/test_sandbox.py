"""The sandbox as its users have it: a process, its API, and time that is moved on by hand."""

import json
import subprocess
import sys
import urllib.request
import wave
from array import array
from collections.abc import Iterator, Sequence
from datetime import timedelta
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from callwright.sandbox.client import ReceivedEvent, Sandbox, SandboxError, running
from callwright.sandbox.methods import DECLARATIONS
from callwright.sandbox.numbers import FAMILIES
from tests.api.house import house
from tests.waiting import WITHIN

OURS = "74990000004"
RINGS_SALES, RINGS_NOBODY, HAS_A_MENU = "74990000001", "74990000002", "74990000003"


@pytest.fixture(scope="module")
def process() -> Iterator[Sandbox]:
    with running("--clock", "stepped") as up:
        yield up


@pytest.fixture
def sandbox(process: Sandbox) -> Sandbox:
    process.reset()
    return process


def call(sandbox: Sandbox, contact: str, employee: int = 1, **params: Any) -> int:
    answer = sandbox.rpc(
        "start.employee_call",
        first_call="employee",
        employee={"id": employee},
        contact=contact,
        virtual_phone_number=OURS,
        **params,
    )
    session: int = answer["call_session_id"]
    return session


def end_of(events: list[ReceivedEvent], session: int) -> ReceivedEvent:
    [end] = [
        event
        for event in events
        if event.type == "session.finished" and event.call_session_id == session
    ]
    return end


def offsets(sandbox: Sandbox, session: int, role: str) -> dict[str, float]:
    """Seconds from the beginning of one party's leg to each thing that happened to it."""
    of_leg = [
        event
        for event in sandbox.events(session=session)
        if event.type.startswith(("leg.", "keys.")) and event.data["role"] == role
    ]
    return {event.type: (event.time - of_leg[0].time).total_seconds() for event in of_leg}


# What the contact's leg says of each family's example: its end, the SIP answer, and when what is.
STORIES: dict[str, tuple[str | None, str, dict[str, float]]] = {
    "10": (None, "", {"leg.rang": 0.1, "leg.answered": 5.1}),
    "11": ("hung_up", "", {"leg.rang": 0.1, "leg.answered": 2.0, "leg.ended": 32.0}),
    "12": ("busy", "486 Busy Here", {"leg.ended": 0.1}),
    "13": ("no_answer", "", {"leg.rang": 0.1, "leg.ended": 30.0}),
    "14": ("rejected", "603 Decline", {"leg.rang": 0.1, "leg.ended": 4.1}),
    "15": ("no_answer", "480 Temporarily Unavailable", {"leg.ended": 3.0}),
    "16": ("wrong_number", "404 Not Found", {"leg.ended": 0.1}),
    "17": ("no_answer", "480 Temporarily Unavailable", {"leg.ended": 10.1}),
    "18": ("hung_up", "", {"leg.rang": 0.1, "leg.answered": 6.0, "leg.ended": 36.0}),
    "19": (None, "", {"leg.rang": 0.1, "leg.answered": 2.0, "keys.received": 7.0}),
    "20": ("media_lost", "", {"leg.rang": 0.1, "leg.answered": 2.0, "leg.ended": 32.0}),
    "21": ("unreachable", "488 Not Acceptable Here", {"leg.ended": 0.1}),
    "22": ("unreachable", "503 Service Unavailable", {"leg.ended": 0.1}),
    "23": ("busy", "486 Busy Here", {"leg.ended": 0.1}),
}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.code)
def test_a_contact_does_what_its_number_says(sandbox: Sandbox, family: object) -> None:
    assert isinstance(family, type(FAMILIES[0]))
    cause, raw, times = STORIES[family.code]
    session = call(sandbox, family.number)
    sandbox.advance(120)
    happened = offsets(sandbox, session, "contact")
    happened.pop("leg.started")
    assert happened == times
    ends = [
        (event.data["cause"], event.data["raw"])
        for event in sandbox.events("leg.ended", session=session)
        if event.data["role"] == "contact"
    ]
    assert ends == ([(cause, raw)] if cause else [])


def test_an_employees_phone_does_what_its_number_says(sandbox: Sandbox) -> None:
    session = call(sandbox, "79261234567", employee=3)
    end = end_of(sandbox.advance(60), session)
    assert end.data["talk_time_duration"] == 0
    assert offsets(sandbox, session, "employee")["leg.ended"] == 30.0


def test_a_second_phone_of_an_employee_is_rung(sandbox: Sandbox) -> None:
    session = call(sandbox, "79000011010", employee=4)
    end = end_of(sandbox.advance(60), session)
    assert end.data["talk_time_duration"] == 10.0


def test_time_stands_until_it_is_advanced(sandbox: Sandbox) -> None:
    began = sandbox.now
    session = call(sandbox, "79000011060")
    assert sandbox.rpc("sandbox.state")["live_calls"] == 1
    assert sandbox.now == began
    told = sandbox.advance(4)
    assert sandbox.now == began + timedelta(seconds=4)
    assert [event.type for event in told][:3] == ["session.started", "leg.started", "leg.rang"]
    [live] = sandbox.rpc("list.calls")
    assert live["call_session_id"] == session
    rest = sandbox.advance(3600)
    assert {event.event_id for event in told}.isdisjoint(event.event_id for event in rest)
    assert sandbox.events(session=session) == told + rest


def test_a_script_is_followed_for_as_many_calls_as_it_is_for(sandbox: Sandbox) -> None:
    number = "79261112233"
    sandbox.script(number, {"do": "reject", "reason": "wrong_number", "after": 1}, times=1)
    sandbox.script(
        number,
        {"do": "ring", "after": 0.5},
        {"do": "answer", "after": 3},
        {"do": "press", "after": 1, "key": "*"},
        {"do": "hang_up", "after": 9},
        times=1,
    )
    reasons = []
    for _ in range(3):
        session = call(sandbox, number)
        told = sandbox.advance(60)
        ends = [event for event in told if event.type == "session.finished"]
        reasons.append(ends[0].data["talk_time_duration"] if ends else None)
        if not ends:
            sandbox.rpc("release.call", call_session_id=session)
    assert reasons == [0, 10.0, None], "afterwards it answers and stays, as other numbers do"


@pytest.mark.parametrize(
    ("steps", "field", "mnemonic"),
    [
        ([{"do": "sing"}], "steps.0.do", "invalid_parameter_value"),
        ([{"after": 1}], "steps.0.do", "required_parameter_missed"),
        ([{"do": "answer", "after": -1}], "steps.0.after", "invalid_parameter_value"),
        ([{"do": "answer", "after": "1"}], "steps.0.after", "data_type_error"),
        ([{"do": "answer"}, {"do": "ring"}], "steps.1.do", "invalid_parameter_value"),
        ([{"do": "answer", "then": 1}], "steps.0.then", "unexpected_parameters"),
        ([{"do": "ring"}] * 101, "steps", "invalid_parameter_value"),
    ],
)
def test_a_bad_script_is_refused_by_its_field(
    sandbox: Sandbox, steps: list[dict[str, object]], field: str, mnemonic: str
) -> None:
    with pytest.raises(SandboxError) as refusal:
        sandbox.script("79261112233", *steps)
    assert (refusal.value.field, refusal.value.mnemonic) == (field, mnemonic)


def test_a_contact_calls_in_and_reaches_somebody(sandbox: Sandbox) -> None:
    session = sandbox.call_in("79000011020", RINGS_SALES)
    end = end_of(sandbox.advance(60), session)
    assert end.data["direction"] == "in"
    assert end.data["contact_phone_number"] == "79000011020"
    assert end.data["last_talked_employee_id"] == 1, "the first of the group was busy"


def test_a_contact_who_gives_up_is_lost(sandbox: Sandbox) -> None:
    session = sandbox.call_in("79000011010", RINGS_NOBODY)
    told = sandbox.advance(60)
    [lost] = [event for event in told if event.type == "call.lost"]
    assert (lost.call_session_id, lost.data["wait_time_duration"]) == (session, 10.0)


@pytest.mark.parametrize("caller", ["79009999999", "79000011010"])
def test_whom_nobody_wanted_to_talk_with_is_not_lost(sandbox: Sandbox, caller: str) -> None:
    # On the blacklist; and to a number without a scenario.
    on_blacklist = caller == "79009999999"
    session = sandbox.call_in(caller, RINGS_SALES if on_blacklist else OURS)
    told = sandbox.advance(60)
    end = end_of(told, session)
    reason = "numa_in_black_list" if on_blacklist else "no_active_scenario"
    assert (end.data["finish_reason"], end.data["is_lost"]) == (reason, False)
    assert "call.lost" not in {event.type for event in told}


def test_a_contact_chooses_from_a_menu(sandbox: Sandbox) -> None:
    session = sandbox.call_in("79000019205", HAS_A_MENU)
    told = sandbox.advance(20)
    assert [event.data["operation"] for event in told if event.type == "operation.started"] == [
        "menu",
        "voicemail",
    ]
    assert end_of(told + sandbox.advance(60), session).data["talk_time_duration"] == 0


def test_a_call_to_a_number_of_nobodys_is_an_error(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError) as refusal:
        sandbox.call_in("79261234567", "74991112233")
    assert refusal.value.mnemonic == "virtual_phone_number_not_found"
    assert refusal.value.field == "virtual_phone_number"


def changes(samples: Sequence[int]) -> int:
    """How often the sound goes from one side of nought to the other."""
    signs = [sample > 0 for sample in samples if sample]
    return sum(one != other for one, other in pairwise(signs))


def test_a_recording_is_there_to_be_fetched(sandbox: Sandbox) -> None:
    session = call(sandbox, "79000011004", employee=5)
    sandbox.advance(60)
    [recording] = sandbox.rpc("get.call", call_session_id=session)["recordings"]
    [ready] = sandbox.events("recording.ready")
    assert ready.data["file_link"] == recording["file_link"]
    with urllib.request.urlopen(recording["file_link"], timeout=WITHIN) as response:
        content = BytesIO(response.read())
    with wave.open(content) as file:
        assert file.getnframes() / file.getframerate() == 4.0
        samples = array("h", file.readframes(file.getnframes()))
    # Half a wave of 400 Hz takes ten frames, half a wave of 500 Hz eight.
    assert [changes(samples[side::2]) for side in (0, 1)] == [4 * 800 - 1, 4 * 1000 - 1]


def test_what_requests_change_of_the_directory_is_in_force_at_once(sandbox: Sandbox) -> None:
    tag = sandbox.rpc("create.tags", data_api=True, name="VIP")["id"]
    session = call(sandbox, "79000010000")
    sandbox.rpc("tag.call", call_session_id=session, tag_id=tag)
    [told] = sandbox.events("tag.set")
    assert told.data["tag_name"] == "VIP"


def test_a_scenario_goes_by_the_clock_of_the_sandbox(sandbox: Sandbox) -> None:
    zone = ZoneInfo(sandbox.rpc("get.account", data_api=True)[0]["timezone"])
    begin, end = (sandbox.now.astimezone(zone) + timedelta(minutes=m) for m in (10, 40))
    period = {
        "activity_days": {"type": "days_of_week", "days": [begin.isoweekday()]},
        "activity_time": [{"time_from": f"{begin:%H:%M}", "time_till": f"{end:%H:%M}"}],
    }
    schedule = sandbox.rpc("create.schedules", data_api=True, name="Hours", schedules=[period])[
        "id"
    ]
    sandbox.rpc(
        "create.scenarios",
        data_api=True,
        name="By the hour",
        operations=[
            {"do": "schedule", "schedule": schedule, "during": "open"},
            {"do": "hangup"},
        ],
        branches={"open": [{"do": "ring", "employees": [1]}]},
        virtual_phone_numbers=[OURS],
    )

    def came_to() -> tuple[str, list[tuple[str, str]]]:
        session = sandbox.call_in("79000011020", OURS)
        told = sandbox.advance(60)
        steps = [
            (event.data["operation"], event.data["branch"])
            for event in told
            if event.type == "operation.started" and event.call_session_id == session
        ]
        return end_of(told, session).data["finish_reason"], steps

    closed = ("scenario_disconnects", [("schedule", ""), ("hangup", "")])
    assert came_to() == closed
    sandbox.advance(10 * 60)
    assert came_to()[1] == [("schedule", ""), ("ring", "open")]
    sandbox.advance(30 * 60)
    assert came_to() == closed


def test_tokens_expire_by_the_clock_of_the_sandbox(sandbox: Sandbox) -> None:
    session = sandbox.rpc("login.user", login="sandbox", password="sandbox")
    assert session["expire_at"] == sandbox.now.timestamp() + 3600
    visitor = Sandbox(sandbox.url, session["access_token"])
    visitor.rpc("list.calls")
    sandbox.advance(3599)
    visitor.rpc("list.calls")
    sandbox.advance(1)
    with pytest.raises(SandboxError) as refusal:
        visitor.rpc("list.calls")
    assert refusal.value.mnemonic == "access_token_invalid"


def test_a_reset_leaves_nothing_behind(sandbox: Sandbox) -> None:
    first = call(sandbox, "79000011060")
    sandbox.script("79000012000", {"do": "answer"})
    sandbox.advance(10)
    sandbox.reset()
    assert sandbox.events() == []
    assert sandbox.rpc("list.calls") == []
    assert sandbox.now.isoformat() == "2026-01-05T09:00:00+00:00"
    assert call(sandbox, "79000012000") == first, "ids begin anew, too"
    assert end_of(sandbox.advance(60), first).data["talk_time_duration"] == 0


def test_what_the_sandbox_adds_is_described_and_costs_no_points(sandbox: Sandbox) -> None:
    with urllib.request.urlopen(f"{sandbox.url}/openrpc.json", timeout=WITHIN) as response:
        document = json.load(response)
    assert [server["url"] for server in document["servers"]] == [f"{sandbox.url}/v4.0"]
    described = {method["name"] for method in document["methods"]}
    assert {one.name for one in DECLARATIONS} <= described
    assert "start.employee_call" in described

    def left() -> int:
        with pytest.raises(SandboxError):
            sandbox.rpc("start.employee_call")
        body = {"jsonrpc": "2.0", "id": 1, "method": "sandbox.state"}
        request = json.dumps({**body, "params": {"access_token": sandbox.token}}).encode()
        with urllib.request.urlopen(f"{sandbox.url}/v4.0", request, timeout=WITHIN) as response:
            points: int = json.load(response)["result"]["metadata"]["limits"]["minute_remaining"]
        return points

    before = left()
    sandbox.events()
    assert left() == before


def test_no_other_service_knows_the_methods_of_the_sandbox(tmp_path: Path) -> None:
    with house(tmp_path, {}) as home:
        for declaration in DECLARATIONS:
            answer = home.call(declaration.name, {})
            assert answer["error"]["data"]["mnemonic"] == "method_not_found"


def test_the_data_api_is_there(sandbox: Sandbox) -> None:
    found = sandbox.rpc("get.virtual_numbers", data_api=True)
    assert [one["virtual_phone_number"] for one in found] == [
        RINGS_SALES,
        RINGS_NOBODY,
        HAS_A_MENU,
        OURS,
    ]


def story(sandbox: Sandbox) -> list[ReceivedEvent]:
    """A morning: calls that overlap, keys, a transfer, what came in, what was lost."""
    sandbox.reset()
    sandbox.script("79265556677", {"do": "ring"}, {"do": "answer", "after": 1.234}, times=1)
    sessions = [call(sandbox, f"790000110{n:02}", dtmf_string="1.2") for n in range(10, 40, 3)]
    sandbox.advance(7.7)
    sessions.append(sandbox.call_in("79000019105", HAS_A_MENU))
    sessions.append(sandbox.call_in("79000011010", RINGS_NOBODY))
    sessions.append(call(sandbox, "79265556677", 5, contact_message={"type": "tts", "value": "Да"}))
    sandbox.advance(9)
    sandbox.rpc("tag.call", call_session_id=sessions[-1], tag_id=1)
    sandbox.rpc(
        "hold.call",
        call_session_id=sessions[-1],
        contact_message={"type": "media", "value": "2"},
    )
    sandbox.advance(3000)
    sandbox.rpc("release.call", call_session_id=sessions[-1])
    sandbox.advance(600)
    return sandbox.events()


def test_two_sandboxes_at_once_tell_the_same_story_byte_for_byte(process: Sandbox) -> None:
    with running("--clock", "stepped") as other:
        assert other.url != process.url
        told = [(one.url, story(one)) for one in (process, other, process)]
    # Links to recordings begin with the address of the sandbox they are of.
    written = [json.dumps([e.as_json() for e in events]).replace(url, "") for url, events in told]
    assert len(told[0][1]) > 150
    assert "/recordings/" in written[0]
    assert written[0] == written[1] == written[2]


def test_an_hour_of_two_hundred_calls_goes_by_in_one_request(sandbox: Sandbox) -> None:
    for number in range(200):
        sandbox.script(
            f"7926{number:07}",
            {"do": "ring"},
            {"do": "answer", "after": 1 + number * 15},
            {"do": "hang_up", "after": 60 + number},
        )
        call(sandbox, f"7926{number:07}")
    told = sandbox.advance(3600)
    ends = [event for event in told if event.type == "session.finished"]
    assert len(ends) == 200


def test_a_clock_that_runs_may_be_sped_up() -> None:
    with running("--speed", "20") as fast:
        began = fast.now
        session = call(fast, "79000011020")
        told = fast.advance(60)
        assert fast.now - began >= timedelta(seconds=60), "the advance has waited for it"
        end = end_of(told, session)
        assert end.data["finish_reason"] == "subscriber_disconnects"
        assert end.data["talk_time_duration"] > 0
        # Each of two phones answers 2 s after it is rung, and the contact hangs up 20 s after that.
        assert end.data["total_time_duration"] >= 24
        assert fast.rpc("sandbox.state")["clock"] == "fast"


def test_data_may_be_kept_from_one_run_to_the_next(tmp_path: Path) -> None:
    kept = str(tmp_path / "kept")
    with running("--clock", "stepped", "--data", kept) as first:
        session = call(first, "79000011004", employee=5)
        first.advance(60)
        [ready] = first.events("recording.ready")
    with wave.open(str(tmp_path / "kept" / "recordings" / ready.data["file_name"])) as file:
        assert file.getnchannels() == 2
        assert file.getnframes() / file.getframerate() == ready.data["file_duration"] == 4.0
    with running("--clock", "stepped", "--data", kept, "--token", "mine") as again:
        assert again.token == "mine"
        with pytest.raises(SandboxError) as refusal:
            again.rpc("get.call", call_session_id=session)
        assert refusal.value.mnemonic == "access_token_invalid", "the token is kept with the data"
        shown = Sandbox(again.url, first.token).rpc("get.call", call_session_id=session)
        assert shown["finish_reason"]


def test_what_is_no_sandboxs_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "precious.db").write_text("all our calls")
    command = [sys.executable, "-m", "callwright", "sandbox", "--port", "0"]
    done = subprocess.run(
        [*command, "--data", str(tmp_path)], capture_output=True, text=True, timeout=WITHIN
    )
    assert done.returncode == 1
    assert "holds something that is no sandbox's" in done.stderr
    assert (tmp_path / "precious.db").read_text() == "all our calls"
    assert [one.name for one in tmp_path.iterdir()] == ["precious.db"]
