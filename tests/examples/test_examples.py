"""Every example is run as its users run it: as a program, over HTTP."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from callwright.calls import events
from callwright.engines.simulated.far_end import HangsUp, Presses, answers, busy
from callwright.notify.signing import signed
from tests.api.house import TOKEN, House, house
from tests.waiting import WITHIN

EXAMPLES = Path(__file__).parents[2] / "examples"
NUMBER = "74993720692"
EMPLOYEE, CUSTOMER, PRESSING, BUSY = "79260000001", "79260000000", "79261112233", "79262223344"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    far_ends = {
        EMPLOYEE: answers(after=0.05),
        "2501": answers(after=0.05),
        CUSTOMER: answers(after=0.05, then=[(1.0, HangsUp())]),
        PRESSING: answers(after=0.05, then=[(0.3, Presses("1"))]),
        BUSY: busy(),
    }
    private = {"allow_private": True}
    with house(tmp_path_factory.mktemp("house"), far_ends, webhooks=private) as built:
        yield built


def environment(home: House) -> dict[str, str]:
    return os.environ | {"CALLWRIGHT_URL": home.url, "CALLWRIGHT_TOKEN": TOKEN}


def program(
    environment: dict[str, str], example: str, *words: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(EXAMPLES / example), *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=WITHIN,
        check=False,
    )


def run(home: House, example: str, *words: str) -> tuple[int, list[str]]:
    done = program(environment(home), example, *words)
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout.splitlines()


def talking(home: House, contact: str) -> int:
    params = {
        "first_call": "employee",
        "virtual_phone_number": NUMBER,
        "contact": contact,
        "employee": {"id": 25, "phone_number": EMPLOYEE},
    }
    session = int(home.succeeds("start.employee_call", params)["call_session_id"])
    home.wait_for(session, events.TalkStarted)
    return session


def test_click_to_call(home: House) -> None:
    status, said = run(home, "click_to_call.py", "--employee=25", f"--number={NUMBER}", CUSTOMER)
    assert status == 0
    assert said[1] == "They talk"
    assert said[2].startswith("Over: subscriber_disconnects")
    status, said = run(
        home, "click_to_call.py", "--employee=25", f"--number={NUMBER}", "79269999999"
    )
    assert (status, said) == (1, ["This customer does not want to be called."])


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (
            ["click_to_call.py", "--employee=99", f"--number={NUMBER}", CUSTOMER],
            "Employee with id 99 not found. It is not your employee. (employee.id)",
        ),
        (
            ["click_to_call.py", "--employee=25", f"--number={NUMBER}", BUSY],
            "The call is over: subscriber_busy",
        ),
        (["supervisor.py", "99", "2501"], "Call session not found (call_session_id)"),
    ],
)
def test_what_goes_wrong_is_said_in_one_line(home: House, words: list[str], fault: str) -> None:
    done = program(environment(home), *words)
    assert (done.returncode, done.stderr) == (1, f"{fault}\n")


def test_without_a_token_or_a_service_it_is_said_what_is_missing(home: House) -> None:
    words = ["click_to_call.py", "--employee=25", f"--number={NUMBER}", CUSTOMER]
    done = program(environment(home) | {"CALLWRIGHT_TOKEN": ""}, *words)
    missing = "Put your access token into the environment as CALLWRIGHT_TOKEN\n"
    assert (done.returncode, done.stderr) == (1, missing)
    nowhere = "http://127.0.0.1:1"
    done = program(environment(home) | {"CALLWRIGHT_URL": nowhere}, *words)
    assert done.returncode == 1
    assert done.stderr.startswith(f"No answer from {nowhere}: ")


def test_callback_widget(home: House) -> None:
    widget = subprocess.Popen(
        [
            sys.executable,
            str(EXAMPLES / "callback_widget.py"),
            "--employee=25",
            f"--number={NUMBER}",
            "--port=0",
        ],
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert widget.stdout
        url = widget.stdout.readline().strip()
        body = json.dumps({"phone": "+7 926 000-00-00"}).encode()
        with urllib.request.urlopen(url, data=body, timeout=WITHIN) as response:
            session = json.load(response)["call"]
        call = home.until_finished(session)
        assert call["contact_phone_number"] == CUSTOMER
        assert call["external_id"] == "callback-widget"
    finally:
        widget.kill()
        widget.communicate()


def test_consult_and_transfer(home: House) -> None:
    session = talking(home, PRESSING)
    status, said = run(home, "consult_and_transfer.py", str(session), "2501")
    assert (status, said[-1]) == (0, "The customer talks with the colleague")
    home.succeeds("release.call", {"call_session_id": session})
    session = talking(home, PRESSING)
    status, said = run(home, "consult_and_transfer.py", str(session), BUSY)
    assert (status, said[-1]) == (1, "The colleague was not reached; the customer is back")
    home.succeeds("release.call", {"call_session_id": session})


def test_supervisor(home: House) -> None:
    session = talking(home, PRESSING)
    status, said = run(home, "supervisor.py", str(session), "2501")
    assert (status, said[-1]) == (0, "Now the employee hears you, the customer does not")
    home.succeeds("release.call", {"call_session_id": session})


def test_reminder(home: House) -> None:
    text = "Завтра в десять у вас приём. Нажмите один."
    status, said = run(home, "reminder.py", f"--number={NUMBER}", PRESSING, text)
    assert (status, said) == (0, ["Confirmed"])
    status, said = run(home, "reminder.py", f"--number={NUMBER}", BUSY, text)
    assert (status, said) == (1, ["Not reached: subscriber_busy"])


def test_webhook_receiver(home: House) -> None:
    def data(method: str, **params: object) -> Any:
        return home.data(method, params)["result"]["data"]

    made = data("create.webhooks", name="example", url="https://example.com/", active=False)
    receiver = subprocess.Popen(
        [
            sys.executable,
            str(EXAMPLES / "webhook_receiver.py"),
            f"--secret={made['secret']}",
            "--port=0",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert receiver.stdout
        url = receiver.stdout.readline().strip()
        data("update.webhooks", id=made["id"], url=url, active=True)
        session = talking(home, CUSTOMER)
        told = []
        for line in receiver.stdout:
            told.append(line.split())
            if told[-1][2] == "session.finished":
                break
        data("delete.webhooks", id=made["id"])
        assert {one[0] for one in told} == {str(session)}
        sequence = [int(one[1]) for one in told]
        assert sequence == sorted(set(sequence))
        assert [one[2] for one in told][0] == "session.started"

        # What was seen before is taken and not shown; what is not signed is not taken.
        body = {"call_session_id": 1, "sequence": 1, "type": "again"}
        text = json.dumps(body).encode()
        signature = signed("wh1-1-1", datetime.now(UTC), text, [made["secret"]])
        headers = {name.decode(): value.decode() for name, value in signature}
        assert post(url, text, headers) == post(url, text, headers) == 204
        assert post(url, text + b" ", headers) == 401
        assert post(url, text, {}) == 401
        other = signed("wh1-1-2", datetime.now(UTC), text, [made["secret"]])
        assert post(url, text, {name.decode(): value.decode() for name, value in other}) == 204
        assert [receiver.stdout.readline().split()[2] for _ in range(2)] == ["again", "again"]
    finally:
        receiver.kill()
        rest, _ = receiver.communicate()
    assert rest == ""


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    return httpx.post(url, content=body, headers=dict(headers), timeout=WITHIN).status_code
