"""Editing the directory: what requests may change of it, and what stands in their way.

Each change is made as a whole or not at all, and counts the directory's revision up. What is asked
for in pieces is said as a function of what is there: it is called while nobody else can change it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from callwright.directory.employee_status import EmployeeStatus
from callwright.directory.entries import ScenarioEntry
from callwright.directory.group import CHANNELS_AT_MOST, PhoneOrder
from callwright.directory.media import StoredMedia
from callwright.directory.model import (
    AccountId,
    EmployeeId,
    MediaFileId,
    PhoneKind,
    Recorded,
)
from callwright.directory.scenario import ScenarioId

PHONES_AT_MOST = 10
"Of one employee."


class Refusal(Exception):
    """A change cannot be made. ``field``: the dotted name of what is to blame, ``value``: what it
    says."""

    def __init__(self, field: str, value: object, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.value = value


class NotThere(Refusal):
    """The account has no such thing."""


class AlreadyThere(Refusal):
    """There is one already of what may be there once only."""


class StillNeeded(Refusal):
    """Something else of the account's needs what is to go."""


class Unfit(Refusal):
    """It does not go together with what else is there."""


class MediaGone(Exception):
    """The audio was removed from the disk meanwhile: take it in once more."""


@dataclass(frozen=True, slots=True)
class PhoneDraft:
    """One phone of an employee, as it is to be; what has its number already keeps the rest."""

    number: str
    kind: PhoneKind
    dial_time: float
    "Seconds."
    active: bool
    channels: int = 1
    "Calls it may be in at once."
    id: int | None = None
    "Of a phone of the same employee that gets this number; None: the one that has the number."
    field: str = "phone_numbers"
    "What named it."


@dataclass(frozen=True, slots=True)
class EmployeeDraft:
    """An employee as a whole, as they are or are to be."""

    full_name: str
    last_name: str | None = None
    first_name: str | None = None
    patronymic: str | None = None
    email: str | None = None
    active: bool = True
    "False: no method that starts calls finds them."
    status: EmployeeStatus = EmployeeStatus.AVAILABLE
    coach: EmployeeId | None = None
    schedule: int | None = None
    "Kept for those who ask: whom a scenario rings, it says itself."
    recorded: Recorded = Recorded.ALL
    phones: tuple[PhoneDraft, ...] = ()
    "In the order they are rung."
    groups: tuple[int, ...] = ()
    "Ids of the groups they are in."

    @property
    def shown_status(self) -> EmployeeStatus:
        """Whoever no method finds is not at work, unless their status says why."""
        if self.active or not self.status.is_rung:
            return self.status
        return EmployeeStatus.NOT_AT_WORK

    @property
    def is_rung(self) -> bool:
        return self.active and self.status.is_rung


@dataclass(frozen=True, slots=True)
class GroupDraft:
    """A group of employees as a whole, as it is or is to be, but for the order of its phones."""

    name: str
    employees: tuple[EmployeeId, ...] = ()
    number: str | None = None
    "Its short number."
    queue: bool = False
    channels: int = CHANNELS_AT_MOST
    "Calls it may be in at once."


@dataclass(frozen=True, slots=True)
class SipLineDraft:
    """A phone that registers with us."""

    number: str
    employee: EmployeeId
    password: str = field(repr=False)
    dial_time: float
    "Seconds."
    active: bool = True
    srtp: bool = False
    channels: int = 1
    "Calls it may be in at once."
    virtual_number: str | None = None
    "The account's number that belongs to it."


EmployeeChange: TypeAlias = Callable[[EmployeeDraft], EmployeeDraft]
GroupChange: TypeAlias = Callable[[GroupDraft], GroupDraft]
SipLineChange: TypeAlias = Callable[[SipLineDraft], SipLineDraft]
ScenarioChange: TypeAlias = Callable[[ScenarioEntry], ScenarioEntry]


class EmployeesEditor(Protocol):
    """Raises `NotThere`, `AlreadyThere`, `Unfit`, `StillNeeded`."""

    async def add_employee(self, account: AccountId, draft: EmployeeDraft) -> EmployeeId: ...

    async def change_employee(
        self, account: AccountId, employee: EmployeeId, change: EmployeeChange
    ) -> None: ...

    async def remove_employee(self, account: AccountId, employee: EmployeeId) -> None: ...


class GroupsEditor(Protocol):
    """Raises `NotThere`, `AlreadyThere`, `StillNeeded`."""

    async def add_group(self, account: AccountId, draft: GroupDraft) -> int: ...

    async def change_group(self, account: AccountId, group: int, change: GroupChange) -> None:
        """Scenarios that ring it know it by its new name."""

    async def order_group(
        self,
        account: AccountId,
        group: int,
        order: Callable[[Sequence[tuple[int, str]]], PhoneOrder],
    ) -> None:
        """``order``: is given the ids and numbers of the members' phones."""

    async def remove_group(self, account: AccountId, group: int) -> None: ...


class SipLinesEditor(Protocol):
    """Raises `NotThere`, `AlreadyThere`, `Unfit`."""

    async def add_sip_line(self, account: AccountId, draft: SipLineDraft) -> int: ...

    async def change_sip_line(
        self, account: AccountId, line: int, change: SipLineChange
    ) -> SipLineDraft:
        """Return what it has become."""

    async def remove_sip_line(self, account: AccountId, line: int) -> None: ...


class TagsEditor(Protocol):
    """Raises `NotThere`, `AlreadyThere`, `StillNeeded`."""

    async def add_tag(self, account: AccountId, name: str) -> int: ...

    async def rename_tag(self, account: AccountId, tag: int, name: str) -> None: ...

    async def remove_tag(self, account: AccountId, tag: int) -> None: ...


class BlacklistEditor(Protocol):
    """Raises `NotThere`, `AlreadyThere`."""

    async def block(self, account: AccountId, number: str, *, comment: str, login: str) -> int:
        """``login``: of the user who asks for it."""

    async def unblock(self, account: AccountId, entry: int) -> None: ...


class MediaEditor(Protocol):
    """Raises `NotThere`, `AlreadyThere`, `StillNeeded`, `MediaGone`."""

    async def add_media_file(
        self, account: AccountId, name: str, audio: StoredMedia
    ) -> MediaFileId: ...

    async def change_media_file(
        self, account: AccountId, file: MediaFileId, name: str | None, audio: StoredMedia | None
    ) -> None:
        """None: as it is."""

    async def remove_media_file(self, account: AccountId, file: MediaFileId) -> None: ...


class ScenariosEditor(Protocol):
    """Raises `NotThere`, `AlreadyThere`, `StillNeeded`, and `Unfit` with a place in the operations.

    ``numbers``: the virtual numbers that run it from now on; None: as it is.
    """

    async def add_scenario(
        self,
        account: AccountId,
        make: Callable[[int], ScenarioEntry],
        numbers: Sequence[str] | None,
    ) -> ScenarioId:
        """``make``: the scenario of the id it is given."""

    async def change_scenario(
        self,
        account: AccountId,
        scenario: ScenarioId,
        change: ScenarioChange,
        numbers: Sequence[str] | None,
    ) -> None: ...

    async def remove_scenario(self, account: AccountId, scenario: ScenarioId) -> None: ...
