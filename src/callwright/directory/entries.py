"""Entries of the directory file: what may be said of users, trunks, numbers, people and media."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_network
from pathlib import PurePosixPath
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

from callwright.directory.contact_entries import (
    ContactEntry,
    ContactGroupEntry,
    ContactOrganizationEntry,
)
from callwright.directory.directions import USUAL, Destination
from callwright.directory.employee_status import EmployeeStatus
from callwright.directory.entry import E164, FileEntry, Id, Name, printable
from callwright.directory.entry import Text as Text
from callwright.directory.group import CHANNELS_AT_MOST
from callwright.directory.model import Component, Mnemonic, PhoneKind, Recorded
from callwright.directory.scenario import Label, Operations
from callwright.directory.schedule_entries import ScheduleEntry
from callwright.directory.webhook import Verb, checked_url, key_of_secret
from callwright.numbering import COUNTRIES

LOOPBACK = ["127.0.0.0/8", "::1/128"]
"Where requests of a user may come from when nothing else is said."

_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9-]+)*")

# RFC 3261 25.1: user without escapes is `unreserved` and `user-unreserved`.
_CONTACT = re.compile(
    r"sip:(?P<user>(?:[A-Za-z0-9_.!~*'()&=+$,;?/-]|%[0-9A-Fa-f]{2}){1,128})"
    r"@(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253})(?::(?P<port>[0-9]{1,5}))?"
    r"(?:;transport=(?:udp|tcp|tls))?"
)


def _without_plus(number: object) -> object:
    if isinstance(number, str) and number.startswith("+"):
        raise ValueError("write the number without the +")
    return number


def _country(letters: str) -> str:
    if letters not in COUNTRIES:
        raise ValueError("no country of ISO 3166 with a numbering plan, such as RU")
    return letters


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError:
        pass
    try:
        meant = ip_network(text, strict=False)
    except ValueError:
        raise ValueError("a network is needed, such as 192.0.2.0/24 or 192.0.2.7") from None
    raise ValueError(f"this is an address in a network; the network is {meant}")


def _host(text: str) -> str:
    if text.startswith(("sip:", "sips:")):
        raise ValueError("write the host alone, without sip: and without a port")
    try:
        if ":" in text:
            return str(IPv6Address(text))
        if re.fullmatch(r"[0-9.]+", text):
            return str(IPv4Address(text))
    except ValueError:
        raise ValueError("this is no IP address; a port is written apart: port = 5060") from None
    if not _HOST.fullmatch(text):
        raise ValueError("neither a host name nor an address")
    return text


def _contact(text: str) -> str:
    """Take a SIP URI a phone can be rung at: a user, a host, perhaps a port and a transport.

    Less than RFC 3261 section 19.1 allows: nothing here needs a password or headers.
    """
    uri = _CONTACT.fullmatch(text)
    if uri is None:
        raise ValueError("write it like sip:25@192.0.2.7:5060")
    _host(uri["host"].strip("[]"))
    if uri["port"] is not None and not 1 <= int(uri["port"]) <= 65535:
        raise ValueError("a port is 1 to 65535")
    return text


def _absolute(text: str) -> str:
    if not PurePosixPath(text).is_absolute():
        raise ValueError("write the whole path, from / on")
    return printable(text)


def _user_alone(text: str) -> str:
    if "@" in text or text.lower().startswith(("sip:", "sips:", "tel:")):
        raise ValueError("write the user alone, without sip: and @: 74993720692")
    return printable(text)


def _argon2(text: str) -> str:
    if not re.fullmatch(r"\$argon2id\$[\x21-\x7e]{20,300}", text):
        raise ValueError("not an argon2id hash; `callwright user password` can set a password")
    return text


def _webhook_secret(text: str) -> str:
    key_of_secret(text)
    return text


def _timezone(text: str) -> str:
    # Reading a zone opens a file of its name: only names that are listed are opened.
    if text not in available_timezones():
        raise ValueError("no time zone of the IANA data base, such as Europe/Moscow")
    return text


PHONE_NUMBER_PATTERN = r"^[0-9A-Za-z][0-9A-Za-z_.-]{0,31}$"

Allowed = Annotated[str, Field(pattern=r"^[0-9?]{1,20}\*?$")]


class AccountEntry(FileEntry):
    id: Id = 1
    "Number of the account."
    name: Text
    "What the account is called."
    active: bool = True
    "False: every request is answered `account_inactive`."
    directions: list[Annotated[Destination, Field(strict=False)]] = list(USUAL)
    "Where calls may go: `local`, `mobile`, `long_distance`, `international`, `premium`."
    allowed_numbers: Annotated[list[Allowed], Field(max_length=100)] = []
    """Numbers that may be called whatever their form and direction: digits, `?` for any one digit,
    `*` at the end for all that begin so. Extensions behind a PBX: `["1??"]`."""
    timezone: Annotated[str, Field(max_length=64), AfterValidator(_timezone)] = "UTC"
    "In which reports show times and are asked for them, such as `Europe/Moscow`."


class UserEntry(FileEntry):
    login: Name
    "Name of the user, for `login.user`; unique."
    password_hash: Annotated[str, AfterValidator(_argon2)] | None = Field(default=None, repr=False)
    "argon2id hash; left out, the password set by `callwright user password` stays as it is."
    networks: list[Annotated[str, AfterValidator(_network)]] = LOOPBACK
    "Networks (CIDR) that requests of the user may come from."
    disabled_components: list[Annotated[Component, Field(strict=False)]] = []
    "Parts of the API switched off for the user, by the names clients see."
    active: bool = True


class TokenEntry(FileEntry):
    user: Name
    "Login of the user whose token it is: one of this file, or one made by a command."
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    "SHA-256 of the token in hexadecimal digits; the token itself stands nowhere."
    hint: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{0,4}$")] = ""
    "The token's last four characters, to tell tokens apart."
    expires: AwareDatetime | None = None
    "When it stops working; left out: never."


class TrunkEntry(FileEntry):
    name: Name
    "What virtual numbers call it; unique. The first trunk of the file is the default."
    host: Annotated[str, AfterValidator(_host)]
    "Host name or address of the carrier or the PBX."
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    "Left out: what SRV records of the host say, else 5060, or 5061 over TLS."
    transport: Literal["udp", "tcp", "tls"] = "udp"
    "What carries SIP to it. Over `udp`, requests above 1300 bytes go over TCP if it takes that."
    tls_verify: bool = True
    "False: over TLS, any certificate is believed. Whoever is in between can then listen."
    tls_ca: Annotated[str, Field(max_length=4096), AfterValidator(_absolute)] | None = None
    "PEM file of the authorities believed for its certificate; left out: those of the system."
    user: Annotated[str, Field(min_length=1, max_length=128), AfterValidator(printable)] | None = (
        None
    )
    "User of digest authentication; left out: the carrier knows us by our address."
    password: (
        Annotated[str, Field(min_length=1, max_length=128), AfterValidator(printable)] | None
    ) = Field(default=None, repr=False)
    from_user: (
        Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_user_alone)] | None
    ) = None
    """User in From of calls and OPTIONS, where the far side knows us by that; left out: the caller
    id in calls, `user` in OPTIONS. The caller id is then the display name."""
    country: Annotated[str, AfterValidator(_country)] | None = None
    """Country (ISO 3166, such as `RU`) whose numbers come from it as they are dialled there; left
    out: they come in E.164 form."""
    national_prefix: Annotated[str, Field(pattern=r"^[0-9]{0,4}$")] | None = None
    "What stands before them, such as `8`, or nothing; left out: what the country's plan says."
    from_domain: Annotated[str, AfterValidator(_host)] | None = None
    "Domain in From, and of the address that is registered; left out: `host`."
    caller_id_header: Literal["from", "pai", "ppi"] = "from"
    """Where the caller id goes: `from`; or, as well, `pai` for P-Asserted-Identity or `ppi` for
    P-Preferred-Identity (RFC 3325)."""
    registers: bool = Field(default=False, alias="register")
    "Register there as `user`, so that calls come in."
    expires: Annotated[int, Field(ge=60, le=86400)] = 300
    "Seconds a registration is asked for; it is refreshed in time."
    options_ping: Annotated[float, Field(ge=5, le=3600, strict=False)] | None = None
    "Seconds between questions (OPTIONS) whether the trunk is there; left out: it is not asked."
    srtp: bool = False
    "Audio goes over SRTP, both ways, or not at all. The keys go by SIP: have that protected too."
    symmetric_rtp: bool = True
    """False: audio is taken from the address and port of the trunk's SDP alone. Else another one
    may prove to be the far end, as behind a NAT."""
    active: bool = True


class VirtualNumberEntry(FileEntry):
    number: E164
    "A number of the account's own, digits without +; unique."
    trunk: Name | None = None
    "Trunk that calls with this number go through; left out: the first."
    scenario: Id | None = None
    """Id of the scenario that calls to this number run; left out: the one that the data API has
    set, or else they are refused."""
    active: bool | None = None
    """False: it is not used until the data API enables it (`enable.virtual_numbers`); left out: as
    the data API has it, at first true."""
    locked: bool = False
    "True: nobody uses it, and the data API cannot enable it."
    name: Text | None = None
    "What people call it."
    comment: Annotated[str, Field(max_length=200), AfterValidator(printable)] | None = None


class PhoneEntry(FileEntry):
    number: Annotated[str, BeforeValidator(_without_plus), Field(pattern=PHONE_NUMBER_PATTERN)]
    "E.164 digits without +, a SIP number or an extension; one employee's only."
    kind: Annotated[PhoneKind, Field(strict=False)]
    "`e164`, `sip` or `extension`."
    contact: Annotated[str, AfterValidator(_contact)] | None = None
    "SIP URI the phone is rung at. Not for `e164`, nor beside `password`."
    password: (
        Annotated[str, Field(min_length=8, max_length=128), AfterValidator(printable)] | None
    ) = Field(default=None, repr=False)
    """The phone registers with us, as user `number`, by this password, and is rung where it then
    is. With neither `contact` nor `password` it is rung through a trunk."""
    srtp: bool = False
    """Audio goes over SRTP, both ways, or not at all. One that is rung through a trunk goes by what
    the trunk says."""
    dial_time: Annotated[float, Field(ge=1, le=100, strict=False)] = 30.0
    "Seconds it is rung."
    channels: Annotated[int, Field(ge=1, le=1000)] = 1
    "Calls it may be in at once; in one more it is busy, and not rung."
    active: bool = True


class EmployeeEntry(FileEntry):
    id: Id
    "Number clients name the employee by."
    full_name: Text
    active: bool = True
    status: Annotated[EmployeeStatus, Field(strict=False)] | None = None
    """`available`, `break`, `do_not_disturb`, `not_at_workplace`, `not_at_work`, `auto_out_call` or
    `unknown`: groups and scenarios ring who is available or unknown. Left out: as the data API has
    it, at first `available`."""
    coach: Id | None = None
    "Id of the employee who coaches this one, where `add.coach` names nobody."
    schedule: Id | None = None
    "Id of the schedule the data API shows of the employee; when it is rung, scenarios say."
    call_recording: Annotated[Recorded, Field(strict=False)] = Recorded.OFF
    "Which talks are always recorded: `all`, `in`, `out` (by the session's direction), `off`."
    calls_out: bool = False
    """Whether its phones may call numbers outside, and hand calls over to them, as far as the
    account's `directions` go; the setting `calls.phones_call_out` lets all employees."""
    phones: Annotated[list[PhoneEntry], Field(max_length=10)] = []
    "Tables `[[employees.phones]]`, in the order they are rung."


