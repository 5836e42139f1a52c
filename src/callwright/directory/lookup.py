"""What requests ask of the directory: the questions, without the database that answers them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from callwright.directory.group import Group
from callwright.directory.model import (
    Account,
    AccountId,
    Employee,
    EmployeeId,
    KnownContact,
    MediaFile,
    MediaFileId,
    Tag,
    TalkOption,
    Token,
    User,
    UserId,
    VirtualNumber,
)
from callwright.directory.scenario import Scenario, ScenarioId
from callwright.directory.schedule import ActivitySchedule
from callwright.engines.network import SipAccount, Trunk


class Access(Protocol):
    """Who may use the API. Tokens are looked up by hash; the token itself is stored nowhere."""

    async def token(self, token_hash: str) -> tuple[Token, User, Account] | None: ...

    async def user_by_login(self, login: str) -> tuple[User, Account] | None: ...

    async def add_session_token(
        self, user: UserId, token_hash: str, hint: str, expires_at: datetime
    ) -> None: ...

    async def remove_token(self, token_hash: str) -> None: ...


class Directory(Protocol):
    """What an account owns. An answer of None means: not there, or not this account's."""

    async def virtual_number(self, account: AccountId, number: str) -> VirtualNumber | None: ...

    async def virtual_numbers(self, account: AccountId) -> Sequence[VirtualNumber]:
        """All of the account's own numbers, in the order they were added."""

    async def whose(self, number: str) -> tuple[Account, VirtualNumber] | None:
        """The account that owns a virtual number, and the number."""

    async def home_of_phone(self, number: str) -> tuple[Account, VirtualNumber] | None:
        """The account whose phone registers by this number, and the virtual number of that phone;
        where it has none that is in use, the first that the account uses."""

    async def scenario(self, account: AccountId, scenario: ScenarioId) -> Scenario | None: ...

    async def schedule(self, account: AccountId, schedule: int) -> ActivitySchedule | None: ...

    async def group(self, account: AccountId, name: str) -> Group | None: ...

    async def group_by_number(self, account: AccountId, number: str) -> Group | None:
        """The group that has a short number."""

    async def media_file_by_name(self, account: AccountId, name: str) -> MediaFile | None:
        """A file of the account's own."""

    async def employee(self, account: AccountId, employee: EmployeeId) -> Employee | None:
        """An active employee with all phones, the inactive ones too, in ringing order."""

    async def employee_by_number(self, account: AccountId, number: str) -> Employee | None:
        """The active employee one of whose active phones, of any kind, has this number."""

    async def contact_by_number(self, account: AccountId, number: str) -> KnownContact | None:
        """The contact that has this number; of several, the one of the lowest id."""

    async def media_file(self, account: AccountId, file: MediaFileId) -> MediaFile | None:
        """A file of the account's own, or a system file."""

    async def system_media_file(self, name: str) -> MediaFile | None: ...

    async def blacklisted(self, account: AccountId, number: str) -> bool: ...

    async def add_to_blacklist(self, account: AccountId, number: str, comment: str) -> bool:
        """False: the number is there already."""

    async def tag(self, account: AccountId, tag: int) -> Tag | None: ...

    async def talk_options(self, account: AccountId) -> Sequence[TalkOption]:
        """In the order of the directory file."""

    async def trunks(self) -> Sequence[Trunk]:
        """All active trunks in the order of the directory file; the first is the default."""

    async def has_trunk(self, account: AccountId, name: str) -> bool:
        """Whether it is an active trunk of the account's own."""

    async def sip_accounts(self) -> Sequence[SipAccount]:
        """All active phones that register with us, of all accounts."""
