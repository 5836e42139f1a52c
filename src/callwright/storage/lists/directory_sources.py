"""Directory sources: where lists of what an account owns have their rows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import and_, case, func, literal, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from callwright.directory.employee_status import EmployeeStatus, StatusHistory
from callwright.directory.group import ringing_order
from callwright.directory.model import PhoneKind
from callwright.storage.employee_statuses import CALLS_AVAILABLE, SHOWN
from callwright.storage.lists.phones_of_groups import phones_of_members
from callwright.storage.lists.source import Source
from callwright.storage.tables import (
    accounts,
    blacklist,
    employee_groups,
    employee_phones,
    employee_status_changes,
    employee_statuses,
    employees,
    media_files,
    scenarios,
    schedules,
    tags,
    virtual_numbers,
    webhook_log,
    webhooks,
)


async def _scenarios_of_numbers(
    connection: AsyncConnection, numbers: Sequence[int]
) -> Mapping[int, object]:
    query = (
        select(virtual_numbers.c.id, scenarios.c.id, scenarios.c.name)
        .join_from(virtual_numbers, scenarios, virtual_numbers.c.scenario == scenarios.c.id)
        .where(virtual_numbers.c.id.in_(numbers))
    )
    found: defaultdict[int, list[object]] = defaultdict(list)
    for number, scenario, name in await connection.execute(query):
        found[number].append({"id": scenario, "name": name})
    return found


async def _numbers_of_scenarios(
    connection: AsyncConnection, asked: Sequence[int]
) -> Mapping[int, object]:
    found: defaultdict[int, list[object]] = defaultdict(list)
    query = select(virtual_numbers.c.scenario, virtual_numbers.c.number)
    rows = await connection.execute(
        query.where(virtual_numbers.c.scenario.in_(asked)).order_by(virtual_numbers.c.number)
    )
    for scenario, number in rows:
        found[scenario].append(number)
    return found


async def _phones(
    connection: AsyncConnection, people: Sequence[int]
) -> tuple[Mapping[int, list[object]], Mapping[int, object]]:
    """The phones of each of some employees, and the extension, which is none of them."""
    phones: defaultdict[int, list[object]] = defaultdict(list)
    extensions: dict[int, object] = dict.fromkeys(people)
    known = employee_phones.c
    # Not their passwords: they are shown nowhere.
    rows = await connection.execute(
        select(
            known.employee_id,
            known.id,
            known.number,
            known.kind,
            known.dial_time,
            known.active,
            known.channels,
        )
        .where(known.employee_id.in_(people))
        .order_by(known.employee_id, known.priority, known.id)
    )
    for phone in rows:
        owner = phone.employee_id
        if phone.kind == PhoneKind.EXTENSION and extensions[owner] is None:
            extensions[owner] = phone._mapping
        else:
            phones[owner].append(phone._mapping)
    return phones, extensions


async def _phone_numbers(
    connection: AsyncConnection, people: Sequence[int]
) -> Mapping[int, object]:
    return (await _phones(connection, people))[0]


async def _extensions(connection: AsyncConnection, people: Sequence[int]) -> Mapping[int, object]:
    return (await _phones(connection, people))[1]


async def _coaches(connection: AsyncConnection, people: Sequence[int]) -> Mapping[int, object]:
    found: dict[int, object] = dict.fromkeys(people)
    coach = employees.alias()
    rows = await connection.execute(
        select(employees.c.id, employees.c.coach, coach.c.full_name)
        .join_from(employees, coach, employees.c.coach == coach.c.id, isouter=True)
        .where(employees.c.id.in_(people), employees.c.coach.is_not(None))
    )
    for employee, coach_id, full_name in rows:
        found[employee] = {"id": coach_id, "full_name": full_name}
    return found


async def _groups(connection: AsyncConnection, people: Sequence[int]) -> Mapping[int, object]:
    asked = set(people)
    found: defaultdict[int, list[object]] = defaultdict(list)
    # An account has few groups, and they hold their members in one column.
    accounts = select(employees.c.account_id).where(employees.c.id.in_(people))
    rows = await connection.execute(
        select(employee_groups.c.id, employee_groups.c.name, employee_groups.c.employees)
        .where(employee_groups.c.account_id.in_(accounts))
        .order_by(employee_groups.c.id)
    )
    for group, name, members in rows:
        for member in asked.intersection(members):
            found[member].append({"id": group, "name": name})
    return found


async def _status_histories(
    connection: AsyncConnection, people: Sequence[int]
) -> Mapping[int, object]:
    """Each employee's status, and its changes so far as they are kept, in order."""
    known = employee_status_changes.c
    now = await connection.execute(
        select(employees.c.id, SHOWN.label("shown")).where(employees.c.id.in_(people))
    )
    found = {row.id: StatusHistory(EmployeeStatus(row.shown), []) for row in now}
    rows = await connection.execute(
        select(known.employee_id, known.at, known.before)
        .where(known.employee_id.in_(people))
        .order_by(known.employee_id, known.at, known.id)
    )
    for row in rows:
        before = None if row.before is None else EmployeeStatus(row.before)
        found[row.employee_id].changes.append((row.at, before))
    return found


