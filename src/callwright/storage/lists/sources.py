"""Sources: where in the database the lists of the Data API have their rows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callwright.storage.lists.select import Source
from callwright.storage.tables import accounts, scenarios, virtual_numbers

ACCOUNTS = Source(
    accounts,
    account=accounts.c.id,
    key=accounts.c.id,
    columns={
        "app_id": accounts.c.id,
        "name": accounts.c.name,
        "timezone": accounts.c.timezone,
    },
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
        found[number].append({"scenario_id": scenario, "scenario_name": name})
    return found


VIRTUAL_NUMBERS = Source(
    virtual_numbers,
    account=virtual_numbers.c.account_id,
    key=virtual_numbers.c.id,
    columns={
        "id": virtual_numbers.c.id,
        "virtual_phone_number": virtual_numbers.c.number,
        "name": virtual_numbers.c.name,
        "comment": virtual_numbers.c.comment,
        "status": literal("active"),
        "category": literal("usual"),
        "type": literal("va"),
    },
    details={"scenarios": _scenarios_of_numbers},
)
