"""Statuses of employees over HTTP: who is rung in which, and the time spent in each."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from callwright.calls.events import LegStarted, SessionFinished
from callwright.directory.employee_status import RUNG, EmployeeStatus
from callwright.engines.simulated.far_end import Answers, FarEnd, busy
from tests.api.house import House, house
from tests.compat.documented import decode
from tests.data.test_entities import done, made, not_found, one, refused

CONTACT, VIRTUAL, PYOTR, BORIS = "79260000000", "74993720692", "79261110071", "79261110072"
SHOWN = ("status", "status_id", "calls_available")
COMBINATION = (-32602, "The combination of parameters is not permitted")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    far_ends = {number: busy() for number in (PYOTR, BORIS)}
    far_ends[CONTACT] = FarEnd(((0.0, Answers()),))
    many = {"points_per_minute": 100_000, "points_per_day": 100_000}
    with house(tmp_path_factory.mktemp("house"), far_ends, api=many) as up:
        yield up


@pytest.fixture(scope="module")
def people(home: House) -> Sequence[int]:
    return [
        made(home, "create.employees", last_name=name, phone_numbers=[{"phone_number": number}])
        for name, number in (("Пётр", PYOTR), ("Борис", BORIS))
    ]


def rung(home: House, session: int) -> list[str]:
    home.wait_for(session, SessionFinished)
    return [
        event.called_number
        for event in home.news.all
        if isinstance(event, LegStarted) and event.session == session and event.role != "contact"
    ]


def run(home: House, scenario: int) -> list[str]:
    params = {
        "first_call": "contact",
        "virtual_phone_number": VIRTUAL,
        "contact": CONTACT,
        "scenario_id": scenario,
    }
    return rung(home, home.succeeds("start.scenario_call", params)["call_session_id"])


def test_the_statuses_there_are(home: House) -> None:
    rows = done(home, "get.statuses")
    assert [row["mnemonic"] for row in rows] == [*EmployeeStatus]
    assert [row["id"] for row in rows] == [status.id for status in EmployeeStatus]
    for row in rows:
        decode("get.statuses", row)
    takes_calls = {r["mnemonic"] for r in rows if "in" in r["in_external_allowed_call_directions"]}
    assert takes_calls == RUNG
    assert not done(home, "get.statuses", is_deleted=True)
    assert done(home, "get.statuses", is_deleted=False) == rows
    chosen = {"field": "mnemonic", "operator": "=", "value": "break"}
    [row] = done(home, "get.statuses", filter=chosen, fields=["id", "name"])
    assert row == {"id": 2, "name": "Перерыв"}


@pytest.mark.parametrize("status", EmployeeStatus)
def test_a_group_and_a_scenario_pass_over_who_is_away(
    home: House, people: Sequence[int], status: EmployeeStatus
) -> None:
    pyotr, boris = people
    name = f"Смена {status.value}"
    made(home, "create.group_employees", name=name, members=[pyotr, boris])
    by_group = [{"do": "ring", "group": name}]
    by_name = [{"do": "ring", "employees": [pyotr, boris]}]
    scenarios = [
        made(home, "create.scenarios", name=f"{name} {at}", operations=operations)
        for at, operations in enumerate((by_group, by_name))
    ]
    done(home, "update.employees", id=pyotr, status=status.value)
    expected = {PYOTR, BORIS} if status in RUNG else {BORIS}
    for scenario in scenarios:
        assert set(run(home, scenario)) == expected
    done(home, "update.employees", id=pyotr, status="available")
    for scenario in scenarios:
        assert set(run(home, scenario)) == {PYOTR, BORIS}


def test_who_is_away_is_rung_where_a_request_names_them(home: House, people: Sequence[int]) -> None:
    pyotr, _ = people
    done(home, "update.employees", id=pyotr, status="not_at_work")
    both = {"virtual_phone_number": VIRTUAL, "contact": CONTACT, "first_call": "employee"}
    params = {**both, "employee": {"id": pyotr}}
    session = home.succeeds("start.employee_call", params)["call_session_id"]
    assert rung(home, session) == [PYOTR]
    by_number = [{"do": "ring", "numbers": [PYOTR]}]
    scenario = made(home, "create.scenarios", name="По номеру", operations=by_number)
    assert run(home, scenario) == [PYOTR]
    done(home, "update.employees", id=pyotr, status="available")


def shown(home: House, employee: int) -> tuple[Any, ...]:
    return tuple(one(home, "get.employees", employee, *SHOWN).values())


def test_a_status_is_said_in_three_ways(home: House) -> None:
    employee = made(home, "create.employees", last_name="Седов")
    assert shown(home, employee) == ("available", 1, True)
    done(home, "update.employees", id=employee, status_id=2)
    assert shown(home, employee) == ("break", 2, False)
    # A whole employee is sent back with one of the three changed.
    back = one(home, "get.employees", employee, *SHOWN)
    done(home, "update.employees", id=employee, **{**back, "status": "do_not_disturb"})
    assert shown(home, employee) == ("do_not_disturb", 3, False)
    back = one(home, "get.employees", employee, *SHOWN)
    done(home, "update.employees", id=employee, **{**back, "calls_available": True})
    assert shown(home, employee) == ("available", 1, True)
    done(home, "update.employees", id=employee, calls_available=False)
    assert shown(home, employee) == ("not_at_work", 5, False)
    done(home, "update.employees", id=employee, **one(home, "get.employees", employee, *SHOWN))
    assert shown(home, employee) == ("not_at_work", 5, False)
    done(home, "update.employees", id=employee, status="available")
    assert shown(home, employee) == ("available", 1, True)
    chosen = {"field": "status_id", "operator": "=", "value": 1}
    found = done(home, "get.employees", filter=chosen, fields=["id"])
    assert {"id": employee} in found


def test_what_is_shown_of_one_makes_another(home: House) -> None:
    away = made(home, "create.employees", last_name="Седов", status="break", calls_available=False)
    assert shown(home, away) == ("break", 2, False)


@pytest.mark.parametrize(
    ("sent", "field", "value"),
    [
        ({"status": "break", "status_id": 3}, "status_id", 3),
        ({"status": "not_at_work", "calls_available": True}, "status", "not_at_work"),
        ({"status_id": 1, "calls_available": False}, "status_id", 1),
    ],
)
def test_what_contradicts_itself_is_refused(
    home: House, sent: dict[str, object], field: str, value: object
) -> None:
    wrong: dict[str, Any] = {
        "said": COMBINATION,
        "mnemonic": "invalid_parameters_combination",
        "field": field,
        "value": str(value),
    }
    refused(home, "create.employees", {"last_name": "Седов", **sent}, **wrong)


def test_a_status_there_is_none_of_is_not_found(home: House) -> None:
    params = {"last_name": "Седов", "status_id": 404}
    refused(home, "create.employees", params, **not_found("status_id", 404))


def test_the_time_in_each_status(home: House) -> None:
    employee = made(home, "create.employees", last_name="Седов", groups=[1])
    done(home, "update.employees", id=employee, status="break")
    now = datetime.now(UTC)
    chosen = {"field": "id", "operator": "=", "value": employee}
    window = {
        "date_from": f"{now - timedelta(days=1):%Y-%m-%d}",
        "date_till": f"{now + timedelta(days=1):%Y-%m-%d}",
    }
    [row] = done(home, "get.employee_stat", filter=chosen, **window)
    decode("get.employee_stat", row)
    assert list(row["status_stats"]) == [*EmployeeStatus]
    # Nobody was there before.
    assert sum(row["status_stats"].values()) <= (datetime.now(UTC) - now).seconds + 60
    assert row["groups"] == [{"group_id": 1, "group_name": "sales"}]
    yesterday = {"date_from": "2020-01-01", "date_till": "2020-01-01"}
    [row] = done(home, "get.employee_stat", filter=chosen, **yesterday)
    assert set(row["status_stats"].values()) == {0}
