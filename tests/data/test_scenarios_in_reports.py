"""Reports tell which scenario a call ran from its beginning, as it was called then."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from callwright.calls.events import SessionFinished
from callwright.engines.simulated.far_end import Answers, FarEnd
from tests.api.house import House, house
from tests.data.test_entities import done, made

CONTACT, VIRTUAL = "79260000000", "74993720692"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    far_ends = {CONTACT: FarEnd(((0.0, Answers()),))}
    with house(tmp_path_factory.mktemp("house"), far_ends) as up:
        yield up


def reported(home: House, report: str, key: str, scenario: int) -> list[dict[str, Any]]:
    now, day = datetime.now(UTC), timedelta(days=1)
    rows: list[dict[str, Any]] = done(
        home,
        report,
        date_from=f"{now - day:%Y-%m-%d}",
        date_till=f"{now + day:%Y-%m-%d}",
        fields=[key, "scenario_id", "scenario_name"],
        filter={"field": "scenario_id", "operator": "=", "value": scenario},
    )
    return rows


def test_the_scenario_of_a_call_is_reported_by_the_name_it_had(home: House) -> None:
    scenario = made(home, "create.scenarios", name="Приём", operations=[{"do": "hangup"}])
    params = {
        "first_call": "contact",
        "virtual_phone_number": VIRTUAL,
        "contact": CONTACT,
        "scenario_id": scenario,
    }
    session = home.succeeds("start.scenario_call", params)["call_session_id"]
    home.wait_for(session, SessionFinished)
    done(home, "update.scenarios", id=scenario, name="Другое имя")
    told = {"scenario_id": scenario, "scenario_name": "Приём"}
    assert reported(home, "get.calls_report", "id", scenario) == [{"id": session, **told}]
    legs = reported(home, "get.call_legs_report", "call_session_id", scenario)
    assert legs == [{"call_session_id": session, **told}]
    assert not reported(home, "get.calls_report", "id", 404)
