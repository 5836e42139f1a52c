"""Tags and blacklisted numbers, changed by requests."""

from dataclasses import dataclass

from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callwright.directory.editing import AlreadyThere, StillNeeded
from callwright.directory.model import AccountId, Mnemonic
from callwright.storage.editing.changing import Changing, exists, require
from callwright.storage.tables import Origin, blacklist, tags, talk_options


@dataclass(frozen=True, slots=True)
class StoredTags:
    """Answers `callwright.directory.editing.TagsEditor`."""

    changing: Changing

    async def add_tag(self, account: AccountId, name: str) -> int:
        async with self.changing.change() as connection:
            await self._check_name(connection, account, name, other_than=None)
            tag = self.changing.next_id()
            await connection.execute(
                insert(tags).values(id=tag, account_id=account, name=name, origin=Origin.API.value)
            )
        return tag

    async def rename_tag(self, account: AccountId, tag: int, name: str) -> None:
        async with self.changing.change() as connection:
            await require(connection, tags, account, tag)
            await self._check_name(connection, account, name, other_than=tag)
            await connection.execute(
                update(tags).where(tags.c.id == tag).values(name=name, origin=Origin.API.value)
            )

    async def remove_tag(self, account: AccountId, tag: int) -> None:
        async with self.changing.change() as connection:
            await require(connection, tags, account, tag)
            if await exists(
                connection,
                talk_options.c.account_id == account,
                talk_options.c.mnemonic == Mnemonic.TAG_CALL.value,
                talk_options.c.value == str(tag),
            ):
                raise StillNeeded("id", tag, "a talk option puts this tag")
            await connection.execute(delete(tags).where(tags.c.id == tag))

    async def _check_name(
        self, connection: AsyncConnection, account: int, name: str, *, other_than: int | None
    ) -> None:
        if await exists(
            connection,
            tags.c.account_id == account,
            tags.c.name == name,
            tags.c.id.is_distinct_from(other_than),
        ):
            raise AlreadyThere("name", name, "a tag has this name")


@dataclass(frozen=True, slots=True)
class StoredBlacklist:
    """Answers `callwright.directory.editing.BlacklistEditor`."""

    changing: Changing

    async def block(self, account: AccountId, number: str, *, comment: str, login: str) -> int:
        async with self.changing.change() as connection:
            if await exists(
                connection, blacklist.c.account_id == account, blacklist.c.number == number
            ):
                raise AlreadyThere("phone_number", number, "it is on the blacklist")
            row = insert(blacklist).values(
                account_id=account,
                number=number,
                comment=comment,
                origin=Origin.API.value,
                added_by=login,
                added_at=self.changing.now(),
            )
            added = await connection.execute(row.returning(blacklist.c.id))
            return int(added.scalar_one())

    async def unblock(self, account: AccountId, entry: int) -> None:
        async with self.changing.change() as connection:
            await require(connection, blacklist, account, entry)
            await connection.execute(delete(blacklist).where(blacklist.c.id == entry))