async def _members(connection: AsyncConnection, groups: Sequence[int]) -> Mapping[int, object]:
    """Who is in each of some groups, in order."""
    members = await _employees_of(connection, groups)
    query = select(employees.c.id, employees.c.full_name).where(
        employees.c.id.in_({one for each in members.values() for one in each})
    )
    known = {row.id: row._mapping for row in await connection.execute(query)}
    return {group: [known[one] for one in each if one in known] for group, each in members.items()}


async def _phones_of_groups(
    connection: AsyncConnection, groups: Sequence[int]
) -> Mapping[int, object]:
    """The phones of each of some groups, in the order they are rung."""
    query = select(
        employee_groups.c.id, employee_groups.c.employees, employee_groups.c.phone_order
    ).where(employee_groups.c.id.in_(groups))
    found: dict[int, object] = {}
    for row in (await connection.execute(query)).all():
        phones = {
            phone.number: phone for phone in await phones_of_members(connection, row.employees)
        }
        found[row.id] = [
            {**phones[number]._mapping, "available": is_rung}
            for number, is_rung in ringing_order(row.phone_order, phones)
        ]
    return found


async def _employees_of(
    connection: AsyncConnection, groups: Sequence[int]
) -> Mapping[int, Sequence[int]]:
    rows = await connection.execute(
        select(employee_groups.c.id, employee_groups.c.employees).where(
            employee_groups.c.id.in_(groups)
        )
    )
    return {row.id: row.employees for row in rows}


async def _owners(connection: AsyncConnection, phones: Sequence[int]) -> Mapping[int, object]:
    rows = await connection.execute(
        select(employee_phones.c.id, employees.c.full_name)
        .join_from(employee_phones, employees, employee_phones.c.employee_id == employees.c.id)
        .where(employee_phones.c.id.in_(phones))
    )
    return {row.id: row.full_name for row in rows}


_COMPOSED = func.coalesce(
    employees.c.last_name
    + func.coalesce(literal(" ") + employees.c.first_name, "")
    + func.coalesce(literal(" ") + employees.c.patronymic, ""),
    "",
)
# Parts of a name that somebody has changed since, who knows of the whole only, are none of it.
_HOLDS = employees.c.full_name == _COMPOSED

_NAMES = {
    "last_name": case((_HOLDS, employees.c.last_name)),
    "first_name": case((_HOLDS, employees.c.first_name)),
    "patronymic": case((_HOLDS, employees.c.patronymic)),
}

_STATUS_IDS = {status.value: status.id for status in EmployeeStatus}

_SYSTEM = media_files.c.account_id.is_(None)

DIRECTORY_SOURCES = (
    Source(accounts, account=accounts.c.id),
    Source(
        virtual_numbers,
        details={"scenarios": _scenarios_of_numbers},
        condition=virtual_numbers.c.active,
    ),
    Source(
        virtual_numbers,
        name="available_virtual_numbers",
        condition=and_(~virtual_numbers.c.active, ~virtual_numbers.c.locked),
    ),
    Source(
        employees,
        facts={
            **_NAMES,
            "status": SHOWN,
            "status_id": case(_STATUS_IDS, value=SHOWN),
            "calls_available": CALLS_AVAILABLE,
            "schedule_name": select(schedules.c.name)
            .where(schedules.c.id == employees.c.schedule)
            .scalar_subquery(),
        },
        details={
            "coach": _coaches,
            "groups": _groups,
            "phones": _phone_numbers,
            "extension": _extensions,
        },
    ),
    Source(
        employees,
        name="employee_statistics",
        facts=_NAMES,
        details={"groups": _groups, "status_history": _status_histories},
        costly=frozenset({"status_history"}),
    ),
    Source(
        # The same for every account.
        employee_statuses,
        account=literal(0),
        shared=true(),
    ),
    Source(
        employee_phones,
        details={"employee_full_name": _owners},
        # Those that register with us.
        condition=employee_phones.c.password.is_not(None),
    ),
    Source(employee_groups, details={"members": _members, "phones": _phones_of_groups}),
    Source(media_files, facts={"is_system": _SYSTEM}, shared=_SYSTEM),
    Source(scenarios, details={"numbers": _numbers_of_scenarios}),
    Source(schedules),
    Source(tags),
    Source(blacklist),
    Source(webhooks),
    Source(webhook_log),
)
