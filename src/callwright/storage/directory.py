"""The directory: what an account owns, asked of the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Integer, bindparam, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.directory.directions import Destination
from callwright.directory.model import (
    Account,
    AccountId,
    Employee,
    EmployeeId,
    MediaFile,
    MediaFileId,
    Mnemonic,
    Phone,
    PhoneKind,
    Recorded,
    Tag,
    TalkOption,
    VirtualNumber,
)
from callwright.directory.scenario import BRANCHES, Scenario, ScenarioId
from callwright.engines.network import SipAccount, Trunk
from callwright.storage.database import writing
from callwright.storage.synchronous_reads import PreparedStatement, ReadRow, RowsAtHand
from callwright.storage.tables import (
    Origin,
    accounts,
    blacklist,
    directory_revision,
    employee_groups,
    employee_phones,
    employees,
    media_files,
    scenarios,
    tags,
    talk_options,
    trunks,
    virtual_numbers,
)

_ACCOUNT = bindparam("account", type_=Integer)

_VIRTUAL_NUMBER = PreparedStatement(
    select(
        virtual_numbers.c.id,
        virtual_numbers.c.number,
        virtual_numbers.c.trunk,
        virtual_numbers.c.scenario,
    ).where(
        virtual_numbers.c.account_id == _ACCOUNT, virtual_numbers.c.number == bindparam("number")
    )
)

_VIRTUAL_NUMBERS = PreparedStatement(
    select(
        virtual_numbers.c.id,
        virtual_numbers.c.number,
        virtual_numbers.c.trunk,
        virtual_numbers.c.scenario,
    )
    .where(virtual_numbers.c.account_id == _ACCOUNT)
    .order_by(virtual_numbers.c.id)
)

# An employee without phones is still an employee: one row, with nothing in the phone's columns.
_EMPLOYEE = (
    select(
        employees.c.id,
        employees.c.full_name,
        employees.c.coach,
        employees.c.call_recording,
        employee_phones.c.id.label("phone_id"),
        employee_phones.c.number,
        employee_phones.c.kind,
        employee_phones.c.contact,
        employee_phones.c.dial_time,
        employee_phones.c.active,
        employee_phones.c.password.is_not(None).label("registers"),
        employee_phones.c.srtp,
        employee_phones.c.channels,
        employee_phones.c.number_origin,
    )
    .join_from(employees, employee_phones, isouter=True)
    .where(employees.c.account_id == _ACCOUNT, employees.c.active)
    .order_by(employee_phones.c.priority)
)

_EMPLOYEE_BY_ID = PreparedStatement(_EMPLOYEE.where(employees.c.id == bindparam("employee")))

_EMPLOYEE_BY_NUMBER = PreparedStatement(
    _EMPLOYEE.where(
        employees.c.id
        == select(employee_phones.c.employee_id)
        .where(
            employee_phones.c.account_id == _ACCOUNT,
            employee_phones.c.number == bindparam("number"),
            employee_phones.c.active,
        )
        .scalar_subquery()
    )
)

_OWN_NUMBERS = PreparedStatement(select(virtual_numbers.c.number).limit(1000))

_TAG = PreparedStatement(
    select(tags.c.id, tags.c.name).where(
        tags.c.account_id == _ACCOUNT, tags.c.id == bindparam("tag")
    )
)

_TALK_OPTIONS = PreparedStatement(
    select(
        talk_options.c.button, talk_options.c.mnemonic, talk_options.c.name, talk_options.c.value
    )
    .where(talk_options.c.account_id == _ACCOUNT)
    .order_by(talk_options.c.position)
)

_MEDIA_FILE = select(
    media_files.c.id,
    media_files.c.account_id,
    media_files.c.name,
    media_files.c.duration,
    media_files.c.file_name,
)

_MEDIA_FILE_BY_ID = PreparedStatement(
    _MEDIA_FILE.where(
        media_files.c.id == bindparam("file"),
        or_(media_files.c.account_id == _ACCOUNT, media_files.c.account_id.is_(None)),
    )
)

_MEDIA_FILE_BY_NAME = PreparedStatement(
    _MEDIA_FILE.where(media_files.c.account_id == _ACCOUNT, media_files.c.name == bindparam("name"))
)

_OWNED = select(
    virtual_numbers.c.id,
    virtual_numbers.c.number,
    virtual_numbers.c.trunk,
    virtual_numbers.c.scenario,
    accounts.c.id.label("account_id"),
    accounts.c.name,
    accounts.c.active,
    accounts.c.directions,
    accounts.c.allowed_numbers,
    accounts.c.timezone,
).join_from(virtual_numbers, accounts)

_OWNER = PreparedStatement(_OWNED.where(virtual_numbers.c.number == bindparam("number")))

_HOME_OF_PHONE = PreparedStatement(
    _OWNED.where(
        virtual_numbers.c.account_id
        == select(employee_phones.c.account_id)
        .where(
            employee_phones.c.number == bindparam("number"),
            employee_phones.c.password.is_not(None),
        )
        .scalar_subquery()
    )
    .order_by(virtual_numbers.c.id)
    .limit(1)
)

_SCENARIO = PreparedStatement(
    select(scenarios.c.name, scenarios.c.branches).where(
        scenarios.c.account_id == _ACCOUNT, scenarios.c.id == bindparam("scenario")
    )
)

_GROUP = PreparedStatement(
    select(employee_groups.c.employees).where(
        employee_groups.c.account_id == _ACCOUNT, employee_groups.c.name == bindparam("name")
    )
)

_SYSTEM_MEDIA_FILE = PreparedStatement(
    _MEDIA_FILE.where(media_files.c.account_id.is_(None), media_files.c.name == bindparam("name"))
)

_BLACKLISTED = PreparedStatement(
    select(blacklist.c.id).where(
        blacklist.c.account_id == _ACCOUNT, blacklist.c.number == bindparam("number")
    )
)

_TRUNKS = PreparedStatement(
    select(
        trunks.c.name,
        trunks.c.host,
        trunks.c.port,
        trunks.c.transport,
        trunks.c.tls_verify,
        trunks.c.tls_ca,
        trunks.c.user,
        trunks.c.password,
        trunks.c.from_user,
        trunks.c.from_domain,
        trunks.c.symmetric_rtp,
        trunks.c.country,
        trunks.c.national_prefix,
        trunks.c.caller_id_header,
        trunks.c.register,
        trunks.c.expires,
        trunks.c.options_ping,
        trunks.c.srtp,
    )
    .where(trunks.c.active)
    .order_by(trunks.c.account_id, trunks.c.position)
)

_SIP_ACCOUNTS = PreparedStatement(
    select(employee_phones.c.number, employee_phones.c.password, employee_phones.c.srtp)
    .join_from(employee_phones, employees)
    .join(accounts, accounts.c.id == employee_phones.c.account_id)
    .where(
        employee_phones.c.password.is_not(None),
        employee_phones.c.active,
        employees.c.active,
        accounts.c.active,
    )
)

_REVISION = PreparedStatement(select(directory_revision.c.revision))


@dataclass(frozen=True, slots=True)
class StoredDirectory:
    """Answers `callwright.directory.lookup.Directory` from the database."""

    database: AsyncEngine
    media: Path
    "Folder of the normalised media files."
    rows: RowsAtHand | None = None
    "By what is read; without it, by a thread."

    async def virtual_number(self, account: AccountId, number: str) -> VirtualNumber | None:
        rows = await self._rows(_VIRTUAL_NUMBER, account=account, number=number)
        return _virtual_number(rows[0]) if rows else None

    async def whose(self, number: str) -> tuple[Account, VirtualNumber] | None:
        return _owned(await self._rows(_OWNER, number=number))

    async def home_of_phone(self, number: str) -> tuple[Account, VirtualNumber] | None:
        return _owned(await self._rows(_HOME_OF_PHONE, number=number))

    async def scenario(self, account: AccountId, scenario: ScenarioId) -> Scenario | None:
        rows = await self._rows(_SCENARIO, account=account, scenario=scenario)
        if not rows:
            return None
        branches = BRANCHES.validate_python(rows[0].branches)
        return Scenario(scenario, rows[0].name, branches)

    async def group(self, account: AccountId, name: str) -> Sequence[EmployeeId]:
        rows = await self._rows(_GROUP, account=account, name=name)
        return [EmployeeId(employee) for employee in rows[0].employees] if rows else []

    async def media_file_by_name(self, account: AccountId, name: str) -> MediaFile | None:
        return self._media_file(await self._rows(_MEDIA_FILE_BY_NAME, account=account, name=name))

    async def virtual_numbers(self, account: AccountId) -> Sequence[VirtualNumber]:
        return [_virtual_number(row) for row in await self._rows(_VIRTUAL_NUMBERS, account=account)]

    async def employee(self, account: AccountId, employee: EmployeeId) -> Employee | None:
        return _employee(await self._rows(_EMPLOYEE_BY_ID, account=account, employee=employee))

    async def employee_by_number(self, account: AccountId, number: str) -> Employee | None:
        return _employee(await self._rows(_EMPLOYEE_BY_NUMBER, account=account, number=number))

    async def media_file(self, account: AccountId, file: MediaFileId) -> MediaFile | None:
        rows = await self._rows(_MEDIA_FILE_BY_ID, account=account, file=file)
        return self._media_file(rows)

    async def system_media_file(self, name: str) -> MediaFile | None:
        return self._media_file(await self._rows(_SYSTEM_MEDIA_FILE, name=name))

    async def blacklisted(self, account: AccountId, number: str) -> bool:
        return bool(await self._rows(_BLACKLISTED, account=account, number=number))

    async def add_to_blacklist(self, account: AccountId, number: str, comment: str) -> bool:
        async with writing(self.database) as connection:
            known = select(blacklist.c.id).where(
                blacklist.c.account_id == account, blacklist.c.number == number
            )
            if (await connection.execute(known)).first():
                return False
            await connection.execute(
                insert(blacklist).values(
                    account_id=account, number=number, comment=comment, origin=Origin.COMMAND.value
                )
            )
        return True

    async def tag(self, account: AccountId, tag: int) -> Tag | None:
        rows = await self._rows(_TAG, account=account, tag=tag)
        return Tag(rows[0].id, rows[0].name) if rows else None

    async def talk_options(self, account: AccountId) -> Sequence[TalkOption]:
        return [
            TalkOption(row.button, Mnemonic(row.mnemonic), row.name, row.value)
            for row in await self._rows(_TALK_OPTIONS, account=account)
        ]

    async def trunks(self) -> Sequence[Trunk]:
        return [
            Trunk(
                name=row.name,
                host=row.host,
                port=row.port or None,
                user=row.user,
                password=row.password,
                caller_id_header=row.caller_id_header,
                register=row.register,
                expires=row.expires,
                options_ping=row.options_ping,
                transport=row.transport,
                tls_verify=row.tls_verify,
                tls_ca=Path(row.tls_ca) if row.tls_ca else None,
                srtp=row.srtp,
                from_user=row.from_user,
                from_domain=row.from_domain,
                symmetric_rtp=row.symmetric_rtp,
                country=row.country,
                national_prefix=row.national_prefix,
            )
            for row in await self._rows(_TRUNKS)
        ]

    async def sip_accounts(self) -> Sequence[SipAccount]:
        return [
            SipAccount(row.number, row.password, srtp=row.srtp)
            for row in await self._rows(_SIP_ACCOUNTS)
        ]

    async def own_numbers(self) -> Sequence[str]:
        """Virtual numbers of whatever accounts, as many as tell which countries calls begin in."""
        return [row.number for row in await self._rows(_OWN_NUMBERS)]

    async def revision(self) -> int:
        """Count of changes: a new number means that trunks or phones may be others now."""
        return int((await self._rows(_REVISION))[0].revision)

    async def _rows(self, question: PreparedStatement, **values: int | str) -> Sequence[ReadRow]:
        return await (self.rows or RowsAtHand(self.database)).read(question, values)

    def _media_file(self, rows: Sequence[ReadRow]) -> MediaFile | None:
        if not rows:
            return None
        row = rows[0]
        return MediaFile(
            id=MediaFileId(row.id),
            name=row.name,
            system=row.account_id is None,
            duration=row.duration,
            path=self.media / row.file_name,
        )


def _virtual_number(row: ReadRow) -> VirtualNumber:
    return VirtualNumber(id=row.id, number=row.number, trunk=row.trunk, scenario=row.scenario)


def _employee(rows: Sequence[ReadRow]) -> Employee | None:
    if not rows:
        return None
    return Employee(
        id=EmployeeId(rows[0].id),
        full_name=rows[0].full_name,
        phones=tuple(
            Phone(
                id=row.phone_id,
                number=row.number,
                kind=PhoneKind(row.kind),
                dial_time=row.dial_time,
                active=row.active,
                contact=row.contact,
                registers=row.registers,
                srtp=row.srtp,
                channels=row.channels,
                numbered_by_api=row.number_origin == Origin.API,
            )
            for row in rows
            if row.phone_id is not None
        ),
        coach=EmployeeId(rows[0].coach) if rows[0].coach is not None else None,
        recorded=Recorded(rows[0].call_recording),
    )


def _owned(rows: Sequence[ReadRow]) -> tuple[Account, VirtualNumber] | None:
    if not rows:
        return None
    row = rows[0]
    account = Account(
        id=AccountId(row.account_id),
        name=row.name,
        active=row.active,
        directions=frozenset(Destination(name) for name in row.directions),
        allowed_numbers=tuple(row.allowed_numbers),
        timezone=ZoneInfo(row.timezone),
    )
    return account, _virtual_number(row)
