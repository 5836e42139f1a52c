"""Administration: what commands change in the directory by hand, beside the directory file.

What is made here bears `Origin.COMMAND`, so that applying a directory file leaves it alone.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.directory.entries import LOOPBACK
from callwright.directory.media import StoredMedia
from callwright.directory.model import DIALING_MUSIC, MediaFileId
from callwright.provisioning.access import (
    AdministrationFault,
    NewToken,
    first_account,
    put_token,
    put_user,
)
from callwright.storage.database import writing
from callwright.storage.editing.scenarios import scenario_that_names
from callwright.storage.ids import BLOCK_BITS
from callwright.storage.orphaned_files import remove_unused_media
from callwright.storage.plain_statements import Asked, Value, with_named, with_pyformat
from callwright.storage.revision import touch
from callwright.storage.tables import Origin, accounts, media_files


async def initialise(
    database: AsyncEngine, *, account: str, login: str, music: StoredMedia
) -> NewToken:
    """Make the first account, its user with a token, and the system's music; return the token.

    Raises `AdministrationFault` if there is an account already.
    """
    async with writing(database) as connection:
        if (await connection.execute(select(accounts.c.id))).first():
            raise AdministrationFault("the database has an account already")
        await connection.execute(insert(accounts).values(id=1, name=account, active=True))
        await connection.execute(
            insert(media_files).values(
                id=1, account_id=None, name=DIALING_MUSIC, **_columns_of(music)
            )
        )
        token = await connection.run_sync(
            lambda sync: put_token(
                ask := _asking(sync), put_user(ask, 1, login, LOOPBACK), login, None
            )
        )
        await touch(connection)
    return token


async def add_media(
    database: AsyncEngine, stored: StoredMedia, *, name: str, file: int | None
) -> MediaFileId:
    """Add a media file to the first account, under the id ``file`` or the next one that is free.

    Raises `AdministrationFault` if the id or the name is taken.
    """
    async with writing(database) as connection:
        account = await connection.run_sync(lambda sync: first_account(_asking(sync)))
        taken = await connection.execute(
            select(media_files.c.id).where(
                or_(
                    media_files.c.id == file,
                    (media_files.c.account_id == account) & (media_files.c.name == name),
                )
            )
        )
        if row := taken.first():
            raise AdministrationFault(
                f"there is a media file {file} already"
                if row.id == file
                else f"media file {row.id} has the name {name!r} already"
            )
        if file is None:
            # Higher ones are given by a service that runs.
            by_hand = select(func.max(media_files.c.id)).where(media_files.c.id < 1 << BLOCK_BITS)
            highest = (await connection.execute(by_hand)).scalar()
            file = (highest or 0) + 1
        await connection.execute(
            insert(media_files).values(
                id=file, account_id=account, name=name, **_columns_of(stored)
            )
        )
        await touch(connection)
    return MediaFileId(file)


async def remove_media(database: AsyncEngine, folder: Path, file: int) -> str:
    """Remove a media file, and its audio from the folder; return its name.

    Raises `AdministrationFault` if there is none, the directory file says it, it is the system's,
    or a scenario plays it.
    """
    async with writing(database) as connection:
        query = select(media_files).where(media_files.c.id == file)
        found = (await connection.execute(query)).first()
        if found is None:
            raise AdministrationFault(f"there is no media file {file}; see `callwright media list`")
        if found.account_id is None:
            raise AdministrationFault(f"media file {file} is the system's")
        if found.origin == Origin.FILE.value:
            raise AdministrationFault(
                f"media file {file} stands in the directory file: take it out there and apply it"
            )
        if scenario := await scenario_that_names(connection, found.account_id, media=file):
            raise AdministrationFault(f"scenario {scenario} plays media file {file}")
        await connection.execute(delete(media_files).where(media_files.c.id == file))
        await touch(connection)
    # After the commit: a row without audio would be worse than audio without a row.
    await remove_unused_media(database, folder, [found.file_name])
    return str(found.name)


def _asking(connection: Connection) -> Asked:
    adapted = with_named if connection.dialect.name == "sqlite" else with_pyformat

    def ask(statement: str, /, **values: Value) -> Sequence[Sequence[Any]]:
        return connection.exec_driver_sql(*adapted(statement, values)).all()

    return ask


def _columns_of(stored: StoredMedia) -> dict[str, str | int | float]:
    return {
        "sha256": stored.sha256,
        "file_name": stored.file_name,
        "duration": stored.duration,
        "size": stored.size,
        "origin": Origin.COMMAND.value,
    }
