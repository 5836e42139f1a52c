"""The header Idempotency-Key over HTTP: one call, however often its request is sent."""

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio.to_thread
import httpx
import pytest

from callwright.calls.events import SessionFinished, SessionStarted
from callwright.calls.journal import Once
from callwright.engines.simulated.far_end import answers
from callwright.storage.history.journal import StoredJournal
from tests.api.answers import refusal, without_metadata
from tests.api.house import STRANGER, TOKEN, House, house, reopened
from tests.databases import StoredIn
from tests.waiting import WITHIN

PARAMS: dict[str, Any] = {
    "first_call": "employee",
    "virtual_phone_number": "74993720692",
    "contact": "79260000000",
    "employee": {"id": 25, "phone_number": "79260000001"},
}
CONFLICT = refusal(
    -32602,
    "The idempotency key belongs to another request or to one in progress",
    {"mnemonic": "idempotency_key_conflict", "field": None},
)
INVALID = refusal(
    -32600,
    "The header Idempotency-Key must have 1 to 255 visible ASCII characters",
    {"mnemonic": "invalid_idempotency_key", "field": None},
)
FAR_ENDS = {"79260000001": answers(after=0.02), "79260000000": answers(after=0.02)}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, stored_in: StoredIn) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house"), FAR_ENDS, stored_in) as built:
        yield built


@pytest.fixture
def home(built: House) -> Iterator[House]:
    """The house with no call in it, neither before a test nor after."""
    yield built
    for session in sessions(built):
        built.call("release.call", {"call_session_id": session})
        built.wait_for(session, SessionFinished)


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """A key no other test uses."""
    return re.sub(r"[^\x21-\x7e]", "-", request.node.name)[:200]


def start(home: House, key: str, **changes: object) -> Any:
    return home.call("start.employee_call", PARAMS | changes, headers={"Idempotency-Key": key})


def session_of(answer: Any) -> int:
    session: int = answer["result"]["data"]["call_session_id"]
    return session


def sessions(home: House) -> list[int]:
    return [call["call_session_id"] for call in home.succeeds("list.calls", {})]


def test_the_same_key_and_params_give_the_first_result_again(home: House, key: str) -> None:
    first, again = start(home, key), start(home, key)
    assert "idempotent_replayed" not in first["result"]["metadata"]
    assert again["result"]["metadata"]["idempotent_replayed"] is True
    assert set(again["result"]["metadata"]) == {"limits", "idempotent_replayed"}
    assert again["result"]["data"] == first["result"]["data"]
    assert sessions(home) == [session_of(first)]
    # A replay is a request that succeeds, so it takes a point.
    left = [one["result"]["metadata"]["limits"]["day_remaining"] for one in (first, again)]
    assert left[1] == left[0] - 1


def test_the_order_of_members_the_token_and_the_id_do_not_matter(home: House, key: str) -> None:
    first = start(home, key)
    turned = dict(reversed([*PARAMS.items()]))
    body = json.dumps({"id": "other", "params": turned, "method": "start.employee_call"})
    body = body.replace("{", '{"jsonrpc": "2.0", ', 1).replace("25", "25.0")
    headers = {"Idempotency-Key": key, "Authorization": f"Bearer {TOKEN}"}
    again = home.answer(body, headers)
    assert again["id"] == "other"
    assert again["result"]["data"] == first["result"]["data"]


@pytest.mark.parametrize(
    "changes", [{"contact": "79260000002"}, {"external_id": "x"}, {"switch_at_once": False}]
)
def test_the_same_key_with_other_params_is_a_conflict(
    home: House, key: str, changes: dict[str, object]
) -> None:
    first = start(home, key)
    assert without_metadata(start(home, key, **changes)) == CONFLICT
    assert sessions(home) == [session_of(first)]


def test_a_key_belongs_to_a_method(home: House, key: str) -> None:
    start(home, key)
    informer = {
        "virtual_phone_number": "74993720692",
        "contact": "79260000000",
        "contact_message": {"type": "media", "value": "2561"},
    }
    answer = home.call("start.informer_call", informer, headers={"Idempotency-Key": key})
    assert without_metadata(answer) == CONFLICT


