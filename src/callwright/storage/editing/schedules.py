"""Schedules, changed by requests."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callwright.directory.editing import AlreadyThere, StillNeeded
from callwright.directory.model import AccountId
from callwright.directory.schedule import PERIODS, SchedulePeriod
from callwright.storage.editing.changing import Changing, exists, require
from callwright.storage.editing.scenarios import scenario_that_names
from callwright.storage.tables import Origin, employees, schedules

_BY_API: dict[str, object] = {"origin": Origin.API.value}


@dataclass(frozen=True, slots=True)
class StoredSchedules:
    """Answers `callwright.directory.schedule.SchedulesEditor`."""

    changing: Changing

    async def add_schedule(
        self, account: AccountId, name: str, periods: Sequence[SchedulePeriod]
    ) -> int:
        async with self.changing.change() as connection:
            await _check_name(connection, account, name, other_than=None)
            schedule = self.changing.next_id()
            await connection.execute(
                insert(schedules).values(
                    id=schedule, account_id=account, name=name, periods=_json(periods), **_BY_API
                )
            )
        return schedule

    async def change_schedule(
        self,
        account: AccountId,
        schedule: int,
        name: str | None,
        periods: Sequence[SchedulePeriod] | None,
    ) -> None:
        async with self.changing.change() as connection:
            await require(connection, schedules, account, schedule)
            values = dict(_BY_API)
            if name is not None:
                await _check_name(connection, account, name, other_than=schedule)
                values["name"] = name
            if periods is not None:
                values["periods"] = _json(periods)
            await connection.execute(
                update(schedules).where(schedules.c.id == schedule).values(values)
            )

    async def remove_schedule(self, account: AccountId, schedule: int) -> None:
        async with self.changing.change() as connection:
            await require(connection, schedules, account, schedule)
            if scenario := await scenario_that_names(connection, account, schedule=schedule):
                raise StillNeeded("id", schedule, f"scenario {scenario} goes by it")
            if await exists(
                connection, employees.c.account_id == account, employees.c.schedule == schedule
            ):
                raise StillNeeded("id", schedule, "an employee has it")
            await connection.execute(delete(schedules).where(schedules.c.id == schedule))


def _json(periods: Sequence[SchedulePeriod]) -> object:
    return PERIODS.dump_python(tuple(periods), mode="json")


async def _check_name(
    connection: AsyncConnection, account: int, name: str, *, other_than: int | None
) -> None:
    if await exists(
        connection,
        schedules.c.account_id == account,
        schedules.c.name == name,
        schedules.c.id.is_distinct_from(other_than),
    ):
        raise AlreadyThere("name", name, "a schedule has this name")
