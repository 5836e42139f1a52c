"""The schema: which revision the tables have, and who can work with it.

A migration may say ``runs_with``: the revision of the oldest code that can work with the tables it
leaves. So a new version can be brought in node by node: migrate first, while the old ones go on.
"""

from pathlib import Path

from callwright.storage.database_faults import DatabaseFault

MIGRATIONS = Path(__file__).parent / "migrations"


def revisions() -> list[str]:
    """The revisions this version knows, oldest first: what the files' names begin with."""
    return sorted(file.name[1:5] for file in (MIGRATIONS / "versions").glob("r[0-9]*.py"))


def check_revision(revision: str | None, oldest: str | None) -> None:
    """Raise `DatabaseFault` unless this version can work with tables of ``revision``.

    ``oldest``: the revision of the oldest code that can, if anybody has said so.
    """
    if revision is None:
        raise DatabaseFault("the database has no tables: run `callwright migrate`")
    head = revisions()[-1]
    if revision < head:
        raise DatabaseFault(
            f"the database has tables of revision {revision}, this version needs {head}: "
            "run `callwright migrate`"
        )
    if revision > head and (needed := oldest or revision) > head:
        raise DatabaseFault(
            f"the database has tables of revision {revision}, which need a version of {needed} at "
            f"least, and this one has {head}: it was made by a newer version of Callwright"
        )


def check_known(revision: str | None) -> None:
    """Raise `DatabaseFault` unless this version can migrate tables of ``revision``."""
    if revision is not None and revision not in revisions():
        raise DatabaseFault(
            f"the database has tables of revision {revision}, which this version does not know: "
            "it was made by a newer version of Callwright"
        )
