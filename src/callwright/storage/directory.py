"""The directory: what an account owns, asked of the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.directory.directions import Destination
from callwright.directory.employee_status import EmployeeStatus
from callwright.directory.group import Group
from callwright.directory.model import (
    Account,
    AccountId,
    Employee,
    EmployeeId,
    KnownContact,
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
from callwright.directory.schedule import PERIODS, ActivitySchedule
from callwright.engines.network import SipAccount, Trunk
from callwright.storage import directory_statements as statements
from callwright.storage.contact_lookup import contact_by_number
from callwright.storage.database import writing
from callwright.storage.synchronous_reads import PreparedStatement, ReadRow, RowsAtHand
from callwright.storage.tables import Origin, blacklist


@dataclass(frozen=True, slots=True)
class StoredDirectory:
    """Answers `callwright.directory.lookup.Directory` from the database."""

    database: AsyncEngine
    media: Path
    "Folder of the normalised media files."
    rows: RowsAtHand | None = None
    "By what is read; without it, by a thread."

    async def virtual_number(self, account: AccountId, number: str) -> VirtualNumber | None:
        rows = await self._rows(statements.VIRTUAL_NUMBER, account=account, number=number)
        return _virtual_number(rows[0]) if rows else None

    async def whose(self, number: str) -> tuple[Account, VirtualNumber] | None:
        return _owned(await self._rows(statements.OWNER, number=number))

    async def home_of_phone(self, number: str) -> tuple[Account, VirtualNumber] | None:
        return _owned(await self._rows(statements.HOME_OF_PHONE, number=number))

    async def scenario(self, account: AccountId, scenario: ScenarioId) -> Scenario | None:
        rows = await self._rows(statements.SCENARIO, account=account, scenario=scenario)
        if not rows:
            return None
        branches = BRANCHES.validate_python(rows[0].branches)
        return Scenario(scenario, rows[0].name, branches)

    async def schedule(self, account: AccountId, schedule: int) -> ActivitySchedule | None:
        rows = await self._rows(statements.SCHEDULE, account=account, schedule=schedule)
        if not rows:
            return None
        return ActivitySchedule(schedule, rows[0].name, PERIODS.validate_python(rows[0].periods))

    async def group(self, account: AccountId, name: str) -> Group | None:
        return _group(await self._rows(statements.GROUP_BY_NAME, account=account, name=name))

    async def group_by_number(self, account: AccountId, number: str) -> Group | None:
        return _group(await self._rows(statements.GROUP_BY_NUMBER, account=account, number=number))

    async def media_file_by_name(self, account: AccountId, name: str) -> MediaFile | None:
        return self._media_file(
            await self._rows(statements.MEDIA_FILE_BY_NAME, account=account, name=name)
        )

    async def virtual_numbers(self, account: AccountId) -> Sequence[VirtualNumber]:
        return [
            _virtual_number(row)
            for row in await self._rows(statements.VIRTUAL_NUMBERS, account=account)
        ]

    async def employee(self, account: AccountId, employee: EmployeeId) -> Employee | None:
        return _employee(
            await self._rows(statements.EMPLOYEE_BY_ID, account=account, employee=employee)
        )

    async def employee_by_number(self, account: AccountId, number: str) -> Employee | None:
        return _employee(
            await self._rows(statements.EMPLOYEE_BY_NUMBER, account=account, number=number)
        )

    async def contact_by_number(self, account: AccountId, number: str) -> KnownContact | None:
        rows = self.rows or RowsAtHand(self.database)
        return await contact_by_number(rows, account, number)

    async def media_file(self, account: AccountId, file: MediaFileId) -> MediaFile | None:
        rows = await self._rows(statements.MEDIA_FILE_BY_ID, account=account, file=file)
        return self._media_file(rows)

    async def system_media_file(self, name: str) -> MediaFile | None:
        return self._media_file(await self._rows(statements.SYSTEM_MEDIA_FILE, name=name))

    async def blacklisted(self, account: AccountId, number: str) -> bool:
        return bool(await self._rows(statements.BLACKLISTED, account=account, number=number))

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
        rows = await self._rows(statements.TAG, account=account, tag=tag)
        return Tag(rows[0].id, rows[0].name) if rows else None

    async def talk_options(self, account: AccountId) -> Sequence[TalkOption]:
        return [
            TalkOption(row.button, Mnemonic(row.mnemonic), row.name, row.value)
            for row in await self._rows(statements.TALK_OPTIONS, account=account)
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
            for row in await self._rows(statements.TRUNKS)
        ]

    async def has_trunk(self, account: AccountId, name: str) -> bool:
        return bool(await self._rows(statements.OWN_TRUNK, account=account, name=name))

    async def sip_accounts(self) -> Sequence[SipAccount]:
        return [
            SipAccount(row.number, row.password, srtp=row.srtp)
            for row in await self._rows(statements.SIP_ACCOUNTS)
        ]

    async def own_numbers(self) -> Sequence[str]:
        """Virtual numbers of whatever accounts, as many as tell which countries calls begin in."""
        return [row.number for row in await self._rows(statements.OWN_NUMBERS)]

    async def revision(self) -> int:
        """Count of changes: a new number means that trunks or phones may be others now."""
        return int((await self._rows(statements.REVISION))[0].revision)

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


def _group(rows: Sequence[ReadRow]) -> Group | None:
    if not rows:
        return None
    row = rows[0]
    return Group(
        id=row.id,
        name=row.name,
        employees=tuple(map(EmployeeId, row.employees)),
        order=[(number, rung) for number, rung in row.phone_order],
        number=row.number,
        queue=row.queue,
        channels=row.channels,
    )


def _virtual_number(row: ReadRow) -> VirtualNumber:
    return VirtualNumber(
        id=row.id,
        number=row.number,
        trunk=row.trunk,
        scenario=row.scenario,
        active=bool(row.number_active),
        locked=bool(row.locked),
    )


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
        status=EmployeeStatus(rows[0].status),
        calls_out=bool(rows[0].calls_out),
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
