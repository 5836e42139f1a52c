"""Answers as deployed clients read them: whole, and to the last byte."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from callwright.engines.simulated.far_end import answers, never_answers
from tests.api.answers import refusal, without_metadata
from tests.api.house import DIRECTORY, TOKEN, House, house
from tests.databases import StoredIn

LOGIN, PASSWORD = "crm2", "secret"
_QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PATHS = {"/v4.0": "list.calls", "/v2.0": "get.tags"}
"Each API with a method that has no parameters of its own."


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, stored_in: StoredIn) -> Iterator[House]:
    far_ends = {
        "79260000001": answers(after=0.01),
        "79260000000": answers(after=0.01),
        "79265550000": never_answers(),
    }
    many = {"points_per_minute": 100_000, "points_per_day": 100_000}
    with house(tmp_path_factory.mktemp("house"), far_ends, stored_in, api=many) as up:
        user = f'[[users]]\nlogin = "{LOGIN}"\npassword_hash = "{_QUICK.hash(PASSWORD)}"\n'
        up.apply(f"{DIRECTORY}\n{user}")
        yield up


def text(home: House, body: str, path: str = "/v4.0") -> str:
    response = home.client.post(f"{home.url}{path}", content=body.encode())
    assert response.status_code == 200
    return response.text


# Ids.


IDS = [
    '"req1"',
    '"550e8400-e29b-41d4-a716-446655440000"',
    '""',
    '"Заявка №1"',
    '"1"',
    "1",
    "0",
    "-1",
    "1700000000.123456",
    "1.0",
    "1.50",
    "1e3",
    "9007199254740993",
    "340282366920938463463374607431768211456",
]
"As clients write them: a time with a fraction, a UUID, a number that a double does not hold."


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("id", IDS)
def test_an_id_is_answered_exactly_as_it_was_sent(home: House, id: str, path: str) -> None:
    params = f'"params":{{"access_token":"{TOKEN}"}}'
    good = text(home, f'{{"jsonrpc":"2.0","id":{id},"method":"{PATHS[path]}",{params}}}', path)
    assert good.startswith(f'{{"jsonrpc":"2.0","id":{id},"result":{{"data":[')
    bad = text(home, f'{{"jsonrpc":"2.0","id":{id},"method":"no.such",{params}}}', path)
    assert bad.startswith(f'{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32601,')


def test_an_id_of_null_is_no_notification_and_is_answered_with_null(home: House) -> None:
    body = (
        f'{{"jsonrpc":"2.0","id":null,"method":"list.calls","params":{{"access_token":"{TOKEN}"}}}}'
    )
    answer = json.loads(text(home, body))
    assert answer["id"] is None
    assert answer["error"]["data"]["mnemonic"] == "invalid_request"


# The shape of every answer.


@pytest.mark.parametrize("path", PATHS)
def test_there_is_a_result_or_an_error_and_never_both(home: House, path: str) -> None:
    """One client takes any key "error", even one that is null, for a failure."""
    good = home.call(PATHS[path], {}, path=path)
    assert list(good) == ["jsonrpc", "id", "result"]
    assert list(good["result"]) == ["data", "metadata"]
    bad = home.call(PATHS[path], {"x": 1}, path=path)
    assert list(bad) == ["jsonrpc", "id", "error"]
    assert list(bad["error"]) == ["code", "message", "data"]


LIMITS = {
    "day_limit",
    "day_remaining",
    "day_reset",
    "minute_limit",
    "minute_remaining",
    "minute_reset",
}


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("list.calls", {}),
        ("list.talk_options", {}),
        ("logout.user", {}),
    ],
)
def test_metadata_is_read_unconditionally(
    home: House, method: str, params: dict[str, object]
) -> None:
    assert set(home.call(method, params)["result"]["metadata"]["limits"]) == LIMITS


@pytest.mark.parametrize(
    ("body", "has_limits"),
    [
        ("{", False),
        ("[]", False),
        ('[{"jsonrpc":"2.0","id":1,"method":"list.calls"}]', False),
        ('{"jsonrpc":"2.0","method":"list.calls"}', False),
        ('{"jsonrpc":"2.0","id":1,"method":"no.such"}', False),
        ('{"jsonrpc":"2.0","id":1,"method":"list.calls"}', False),
        ('{"jsonrpc":"2.0","id":1,"method":"list.calls","params":{"access_token":"x"}}', False),
        (
            '{"jsonrpc":"2.0","id":1,"method":"login.user","params":{"login":"x","password":"x"}}',
            False,
        ),
        (
            (
                f'{{"jsonrpc":"2.0","id":1,"method":"list.calls","params":{{"access_token":"{TOKEN}",'
                '"direction":"up"}}'
            ),
            True,
        ),
        (
            (
                f'{{"jsonrpc":"2.0","id":1,"method":"release.call","params":{{"access_token":"{TOKEN}",'
                '"call_session_id":1}}'
            ),
            True,
        ),
    ],
)
def test_metadata_is_there_in_every_error(home: House, body: str, has_limits: bool) -> None:
    data = json.loads(text(home, body))["error"]["data"]
    assert set(data["metadata"]) == ({"limits"} if has_limits else set())
    if has_limits:
        assert set(data["metadata"]["limits"]) == LIMITS
        assert all(type(value) is int for value in data["metadata"]["limits"].values())


# Probes: deliberately incomplete requests.


def test_a_token_is_probed_by_a_release_without_a_session(home: House) -> None:
    good = home.call("release.call", {})
    good["error"]["data"].pop("metadata")
    assert good == refusal(
        -32602,
        "The required parameter has been missed",
        {"mnemonic": "required_parameter_missed", "field": "call_session_id"},
    )
    bad = home.call("release.call", {}, token="x" * 64)
    assert bad == refusal(
        -32001,
        "Access token is invalid",
        {"mnemonic": "access_token_invalid", "field": "access_token", "metadata": {}},
    )


def test_a_probe_costs_nothing(home: House) -> None:
    def left() -> tuple[int, int]:
        limits = home.call("release.call", {})["error"]["data"]["metadata"]["limits"]
        return limits["day_remaining"], limits["minute_remaining"]

    # Another minute may begin in between; the day's points tell all the same.
    assert left()[0] == left()[0]


def test_a_session_is_logged_in_and_out(home: House) -> None:
    """Clients compare ``expire_at`` with their clock, and log in again in time."""
    before = int(time.time())
    body = {
        "jsonrpc": "2.0",
        "id": 1700000000,
        "method": "login.user",
        "params": {"login": LOGIN, "password": PASSWORD},
    }
    answer = home.answer(json.dumps(body))
    data = answer["result"]["data"]
    assert set(data) == {"access_token", "expire_at"}
    assert type(data["expire_at"]) is int
    assert before + 3600 <= data["expire_at"] <= int(time.time()) + 3600
    assert set(answer["result"]["metadata"]["limits"]) == LIMITS
    token: str = data["access_token"]
    assert token.isascii()
    assert home.succeeds("list.calls", {}, token) == []
    # Sessions of the one API are good for the other.
    assert home.data("get.tags", {}, token)["result"]["data"] == [
        {"id": 7, "name": "Лид", "is_system": False}
    ]
    # The one boolean, where others are the string "true".
    assert home.succeeds("logout.user", {}, token) == {"success": True}
    over = home.call("list.calls", {}, token)
    assert over["error"]["data"]["mnemonic"] == "access_token_invalid"


# Examples of the documents.


def start(home: House, **changes: Any) -> int:
    params: dict[str, Any] = {
        "first_call": "employee",
        "virtual_phone_number": "74993720692",
        "contact": "79265550000",
        "employee": {"id": 25, "phone_number": "79260000001"},
        **changes,
    }
    session: int = home.succeeds("start.employee_call", params)["call_session_id"]
    return session


SEED = (Path(__file__).parents[2] / "demo" / "request.json").read_bytes()
"The published documentation's example of start.employee_call."


def test_the_published_example(home: House) -> None:
    answer = home.answer(SEED, {"Content-Type": "application/x-www-form-urlencoded"})
    session = answer["result"]["data"]["call_session_id"]
    assert without_metadata(answer) == {
        "jsonrpc": "2.0",
        "id": "req1",
        "result": {"data": {"call_session_id": session}},
    }
    call = home.succeeds("get.call", {"call_session_id": session})
    assert call["external_id"] == "334otr01"
    assert (call["direction"], call["contact_phone_number"]) == ("in", "79260000000")
    home.succeeds("release.call", {"call_session_id": session})
    home.until_finished(session)


def test_an_error_as_a_whole(home: House) -> None:
    """``value`` is what was sent, as a string; ``params`` is what stands in the message."""
    params = {
        "access_token": TOKEN,
        "first_call": "employee",
        "virtual_phone_number": "74993720692",
        "contact": "79260000000",
        "employee": {"id": 404},
    }
    said = {"jsonrpc": "2.0", "id": "req1", "method": "start.employee_call", "params": params}
    answer = text(home, json.dumps(said))
    limits = json.loads(answer)["error"]["data"]["metadata"]["limits"]
    assert answer == (
        '{"jsonrpc":"2.0","id":"req1","error":{"code":-32602,'
        '"message":"Employee with id 404 not found. It is not your employee.",'
        '"data":{"mnemonic":"employee_not_found","field":"employee.id","value":"404",'
        '"params":{"employee_id":404},"extended_helper":null,'
        f'"metadata":{{"limits":{json.dumps(limits, separators=(",", ":"))}}}}}}}}}'
    )


def test_what_was_not_sent_has_no_value(home: House) -> None:
    data = home.call("start.employee_call", {})["error"]["data"]
    assert list(data) == ["mnemonic", "field", "params", "extended_helper", "metadata"]


def test_the_result_of_a_release_is_a_string(home: House) -> None:
    session = start(home)
    body = {
        "jsonrpc": "2.0",
        "id": "req1",
        "method": "release.call",
        "params": {"access_token": TOKEN, "call_session_id": session},
    }
    answer = text(home, json.dumps(body))
    assert answer.startswith(
        '{"jsonrpc":"2.0","id":"req1","result":{"data":{"success":"true"},"metadata":{"limits":{'
    )
    home.until_finished(session)


def test_ids_of_calls_are_numbers_that_every_language_holds(home: House) -> None:
    session = start(home)
    home.succeeds("release.call", {"call_session_id": session})
    shown = home.until_finished(session)
    ids = [session, *(leg["leg_id"] for leg in shown["legs"])]
    assert all(type(id) is int and 1 << 31 < id < 1 << 53 for id in ids)
