"""Virtual numbers, enabled and disabled by requests."""

from dataclasses import dataclass

from sqlalchemy import select, update

from callwright.directory.editing import NotThere, Unfit
from callwright.directory.model import AccountId
from callwright.storage.editing.changing import Changing
from callwright.storage.tables import Origin, virtual_numbers


@dataclass(frozen=True, slots=True)
class StoredVirtualNumbers:
    """Answers `callwright.directory.number_editing.VirtualNumbersEditor`."""

    changing: Changing

    async def switch_number(self, account: AccountId, number: str, *, active: bool) -> None:
        async with self.changing.change() as connection:
            own = virtual_numbers.c.account_id == account, virtual_numbers.c.number == number
            query = select(virtual_numbers.c.active, virtual_numbers.c.locked).where(*own)
            found = (await connection.execute(query)).first()
            if found is None:
                raise NotThere("virtual_phone_number", number, "it is no number of the account's")
            if found.locked:
                raise Unfit("virtual_phone_number", number, "the operator has locked this number")
            if found.active is not active:
                await connection.execute(
                    update(virtual_numbers)
                    .where(*own)
                    .values(active=active, active_origin=Origin.API.value)
                )
