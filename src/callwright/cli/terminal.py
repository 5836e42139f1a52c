"""The terminal: what all commands share, from finding the settings to printing a table."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from callwright.config import Settings
    from callwright.provisioning.access import NewToken
    from callwright.storage.plain_statements import PlainTransaction

T = TypeVar("T")

SETTINGS_FILE = "callwright.toml"

out = Console(highlight=False, markup=False, emoji=False)
errors = Console(stderr=True, highlight=False, markup=False, emoji=False)

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        envvar="CALLWRIGHT_CONFIG",
        help=f"Settings file. (default: ./{SETTINGS_FILE} if it is there)",
        show_default=False,
    ),
]


class CommandFault(Exception):
    """The command cannot do what it is asked. The message says why."""


def find_settings(config: Path | None) -> Path | None:
    if config:
        return config
    here = Path(SETTINGS_FILE)
    return here if here.exists() else None


def open_settings(config: Path | None) -> "Settings":
    """Read the settings. Raises `CommandFault` with all that is wrong with them."""
    from callwright.config import SettingsFault, read_settings

    try:
        return read_settings(find_settings(config))
    except SettingsFault as fault:
        raise CommandFault(str(fault)) from fault


@contextmanager
def faults_of_database() -> Iterator[None]:
    """Make a `CommandFault` of what a database complains of, or those who work with it."""
    from sqlalchemy.exc import DBAPIError

    from callwright.provisioning.access import AdministrationFault
    from callwright.storage.database import DatabaseFault, reason

    try:
        yield
    except (AdministrationFault, DatabaseFault) as fault:
        raise CommandFault(str(fault)) from fault
    except DBAPIError as fault:
        raise CommandFault(f"the database cannot be used: {reason(fault)}") from fault


def at_database(settings: "Settings", work: "Callable[[PlainTransaction], T]") -> T:
    """Do ``work`` in one transaction, after the database's shape has been checked.

    By plain statements, without what a command takes longer to load than it needs for its work:
    SQLAlchemy and an event loop.
    """
    from callwright.provisioning.access import AdministrationFault
    from callwright.storage.database_faults import DatabaseFault
    from callwright.storage.plain_statements import in_transaction

    try:
        return in_transaction(settings.database_url, work)
    except (AdministrationFault, DatabaseFault) as fault:
        raise CommandFault(str(fault)) from fault


def in_database(
    settings: "Settings", work: "Callable[[AsyncEngine], Awaitable[T]]", *, checked: bool = True
) -> T:
    """Do ``work`` with the database open, after its shape has been checked."""
    import asyncio

    from callwright.storage.database import check_schema, close_database, open_database

    async def run() -> T:
        database = open_database(settings.database_url)
        try:
            if checked:
                await check_schema(database)
            return await work(database)
        finally:
            await close_database(database)

    with faults_of_database():
        return asyncio.run(run())


def checked_entry(make: Callable[[], T]) -> T:
    """Make an entry of the directory; what is wrong with it becomes a `CommandFault`."""
    from pydantic import ValidationError

    from callwright.provisioning.reasons import reason_of

    try:
        return make()
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        raise CommandFault(f"{first['loc'][0]}: {reason_of(first)}") from None


def show_token(token: "NewToken") -> None:
    out.print(f"Token {token.id} of {token.login}; it is shown only now:")
    # Alone on its line, so that it can be cut out.
    out.print(token.text, soft_wrap=True)


def show(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    out.print(table)
