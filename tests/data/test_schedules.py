"""Schedules: how they are kept, whose they are, and which scenarios go by them."""

from collections.abc import Iterator
from typing import Any

import pytest

from callwright.provisioning.file import DirectoryFaults
from tests.api.house import DIRECTORY, STRANGER, House, house
from tests.compat.documented import decode
from tests.data.test_entities import done, duplicate, made, needed, not_found, one, refused

DAYS = {"type": "days_of_week", "days": [6, 7]}
HOURS = [{"time_from": "10:00", "time_till": "16:00"}]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    many = {"points_per_minute": 100_000, "points_per_day": 100_000}
    with house(tmp_path_factory.mktemp("house"), {}, api=many) as up:
        yield up


def test_a_schedule_as_a_whole(home: House) -> None:
    sent = {"activity_days": DAYS, "activity_time": HOURS, "activity_date_till": "2027-01-08"}
    schedule = made(home, "create.schedules", name="Выходные", schedules=[sent])
    shown = one(home, "get.schedules", schedule)
    decode("get.schedules", shown)
    assert shown == {
        "id": schedule,
        "name": "Выходные",
        "schedules": [{**sent, "activity_date_from": None}],
    }
    # Who reads, changes and writes sends back what is shown.
    done(home, "update.schedules", **{**shown, "name": "Суббота"})
    assert one(home, "get.schedules", schedule) == {**shown, "name": "Суббота"}
    done(home, "update.schedules", id=schedule, schedules=[{"activity_days": DAYS}])
    [period] = one(home, "get.schedules", schedule)["schedules"]
    assert period["activity_time"] == []
    where = {
        "field": "schedules",
        "operator": "jsquery",
        "value": '#.activity_days.type = "days_of_week"',
    }
    asked = {"filter": where, "sort": [{"field": "name"}], "fields": ["id"]}
    assert {"id": schedule} in home.data("get.schedules", asked)["result"]["data"]
    done(home, "delete.schedules", id=schedule)
    assert one(home, "get.schedules", schedule) is None


def test_what_is_wrong_is_said(home: House) -> None:
    good: dict[str, Any] = {"name": "Другое", "schedules": [{"activity_days": DAYS}]}
    again = {**good, "name": "Рабочее время"}
    refused(home, "create.schedules", again, **duplicate("name", "Рабочее время"))
    refused(home, "update.schedules", {"id": 404}, **not_found("id", 404))
    refused(home, "delete.schedules", {"id": 6}, token=STRANGER, **not_found("id", 6))

    def mnemonic(**params: object) -> tuple[str, str]:
        fault = home.data("create.schedules", params)["error"]["data"]
        return fault["mnemonic"], fault["field"]

    assert mnemonic(name="x") == ("required_parameter_missed", "schedules")
    cycle = {"activity_days": {"type": "cycle", "days": [2, 2]}}
    assert mnemonic(name="x", schedules=[cycle]) == (
        "invalid_parameter_value",
        "schedules.0.activity_days.type",
    )
    assert mnemonic(name="x", schedules=[])[0] == "invalid_parameter_value"


def test_a_schedule_that_a_scenario_goes_by_stays(home: House) -> None:
    operations: list[dict[str, Any]] = [
        {"do": "schedule", "schedule": 6, "otherwise": "closed"},
        {"do": "ring", "employees": [25]},
    ]
    branches = {"closed": [{"do": "hangup"}]}
    by = {"name": "По часам", "operations": operations, "branches": branches}
    scenario = made(home, "create.scenarios", **by)
    refused(home, "delete.schedules", {"id": 6}, **needed("id", 6))
    shown = one(home, "get.scenarios", scenario)
    assert shown["operations"][0] == {**operations[0], "during": None}
    without = (
        DIRECTORY[: DIRECTORY.index("[[schedules]]")]
        + DIRECTORY[DIRECTORY.index("[[contact_groups]]") :]
    )
    with pytest.raises(DirectoryFaults, match="schedule 6 is missing"):
        home.apply(without)
    nowhere = {**by, "name": "Никуда", "operations": [{"do": "schedule", "schedule": 404}]}
    fault = home.data("create.scenarios", nowhere)["error"]["data"]
    assert fault["params"]["reason"] == "there is no schedule 404 in this account"
    done(home, "delete.scenarios", id=scenario)


