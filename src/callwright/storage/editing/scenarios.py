"""Scenarios, changed by requests, and what scenarios name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callwright.directory.editing import (
    AlreadyThere,
    NotThere,
    ScenarioChange,
    StillNeeded,
    Unfit,
)
from callwright.directory.entries import ScenarioEntry
from callwright.directory.model import AccountId, Mnemonic
from callwright.directory.scenario import BRANCHES, START, ScenarioId
from callwright.directory.scenario_checks import Named, contradictions_of, media_named_by, needs
from callwright.storage.editing.changing import Changing, exists, require
from callwright.storage.tables import (
    Origin,
    employee_groups,
    employees,
    media_files,
    scenarios,
    schedules,
    talk_options,
    virtual_numbers,
)
from callwright.toml_lines import Place


@dataclass(frozen=True, slots=True)
class StoredScenarios:
    """Answers `callwright.directory.editing.ScenariosEditor`."""

    changing: Changing

    async def add_scenario(
        self,
        account: AccountId,
        make: Callable[[int], ScenarioEntry],
        numbers: Sequence[str] | None,
    ) -> ScenarioId:
        async with self.changing.change() as connection:
            entry = make(self.changing.next_id())
            await _check(connection, account, entry)
            await connection.execute(
                insert(scenarios).values(id=entry.id, account_id=account, **_columns(entry))
            )
            if numbers is not None:
                await _run_by(connection, account, entry.id, numbers)
        return ScenarioId(entry.id)

    async def change_scenario(
        self,
        account: AccountId,
        scenario: ScenarioId,
        change: ScenarioChange,
        numbers: Sequence[str] | None,
    ) -> None:
        async with self.changing.change() as connection:
            await require(connection, scenarios, account, scenario)
            query = select(scenarios.c.name, scenarios.c.branches)
            row = (await connection.execute(query.where(scenarios.c.id == scenario))).one()
            lists = dict(BRANCHES.validate_python(row.branches))
            before = ScenarioEntry(
                id=scenario,
                name=row.name,
                operations=tuple(lists.pop(START)),
                branches={label: tuple(operations) for label, operations in lists.items()},
            )
            entry = change(before)
            if entry != before:
                await _check(connection, account, entry)
                await connection.execute(
                    update(scenarios).where(scenarios.c.id == scenario).values(_columns(entry))
                )
            if numbers is not None:
                await _run_by(connection, account, scenario, numbers)

    async def remove_scenario(self, account: AccountId, scenario: ScenarioId) -> None:
        async with self.changing.change() as connection:
            await require(connection, scenarios, account, scenario)
            if await exists(
                connection,
                virtual_numbers.c.account_id == account,
                virtual_numbers.c.scenario == scenario,
            ):
                raise StillNeeded("id", scenario, "a virtual number runs it")
            if await exists(
                connection,
                talk_options.c.account_id == account,
                talk_options.c.mnemonic == Mnemonic.RUN_SCENARIO.value,
                talk_options.c.value == str(scenario),
            ):
                raise StillNeeded("id", scenario, "a talk option runs it")
            await connection.execute(delete(scenarios).where(scenarios.c.id == scenario))


async def scenario_that_names(
    connection: AsyncConnection,
    account: int,
    *,
    employee: int | None = None,
    media: int | None = None,
    group: str | None = None,
    schedule: int | None = None,
) -> int | None:
    """A scenario of the account's that cannot do without what is named here, if any."""
    query = select(scenarios.c.id, scenarios.c.branches).where(scenarios.c.account_id == account)
    for row in await connection.execute(query.order_by(scenarios.c.id)):
        named = needs(BRANCHES.validate_python(row.branches).values())
        if (
            employee in named.employees
            or media in named.media
            or group in named.groups
            or schedule in named.schedules
        ):
            return int(row.id)
    return None


async def rename_group(connection: AsyncConnection, account: int, old: str, new: str) -> None:
    """Let the account's scenarios that ring a group know it by another name."""
    query = select(scenarios.c.id, scenarios.c.branches).where(scenarios.c.account_id == account)
    for row in (await connection.execute(query)).all():
        branches = {
            label: [
                {**operation, "group": new} if operation.get("group") == old else operation
                for operation in operations
            ]
            for label, operations in row.branches.items()
        }
        if branches != row.branches:
            await connection.execute(
                update(scenarios)
                .where(scenarios.c.id == row.id)
                .values(branches=branches, origin=Origin.API.value)
            )


async def _check(connection: AsyncConnection, account: int, entry: ScenarioEntry) -> None:
    """Raise `AlreadyThere` for the name, `Unfit` for the first thing that is wrong."""
    if await exists(
        connection,
        scenarios.c.account_id == account,
        scenarios.c.name == entry.name,
        scenarios.c.id != entry.id,
    ):
        raise AlreadyThere("name", entry.name, "a scenario has this name")
    people = await connection.scalars(
        select(employees.c.id).where(employees.c.account_id == account)
    )
    groups = await connection.scalars(
        select(employee_groups.c.name).where(employee_groups.c.account_id == account)
    )
    times = await connection.scalars(
        select(schedules.c.id).where(schedules.c.account_id == account)
    )
    there = Named(set(people), set(groups), set(times))
    for place, reason in contradictions_of(entry, there, where="in this account"):
        raise Unfit(_dotted(place), None, reason)
    own_or_system = or_(media_files.c.account_id == account, media_files.c.account_id.is_(None))
    known = set(await connection.scalars(select(media_files.c.id).where(own_or_system)))
    for place, media in media_named_by(entry):
        if media not in known:
            raise Unfit(_dotted(place), media, f"there is no media file {media}")


def _dotted(place: Place) -> str:
    return ".".join(map(str, place))


def _columns(entry: ScenarioEntry) -> dict[str, object]:
    return {
        "name": entry.name,
        "branches": BRANCHES.dump_python({START: entry.operations, **entry.branches}, mode="json"),
        "origin": Origin.API.value,
    }


async def _run_by(
    connection: AsyncConnection, account: int, scenario: int, numbers: Sequence[str]
) -> None:
    """Let these numbers of the account's run the scenario, and no others."""
    own = virtual_numbers.c.account_id == account
    known = set(await connection.scalars(select(virtual_numbers.c.number).where(own)))
    for at, number in enumerate(numbers):
        if number not in known:
            place = f"virtual_phone_numbers.{at}"
            raise NotThere(place, number, "it is no virtual number of the account's")
    named = virtual_numbers.c.number.in_(numbers)
    runs = virtual_numbers.c.scenario == scenario
    by_api = {"scenario_origin": Origin.API.value}
    await connection.execute(
        update(virtual_numbers).where(own, runs, ~named).values(scenario=None, **by_api)
    )
    await connection.execute(
        update(virtual_numbers)
        .where(own, named, virtual_numbers.c.scenario.is_distinct_from(scenario))
        .values(scenario=scenario, **by_api)
    )
