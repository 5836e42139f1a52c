"""A database of its own for every test, made by the migrations: once, and copied."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.storage.database import migrate, open_database, open_twin, writing
from callwright.storage.tables import accounts


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def database_path(tmp_path: Path) -> Path:
    return tmp_path / "callwright.db"


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with the accounts 1 and 2; its file is whole, as nobody has it open."""
    file = tmp_path_factory.mktemp("migrated") / "callwright.db"
    asyncio.run(_make(file))
    return file


async def _make(file: Path) -> None:
    database = open_database(f"sqlite+aiosqlite:///{file}")
    await migrate(database)
    async with writing(database) as connection:
        for account, name in ((1, "Horns and Hooves"), (2, "Somebody else")):
            await connection.execute(insert(accounts).values(id=account, name=name, active=True))
    await database.dispose()


@pytest.fixture
async def database(migrated: Path, database_path: Path) -> AsyncIterator[AsyncEngine]:
    """A copy of `migrated`, open."""
    shutil.copyfile(migrated, database_path)
    database = open_database(f"sqlite+aiosqlite:///{database_path}")
    yield database
    await database.dispose()


@pytest.fixture
def twin(database: AsyncEngine) -> Iterator[Engine]:
    """An engine for the same file that works in the thread it is called from."""
    with open_twin(database) as twin:
        assert twin
        yield twin


@contextmanager
def failing_commits(database: AsyncEngine) -> Iterator[None]:
    """In the block no transaction can be committed: the disk is full."""

    def refuse(_connection: object) -> None:
        raise OperationalError("COMMIT", None, sqlite3.OperationalError("disk is full"))

    event.listen(database.sync_engine, "commit", refuse)
    try:
        yield
    finally:
        event.remove(database.sync_engine, "commit", refuse)
