"""A database of its own for every test, made by the migrations: once, and copied."""

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
from tests.databases import StoredIn


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def database_path(tmp_path: Path) -> Path:
    return tmp_path / "callwright.db"


async def fill(url: str) -> None:
    """Make an empty database with the accounts 1 and 2."""
    database = open_database(url)
    await migrate(database)
    async with writing(database) as connection:
        for account, name in ((1, "Horns and Hooves"), (2, "Somebody else")):
            await connection.execute(insert(accounts).values(id=account, name=name, active=True))
    # Whole, as nobody has it open.
    await database.dispose()


@pytest.fixture
def database_url(
    stored_in: StoredIn, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A database of the test's own, with the accounts 1 and 2."""
    migrated = tmp_path_factory.getbasetemp() / "migrated"
    with stored_in.copy(migrated, fill, tmp_path) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[AsyncEngine]:
    """The database of the test's own, open."""
    database = open_database(database_url)
    yield database
    await database.dispose()


@pytest.fixture
def twin(database: AsyncEngine) -> Iterator[Engine]:
    """An engine for the same database that works in the thread it is called from."""
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
