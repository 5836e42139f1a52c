"""A database of its own for every test, as those of storage have it."""

import sqlite3
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from tests.storage.conftest import anyio_backend, database, database_path, database_url

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

__all__ = ["anyio_backend", "database", "database_path", "database_url", "not_careful"]


@pytest.fixture(autouse=True)
def not_careful(request: pytest.FixtureRequest) -> None:
    """Leave out what protects from a power cut: these tests write a row for every delivery."""
    if "database" not in request.fixturenames:
        return
    opened: AsyncEngine = request.getfixturevalue("database")

    if opened.dialect.name == "postgresql":
        return  # The server of the tests is not careful.

    def prepare(connection: sqlite3.Connection, *_: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous = OFF")
        cursor.close()

    event.listen(opened.sync_engine, "checkout", prepare)
