"""Contacts: what requests may change of people outside, of their groups and organisations."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol, TypeAlias

from pydantic import AfterValidator, Field

from callwright.directory.entry import printable
from callwright.directory.model import AccountId, EmployeeId, composed_name

NUMBERS_AT_MOST = 10
EMAILS_AT_MOST = 10
GROUPS_AT_MOST = 100
"Of one contact."

Email = Annotated[str, Field(min_length=3, max_length=254), AfterValidator(printable)]


@dataclass(frozen=True, slots=True)
class ContactDraft:
    """A contact as a whole, as it is or is to be."""

    last_name: str
    first_name: str | None = None
    patronymic: str | None = None
    emails: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    manager: EmployeeId | None = None
    "The employee who looks after it."
    organization: int | None = None
    groups: tuple[int, ...] = ()
    "Ids of the groups it is in."

    @property
    def full_name(self) -> str:
        return composed_name(self.last_name, self.first_name, self.patronymic)


ContactChange: TypeAlias = Callable[[ContactDraft], ContactDraft]


class ContactsEditor(Protocol):
    """Raises `NotThere` of `callwright.directory.editing`."""

    async def add_contact(self, account: AccountId, draft: ContactDraft) -> int: ...

    async def change_contact(
        self, account: AccountId, contact: int, change: ContactChange
    ) -> None: ...

    async def remove_contacts(self, account: AccountId, contacts: Sequence[int]) -> None:
        """All of them or none."""


class ContactGroupsEditor(Protocol):
    """Raises `NotThere`, `AlreadyThere`. ``members``: ids of contacts; None: as they are."""

    async def add_group(
        self, account: AccountId, name: str, members: Sequence[int] | None
    ) -> int: ...

    async def change_group(
        self, account: AccountId, group: int, name: str | None, members: Sequence[int] | None
    ) -> None: ...

    async def remove_group(self, account: AccountId, group: int) -> None:
        """Its members stay, without it."""


class OrganizationsEditor(Protocol):
    """Raises `NotThere`, `AlreadyThere`, `StillNeeded`."""

    async def add_organization(self, account: AccountId, name: str) -> int: ...

    async def rename_organization(
        self, account: AccountId, organization: int, name: str
    ) -> None: ...

    async def remove_organization(self, account: AccountId, organization: int) -> None: ...
