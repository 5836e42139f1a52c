"""Every example is run as its users run it: as a program, over HTTP."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from callwright.calls import events
from callwright.engines.simulated import HangsUp, Presses, answers, busy
from tests.api.house import TOKEN, House, house

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
    with house(tmp_path_factory.mktemp("house"), far_ends) as built:
        yield built


def environment(home: House) -> dict[str, str]:
    return os.environ | {"CALLWRIGHT_URL": home.url, "CALLWRIGHT_TOKEN": TOKEN}


def run(home: House, example: str, *words: str) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / example), *words],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
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
        with urllib.request.urlopen(url, data=body, timeout=10) as response:
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
