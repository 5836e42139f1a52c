"""Media files on the terminal: made and removed by hand, beside the directory file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callwright.cli.terminal import (
    CommandFault,
    Config,
    at_database,
    checked_entry,
    in_database,
    open_settings,
    out,
    show,
)

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

media_app = typer.Typer(help="Media files made by hand, beside the directory file.")


@media_app.command(name="add")
def add_media(
    file: Annotated[Path, typer.Argument(help="WAV, MP3, Ogg, FLAC, M4A and others.")],
    name: Annotated[str | None, typer.Option(help="(default: the file's name)")] = None,
    number: Annotated[
        int | None, typer.Option("--id", min=1, max=(1 << 53) - 1, help="(default: the next one)")
    ] = None,
    config: Config = None,
) -> None:
    """Normalise an audio file and make it playable under an id."""
    from callwright.directory.entries import MediaFileEntry
    from callwright.directory.media import MediaFault, take_in
    from callwright.provisioning import administration

    settings = open_settings(config)
    entry = checked_entry(
        lambda: MediaFileEntry(id=number or 1, name=name or file.stem, file=str(file))
    )

    async def work(database: "AsyncEngine") -> int:
        return await administration.add_media(database, stored, name=entry.name, file=number)

    with out.status("Normalising …"):
        try:
            stored = take_in(
                file, settings.data / "media", at_most=settings.media.file_length_at_most
            )
        except MediaFault as fault:
            raise CommandFault(f"{file}: {fault}") from fault
    made = in_database(settings, work)
    out.print(f"Media file {made}: {entry.name}, {stored.duration:.1f} s", soft_wrap=True)


@media_app.command(name="list")
def list_media(config: Config = None) -> None:
    """List all media files."""
    from callwright.provisioning.lists import list_media_files

    show(
        ("Id", "Name", "Kind", "Seconds", "KiB"),
        [
            (
                str(file.id),
                file.name,
                "system" if file.system else "own",
                f"{file.duration:.1f}",
                f"{file.size / 1024:.0f}",
            )
            for file in at_database(open_settings(config), list_media_files)
        ],
    )


@media_app.command(name="remove")
def remove_media(
    file: Annotated[int, typer.Argument(help="Id, as `callwright media list` shows it.")],
    config: Config = None,
) -> None:
    """Remove a media file that no scenario plays. A call that is playing it goes on doing so."""
    from callwright.provisioning import administration

    settings = open_settings(config)

    async def work(database: "AsyncEngine") -> str:
        return await administration.remove_media(database, settings.data / "media", file)

    out.print(f"Media file {file}, {in_database(settings, work)}, is removed.", soft_wrap=True)