def test_a_file_and_requests_do_not_undo_each_other(home: House) -> None:
    done(home, "update.schedules", id=6, schedules=[{"activity_days": DAYS}])
    with pytest.raises(DirectoryFaults, match=r"changed by the data API \(periods\)"):
        home.apply(DIRECTORY)
    shown = {"activity_days": {"type": "days_of_week", "days": [1, 2, 3, 4, 5]}}
    hours = [{"time_from": "09:00", "time_till": "18:00"}]
    done(home, "update.schedules", id=6, schedules=[{**shown, "activity_time": hours}])
    home.apply(DIRECTORY)


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ("schedule = 404\nduring = 'rate'", "there is no schedule 404"),
        ("schedule = 6", "during or otherwise is needed"),
        ("schedule = 6\nduring = 'nowhere'", "there is no branch 'nowhere'"),
    ],
)
def test_a_file_is_checked(home: House, wrong: str, fault: str) -> None:
    more = (
        f'\n[[scenarios]]\nid = 9\nname = "X"\n[[scenarios.operations]]\ndo = "schedule"\n{wrong}\n'
    )
    with pytest.raises(DirectoryFaults, match=fault):
        home.apply(DIRECTORY + more)


def test_the_schedule_of_an_employee_is_kept_and_shown(home: House) -> None:
    schedule = made(home, "create.schedules", name="Смена", schedules=[{"activity_days": DAYS}])
    employee = made(home, "create.employees", last_name="Седов", schedule_id=schedule)

    def shown() -> Any:
        return one(home, "get.employees", employee, "schedule_id", "schedule_name")

    assert shown() == {"schedule_id": schedule, "schedule_name": "Смена"}
    done(home, "update.employees", id=employee, first_name="Олег")
    done(home, "update.schedules", id=schedule, name="Ночь")
    assert shown() == {"schedule_id": schedule, "schedule_name": "Ночь"}
    for field, value in (("schedule_id", schedule), ("schedule_name", "Ночь")):
        of = {"field": field, "operator": "=", "value": value}
        asked = {"filter": of, "sort": [{"field": field}], "fields": ["id"]}
        assert home.data("get.employees", asked)["result"]["data"] == [{"id": employee}]
    refused(home, "delete.schedules", {"id": schedule}, **needed("id", schedule))
    nowhere = {"id": employee, "schedule_id": 404}
    refused(home, "update.employees", nowhere, **not_found("schedule_id", 404))
    done(home, "update.employees", id=employee, schedule_id=None)
    assert shown() == {"schedule_id": None, "schedule_name": None}
    done(home, "delete.schedules", id=schedule)


def test_a_file_gives_an_employee_a_schedule(home: House) -> None:
    with_one = DIRECTORY.replace('full_name = "Тренер"\n', 'full_name = "Тренер"\nschedule = 6\n')
    home.apply(with_one)
    shown = one(home, "get.employees", 29, "schedule_id", "schedule_name")
    assert shown == {"schedule_id": 6, "schedule_name": "Рабочее время"}
    with pytest.raises(DirectoryFaults, match="there is no schedule 404 here"):
        home.apply(with_one.replace("schedule = 6\n", "schedule = 404\n", 1))
    home.apply(DIRECTORY)
    # What a request has made needs it as well.
    employee = made(home, "create.employees", last_name="Седов", schedule_id=6)
    start, end = DIRECTORY.index("[[schedules]]"), DIRECTORY.index("[[contact_groups]]")
    with pytest.raises(DirectoryFaults, match="schedule 6 is missing, and employee"):
        home.apply(DIRECTORY[:start] + DIRECTORY[end:])
    done(home, "delete.employees", id=employee)
