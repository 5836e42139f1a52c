"""Schedules: at which moments they are active."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter, ValidationError

from callwright.directory.schedule import PERIODS, ActivitySchedule, SchedulePeriod

ONE = TypeAdapter(SchedulePeriod)
WEEK = {"type": "days_of_week", "days": [1, 2, 3, 4, 5]}
OFFICE = [{"time_from": "09:00", "time_till": "18:00"}]


def is_active(moment: str, *periods: dict[str, Any], zone: str = "UTC") -> bool:
    """Whether a schedule is active at a moment of the wall clock in the zone."""
    read = [ONE.validate_python(period) for period in periods]
    written = PERIODS.dump_python(tuple(read), mode="json")
    schedule = ActivitySchedule(1, "x", PERIODS.validate_python(written))
    local = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone))
    return schedule.is_active(local.astimezone(UTC), ZoneInfo(zone))


@pytest.mark.parametrize(
    ("moment", "active"),
    [
        ("2026-11-30 08:59:59", False),  # a Monday
        ("2026-11-30 09:00:00", True),
        ("2026-11-30 17:59:59", True),
        ("2026-11-30 18:00:00", False),
        ("2026-12-04 12:00:00", True),
        ("2026-12-05 12:00:00", False),
        ("2026-12-06 12:00:00", False),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Moscow", "Asia/Vladivostok", "America/New_York"])
def test_office_hours_of_the_zone(moment: str, active: bool, zone: str) -> None:
    period = {"activity_days": WEEK, "activity_time": OFFICE}
    assert is_active(moment, period, zone=zone) is active


@pytest.mark.parametrize(
    ("moment", "active"),
    [
        ("2026-12-04 21:59", False),  # a Friday
        ("2026-12-04 22:00", True),
        ("2026-12-05 05:59", True),
        ("2026-12-05 06:00", False),
        ("2026-12-05 22:00", False),
        ("2026-11-30 05:00", False),  # Sunday night is none of a Monday's
    ],
)
def test_an_interval_over_midnight_is_of_the_day_it_began(moment: str, active: bool) -> None:
    night = [{"time_from": "22:00", "time_till": "06:00"}]
    assert is_active(moment, {"activity_days": WEEK, "activity_time": night}) is active


@pytest.mark.parametrize("time", [None, [], [{"time_from": "00:00", "time_till": "24:00"}]])
def test_a_whole_day(time: list[dict[str, str]] | None) -> None:
    month = {"type": "days_of_month", "days": [1, 31]}
    period = {"activity_days": month, "activity_time": time}
    assert is_active("2027-01-01 00:00", period)
    assert is_active("2027-01-31 23:59", period)
    assert not is_active("2027-01-02 00:00", period)


def test_dates_limit_a_period_and_one_period_is_enough() -> None:
    january = {
        "activity_days": {"type": "days_of_week", "days": [1, 2, 3, 4, 5, 6, 7]},
        "activity_date_from": "2027-01-01",
        "activity_date_till": "2027-01-08",
    }
    assert not is_active("2026-12-31 23:59", january)
    assert is_active("2027-01-01 00:00", january)
    assert is_active("2027-01-08 23:59", january)
    assert not is_active("2027-01-09 00:00", january)
    assert is_active("2027-01-11 12:00", january, {"activity_days": WEEK})


def test_clocks_that_are_put_back() -> None:
    """Berlin, 25 October 2026: the hour from 2 to 3 is there twice, and both are night."""
    night = [{"time_from": "02:00", "time_till": "03:00"}]
    period = ONE.validate_python(
        {"activity_days": {"type": "days_of_week", "days": [7]}, "activity_time": night}
    )
    schedule, berlin = ActivitySchedule(1, "x", [period]), ZoneInfo("Europe/Berlin")
    active = [
        schedule.is_active(datetime(2026, 10, 25, hour, 30, tzinfo=UTC), berlin)
        for hour in (23, 0, 1, 2)
    ]
    assert active == [False, True, True, False]


@pytest.mark.parametrize(
    "wrong",
    [
        {"activity_days": {"type": "days_of_week", "days": [8]}},
        {"activity_days": {"type": "days_of_month", "days": [0]}},
        {"activity_days": {"type": "days_of_month", "days": [32]}},
        {"activity_days": {"type": "days_of_month", "days": []}},
        {"activity_days": {"type": "days_of_month", "days": ["1"]}},
        {"activity_days": {"type": "cycle", "days": [2, 2]}},
        {"activity_days": WEEK, "activity_time": [{"time_from": "9:00", "time_till": "18:00"}]},
        {"activity_days": WEEK, "activity_time": [{"time_from": "24:00", "time_till": "24:01"}]},
        {"activity_days": WEEK, "activity_time": [{"time_from": "09:00"}]},
        {"activity_days": WEEK, "activity_date_from": "2027-02-30"},
        {
            "activity_days": WEEK,
            "activity_date_from": "2027-02-02",
            "activity_date_till": "2027-02-01",
        },
        {"activity_days": WEEK, "more": 1},
        {},
    ],
)
def test_what_is_no_period(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ONE.validate_python(wrong)
