"""Media files, changed by requests."""

import logging
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from callwright.directory.editing import AlreadyThere, MediaGone, StillNeeded
from callwright.directory.media import StoredMedia
from callwright.directory.model import AccountId, MediaFileId
from callwright.storage.editing.changing import Changing, exists, require
from callwright.storage.editing.scenarios import scenario_that_names
from callwright.storage.orphaned_files import remove_unused_media
from callwright.storage.tables import Origin, media_files

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoredMediaFiles:
    """Answers `callwright.directory.editing.MediaEditor`. ``folder``: of the normalised audio."""

    changing: Changing
    folder: Path

    async def add_media_file(
        self, account: AccountId, name: str, audio: StoredMedia
    ) -> MediaFileId:
        async with self.changing.change() as connection:
            await _check_name(connection, account, name, other_than=None)
            self._check_there(audio)
            file = MediaFileId(self.changing.next_id())
            await connection.execute(
                insert(media_files).values(
                    id=file,
                    account_id=account,
                    name=name,
                    origin=Origin.API.value,
                    **_columns(audio),
                )
            )
        return file

    async def change_media_file(
        self, account: AccountId, file: MediaFileId, name: str | None, audio: StoredMedia | None
    ) -> None:
        async with self.changing.change() as connection:
            await require(connection, media_files, account, file)
            values: dict[str, str | int | float] = {"origin": Origin.API.value}
            if name is not None:
                await _check_name(connection, account, name, other_than=file)
                values["name"] = name
            if audio is not None:
                self._check_there(audio)
                values |= _columns(audio)
            old = await _file_name(connection, file)
            await connection.execute(
                update(media_files).where(media_files.c.id == file).values(values)
            )
        await self._tidy(old)

    async def remove_media_file(self, account: AccountId, file: MediaFileId) -> None:
        async with self.changing.change() as connection:
            await require(connection, media_files, account, file)
            if scenario := await scenario_that_names(connection, account, media=file):
                raise StillNeeded("id", file, f"scenario {scenario} plays it")
            old = await _file_name(connection, file)
            await connection.execute(delete(media_files).where(media_files.c.id == file))
        await self._tidy(old)

    def _check_there(self, audio: StoredMedia) -> None:
        # Whoever removes audio holds the same lock.
        if not (self.folder / audio.file_name).exists():
            raise MediaGone

    async def _tidy(self, file_name: str) -> None:
        """Remove audio that may be nobody's any more. A call that is playing it goes on doing so.

        After the commit. That has been made, so a file that resists is left to the next start.
        """
        try:
            await remove_unused_media(self.changing.database, self.folder, [file_name])
        except (SQLAlchemyError, OSError) as fault:
            log.warning("%s: audio that is not used any more is still there: %s", file_name, fault)


async def _file_name(connection: AsyncConnection, file: MediaFileId) -> str:
    query = select(media_files.c.file_name).where(media_files.c.id == file)
    return str((await connection.execute(query)).scalar_one())


async def _check_name(
    connection: AsyncConnection, account: int, name: str, *, other_than: int | None
) -> None:
    if await exists(
        connection,
        media_files.c.account_id == account,
        media_files.c.name == name,
        media_files.c.id.is_distinct_from(other_than),
    ):
        raise AlreadyThere("name", name, "a media file has this name")


def _columns(audio: StoredMedia) -> dict[str, str | int | float]:
    return {
        "sha256": audio.sha256,
        "file_name": audio.file_name,
        "duration": audio.duration,
        "size": audio.size,
    }
