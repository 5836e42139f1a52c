"""What legs cost: the price list of the settings, and get.financial_call_legs_report."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from callwright.calls.events import TalkStarted
from callwright.engines.simulated.far_end import answers
from tests.api.house import House, house
from tests.compat.documented import decode
from tests.waiting import WITHIN

CONTACT, EMPLOYEE = "79260000000", "79260000028"
PRICES = {
    "currency": "RUB",
    "prices": [
        {"prefix": "79", "per_minute": 1.5, "step": 60},
        {"prefix": CONTACT, "per_minute": 2, "step": 1},
    ],
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    far_ends = {number: answers(after=0.01) for number in (CONTACT, EMPLOYEE)}
    folder = tmp_path_factory.mktemp("house")
    with house(folder, far_ends, prices=PRICES) as up:
        call = {
            "first_call": "employee",
            "employee": {"id": 28},
            "contact": CONTACT,
            "virtual_phone_number": "74993720692",
        }
        session = up.succeeds("start.employee_call", call)["call_session_id"]
        up.wait_for(session, TalkStarted)
        up.succeeds("release.call", {"call_session_id": session})
        up.until_finished(session)
        assert [row["total_charge"] for row in charged(up)] == [0, 0], "shorter than a second"
        with closing(sqlite3.connect(folder / "callwright.db", timeout=WITHIN)) as connection:
            steps = "(61 + charge_step - 1) / charge_step * charge_step"
            # As it is written when a leg ends.
            connection.execute(
                f"UPDATE call_legs SET talk_duration = 61.4, chargeable_duration = {steps}, "
                f"total_charge = round({steps} * per_minute / 60, 4)"
            )
            connection.commit()
        yield up


def charged(home: House, **asked: object) -> list[dict[str, Any]]:
    now, day = datetime.now(UTC), timedelta(days=1)
    window = {"date_from": f"{now - day:%Y-%m-%d}", "date_till": f"{now + day:%Y-%m-%d}"}
    answer = home.data("get.financial_call_legs_report", {**window, **asked})
    assert "result" in answer, answer
    rows: list[dict[str, Any]] = answer["result"]["data"]
    return rows


def test_a_leg_costs_what_its_number_does_in_begun_steps(home: House) -> None:
    employee, contact = charged(home)
    decode("get.financial_call_legs_report", employee)
    told = ("direction", "source", "duration", "direction_type", "chargeable_duration")
    assert [employee[name] for name in told] == [
        "out",
        "callapi_management_call",
        61,
        "mobile",
        120,
    ]
    money = ("cost_per_minute", "total_charge", "bonuses_charge")
    assert [employee[name] for name in money] == [1.5, 3, 0]
    assert [contact[name] for name in ("chargeable_duration", *money)] == [61, 2, 2.0333, 0]


def test_costs_are_filtered_and_sorted_by(home: House) -> None:
    where = {"field": "total_charge", "operator": ">", "value": 2.5}
    [dear] = charged(home, filter=where, fields=["leg_id", "currency"])
    order = [{"field": "cost_per_minute", "order": "desc"}]
    dearest, cheapest = charged(home, sort=order, fields=["leg_id", "called_phone_number"])
    assert dear == {"leg_id": cheapest["leg_id"], "currency": "RUB"}
    assert (dearest["called_phone_number"], cheapest["called_phone_number"]) == (CONTACT, EMPLOYEE)
    where = {"field": "source", "operator": "=", "value": "va"}
    assert charged(home, filter=where) == []
