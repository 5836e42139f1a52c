"""A client that has no events: it asks list.calls once a second, and reads Russian words.

On the sandbox's clock, which goes when it is told to, and with its magic numbers.
"""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from callwright.sandbox.client import Sandbox, running

OURS = "74990000004"
AFTER_5, AFTER_2, AFTER_9, BUSY = "79000010005", "79000010002", "79000010009", "79000012000"
EMPLOYEE = "10003"
"The phone of employee 1: it answers 3 s after it is rung."
STATES = {
    "Дозвон",
    "Разговор",
    "На очереди",
    "Разъединено",
    "Разговор операторов",
    "На удержании",
    "Перевод вызова",
    "Отправка dtmf",
    "Получение факса",
    "Факс получен",
    "Отправка факса",
    "Факс отправлен",
}


@pytest.fixture(scope="module")
def process() -> Iterator[Sandbox]:
    with running("--clock", "stepped") as up:
        yield up


class Poller:
    """What such a client does: whole requests, of its own, and what it makes of the answers."""

    def __init__(self, sandbox: Sandbox, http: httpx.Client) -> None:
        self.sandbox = sandbox
        self._http = http

    def call(self, method: str, **params: object) -> Any:
        said = {
            "jsonrpc": "2.0",
            "id": 7,
            "method": method,
            "params": {"access_token": self.sandbox.token, **params},
        }
        answer = self._http.post(
            f"{self.sandbox.url}/v4.0",
            content=json.dumps(said),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        ).json()
        assert set(answer) == {"jsonrpc", "id", "result"}, answer
        assert answer["result"]["metadata"]["limits"]
        return answer["result"]["data"]

    def start(self, contact: str, **params: object) -> int:
        session: int = self.call(
            "start.employee_call",
            **{
                "first_call": "employee",
                "employee": {"id": 1},
                "contact": contact,
                "virtual_phone_number": OURS,
                **params,
            },
        )["call_session_id"]
        return session

    def legs(self) -> dict[str, str]:
        """States of the one call's legs by the numbers called; empty: there is no call."""
        calls = self.call("list.calls")
        assert len(calls) <= 1
        legs = {
            leg["called_phone_number"].partition(".")[0]: leg["state"]
            for call in calls
            for leg in call["legs"]
        }
        assert set(legs.values()) <= STATES
        return legs

    def watch(self, seconds: int) -> list[dict[str, str]]:
        """Ask once a second; what was seen, without what was seen before."""
        seen: list[dict[str, str]] = []
        for _ in range(seconds):
            self.sandbox.advance(1)
            legs = self.legs()
            if not seen or legs != seen[-1]:
                seen.append(legs)
        return seen

    def talks(self) -> bool:
        return "Разговор" in self.legs().values()


@pytest.fixture
def client(process: Sandbox) -> Iterator[Poller]:
    process.reset()
    with httpx.Client() as http:
        yield Poller(process, http)


def test_a_call_with_the_employee_first(client: Poller) -> None:
    client.start(AFTER_5)
    assert client.legs() == {EMPLOYEE: "Дозвон"}
    assert client.watch(60) == [
        {EMPLOYEE: "Дозвон"},
        {EMPLOYEE: "На очереди", AFTER_5: "Дозвон"},
        {EMPLOYEE: "Разговор", AFTER_5: "Разговор"},
    ]
    [call] = client.call("list.calls")
    client.call("release.call", call_session_id=call["call_session_id"])
    client.sandbox.advance(1)
    assert client.legs() == {}


def test_a_call_with_the_contact_first_who_hangs_up(client: Poller) -> None:
    client.start("79000011030", first_call="contact")
    assert client.watch(60) == [
        {"79000011030": "Дозвон"},
        {"79000011030": "На очереди", EMPLOYEE: "Дозвон"},
        {EMPLOYEE: "Разговор", "79000011030": "Разговор"},
        {},
    ]


