"""What the API has made, and a directory file that says something else, or nothing, of it."""

from pathlib import Path

import pytest
from sqlalchemy import Table, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.provisioning.diff import ChangeKind
from callwright.storage.tables import (
    blacklist,
    employee_groups,
    employee_phones,
    employee_status_changes,
    employees,
    media_files,
    scenarios,
    tags,
    virtual_numbers,
    webhooks,
)
from tests.provisioning.test_apply import Applying

pytestmark = pytest.mark.anyio

TEXT = """\
[account]
name = "Horns and Hooves"

[[virtual_numbers]]
number = "74993720692"

[[employees]]
id = 25
full_name = "Anna Ivanova"
[[employees.phones]]
number = "79260000001"
kind = "e164"

[[employees]]
id = 26
full_name = "Boris"

[[groups]]
name = "sales"
employees = [25]

[[scenarios]]
id = 1
name = "Reception"
[[scenarios.operations]]
do = "ring"
employees = [25]

[[media_files]]
id = 2561
name = "greeting"
file = "greeting.wav"

[[blacklist]]
number = "79990000000"
comment = "asked not to be called"

[[tags]]
id = 7
name = "Lead"

[[webhooks]]
name = "crm"
url = "https://crm.example.com/hook"
"""

WAY_OUT = "take it out of this file, or say it as it is now"
PLAIN = {
    "kind": "sip",
    "priority": 9,
    "dial_time": 30.0,
    "active": True,
    "account_id": 1,
    "origin": "api",
    "number_origin": "api",
}


@pytest.fixture
async def apply(database: AsyncEngine, tmp_path: Path) -> Applying:
    applying = Applying(database, tmp_path / "directory.toml")
    await applying(TEXT)
    return applying


async def by_api(apply: Applying, table: Table, **values: object) -> None:
    """Change every row of a table as the API would."""
    origin = "scenario_origin" if table is virtual_numbers else "origin"
    async with apply.database.begin() as connection:
        await connection.execute(update(table).values({origin: "api", **values}))


async def made(apply: Applying, table: Table, **values: object) -> None:
    async with apply.database.begin() as connection:
        await connection.execute(insert(table).values(**values))


async def stored(apply: Applying, table: Table, column: str) -> list[object]:
    async with apply.database.connect() as connection:
        rows = await connection.scalars(select(table.c[column]).order_by(table.c.id))
        return list(rows)


@pytest.mark.parametrize(
    ("table", "values", "places"),
    [
        (
            employees,
            {"call_recording": "all"},
            ["7: employees[0]: employee 25", "14: employees[1]: employee 26"],
        ),
        (
            employee_phones,
            {"dial_time": 5.0, "active": False},
            ["10: employees[0].phones[0]: phone 79260000001"],
        ),
        (employee_groups, {"employees": [26]}, ["18: groups[0]: group sales"]),
        (scenarios, {"name": "Night"}, ["22: scenarios[0]: scenario 1"]),
        (media_files, {"name": "hello"}, ["29: media_files[0]: media file 2561"]),
        (blacklist, {"comment": "again"}, ["34: blacklist[0]: blacklisted number 79990000000"]),
        (tags, {"name": "Hot"}, ["38: tags[0]: tag 7"]),
        (webhooks, {"active": False}, ["42: webhooks[0]: webhook crm"]),
    ],
    ids=lambda one: one.name if isinstance(one, Table) else "",
)
async def test_what_the_api_has_changed_is_not_overwritten(
    apply: Applying, table: Table, values: dict[str, object], places: list[str]
) -> None:
    await by_api(apply, table, **values)
    changed = f"has been changed by the data API ({', '.join(values)})"
    assert await apply.faults(TEXT) == [f"{place} {changed}: {WAY_OUT}" for place in places]


async def test_a_file_that_says_the_same_takes_it_over(apply: Applying) -> None:
    await by_api(apply, tags, name="Hot")
    changes = await apply(TEXT.replace('"Lead"', '"Hot"'))
    assert [(change.kind, change.what) for change in changes] == [(ChangeKind.CHANGED, "tag 7")]
    assert await stored(apply, tags, "origin") == ["file"]
    await apply(TEXT)
    assert await stored(apply, tags, "name") == ["Lead"]


async def test_what_the_api_has_made_stays(apply: Applying) -> None:
    await made(apply, tags, id=1 << 32, account_id=1, name="By API", origin="api")
    await made(apply, employee_phones, employee_id=26, number="2601", **PLAIN)
    assert await apply(TEXT) == []
    assert await stored(apply, tags, "name") == ["Lead", "By API"]


