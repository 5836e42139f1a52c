"""Phones of groups: those of the members, as they are rung unless somebody says otherwise."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callwright.storage.tables import employee_phones, employees


async def phones_of_members(
    connection: AsyncConnection, members: Sequence[int]
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Member after member, each one's phones in the order they are rung."""
    phones = employee_phones.c
    query = (
        select(phones.id, phones.number, phones.employee_id, employees.c.full_name)
        .join_from(employee_phones, employees, phones.employee_id == employees.c.id)
        .where(phones.employee_id.in_(members))
        .order_by(phones.priority, phones.id)
    )
    rows = (await connection.execute(query)).all()
    place = {member: at for at, member in enumerate(members)}
    return sorted(rows, key=lambda phone: place[phone.employee_id])