class GroupEntry(FileEntry):
    name: Text
    "What scenarios call it; unique."
    employees: Annotated[list[Id], Field(min_length=1, max_length=50)]
    "Ids of its employees, in the order they are rung."
    number: Annotated[str, Field(pattern=r"^[0-9]{1,5}$")] | None = None
    "Its short number, which colleagues dial: at most five digits, no phone's and no other group's."
    queue: bool = False
    "Whom a scenario puts through to the group alone waits in a queue until somebody is free."
    channels: Annotated[int, Field(ge=1, le=CHANNELS_AT_MOST)] = CHANNELS_AT_MOST
    "Calls it may be in at once; in one more it is busy."


class ScenarioEntry(FileEntry):
    id: Id
    "Number clients name the scenario by."
    name: Text
    "Unique in the account."
    operations: Operations
    "Tables `[[scenarios.operations]]`: what it begins with."
    branches: dict[Label, Operations] = {}
    "Tables `[[scenarios.branches.LABEL]]`: what operations may lead to."


class MediaFileEntry(FileEntry):
    id: Id
    "Number clients name the file by."
    name: Text
    "Unique in the account."
    file: Annotated[str, Field(min_length=1, max_length=4096)]
    "Path of the audio, relative to the directory file. WAV, MP3, Ogg, FLAC, M4A and others."


