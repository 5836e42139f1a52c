"""Switches and limits over HTTP: accounts, users, components, points, calls at once, talk time."""

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from callwright.calls.events import SessionFinished
from callwright.directory.model import Component
from callwright.engines.simulated.far_end import answers, never_answers
from callwright.methods.method import OpenDeclaration
from callwright.methods.registry import CATALOGUE
from tests.api.answers import refusal, without_metadata
from tests.api.house import DIRECTORY, House, house, reopened

PARAMS: dict[str, Any] = {
    "first_call": "operator",
    "virtual_phone_number": "74993720692",
    "contact": "79260000000",
    "operator": "79260000001",
}
FAR_ENDS = {
    "79260000001": answers(after=0.02),
    "79260000000": answers(after=0.02),
    "79265550000": never_answers(),
}


def token_of(component: Component) -> str:
    return f"token without {component.value}"


WITHOUT = "".join(
    f"""
[[users]]
login = "without-{component.name.lower()}"
disabled_components = ["{component.value}"]
[[tokens]]
user = "without-{component.name.lower()}"
sha256 = "{hashlib.sha256(token_of(component).encode()).hexdigest()}"
"""
    for component in Component
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house"), FAR_ENDS) as built:
        yield built


def started(home: House) -> bool:
    """Whether a call can be started now; if so, it is released again."""
    answer = home.call("start.simple_call", PARAMS)
    if "error" in answer:
        return False
    session = answer["result"]["data"]["call_session_id"]
    home.call("release.call", {"call_session_id": session})
    home.wait_for(session, SessionFinished)
    return True


def test_an_account_is_switched_off_and_on_while_the_service_runs(home: House) -> None:
    assert started(home)
    home.apply(DIRECTORY.replace('name = "House"', 'name = "House"\nactive = false'))
    for method in ("start.simple_call", "list.calls"):
        assert without_metadata(home.call(method, {})) == refusal(
            -32009,
            "Your account has been disabled, contact the support service",
            {"mnemonic": "account_inactive", "field": None},
        )
    home.apply(DIRECTORY)
    assert started(home)


def test_a_user_is_switched_off_and_on_while_the_service_runs(home: House) -> None:
    home.apply(DIRECTORY.replace('login = "crm"', 'login = "crm"\nactive = false'))
    for method in ("start.simple_call", "list.calls"):
        assert without_metadata(home.call(method, {})) == refusal(
            -32003, "Permission denied", {"mnemonic": "forbidden", "field": None}
        )
    home.apply(DIRECTORY)
    assert started(home)


OF_COMPONENTS = {
    "login.user": Component.BASIC,
    "logout.user": Component.BASIC,
    "start.employee_call": Component.BASIC,
    "start.simple_call": Component.BASIC,
    "start.vnumber_call": Component.BASIC,
    "start.multi_call": Component.BASIC,
    "release.call": Component.BASIC,
    "start.informer_call": Component.INFORMER,
    "start.scenario_call": Component.SCENARIO,
}
"The contract's section 5; whatever it does not name here manages calls."


@pytest.mark.parametrize("component", Component)
def test_a_component_is_switched_off_for_a_user(home: House, component: Component) -> None:
    home.apply(DIRECTORY + WITHOUT)
    refused = refusal(
        -32008,
        f"Component {component.value} has been disabled",
        {
            "mnemonic": "component_disabled",
            "field": None,
            "params": {"component_name": component.value},
        },
    )
    off = {
        declaration.name
        for declaration in CATALOGUE
        if OF_COMPONENTS.get(declaration.name, Component.MANAGEMENT) is component
    }
    for declaration in CATALOGUE:
        if isinstance(declaration, OpenDeclaration):
            continue  # login.user: told by its own test
        answer = home.call(declaration.name, {"no_such": 1}, token_of(component))
        if declaration.name in off:
            assert without_metadata(answer) == refused, declaration.name
        else:
            mnemonic = answer["error"]["data"]["mnemonic"]
            assert mnemonic == "unexpected_parameters", declaration.name


def test_points_per_minute_and_day(tmp_path: Path) -> None:
    for period in ("minute", "day"):
        folder = tmp_path / period
        folder.mkdir()
        with house(folder, FAR_ENDS, api={f"points_per_{period}": 2}) as home:
            # Refused requests take no points.
            for _ in range(3):
                home.call("list.calls", {"no_such": 1})
            for _ in range(2):
                home.succeeds("list.calls", {})
            answer = home.call("start.simple_call", PARAMS)
            limits = answer["error"]["data"]["metadata"]["limits"]
            assert (limits[f"{period}_limit"], limits[f"{period}_remaining"]) == (2, 0)
            assert without_metadata(answer) == refusal(
                -32029,
                f"Limit per {period} has been exceeded. Value of current limit per {period} is 2",
                {
                    "mnemonic": "limit_exceeded",
                    "field": None,
                    "params": {"limit_type": period, "limit_max_value": 2},
                },
            )
            assert not home.engine.rung


def test_points_survive_a_restart_and_nobody_needs_one_to_hang_up(tmp_path: Path) -> None:
    few = {"points_per_day": 3}
    with house(tmp_path, FAR_ENDS, api=few) as home:
        home.succeeds("list.calls", {})
        home.succeeds("list.calls", {})
    with reopened(tmp_path, FAR_ENDS, api=few) as home:
        params = PARAMS | {"operator": "79265550000"}
        of = home.succeeds("start.simple_call", params)
        assert home.call("list.calls", {})["error"]["data"]["mnemonic"] == "limit_exceeded"
        dropped = home.call("disconnect.leg", {**of, "leg_id": 1})
        assert dropped["error"]["data"]["mnemonic"] == "leg_not_found"
        home.succeeds("release.call", of)
        home.succeeds("logout.user", {})
        home.wait_for(of["call_session_id"], SessionFinished)


def test_one_call_too_many_at_once_ends_without_ringing(tmp_path: Path) -> None:
    with house(tmp_path, FAR_ENDS, calls={"parallel_at_most": 1}) as home:
        params = PARAMS | {"contact": "79265550000"}
        first = home.succeeds("start.simple_call", params)["call_session_id"]
        second = home.succeeds("start.simple_call", params)["call_session_id"]
        assert home.until_finished(second)["finish_reason"] == "no_resources"
        assert home.until_finished(second)["legs"] == []
        verdict = home.until_finished(second)["timeline"][-1]
        assert (verdict["ended_by"], verdict["fault"]) == ("service", "service")
        home.succeeds("release.call", {"call_session_id": first})
        home.until_finished(first)
        assert started(home)


def test_the_longest_talk(tmp_path: Path) -> None:
    with house(tmp_path, FAR_ENDS, calls={"talk_at_most": 0.3}) as home:
        asked = time.monotonic()
        session = home.succeeds("start.simple_call", PARAMS)["call_session_id"]
        call = home.until_finished(session)
        lasted = time.monotonic() - asked
        assert call["finish_reason"] == "timeout"
        finished = call["timeline"][-1]
        assert (finished["ended_by"], finished["fault"]) == ("service", "nobody")
        assert 0.29 < finished["talk_duration"] < lasted
