"""login.user and logout.user over HTTP, and how guessing passwords is slowed down."""

import json
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from typing import Literal

import pytest
from argon2 import PasswordHasher

from callwright.directory.model import Component, User
from callwright.methods import backoff
from callwright.methods.backoff import Backoff
from callwright.methods.login_turns import AT_ONCE
from callwright.methods.sessions import Sessions
from tests.rpc.world import AFTER_ONE, FULL, NOW, TOYS, Api, Clock, FakeAccess, refusal, serving
from tests.waiting import WITHIN

AUTH_ERROR = refusal(-32001, "Login or password is wrong", "auth_error", limits=None)


class CountingHasher(PasswordHasher):
    """A quick hasher that counts what it verified, and how much of it at once."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified = 0
        self.at_once = 0
        self.most_at_once = 0
        self.gate = threading.Event()
        self.gate.set()
        self._lock = threading.Lock()

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        with self._lock:
            self.verified += 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            assert self.gate.wait(WITHIN)
            return super().verify(hash, password)
        finally:
            with self._lock:
                self.at_once -= 1


@pytest.fixture
def hasher() -> CountingHasher:
    return CountingHasher()


@pytest.fixture
def api(hasher: CountingHasher) -> Iterator[Api]:
    access, clock = FakeAccess(), Clock()
    sessions = Sessions(access, clock, hasher)
    methods = [*TOYS, *sessions.methods()]
    with serving(methods=methods, access=access, clock=clock) as api:
        yield api


@pytest.fixture
def user(api: Api, hasher: CountingHasher) -> User:
    return api.access.add_user(password_hash=hasher.hash("correct"))


def login(api: Api, login: str, password: str, **more: object) -> dict[str, object]:
    request = {
        "jsonrpc": "2.0",
        "id": "req1",
        "method": "login.user",
        "params": {"login": login, "password": password, **more},
    }
    answer = api.send(json.dumps(request))
    assert isinstance(answer, dict)
    return answer


def token_of(answer: dict[str, object]) -> str:
    result = answer["result"]
    assert isinstance(result, dict)
    token = result["data"]["access_token"]
    assert isinstance(token, str)
    return token


def test_login_gives_a_token_for_an_hour(api: Api, user: User) -> None:
    answer = login(api, user.login, "correct")
    token = token_of(answer)
    assert answer == {
        "jsonrpc": "2.0",
        "id": "req1",
        "result": {
            "data": {"access_token": token, "expire_at": int(NOW) + 3600},
            "metadata": {"limits": AFTER_ONE},
        },
    }
    assert len(token) == 64
    # What is stored is no token.
    assert token not in api.access.tokens

    assert "result" in str(api.call("toy.managed", {"access_token": token}))
    api.clock.now = int(NOW) + 3599.9
    assert "result" in str(api.call("toy.managed", {"access_token": token}))
    api.clock.now = int(NOW) + 3600
    assert api.call("toy.managed", {"access_token": token}) == refusal(
        -32001, "Access token is invalid", "access_token_invalid", field="access_token", limits=None
    )


def test_logout_ends_the_session(api: Api, user: User) -> None:
    token, other = (token_of(login(api, user.login, "correct")) for _ in range(2))
    answer = api.call("logout.user", {"access_token": token})
    assert isinstance(answer, dict)
    assert answer["result"]["data"] == {"success": True}
    assert "access_token_invalid" in str(api.call("toy.managed", {"access_token": token}))
    assert "result" in str(api.call("toy.managed", {"access_token": other}))


def test_logout_leaves_a_permanent_token(api: Api) -> None:
    for _ in range(2):
        answer = api.call("logout.user", {})
        assert isinstance(answer, dict)
        assert answer["result"]["data"] == {"success": True}


def test_a_wrong_password_an_unknown_login_and_no_password_are_one_to_the_client(
    api: Api, user: User, hasher: CountingHasher
) -> None:
    without = api.access.add_user(password_hash=None)
    for name, password in [
        (user.login, "wrong"),
        (user.login, ""),
        ("nobody", "correct"),
        ("", ""),
        (without.login, ""),
        (without.login, "correct"),
    ]:
        before = hasher.verified
        assert login(api, name, password) == AUTH_ERROR
        # The same work, so the same time.
        assert hasher.verified == before + 1


def test_the_password_comes_first_then_the_checks_a_token_is_put_to(
    api: Api, hasher: CountingHasher
) -> None:
    correct = hasher.hash("correct")
    elsewhere = api.access.add_user(
        password_hash=correct, networks=(ip_network("192.0.2.0/24"),), account_active=False
    )
    closed = api.access.add_user(password_hash=correct, account_active=False, active=False)
    off = api.access.add_user(password_hash=correct, active=False)
    limited = api.access.add_user(password_hash=correct, disabled=[Component.BASIC])
    for user in elsewhere, closed, off, limited:
        assert login(api, user.login, "wrong") == AUTH_ERROR

    tokens = len(api.access.tokens)
    assert login(api, elsewhere.login, "correct") == refusal(
        -32003,
        "Your IP 127.0.0.1 is not whitelisted",
        "ip_not_whitelisted",
        params={"ip": "127.0.0.1"},
        limits=None,
    )
    assert login(api, closed.login, "correct") == refusal(
        -32009,
        "Your account has been disabled, contact the support service",
        "account_inactive",
        limits=FULL,
    )
    assert login(api, off.login, "correct") == refusal(-32003, "Permission denied", "forbidden")
    assert login(api, limited.login, "correct") == refusal(
        -32008,
        "Component Call API Basic set has been disabled",
        "component_disabled",
        params={"component_name": "Call API Basic set"},
    )
    assert len(api.access.tokens) == tokens


def test_parameters_are_checked_without_a_token_and_a_password_is_not_sent_back(api: Api) -> None:
    assert login(api, "a", "b", access_token=api.token) == refusal(
        -32602,
        "Unexpected method parameter(s)",
        "unexpected_parameters",
        field="access_token",
        limits=None,
    )
    request = '{"jsonrpc": "2.0", "id": "req1", "method": "login.user", "params": {"login": "a"}}'
    assert api.send(request) == refusal(
        -32602,
        "The required parameter has been missed",
        "required_parameter_missed",
        field="password",
        limits=None,
    )
    request = request.replace('"a"}', '"a", "password": 12345}')
    assert api.send(request) == refusal(
        -32602, "Data supplied is of wrong type", "data_type_error", field="password", limits=None
    )


def test_after_some_failures_even_the_right_password_has_to_wait(
    api: Api, user: User, hasher: CountingHasher
) -> None:
    for _ in range(backoff.FREE):
        assert login(api, user.login, "wrong") == AUTH_ERROR
    before = hasher.verified
    assert login(api, user.login, "correct") == AUTH_ERROR
    assert hasher.verified == before
    # Others are not concerned.
    other = api.access.add_user(password_hash=hasher.hash("correct"))
    assert "result" in login(api, other.login, "correct")

    api.clock.now += backoff.FIRST_WAIT
    assert "result" in login(api, user.login, "correct")
    # A success forgets the failures.
    assert login(api, user.login, "wrong") == AUTH_ERROR
    assert "result" in login(api, user.login, "correct")


def test_guesses_at_the_same_time_wait_for_each_other(
    api: Api, user: User, hasher: CountingHasher
) -> None:
    guesses = 30
    hasher.gate.clear()
    with ThreadPoolExecutor(guesses) as crowd:
        answers = [crowd.submit(login, api, user.login, "wrong") for _ in range(guesses)]
        hasher.gate.set()
        assert all(answer.result(30) == AUTH_ERROR for answer in answers)
    assert hasher.most_at_once <= AT_ONCE
    assert hasher.verified <= backoff.FREE + AT_ONCE


def test_who_is_refused_is_named_by_address_in_the_log(
    api: Api, user: User, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "callwright"):
        login(api, user.login, "wrong")
        api.send(
            '{"jsonrpc": "2.0", "id": 1, "method": "toy.text", "params": {"access_token": "x"}}'
        )
        login(api, user.login, "correct")
    refused = [record for record in caplog.records if "from 127.0.0.1" in record.message]
    assert [getattr(record, "outcome", "") for record in refused] == [
        "auth_error",
        "access_token_invalid (access_token)",
    ]
    assert {getattr(record, "address", "") for record in refused} == {"127.0.0.1"}


# The wait itself.


def test_the_wait_doubles_up_to_a_minute() -> None:
    clock = Clock(0)
    guesses = Backoff(clock)
    waits = []
    for _ in range(backoff.FREE + 9):
        guesses.failed("192.0.2.1", "user")
        start = clock.now
        while guesses.refuses("192.0.2.1", "user"):
            clock.now += 1
        waits.append(clock.now - start)
    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]


def test_failures_are_forgotten_after_a_quarter_of_an_hour() -> None:
    clock = Clock(0)
    guesses = Backoff(clock)
    for _ in range(20):
        guesses.failed("192.0.2.1", "user")
    clock.now += backoff.FORGOTTEN_AFTER + 1
    guesses.failed("192.0.2.1", "user")
    assert not guesses.refuses("192.0.2.1", "user")


def test_nobody_is_locked_out_from_elsewhere() -> None:
    guesses = Backoff(Clock())
    for _ in range(20):
        guesses.failed("192.0.2.1", "user")
    assert guesses.refuses("192.0.2.1", "user")
    assert not guesses.refuses("192.0.2.2", "user")


def test_memory_is_bounded_and_the_oldest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "REMEMBERED", 3)
    guesses = Backoff(Clock())
    for login_name in "abc":
        for _ in range(backoff.FREE):
            guesses.failed("192.0.2.1", login_name)
    guesses.failed("192.0.2.1", "a")
    guesses.failed("192.0.2.1", "d")
    assert [name for name in "abc" if guesses.refuses("192.0.2.1", name)] == ["a", "c"]
