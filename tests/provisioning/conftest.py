"""A database of its own for every test, as those of storage have it."""

from tests.storage.conftest import anyio_backend, database, database_path, database_url

__all__ = ["anyio_backend", "database", "database_path", "database_url"]