class TagEntry(FileEntry):
    id: Id
    "Number clients name the tag by."
    name: Text
    "Unique in the account."


class TalkOptionEntry(FileEntry):
    button: Annotated[str, Field(pattern=r"^[0-9*#]{1,4}$")]
    "Keys the employee presses during the talk; unique."
    mnemonic: Annotated[Mnemonic, Field(strict=False)]
    "What they do: `finish_conversation`, `tag_call`, `record_talk`, `transfer_call`, …"
    name: Text
    "For people."
    value: Text | None = None
    "Id of the tag (`tag_call`), number (`transfer_call`), id of the scenario (`run_scenario`)."


class BlacklistEntry(FileEntry):
    number: E164
    "Number that is not called."
    comment: Annotated[str, Field(max_length=200), AfterValidator(printable)] = ""


class WebhookEntry(FileEntry):
    name: Text
    "What the webhook is called; unique."
    url: Annotated[str, AfterValidator(checked_url)]
    "Where events are sent: `https://crm.example.com/hook`."
    event_types: Annotated[list[str], Field(max_length=200)] = []
    "Types of the events that are sent, such as `talk.started`; empty: all."
    method: Annotated[Verb, Field(strict=False)] = Verb.POST
    "`POST`, or `GET`, which has everything in the query."
    template: Annotated[str, Field(max_length=16 * 1024)] | None = None
    "Text that is sent, with `{{parameter}}` in it; left out: the event as JSON."
    active: bool = True
    "False: nothing is sent, and nothing is kept to be sent."
    secret: Annotated[str, AfterValidator(_webhook_secret)] | None = Field(default=None, repr=False)
    """Signs what is sent: `whsec_` and 24 to 64 bytes in base64. Left out, the secret stays as it
    is; a new webhook gets one, which `callwright webhook rotate` replaces and shows."""


class DirectoryContent(FileEntry):
    """The whole file."""

    account: AccountEntry
    users: list[UserEntry] = []
    tokens: list[TokenEntry] = []
    trunks: list[TrunkEntry] = []
    virtual_numbers: list[VirtualNumberEntry] = []
    employees: list[EmployeeEntry] = []
    groups: list[GroupEntry] = []
    scenarios: list[ScenarioEntry] = []
    media_files: list[MediaFileEntry] = []
    blacklist: list[BlacklistEntry] = []
    tags: list[TagEntry] = []
    talk_options: list[TalkOptionEntry] = []
    webhooks: Annotated[list[WebhookEntry], Field(max_length=50)] = []
    contact_groups: list[ContactGroupEntry] = []
    contact_organizations: list[ContactOrganizationEntry] = []
    contacts: list[ContactEntry] = []
    schedules: list[ScheduleEntry] = []
