"""Schema changes: what revision a database is said to have, and how its tables are migrated."""

from importlib import import_module

from sqlalchemy import Connection, inspect, select, text, update

from callwright.storage.schema import MIGRATIONS, check_known, check_revision, revisions
from callwright.storage.tables import compatible_code


def check_tables(connection: Connection) -> None:
    """Raise `DatabaseFault` unless this version can work with the tables as they are."""
    check_revision(_revision(connection), _oldest(connection))


def migrate_tables(connection: Connection) -> None:
    """Bring the tables to this version's shape; no-op if they have it. Raises `DatabaseFault`."""
    # Only here: a service that runs has no use for it, and it takes 11 MB.
    from alembic import command
    from alembic.config import Config

    check_known(_revision(connection))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.execute(update(compatible_code).values(oldest=oldest_code()))


def oldest_code() -> str:
    """The revision of the oldest code that can work with the tables of the newest revision."""
    return max(_runs_with(revision) for revision in revisions())


def _runs_with(revision: str) -> str:
    [file] = (MIGRATIONS / "versions").glob(f"r{revision}_*.py")
    module = import_module(f"callwright.storage.migrations.versions.{file.stem}")
    return str(getattr(module, "runs_with", revision))


def _revision(connection: Connection) -> str | None:
    # Not asked of alembic: its MigrationContext tells the log at INFO, at every start.
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(
        text("SELECT version_num FROM alembic_version")
    ).scalar()
    return revision


def _oldest(connection: Connection) -> str | None:
    """The revision of the oldest code that can work with the tables; None: nobody has said so."""
    if not inspect(connection).has_table(compatible_code.name):
        return None
    return connection.execute(select(compatible_code.c.oldest)).scalar()
