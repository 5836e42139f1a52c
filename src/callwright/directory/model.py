"""What an account owns, as the rest of the program sees it: plain frozen values.

Ids are JSON integers below 2**53. Numbers are E.164 digits without ``+``, SIP numbers or
extensions.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import NewType
from zoneinfo import ZoneInfo

from callwright.directory.directions import USUAL, Destination
from callwright.directory.employee_status import EmployeeStatus
from callwright.directory.scenario import ScenarioId

AccountId = NewType("AccountId", int)
UserId = NewType("UserId", int)
EmployeeId = NewType("EmployeeId", int)
MediaFileId = NewType("MediaFileId", int)

UTC = ZoneInfo("UTC")

Network = IPv4Network | IPv6Network

DIALING_MUSIC = "dialing_music"
"Name of the system media file that is heard while somebody waits."


class Component(StrEnum):
    """Parts of the API that can be switched off per user; the value is the name clients see."""

    BASIC = "Call API Basic set"
    MANAGEMENT = "Call API Call management"
    INFORMER = "Call API Informer calls"
    SCENARIO = "Call API Call scenario"
    DATA = "Data API"


@dataclass(frozen=True, slots=True)
class Account:
    id: AccountId
    name: str
    active: bool = True
    directions: frozenset[Destination] = frozenset(USUAL)
    "Where calls may go."
    allowed_numbers: tuple[str, ...] = ()
    """Numbers that may be called whatever their form and direction, such as extensions behind a
    PBX: digits, ``?`` for any one digit, ``*`` at the end for all that follow."""
    timezone: ZoneInfo = UTC
    "In which reports show times and are asked for them."


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may use the API in the name of an account."""

    id: UserId
    account: AccountId
    login: str
    password_hash: str | None = field(repr=False)
    "argon2; None: this user cannot log in, only use tokens."
    networks: tuple[Network, ...]
    "Where requests of this user may come from."
    disabled_components: frozenset[Component]
    active: bool = True


class TokenKind(StrEnum):
    PERMANENT = "permanent"
    SESSION = "session"
    "Given by login.user, for an hour."


@dataclass(frozen=True, slots=True)
class Token:
    id: int
    user: UserId
    kind: TokenKind
    expires_at: datetime | None
    "UTC, aware; None: never."
    blocked: bool
    hint: str
    "The last four characters, to tell tokens apart in a list."


@dataclass(frozen=True, slots=True)
class VirtualNumber:
    """A number of the account's own, shown to contacts as the caller id."""

    id: int
    number: str
    trunk: str | None
    "Trunk that calls with this number go through; None: the first trunk."
    scenario: ScenarioId | None = None
    "What calls to it run; None: they are refused."
    active: bool = True
    "The account uses it; it may enable and disable it by itself."
    locked: bool = False
    "The operator lets nobody use it."

    @property
    def is_usable(self) -> bool:
        return self.active and not self.locked


class PhoneKind(StrEnum):
    SIP = "sip"
    EXTENSION = "extension"
    E164 = "e164"


@dataclass(frozen=True, slots=True)
class Phone:
    """One number an employee can be reached at."""

    id: int
    number: str
    kind: PhoneKind
    dial_time: float
    "Seconds it is rung."
    active: bool
    contact: str | None = None
    "Fixed SIP URI of the phone; only for SIP phones and extensions."
    registers: bool = False
    "It registers with us, and is rung where it then is; only for SIP phones and extensions."
    srtp: bool = False
    "Its audio goes over SRTP, or not at all."
    channels: int = 1
    "Calls it may be in at once."
    numbered_by_api: bool = False
    """The data API has given it its number, or has activated what the operator's file has inactive:
    it lifts no restriction. Else the file names it, and it does."""


class Recorded(StrEnum):
    """Which of an employee's calls are always recorded, by the session's direction."""

    ALL = "all"
    IN = "in"
    OUT = "out"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Employee:
    id: EmployeeId
    full_name: str
    phones: tuple[Phone, ...]
    "In the order they are rung."
    active: bool = True
    coach: EmployeeId | None = None
    "Who coaches this employee when add.coach names nobody."
    recorded: Recorded = Recorded.OFF
    status: EmployeeStatus = EmployeeStatus.AVAILABLE
    calls_out: bool = False
    "Whether its phones may call numbers outside."


def composed_name(last_name: str, first_name: str | None, patronymic: str | None) -> str:
    """The full name that these are parts of."""
    return " ".join(part for part in (last_name, first_name, patronymic) if part)


@dataclass(frozen=True, slots=True)
class KnownContact:
    """Somebody outside whom the account knows by a number."""

    id: int
    full_name: str
    groups: tuple[int, ...] = ()
    "Ids of the groups it is in."


class Mnemonic(StrEnum):
    """What a talk option does."""

    FINISH_CONVERSATION = "finish_conversation"
    TAG_CALL = "tag_call"
    RECORD_TALK = "record_talk"
    TRANSFER_CALL = "transfer_call"
    RUN_SCENARIO = "run_scenario"
    CALL_COACH = "call_coach"
    RECEIVE_FAX = "receive_fax"
    SAVE_NUMA = "save_numa"


@dataclass(frozen=True, slots=True)
class TalkOption:
    """What an employee does by keys during a talk."""

    button: str
    "One to four keys, ``0-9 * #``."
    mnemonic: Mnemonic
    name: str
    value: str | None
    "Id of the tag, number to transfer to, id of the scenario; None for the others."


@dataclass(frozen=True, slots=True)
class Tag:
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class MediaFile:
    id: MediaFileId
    name: str
    system: bool
    duration: float
    "Seconds."
    path: Path
    "Normalised WAV: mono, 16 bit, 16000 Hz."
