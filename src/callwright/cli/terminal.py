"""The terminal: what all commands share, from finding the settings to printing a table."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.config import Settings, read_settings
from callwright.provisioning.administration import NewToken
from callwright.storage.database import check_schema, close_database, open_database

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


def open_settings(config: Path | None) -> Settings:
    return read_settings(find_settings(config))


def in_database(
    settings: Settings, work: Callable[[AsyncEngine], Awaitable[T]], *, checked: bool = True
) -> T:
    """Do ``work`` with the database open, after its shape has been checked."""

    async def run() -> T:
        database = open_database(settings.database_url)
        try:
            if checked:
                await check_schema(database)
            return await work(database)
        finally:
            await close_database(database)

    return asyncio.run(run())


def checked_entry(make: Callable[[], T]) -> T:
    """Make an entry of the directory; what is wrong with it becomes a `CommandFault`."""
    try:
        return make()
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        raise CommandFault(f"{first['loc'][0]}: {message}") from None


def show_token(token: NewToken) -> None:
    out.print(f"Token {token.id} of {token.login}; it is shown only now:")
    # Alone on its line, so that it can be cut out.
    out.print(token.text, soft_wrap=True)


def show(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    out.print(table)