def test_who_listens_to_a_message_does_not_talk_yet(client: Poller) -> None:
    """Clients take "Разговор" on any leg to mean that the two talk."""
    client.start(AFTER_2, contact_message={"type": "tts", "value": "Здравствуйте! " * 10})
    seen = client.watch(60)
    both = {EMPLOYEE: "На очереди", AFTER_2: "На очереди"}
    assert seen[-2:] == [both, {EMPLOYEE: "Разговор", AFTER_2: "Разговор"}]
    assert not any("Разговор" in legs.values() for legs in seen[:-1])


def test_a_busy_contact_leaves_no_talk(client: Poller) -> None:
    client.start(BUSY)
    assert client.watch(60)[-1] == {}
    assert not client.talks()


def test_hold_consult_and_restore(client: Poller) -> None:
    session = client.start(AFTER_5)
    client.watch(10)
    of = {"call_session_id": session}
    client.call("hold.call", **of, contact_message={"type": "media", "value": "2"})
    held = {EMPLOYEE: "На очереди", AFTER_5: "На удержании"}
    assert client.legs() == held
    client.call("make.call", **of, to=AFTER_2)
    assert client.watch(10) == [
        {**held, AFTER_2: "Дозвон"},
        {EMPLOYEE: "Разговор операторов", AFTER_5: "На удержании", AFTER_2: "Разговор операторов"},
    ]
    assert not client.talks()
    client.call("restore.talk", **of)
    assert client.watch(10) == [{EMPLOYEE: "Разговор", AFTER_5: "Разговор", AFTER_2: "Разъединено"}]


def test_consult_and_transfer(client: Poller) -> None:
    session = client.start(AFTER_5)
    client.watch(10)
    of = {"call_session_id": session}
    client.call("hold.call", **of, contact_message={"type": "media", "value": "2"})
    client.call("make.call", **of, to=AFTER_9)
    client.call("transfer.talk", **of)
    assert client.watch(15) == [
        {EMPLOYEE: "Разъединено", AFTER_5: "Перевод вызова", AFTER_9: "Дозвон"},
        {EMPLOYEE: "Разъединено", AFTER_5: "Разговор", AFTER_9: "Разговор"},
    ]


def test_keys_still_to_be_sent_stand_behind_the_number(client: Poller) -> None:
    client.start("74959268686", dtmf_string="...9.2.3.3")

    def shown() -> str:
        [call] = client.call("list.calls")
        number: str = call["legs"][-1]["called_phone_number"]
        return number

    seen = []
    for _ in range(15):
        client.sandbox.advance(1)
        if shown() not in seen:
            seen.append(shown())
    assert seen == [
        EMPLOYEE,
        "74959268686...9.2.3.3",
        "74959268686.2.3.3",
        "74959268686.3.3",
        "74959268686.3",
        "74959268686",
    ]


def test_an_item_as_a_whole(client: Poller) -> None:
    session = client.start(AFTER_5, external_id="334otr01", direction="out")
    client.sandbox.advance(10)
    client.call("tag.call", call_session_id=session, tag_id=1)
    [call] = client.call("list.calls")
    first, second = (leg.pop("leg_id") for leg in call["legs"])
    assert 1 << 31 < session < first < second < 1 << 53
    assert call == {
        "call_session_id": session,
        "direction": "out",
        "start_time": "2026-01-05T09:00:00.000",
        "virtual_phone_number": OURS,
        "contact_phone_number": AFTER_5,
        "external_id": "334otr01",
        "tags": [{"tag_id": 1, "tag_name": "Lead"}],
        "legs": [
            {
                "calling_phone_number": OURS,
                "called_phone_number": EMPLOYEE,
                "is_operator": True,
                "employee_id": 1,
                "employee_full_name": "Анна Орлова",
                "record_call_enabled": False,
                "state": "Разговор",
            },
            {
                "calling_phone_number": OURS,
                "called_phone_number": AFTER_5,
                "is_operator": False,
                "employee_id": None,
                "employee_full_name": None,
                "record_call_enabled": False,
                "state": "Разговор",
            },
        ],
    }
    assert client.call("list.calls", direction="in") == []
    assert client.call("list.calls", virtual_phone_number="74990000001") == []
