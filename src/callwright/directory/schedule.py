"""Schedules: at which times something holds, by days of the week or month and hours of the day.

The classes are at once what the directory file and requests are checked against, and what the
database keeps as JSON: frozen values. Times are those of the account's time zone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Literal, Protocol
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter

from callwright.directory.model import AccountId

PERIODS_AT_MOST = 50
INTERVALS_AT_MOST = 20
"Of one day."
_DAY = timedelta(days=1)
_CLOSED = ConfigDict(extra="forbid", strict=False)


def _time(text: str) -> str:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00", text):
        raise ValueError('a time of the day is needed: "09:00", at most "24:00"')
    return text


def _date(text: str) -> str:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError('a day is needed: "2027-01-01"')
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError("there is no such day") from None
    return text


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


Time = Annotated[str, AfterValidator(_time)]
Day = Annotated[str, AfterValidator(_date)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityTime:
    """An interval of the day; one that does not end after it begins goes on into the next day."""

    __pydantic_config__ = _CLOSED

    time_from: Time
    time_till: Time
    "The first minute that is not in it any more."


Intervals = Annotated[tuple[ActivityTime, ...], Field(max_length=INTERVALS_AT_MOST, strict=False)]


def _intervals(held: tuple[ActivityTime, ...] | None) -> tuple[ActivityTime, ...]:
    return held or ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityDays:
    __pydantic_config__ = _CLOSED

    type: Literal["days_of_week", "days_of_month"]
    days: Annotated[
        tuple[Annotated[int, Field(ge=1, le=31, strict=True)], ...],
        Field(min_length=1, max_length=31, strict=False),
    ]
    "Of the week, 1 is Monday; of the month."

    def __post_init__(self) -> None:
        if self.type == "days_of_week" and max(self.days, default=0) > 7:
            raise ValueError("a day of the week is 1 (Monday) to 7")

    def have(self, day: date) -> bool:
        found = day.isoweekday() if self.type == "days_of_week" else day.day
        return found in self.days


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulePeriod:
    """Days, and which hours of them."""

    __pydantic_config__ = _CLOSED

    activity_days: ActivityDays
    activity_time: Annotated[Intervals | None, AfterValidator(_intervals)] = ()
    "Hours; none: the whole day."
    activity_date_from: Day | None = None
    "The first day it holds on; None: from ever."
    activity_date_till: Day | None = None
    "The last day; None: for ever."

    def __post_init__(self) -> None:
        begin, end = self.activity_date_from, self.activity_date_till
        if begin is not None and end is not None and begin > end:
            raise ValueError("activity_date_till is before activity_date_from")

    def holds(self, local: datetime) -> bool:
        """Whether it holds at a moment, in the time of the account's zone."""
        today = self._has(local.date())
        if not self.activity_time:
            return today
        yesterday = self._has(local.date() - _DAY)
        now = local.hour * 60 + local.minute
        for one in self.activity_time:
            begin, end = _minutes(one.time_from), _minutes(one.time_till)
            if begin < end:
                if today and begin <= now < end:
                    return True
            elif (today and begin <= now) or (yesterday and now < end):
                return True
        return False

    def _has(self, day: date) -> bool:
        written = day.isoformat()
        if self.activity_date_from is not None and written < self.activity_date_from:
            return False
        if self.activity_date_till is not None and written > self.activity_date_till:
            return False
        return self.activity_days.have(day)


Periods = Annotated[
    tuple[SchedulePeriod, ...], Field(min_length=1, max_length=PERIODS_AT_MOST, strict=False)
]
PERIODS: TypeAdapter[Sequence[SchedulePeriod]] = TypeAdapter(tuple[SchedulePeriod, ...])
"How the periods of a schedule are told as JSON."


@dataclass(frozen=True, slots=True)
class ActivitySchedule:
    id: int
    name: str
    periods: Sequence[SchedulePeriod]

    def is_active(self, moment: datetime, zone: ZoneInfo) -> bool:
        """Whether one of its periods holds at an aware moment."""
        local = moment.astimezone(zone)
        return any(period.holds(local) for period in self.periods)


class SchedulesEditor(Protocol):
    """Raises `NotThere`, `AlreadyThere`, `StillNeeded` of `callwright.directory.editing`."""

    async def add_schedule(
        self, account: AccountId, name: str, periods: Sequence[SchedulePeriod]
    ) -> int: ...

    async def change_schedule(
        self,
        account: AccountId,
        schedule: int,
        name: str | None,
        periods: Sequence[SchedulePeriod] | None,
    ) -> None:
        """None: as it is."""

    async def remove_schedule(self, account: AccountId, schedule: int) -> None: ...
