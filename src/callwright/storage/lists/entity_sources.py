"""Where in the database the things that the Data API edits have their rows."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import case, func, literal, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from callwright.directory.model import PhoneKind
from callwright.directory.scenario import START
from callwright.engines.network import Registered
from callwright.storage.lists.select import Detail, Source
from callwright.storage.tables import (
    blacklist,
    employee_groups,
    employee_phones,
    employees,
    media_files,
    scenarios,
    tags,
    virtual_numbers,
)

TAGS = Source(
    tags,
    account=tags.c.account_id,
    key=tags.c.id,
    # A literal would come back as a number from SQLite.
    columns={"id": tags.c.id, "name": tags.c.name, "is_system": tags.c.id.is_(None)},
)

BLACKLIST = Source(
    blacklist,
    account=blacklist.c.account_id,
    key=blacklist.c.id,
    columns={
        "id": blacklist.c.id,
        "phone_number": blacklist.c.number,
        "add_user_name": blacklist.c.added_by,
        "add_comment": blacklist.c.comment,
        "add_date_time": blacklist.c.added_at,
    },
)


def media_files_source(link: Callable[[int], str]) -> Source:
    """``link``: to a media file, by its id."""

    async def links(connection: AsyncConnection, files: Sequence[int]) -> Mapping[int, object]:
        return {file: link(file) for file in files}

    is_system = media_files.c.account_id.is_(None)
    return Source(
        media_files,
        account=media_files.c.account_id,
        key=media_files.c.id,
        columns={
            "id": media_files.c.id,
            "name": media_files.c.name,
            "duration": media_files.c.duration,
            "size": media_files.c.size,
            "type": case((is_system, "system"), else_="user"),
            "normalization": media_files.c.id.is_not(None),
        },
        details={"play_link": links},
        shared=is_system,
    )


async def _phones(
    connection: AsyncConnection, people: Sequence[int]
) -> tuple[Mapping[int, list[object]], Mapping[int, object]]:
    """The phones of each of some employees, and the extension, which is none of them."""
    phones: defaultdict[int, list[object]] = defaultdict(list)
    extensions: dict[int, object] = dict.fromkeys(people)
    rows = await connection.execute(
        select(employee_phones)
        .where(employee_phones.c.employee_id.in_(people))
        .order_by(employee_phones.c.employee_id, employee_phones.c.priority, employee_phones.c.id)
    )
    for phone in rows:
        owner = phone.employee_id
        if phone.kind == PhoneKind.EXTENSION and extensions[owner] is None:
            extensions[owner] = {
                "extension_phone_number": phone.number,
                "extension_voice_mail_enabled": False,
                "extension_queue_enabled": False,
            }
            continue
        phones[owner].append(
            {
                "phone_id": phone.id,
                "phone_number": phone.number,
                "channels_count": 1,
                "dial_time": _whole(phone.dial_time),
                "status": "active" if phone.active else "inactive",
            }
        )
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
        found[employee] = {
            "coach_id": coach_id,
            "coach_full_name": full_name,
            "coach_always_enabled": False,
        }
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
            found[member].append({"group_id": group, "group_name": name})
    return found


async def _both_directions(
    connection: AsyncConnection, people: Sequence[int]
) -> Mapping[int, object]:
    return {employee: ["in", "out"] for employee in people}


async def _both_call_types(
    connection: AsyncConnection, people: Sequence[int]
) -> Mapping[int, object]:
    return {employee: ["internal", "external"] for employee in people}


_COMPOSED = func.coalesce(
    employees.c.last_name
    + func.coalesce(literal(" ") + employees.c.first_name, "")
    + func.coalesce(literal(" ") + employees.c.patronymic, ""),
    "",
)
# Parts of a name that somebody has changed since, who knows of the whole only, are none of it.
_HOLDS = employees.c.full_name == _COMPOSED

EMPLOYEES = Source(
    employees,
    account=employees.c.account_id,
    key=employees.c.id,
    columns={
        "id": employees.c.id,
        "last_name": case((_HOLDS, employees.c.last_name)),
        "first_name": case((_HOLDS, employees.c.first_name)),
        "patronymic": case((_HOLDS, employees.c.patronymic)),
        "full_name": employees.c.full_name,
        "status": case((employees.c.active == true(), "available"), else_="not_at_work"),
        "calls_available": employees.c.active,
        "email": employees.c.email,
        "call_recording": employees.c.call_recording,
    },
    details={
        "coach": _coaches,
        "groups": _groups,
        "phone_numbers": _phone_numbers,
        "extension": _extensions,
        "allowed_in_call_types": _both_call_types,
        "allowed_out_call_types": _both_call_types,
        "in_external_allowed_call_directions": _both_directions,
        "in_internal_allowed_call_directions": _both_directions,
        "out_external_allowed_call_directions": _both_directions,
        "out_internal_allowed_call_directions": _both_directions,
    },
)


def sip_lines_source(
    registered: Callable[[str], Sequence[Registered]], now: Callable[[], datetime]
) -> Source:
    """``registered``: from where the phone of a number has registered. ``now``: UTC, aware."""

    async def numbers(connection: AsyncConnection, lines: Sequence[int]) -> Mapping[int, str]:
        query = select(employee_phones.c.id, employee_phones.c.number)
        rows = await connection.execute(query.where(employee_phones.c.id.in_(lines)))
        return {row.id: row.number for row in rows}

    async def states(connection: AsyncConnection, lines: Sequence[int]) -> Mapping[int, object]:
        return {
            line: "Зарегистрирован" if registered(number) else "Не зарегистрирован"
            for line, number in (await numbers(connection, lines)).items()
        }

    async def places(connection: AsyncConnection, lines: Sequence[int]) -> Mapping[int, object]:
        return {
            line: [
                {"date_time": now() - timedelta(seconds=place.ago), "ip": place.address}
                for place in registered(number)
            ]
            for line, number in (await numbers(connection, lines)).items()
        }

    async def owners(connection: AsyncConnection, lines: Sequence[int]) -> Mapping[int, object]:
        rows = await connection.execute(
            select(employee_phones.c.id, employees.c.full_name)
            .join_from(employee_phones, employees, employee_phones.c.employee_id == employees.c.id)
            .where(employee_phones.c.id.in_(lines))
        )
        return {row.id: row.full_name for row in rows}

    return Source(
        employee_phones,
        account=employee_phones.c.account_id,
        key=employee_phones.c.id,
        columns={
            "id": employee_phones.c.id,
            "phone_number": employee_phones.c.number,
            "employee_id": employee_phones.c.employee_id,
            "type": literal("in_out"),
            "channels_count": literal(1),
            "dial_time": employee_phones.c.dial_time,
            "status": case((employee_phones.c.active == true(), "active"), else_="inactive"),
            "billing_state": case(
                (employee_phones.c.active == true(), "active"), else_="manual_lock"
            ),
            "srtp": employee_phones.c.srtp,
        },
        details={
            "physical_state": states,
            "ip_addresses": places,
            "employee_full_name": owners,
        },
        condition=employee_phones.c.password.is_not(None),
    )


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


def _branches(of: Callable[[Mapping[str, object]], object]) -> Detail:
    async def bring(connection: AsyncConnection, asked: Sequence[int]) -> Mapping[int, object]:
        query = select(scenarios.c.id, scenarios.c.branches).where(scenarios.c.id.in_(asked))
        return {row.id: of(row.branches) for row in await connection.execute(query)}

    return bring


SCENARIOS = Source(
    scenarios,
    account=scenarios.c.account_id,
    key=scenarios.c.id,
    columns={"id": scenarios.c.id, "name": scenarios.c.name},
    details={
        "virtual_phone_numbers": _numbers_of_scenarios,
        "operations": _branches(lambda lists: lists[START]),
        "branches": _branches(
            lambda lists: {label: one for label, one in lists.items() if label != START}
        ),
    },
)


def _whole(seconds: float) -> int | float:
    """Seconds as clients send them: without a fraction that is none."""
    return int(seconds) if seconds.is_integer() else seconds
