"""The schema: which revision the tables have, who can work with it, and how they are migrated.

A migration may say ``runs_with``: the revision of the oldest code that can work with the tables it
leaves. So a new version can be brought in node by node: migrate first, while the old ones go on.
"""

from importlib import import_module
from pathlib import Path

from sqlalchemy import Connection, inspect, select, text, update

from callwright.storage.database_faults import DatabaseFault
from callwright.storage.tables import compatible_code

_MIGRATIONS = Path(__file__).parent / "migrations"


def revisions() -> list[str]:
    """The revisions this version knows, oldest first: what the files' names begin with."""
    return sorted(file.name[1:5] for file in (_MIGRATIONS / "versions").glob("r[0-9]*.py"))


def check_revision(connection: Connection) -> None:
    """Raise `DatabaseFault` unless this version can work with the tables as they are."""
    revision = _revision(connection)
    if revision is None:
        raise DatabaseFault("the database has no tables: run `callwright migrate`")
    head = revisions()[-1]
    if revision < head:
        raise DatabaseFault(
            f"the database has tables of revision {revision}, this version needs {head}: "
            "run `callwright migrate`"
        )
    if revision > head and (oldest := _oldest(connection) or revision) > head:
        raise DatabaseFault(
            f"the database has tables of revision {revision}, which need a version of {oldest} at "
            f"least, and this one has {head}: it was made by a newer version of Callwright"
        )


def migrate_tables(connection: Connection) -> None:
    """Bring the tables to this version's shape; no-op if they have it. Raises `DatabaseFault`."""
    # Only here: a service that runs has no use for it, and it takes 11 MB.
    from alembic import command
    from alembic.config import Config

    revision = _revision(connection)
    if revision is not None and revision not in revisions():
        raise DatabaseFault(
            f"the database has tables of revision {revision}, which this version does not know: "
            "it was made by a newer version of Callwright"
        )
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.execute(update(compatible_code).values(oldest=oldest_code()))


def oldest_code() -> str:
    """The revision of the oldest code that can work with the tables of the newest revision."""
    return max(_runs_with(revision) for revision in revisions())


def _runs_with(revision: str) -> str:
    [file] = (_MIGRATIONS / "versions").glob(f"r{revision}_*.py")
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
