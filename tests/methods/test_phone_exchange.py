"""Whom employees' phones may call where the service's settings keep numbers outside closed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.calls.phone_transfers import MayNotCall
from callwright.directory.model import (
    Account,
    AccountId,
    Employee,
    EmployeeId,
    PhoneKind,
    VirtualNumber,
)
from callwright.engines.port import Cause
from callwright.methods.dialling import NO_TRUNK, Dialling
from callwright.methods.numbers import Numbers
from callwright.methods.phone_exchange import PhoneExchange
from callwright.storage.database import migrate, open_database, writing
from callwright.storage.directory import StoredDirectory
from callwright.storage.tables import accounts, employee_groups, employee_phones, employees

pytestmark = pytest.mark.anyio

HOUSE = Account(AccountId(1), "House")
NUMBER = VirtualNumber(5, "74993720692", "carrier")
FILES, APIS, DESK, OUTSIDE = "79260000001", "79260000002", "101", "79260000003"
BEHIND_PBX = "455"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """One employee, of whose phones the file has named two, and the data API two."""
    database = open_database(f"sqlite+aiosqlite:///{tmp_path}/callwright.db")
    await migrate(database)
    phones = (
        (FILES, "file", None),
        (BEHIND_PBX, "file", None),
        (APIS, "api", None),
        (DESK, "api", "sip:101@192.0.2.7"),
    )
    async with writing(database) as connection:
        await connection.execute(insert(accounts).values(id=1, name="House", active=True))
        row = {"id": 25, "account_id": 1, "full_name": "Anna", "active": True}
        await connection.execute(insert(employees).values(**row))
        for priority, (number, origin, contact) in enumerate(phones):
            await connection.execute(
                insert(employee_phones).values(
                    account_id=1,
                    employee_id=25,
                    number=number,
                    kind=PhoneKind.SIP.value,
                    contact=contact,
                    priority=priority,
                    dial_time=30.0,
                    active=True,
                    number_origin=origin,
                )
            )
    yield database
    await database.dispose()


def exchange_of(database: AsyncEngine, *, outside: bool) -> PhoneExchange:
    directory = StoredDirectory(database, Path("/nowhere"))
    return PhoneExchange(
        directory, Numbers(directory, Dialling(directory), dial_time=30.0), outside
    )


async def may_call(
    database: AsyncEngine, number: str, *, outside: bool, by: Employee | None = None
) -> bool:
    try:
        exchange = exchange_of(database, outside=outside)
        [target] = await exchange.targets_of(HOUSE, NUMBER, number, by)
    except MayNotCall as refusal:
        return refusal.cause is not Cause.REJECTED
    assert target.address.number == number
    return True


async def test_colleagues_are_whom_the_file_names_and_phones_of_ours(database: AsyncEngine) -> None:
    assert await may_call(database, FILES, outside=False)
    assert await may_call(database, DESK, outside=False)
    assert not await may_call(database, APIS, outside=False)
    assert not await may_call(database, OUTSIDE, outside=False)


async def test_where_it_is_open_others_may_be_called_too(database: AsyncEngine) -> None:
    assert await may_call(database, APIS, outside=True)
    assert await may_call(database, OUTSIDE, outside=True)
    assert not await may_call(database, "442071838750", outside=True)


async def test_an_employee_whom_the_file_lets_may_call_others_under_the_same_rules(
    database: AsyncEngine,
) -> None:
    anna, boris = (
        Employee(EmployeeId(number), "", (), calls_out=lets)
        for number, lets in ((25, True), (26, False))
    )
    for number in (APIS, OUTSIDE):
        assert await may_call(database, number, outside=False, by=anna)
        assert not await may_call(database, number, outside=False, by=boris)
    assert not await may_call(database, "442071838750", outside=False, by=anna)


async def test_a_group_leads_nowhere_that_its_phones_may_not_be_called(
    database: AsyncEngine,
) -> None:
    async with writing(database) as connection:
        await connection.execute(
            insert(employee_groups).values(
                account_id=1, name="sales", employees=[25], number="700", origin="api"
            )
        )

    async def rung(*, outside: bool) -> list[str]:
        exchange = exchange_of(database, outside=outside)
        found = await exchange.targets_of(HOUSE, NUMBER, "700", None, inside="2502")
        return [target.address.number for target in found]

    assert await rung(outside=False) == [FILES, BEHIND_PBX, DESK]
    assert await rung(outside=True) == [FILES, BEHIND_PBX, APIS, DESK]


@pytest.mark.parametrize(
    ("number", "shown"),
    [(DESK, "2502"), (BEHIND_PBX, "2502"), (FILES, NUMBER.number), (OUTSIDE, NUMBER.number)],
)
async def test_an_inside_number_is_shown_inside_only(
    database: AsyncEngine, number: str, shown: str
) -> None:
    exchange = exchange_of(database, outside=True)
    [target] = await exchange.targets_of(HOUSE, NUMBER, number, None, inside="2502")
    assert target.caller_id == shown


async def test_a_number_outside_goes_through_a_trunk_also_where_none_is_active(
    database: AsyncEngine,
) -> None:
    """With none named, whichever phone has registered under it would ring, of any account."""
    [target] = await exchange_of(database, outside=True).targets_of(
        HOUSE, VirtualNumber(5, "74993720692", None), OUTSIDE, None
    )
    assert target.address.trunk == NO_TRUNK
