"""The statuses of employees as they are shown, and the record of their changes."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callwright.directory.employee_status import RUNG, EmployeeStatus
from callwright.storage.tables import employee_status_changes, employees

_IS_RUNG = employees.c.status.in_(sorted(RUNG))

# Whoever no method finds is not at work, unless their status says why.
SHOWN = case(
    (and_(~employees.c.active, _IS_RUNG), EmployeeStatus.NOT_AT_WORK.value),
    else_=employees.c.status,
)
"The mnemonic that clients are shown."

CALLS_AVAILABLE = and_(employees.c.active, _IS_RUNG)
"Whether an employee is rung."


async def shown_statuses(
    connection: AsyncConnection, which: ColumnElement[bool]
) -> Mapping[int, str]:
    """What is shown of some employees, by their ids."""
    rows = await connection.execute(select(employees.c.id, SHOWN.label("shown")).where(which))
    return {row.id: row.shown for row in rows}


async def record_changes(
    connection: AsyncConnection,
    account: int,
    which: ColumnElement[bool],
    before: Mapping[int, str],
    at: datetime,
) -> None:
    """Write down whose status is another now; ``before``: as it was, of those who were there."""
    after = await shown_statuses(connection, which)
    changes = [
        {
            "account_id": account,
            "employee_id": employee,
            "at": at,
            "before": before.get(employee),
            "after": status,
        }
        for employee, status in after.items()
        if status != before.get(employee)
    ]
    if changes:
        await connection.execute(insert(employee_status_changes), changes)