def test_a_failed_request_does_not_burn_its_key(home: House, key: str) -> None:
    refused = start(home, key, contact="79269999999")
    assert refused["error"]["data"]["mnemonic"] == "contact_in_blacklist"
    # Neither for other parameters nor for the same ones.
    assert start(home, key, contact="79269999999")["error"] == refused["error"]
    answer = start(home, key)
    assert "idempotent_replayed" not in answer["result"]["metadata"]
    assert sessions(home) == [session_of(answer)]


def test_while_the_first_is_in_progress_it_is_a_conflict(
    home: House, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, leave = threading.Event(), threading.Event()
    begin = StoredJournal.begin

    async def slow(self: StoredJournal, started: SessionStarted, once: Once | None = None) -> None:
        entered.set()
        await anyio.to_thread.run_sync(leave.wait, 20)
        await begin(self, started, once)

    monkeypatch.setattr(StoredJournal, "begin", slow)
    answered: list[Any] = []
    first = threading.Thread(target=lambda: answered.append(start(home, key)))
    first.start()
    try:
        assert entered.wait(WITHIN)
        with httpx.Client() as client:
            body = {"jsonrpc": "2.0", "id": 1, "method": "start.employee_call"}
            response = client.post(
                f"{home.url}/v4.0",
                json=body | {"params": PARAMS | {"access_token": TOKEN}},
                headers={"Idempotency-Key": key},
            )
            assert without_metadata(response.json()) == CONFLICT
    finally:
        leave.set()
        first.join(WITHIN)
    assert session_of(start(home, key)) == session_of(answered[0])


def test_keys_are_an_accounts_own(home: House, key: str) -> None:
    start(home, key)
    answer = home.call("start.employee_call", PARAMS, STRANGER, headers={"Idempotency-Key": key})
    assert answer["error"]["data"]["mnemonic"] == "virtual_phone_number_not_found"


@pytest.mark.parametrize(
    "key", ["", "x" * 256, "a b", "ключ".encode().decode("latin-1"), "tab\there"]
)
def test_a_key_that_is_none(home: House, key: str) -> None:
    headers = [("Idempotency-Key", key)]
    raw = httpx.Headers(headers, encoding="latin-1")
    body = {"jsonrpc": "2.0", "id": 1, "method": "start.employee_call"}
    response = home.client.post(
        f"{home.url}/v4.0", json=body | {"params": PARAMS | {"access_token": TOKEN}}, headers=raw
    )
    assert response.status_code == 200
    assert without_metadata(response.json()) == INVALID
    assert sessions(home) == []


def test_two_keys_are_none(home: House) -> None:
    headers = [("Idempotency-Key", "one"), ("Idempotency-Key", "two")]
    assert without_metadata(home.call("start.employee_call", PARAMS, headers=headers)) == INVALID


def test_the_longest_key_and_every_visible_character(home: House) -> None:
    for key in ("x" * 255, "".join(map(chr, range(0x21, 0x7F)))):
        assert session_of(start(home, key)) == session_of(start(home, key))


def test_other_methods_know_no_keys(home: House) -> None:
    headers = {"Idempotency-Key": "x" * 300}
    assert home.call("list.calls", {}, headers=headers)["result"]["data"] == []


def test_external_id_is_no_key(home: House) -> None:
    params = PARAMS | {"external_id": "order-1"}
    first, second = (home.call("start.employee_call", params) for _ in range(2))
    assert session_of(first) != session_of(second)


def test_keys_survive_a_restart(tmp_path: Path) -> None:
    with house(tmp_path, FAR_ENDS) as home:
        first = session_of(start(home, "order-1"))
    with reopened(tmp_path, FAR_ENDS) as home:
        again = start(home, "order-1")
        assert again["result"]["metadata"]["idempotent_replayed"] is True
        assert session_of(again) == first
        assert sessions(home) == []
        assert without_metadata(start(home, "order-1", external_id="x")) == CONFLICT
