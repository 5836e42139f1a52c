import asyncio
import itertools
import re
import sqlite3
from collections.abc import Coroutine, Generator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.schema import SchemaItem

from callwright.storage.database import (
    DatabaseFault,
    check_schema,
    close_database,
    database_file,
    migrate,
    open_database,
    writing,
)
from callwright.storage.schema import MIGRATIONS, revisions
from callwright.storage.schema_changes import oldest_code
from callwright.storage.tables import accounts, compatible_code, metadata

pytestmark = pytest.mark.anyio


class Opened:
    """The SQLite connections that are open: Python 3.13 warns of one that nobody closes."""

    def __init__(self) -> None:
        self.ever = 0
        self.now: set[int] = set()

    def watch(self, patch: pytest.MonkeyPatch) -> None:
        opened, connect = self, sqlite3.connect

        class Watched(sqlite3.Connection):
            def close(self) -> None:
                super().close()
                opened.now.discard(id(self))

        def watched(*words: Any, **options: Any) -> sqlite3.Connection:
            connection = connect(*words, factory=Watched, **options)
            opened.ever += 1
            opened.now.add(id(connection))
            return connection

        patch.setattr(sqlite3, "connect", watched)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Opened:
    opened = Opened()
    opened.watch(monkeypatch)
    return opened


async def test_migrations_make_the_tables_of_the_metadata(database: AsyncEngine) -> None:
    def differences(connection: Connection) -> object:
        context = MigrationContext.configure(connection, opts={"include_object": is_meant})
        return compare_metadata(context, metadata)

    def is_meant(meant: SchemaItem, *_: object) -> bool:
        """Whether it is for this database; some indexes are for SQLite alone."""
        return bool(meant.info.get("dialect", database.dialect.name) == database.dialect.name)

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


@pytest.mark.sqlite
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


async def test_an_older_revision_says_to_migrate(database: AsyncEngine) -> None:
    async with writing(database) as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '0020'"))
    with pytest.raises(DatabaseFault, match="of revision 0020, this version needs .* migrate"):
        await check_schema(database)


async def test_a_newer_revision_is_worked_with_where_it_says_so(database: AsyncEngine) -> None:
    """So the nodes of a service may be brought up to date one after another."""
    head = revisions()[-1]
    for oldest, is_fit in ((head, True), ("9998", False), ("0001", True)):
        async with writing(database) as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
            await connection.execute(update(compatible_code).values(oldest=oldest))
        if is_fit:
            await check_schema(database)
        else:
            with pytest.raises(DatabaseFault, match=r"need a version of 9998 .* newer version"):
                await check_schema(database)
        with pytest.raises(DatabaseFault, match="made by a newer version"):
            await migrate(database)


async def test_a_newer_revision_that_says_nothing_is_refused(database: AsyncEngine) -> None:
    async with writing(database) as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        await connection.execute(text("DROP TABLE compatible_code"))
    with pytest.raises(DatabaseFault, match="made by a newer version"):
        await check_schema(database)


async def test_migrating_says_which_code_can_work_with_the_tables(database: AsyncEngine) -> None:
    async with database.connect() as connection:
        said = await connection.scalar(select(compatible_code.c.oldest))
    assert said == oldest_code() <= revisions()[-1]


async def test_a_file_that_is_no_database_is_said_to_be_damaged(
    tmp_path: Path, opened: Opened
) -> None:
    (tmp_path / "letter.db").write_text("Dear database, " * 100)
    database = open_database(f"sqlite+aiosqlite:///{tmp_path / 'letter.db'}")
    with pytest.raises(DatabaseFault, match="its file is damaged, or is not a database"):
        await check_schema(database)
    assert opened.ever > 0
    assert not opened.now
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
    folder = MIGRATIONS
    found = [script.revision for script in ScriptDirectory(str(folder)).walk_revisions()]
    assert revisions() == found[::-1]


class Cut:
    """Work whose task is cancelled when it waits for the ``at``-th time, or is about to go on."""

    def __init__(self, work: Coroutine[Any, Any, object], at: int, *, answered: bool) -> None:
        self.work, self.at, self.answered = work, at, answered
        self.waits = 0

    def __await__(self) -> Generator[Any, Any, object]:
        resume, with_what = self.work.send, None
        while True:
            try:
                waited = resume(with_what)
            except StopIteration as end:
                return end.value
            self.waits += 1
            if self.waits == self.at:
                self._cut(waited)
            try:
                resume, with_what = self.work.send, (yield waited)
            except BaseException as thrown:
                resume, with_what = self.work.throw, thrown

    def _cut(self, waited: "asyncio.Future[Any] | None") -> None:
        task = asyncio.current_task()
        assert task
        if waited and self.answered:
            # Before the task hears of it: what it has waited for is lost on it.
            waited.add_done_callback(lambda _: task.cancel())
        else:
            task.cancel()


@pytest.mark.parametrize("answered", [False, True])
async def test_closing_leaves_nothing_behind_whatever_was_cut_off(
    database_path: Path, opened: Opened, answered: bool
) -> None:
    """A task that is left would keep the program from ending, a connection the file from it."""

    async def cut_off(at: int) -> bool:
        database = open_database(f"sqlite+aiosqlite:///{database_path}")

        async def look() -> None:
            async with database.connect() as connection:
                await connection.execute(text("SELECT 1"))

        cut = Cut(look(), at, answered=answered)
        await asyncio.wait([asyncio.ensure_future(cut)])
        await close_database(database)
        return cut.waits >= at

    before = asyncio.all_tasks()
    for at in itertools.count(1):
        again = await cut_off(at)
        assert not opened.now, f"cut off at wait {at}"
        assert asyncio.all_tasks() <= before, f"cut off at wait {at}"
        if not again:
            break
    assert opened.ever == at > 10


@pytest.mark.parametrize("answered", [False, True])
async def test_a_transaction_that_is_cut_off_keeps_no_lock(
    database: AsyncEngine, database_path: Path, answered: bool
) -> None:
    """Not even while its exception is held, and with that what it was about to read."""

    async def write() -> None:
        async with writing(database) as connection:
            await connection.execute(insert(accounts).values(id=3, name="Third", active=True))
            await connection.execute(select(accounts))

    held = []
    for at in itertools.count(1):
        cut = Cut(write(), at, answered=answered)
        held.append(asyncio.ensure_future(cut))
        await asyncio.wait(held[-1:])
        if cut.waits < at:
            break
        with closing(sqlite3.connect(database_path, isolation_level=None, timeout=0.5)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("DELETE FROM accounts WHERE id = 3")
            other.execute("COMMIT")
    assert at > 10