async def test_a_name_the_api_has_given_is_a_fault(apply: Applying) -> None:
    await made(apply, tags, id=1 << 32, account_id=1, name="By API", origin="api")
    told = await apply.faults(TEXT.replace('"Lead"', '"By API"'))
    assert told == ["40: tags[0].name: tag 4294967296, made by the data API, has this name"]


async def test_a_scenario_that_the_api_has_set_for_a_number_stays(apply: Applying) -> None:
    await made(
        apply,
        scenarios,
        id=1 << 32,
        account_id=1,
        name="By API",
        branches={"": [{"do": "hangup"}]},
        origin="api",
    )
    await by_api(apply, virtual_numbers, scenario=1 << 32)
    assert await apply(TEXT) == []
    assert await stored(apply, virtual_numbers, "scenario") == [1 << 32]
    told = await apply.faults(TEXT.replace('692"', '692"\nscenario = 1'))
    assert told == [
        "6: virtual_numbers[0].scenario: the data API has made it run scenario 4294967296: "
        + WAY_OUT
    ]


@pytest.mark.parametrize(
    ("needs", "without", "told"),
    [
        ("phone", "employee 26", "employee 26 is missing, and phone 2601"),
        ("coach", "employee 26", "employee 26 is missing, and employee 4294967296"),
        ("group", "employee 26", "employee 26 is missing, and group night"),
        ("ring", "employee 26", "employee 26 is missing, and scenario 4294967296"),
        ("ring", "media file 2561", "media file 2561 is missing, and scenario 4294967296"),
        ("ring", "group sales", "group sales is missing, and scenario 4294967296"),
        ("number", "scenario 1", "scenario 1 is missing, and what virtual number 74993720692 runs"),
    ],
)
async def test_what_the_api_needs_may_not_go(
    apply: Applying, needs: str, without: str, told: str
) -> None:
    match needs:
        case "phone":
            await made(apply, employee_phones, employee_id=26, number="2601", **PLAIN)
        case "coach":
            await made(
                apply,
                employees,
                id=1 << 32,
                account_id=1,
                full_name="By API",
                active=True,
                coach=26,
                origin="api",
            )
        case "group":
            await made(
                apply, employee_groups, account_id=1, name="night", employees=[26], origin="api"
            )
        case "ring":
            operations = [
                {"do": "play", "message": 2561},
                {"do": "ring", "employees": [26], "group": "sales"},
            ]
            await made(
                apply,
                scenarios,
                id=1 << 32,
                account_id=1,
                name="By API",
                branches={"": operations},
                origin="api",
            )
        case "number":
            await by_api(apply, virtual_numbers, scenario=1)
    cuts = {
        "employee 26": ('[[employees]]\nid = 26\nfull_name = "Boris"\n', ""),
        "media file 2561": (
            '[[media_files]]\nid = 2561\nname = "greeting"\nfile = "greeting.wav"\n',
            "",
        ),
        "group sales": ('[[groups]]\nname = "sales"\nemployees = [25]\n', ""),
        "scenario 1": ("id = 1\n", "id = 2\n"),
    }
    text = TEXT.replace(*cuts[without])
    if without == "scenario 1":
        text = text.replace('"Reception"', '"Another"')
    assert text != TEXT
    assert await apply.faults(text) == [f"1: {told}, made by the data API, needs it"]


async def test_what_the_api_has_removed_is_added_again(apply: Applying) -> None:
    async with apply.database.begin() as connection:
        await connection.execute(tags.delete())
    assert [change.what for change in await apply(TEXT)] == ["tag 7"]


async def test_a_status_that_the_file_does_not_say_stays(apply: Applying) -> None:
    await by_api(apply, employees, status="break")
    await apply(TEXT)
    assert await stored(apply, employees, "status") == ["break", "break"]
    said = TEXT.replace('full_name = "Boris"', 'full_name = "Boris"\nstatus = "do_not_disturb"')
    await apply(said)
    assert await stored(apply, employees, "status") == ["break", "do_not_disturb"]
    changes = await stored(apply, employee_status_changes, "after")
    assert changes == ["available", "available", "do_not_disturb"]


async def test_a_status_that_the_file_says_otherwise_is_a_fault(apply: Applying) -> None:
    await by_api(apply, employees, status="break")
    said = TEXT.replace('full_name = "Boris"', 'full_name = "Boris"\nstatus = "available"')
    told = await apply.faults(said)
    assert [fault.partition("changed by the data API ")[2] for fault in told] == [
        f"(status): {WAY_OUT}"
    ]
