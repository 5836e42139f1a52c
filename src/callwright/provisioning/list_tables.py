"""List tables: lists of what an account owns that are kept in tables of their own."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callwright.provisioning.diff import Value


@dataclass(frozen=True, slots=True)
class ListTable:
    """Where a list that a thing has is kept: a row for each value."""

    table: Table
    owner: str
    value: str
    position: str | None = None
    "Column of the places in the list; None: the list is put in the order of its values."
    account: str | None = None
    "Column of the account, if there is one."


async def stored_lists(
    connection: AsyncConnection, owners: Table, kept: ListTable, account: int
) -> Mapping[int, list[Any]]:
    """The lists of all of an account's things, by their ids. ``owners``: the table of things."""
    owner, value = kept.table.c[kept.owner], kept.table.c[kept.value]
    query = (
        select(owner, value)
        .join_from(kept.table, owners, owner == owners.c.id)
        .where(owners.c.account_id == account)
        .order_by(owner, kept.table.c[kept.position] if kept.position else value)
    )
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for thing, held in await connection.execute(query):
        found[thing].append(held)
    return found


async def put_lists(
    connection: AsyncConnection, kept: ListTable, lists: Mapping[str | int, Value], account: int
) -> None:
    """Make the lists of some of an account's things, by their ids, what they are to be."""
    if not lists:
        return
    owner = kept.table.c[kept.owner]
    await connection.execute(
        delete(kept.table).where(owner == bindparam("thing")), [{"thing": id} for id in lists]
    )
    rows = []
    for id, values in lists.items():
        assert isinstance(values, list)
        for position, value in enumerate(values):
            row: dict[str, object] = {kept.owner: id, kept.value: value}
            if kept.position:
                row[kept.position] = position
            if kept.account:
                row[kept.account] = account
            rows.append(row)
    if rows:
        await connection.execute(insert(kept.table), rows)
