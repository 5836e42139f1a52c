"""Running the service: the commands that make it, fill it, start it and keep it in shape."""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callwright.cli.terminal import (
    SETTINGS_FILE,
    CommandFault,
    Config,
    checked_entry,
    errors,
    faults_of_database,
    find_settings,
    in_database,
    open_settings,
    out,
    show_token,
)

if TYPE_CHECKING:
    from rich.text import Text
    from sqlalchemy.ext.asyncio import AsyncEngine

    from callwright.config import Settings
    from callwright.provisioning.access import NewToken
    from callwright.provisioning.diff import Change

DIRECTORY_FILE = "directory.toml"

STARTER = Path(__file__).parents[1] / "directory" / "starter"
"Files to begin with."


def init(
    config: Config = None,
    account: Annotated[str, typer.Option(help="What the account is called.")] = "Main",
    login: Annotated[str, typer.Option(help="Login of the first user.")] = "admin",
) -> None:
    """Make the data folder, the database, an account, a user and a token, which is shown once.

    Writes a settings file and a directory file to begin with, unless they are there.
    """
    from callwright.config import Settings
    from callwright.directory.entries import AccountEntry, UserEntry

    checked_entry(lambda: UserEntry(login=login))
    checked_entry(lambda: AccountEntry(name=account))
    settings_file = config or Path(SETTINGS_FILE)
    directory_file = settings_file.parent / DIRECTORY_FILE
    if settings_file.exists():
        settings = open_settings(settings_file)
    else:
        settings = Settings(data=settings_file.parent / Settings().data)
    token = _initialise(settings, account, login)
    if settings.database is None:
        out.print(f"Made the database in {settings.data}", soft_wrap=True)
    else:
        out.print(f"Made the tables, and the folder {settings.data}", soft_wrap=True)
    show_token(token)
    for file, starter in ((settings_file, SETTINGS_FILE), (directory_file, DIRECTORY_FILE)):
        if not file.exists():
            _write_starter(file, starter, account)
            out.print(f"Wrote {file}", soft_wrap=True)
    out.print(
        f"Next: fill in {directory_file}, then `callwright apply` and `callwright serve`.",
        soft_wrap=True,
    )


def _write_starter(file: Path, starter: str, account: str) -> None:
    quoted = account.replace("\\", "\\\\").replace('"', '\\"')
    file.write_text((STARTER / starter).read_text("utf-8").replace("@NAME@", quoted), "utf-8")


def _initialise(settings: "Settings", account: str, login: str) -> "NewToken":
    from callwright.directory.media import put_in
    from callwright.provisioning import administration
    from callwright.speech.music import write_dialing_music
    from callwright.storage.database import database_file, migrate

    file = database_file(settings.database_url)
    if file and file.exists():
        raise CommandFault(f"there is a database already: {file}; nothing was changed")
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, out.status("Making the waiting music …"):
        made = Path(folder) / "dialing_music.wav"
        write_dialing_music(made)
        music = put_in(made, settings.data / "media")
    if file:
        # Before SQLite makes it, so that it is never another's to read.
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))

    async def work(database: "AsyncEngine") -> "NewToken":
        await migrate(database)
        return await administration.initialise(database, account=account, login=login, music=music)

    try:
        return in_database(settings, work, checked=False)
    except BaseException:
        if file:
            for ending in ("", "-wal", "-shm"):
                file.with_name(file.name + ending).unlink(missing_ok=True)
        raise


def apply_file(
    file: Annotated[
        Path | None,
        typer.Argument(
            help=f"Directory file. (default: {DIRECTORY_FILE} beside the settings file)",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check and show everything, change nothing.")
    ] = False,
    config: Config = None,
) -> None:
    """Check a directory file, show what changes, and put it in force, in a running service too."""
    from callwright.provisioning.apply import apply_directory
    from callwright.provisioning.diff import ChangeKind
    from callwright.provisioning.file import DirectoryFaults, read_directory_file
    from callwright.provisioning.media import take_in_all

    settings = open_settings(config)
    path = file or (find_settings(config) or Path(SETTINGS_FILE)).parent / DIRECTORY_FILE

    async def work(database: "AsyncEngine") -> "list[Change]":
        # After the database is known to be there; nothing else runs on this loop.
        stored = take_in_all(
            wanted,
            settings.data / "media",
            at_most=settings.media.file_length_at_most,
            keep=not dry_run,
        )
        return await apply_directory(database, wanted, stored, dry_run=dry_run)

    try:
        wanted = read_directory_file(path)
        with out.status("Checking and normalising …"):
            changes = in_database(settings, work)
    except DirectoryFaults as faults:
        for fault in faults.faults:
            errors.print(str(fault), soft_wrap=True)
        raise CommandFault("nothing was changed") from faults
    for change in changes:
        out.print(_told(change), soft_wrap=True)
    counts = [
        f"{sum(change.kind is kind for change in changes)} {kind.value}"
        for kind in ChangeKind
        if any(change.kind is kind for change in changes)
    ]
    if not changes:
        out.print("Nothing to do: everything is as the file says.")
    elif dry_run:
        out.print(f"Would be {', '.join(counts)}. Dry run: nothing was changed.")
    else:
        out.print(f"Done: {', '.join(counts)}.")


def _told(change: "Change") -> "Text":
    from rich.text import Text

    from callwright.provisioning.diff import ChangeKind

    sign, style = {
        ChangeKind.ADDED: ("+", "green"),
        ChangeKind.CHANGED: ("~", "yellow"),
        ChangeKind.REMOVED: ("-", "red"),
    }[change.kind]
    text = Text(f"{sign} {change.what}", style=style)
    for place, field in enumerate(change.fields):
        text.append(": " if place == 0 else ", ", "default")
        text.append(f"{field.name} {field.before} → {field.after}", "default")
    return text


def migrate_database(config: Config = None) -> None:
    """Bring the database to the shape this version works with. Stop the service before."""
    from callwright.storage.database import database_file, migrate

    settings = open_settings(config)
    file = database_file(settings.database_url)
    if file and not file.exists():
        raise CommandFault(f"there is no database at {file}: run `callwright init`")
    in_database(settings, migrate, checked=False)
    out.print("The database has the shape this version works with.")


def serve(config: Config = None) -> None:
    """Run the service until SIGTERM or Ctrl-C; live calls are then given time to end."""
    from callwright import app
    from callwright.config import StartFault

    settings_file = find_settings(config) or Path(SETTINGS_FILE)
    secrets = [settings_file, settings_file.parent / DIRECTORY_FILE]
    try:
        with faults_of_database():
            app.serve(open_settings(config), secrets)
    except StartFault as fault:
        raise CommandFault(str(fault)) from fault
