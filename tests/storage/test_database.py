import asyncio
import re
import sqlite3
from pathlib import Path

import anyio
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.ext.asyncio import AsyncEngine

import callwright.storage.database
from callwright.storage.database import (
    DatabaseFault,
    check_schema,
    close_database,
    database_file,
    migrate,
    open_database,
    writing,
)
from callwright.storage.tables import metadata

pytestmark = pytest.mark.anyio


async def test_migrations_make_the_tables_of_the_metadata(database: AsyncEngine) -> None:
    def differences(connection: Connection) -> object:
        return compare_metadata(MigrationContext.configure(connection), metadata)

    async with database.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_migrations_make_the_very_tables_sqlalchemy_would(
    database: AsyncEngine, database_path: Path, tmp_path: Path
) -> None:
    """What alembic does not compare: CHECK, AUTOINCREMENT, WITHOUT ROWID, ON DELETE."""
    straight = create_engine(f"sqlite:///{tmp_path / 'straight.db'}")
    metadata.create_all(straight)
    straight.dispose()
    assert _schema(database_path) == _schema(tmp_path / "straight.db")


def _schema(file: Path) -> dict[str, list[str]]:
    """Every table and index with its clauses, whose order means nothing to SQLite."""
    connection = sqlite3.connect(file)
    rows = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name != 'alembic_version' "
        "AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    connection.close()
    return {name: sorted(_clauses(re.sub(r"\s+", " ", sql))) for name, sql in rows}


def _clauses(sql: str) -> list[str]:
    """What stands between the commas of a statement's outer brackets, and around these."""
    head, _, rest = sql.partition("(")
    body, _, tail = rest.rpartition(")")
    clauses, depth = [""], 0
    for character in body:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and not depth:
            clauses.append("")
        else:
            clauses[-1] += character
    return [head.strip(), tail.strip(), *(clause.strip() for clause in clauses)]


async def test_migrating_again_changes_nothing(database: AsyncEngine, database_path: Path) -> None:
    before = _schema(database_path)
    await migrate(database)
    assert _schema(database_path) == before
    await check_schema(database)


async def test_connections_are_prepared(database: AsyncEngine) -> None:
    async with database.connect() as connection:
        values = [
            (await connection.execute(text(f"PRAGMA {pragma}"))).scalar_one()
            for pragma in ("journal_mode", "busy_timeout", "foreign_keys", "synchronous")
        ]
    assert values == ["wal", 2000, 1, 2]


async def test_a_transaction_that_raises_leaves_nothing(database: AsyncEngine) -> None:
    async def change_and_fail() -> None:
        async with writing(database) as connection:
            await connection.execute(text("UPDATE directory_revision SET revision = 7"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await change_and_fail()
    async with database.connect() as connection:
        revision = await connection.execute(text("SELECT revision FROM directory_revision"))
        assert revision.scalar_one() == 0


async def test_no_database_says_to_run_init(tmp_path: Path) -> None:
    database = open_database(f"sqlite+aiosqlite:///{tmp_path / 'none.db'}")
    with pytest.raises(DatabaseFault, match=r"none\.db: run `callwright init`"):
        await check_schema(database)
    assert not (tmp_path / "none.db").exists()


async def test_no_tables_says_to_migrate(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    database = open_database(f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(DatabaseFault, match="no tables: run `callwright migrate`"):
        await check_schema(database)
    await close_database(database)


async def test_another_revision_says_to_migrate(database: AsyncEngine) -> None:
    async with writing(database) as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseFault, match="of revision 9999, this version needs .* migrate"):
        await check_schema(database)
    with pytest.raises(DatabaseFault, match="made by a newer version"):
        await migrate(database)


async def test_a_file_that_is_no_database_is_said_to_be_damaged(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear database, " * 100)
    database = open_database(f"sqlite+aiosqlite:///{tmp_path / 'letter.db'}")
    with pytest.raises(DatabaseFault, match="its file is damaged, or is not a database"):
        await check_schema(database)
    await close_database(database)


@pytest.mark.parametrize("url", ["nonsense", "nosuch://x"])
async def test_a_url_that_cannot_be_used_is_a_fault(url: str) -> None:
    with pytest.raises(DatabaseFault, match="the database URL cannot be used"):
        open_database(url)


def test_the_file_of_a_url() -> None:
    assert database_file("sqlite+aiosqlite:////var/lib/c.db") == Path("/var/lib/c.db")
    assert database_file("sqlite+aiosqlite://") is None
    assert database_file("postgresql+asyncpg://host/name") is None


def test_revisions_are_the_ones_alembic_finds_in_their_order() -> None:
    """The service reads them off the names of the files, without alembic."""
    folder = Path(callwright.storage.database.__file__).parent / "migrations"
    found = [script.revision for script in ScriptDirectory(str(folder)).walk_revisions()]
    assert callwright.storage.database._revisions() == found[::-1]


async def test_closing_leaves_no_task_behind_whatever_was_cut_off(database_path: Path) -> None:
    """One that is left would keep the program from ending."""
    database = open_database(f"sqlite+aiosqlite:///{database_path}")
    loop, before = asyncio.get_running_loop(), asyncio.all_tasks()
    for step in range(40):
        with anyio.CancelScope() as scope:
            loop.call_later(step * 0.0001, scope.cancel)
            async with database.connect() as connection:
                await connection.execute(text("SELECT 1"))
    await close_database(database)
    assert asyncio.all_tasks() <= before
