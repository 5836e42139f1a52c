from pathlib import Path

import pytest
from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.directory.model import (
    AccountId,
    Employee,
    EmployeeId,
    MediaFile,
    MediaFileId,
    Phone,
    PhoneKind,
    VirtualNumber,
)
from callwright.engines.network import Trunk
from callwright.storage.database import writing
from callwright.storage.directory import StoredDirectory
from callwright.storage.tables import (
    blacklist,
    directory_revision,
    employee_phones,
    employees,
    media_files,
    trunks,
    virtual_numbers,
)

pytestmark = pytest.mark.anyio

OURS, THEIRS = AccountId(1), AccountId(2)
MEDIA = Path("/var/lib/callwright/media")

ANNA = Employee(
    EmployeeId(25),
    "Anna Ivanova",
    (
        Phone(3, "101", PhoneKind.EXTENSION, 20.0, active=True, contact="sip:101@192.0.2.7"),
        Phone(1, "79260000001", PhoneKind.E164, 30.0, active=True),
        Phone(2, "0012345", PhoneKind.SIP, 12.5, active=False),
    ),
)
SILENT = Employee(EmployeeId(26), "Boris", ())
CLARA = Employee(EmployeeId(27), "Clara", (Phone(4, "0054321", PhoneKind.SIP, 30.0, active=True),))


@pytest.fixture
async def directory(database: AsyncEngine) -> StoredDirectory:
    staff = [(ANNA, 1, True), (SILENT, 1, True), (CLARA, 1, True)]
    staff += [(Employee(EmployeeId(28), "Retired", CLARA.phones[:0]), 1, False)]
    async with writing(database) as connection:
        for trunk in (
            {"name": "second", "position": 1, "host": "192.0.2.2", "active": True},
            {"name": "first", "position": 0, "host": "pbx.example", "active": True},
            {"name": "off", "position": 2, "host": "192.0.2.3", "active": False},
        ):
            extra = {"account_id": 1, "port": 5080, "user": "u", "password": "geheim"}
            row = {**trunk, **extra, "caller_id_header": "pai"}
            await connection.execute(insert(trunks).values(**row))
        await connection.execute(
            insert(virtual_numbers),
            [
                {"id": 5, "account_id": 1, "number": "74993720692", "trunk": "second"},
                {"id": 6, "account_id": 2, "number": "74993720693", "trunk": None},
            ],
        )
        for employee, account, active in staff:
            await connection.execute(
                insert(employees).values(
                    id=employee.id, account_id=account, full_name=employee.full_name, active=active
                )
            )
            for priority, phone in enumerate(employee.phones):
                await connection.execute(
                    insert(employee_phones).values(
                        id=phone.id,
                        account_id=account,
                        employee_id=employee.id,
                        number=phone.number,
                        kind=phone.kind.value,
                        contact=phone.contact,
                        priority=priority,
                        dial_time=phone.dial_time,
                        active=phone.active,
                    )
                )
        files: list[tuple[int, int | None, str]] = [
            (1, None, "dialing_music"),
            (2701, 1, "waiting"),
            (9, 2, "x"),
        ]
        for id, owner, name in files:
            await connection.execute(
                insert(media_files).values(
                    id=id,
                    account_id=owner,
                    name=name,
                    duration=2.5,
                    size=80044,
                    sha256="0" * 64,
                    file_name=f"{id}.wav",
                    origin="file",
                )
            )
        await connection.execute(
            insert(blacklist).values(account_id=1, number="79990000000", comment="")
        )
    return StoredDirectory(database, MEDIA)


async def test_a_virtual_number_is_its_accounts_own(directory: StoredDirectory) -> None:
    own = VirtualNumber(5, "74993720692", "second")
    assert await directory.virtual_number(OURS, "74993720692") == own
    assert await directory.virtual_number(THEIRS, "74993720692") is None
    other = VirtualNumber(6, "74993720693", None)
    assert await directory.virtual_number(THEIRS, "74993720693") == other


async def test_a_registered_phone_is_at_home_in_its_account(directory: StoredDirectory) -> None:
    assert await directory.home_of_phone("101") is None, "it does not register"
    async with writing(directory.database) as connection:
        await connection.execute(
            update(employee_phones).where(employee_phones.c.number == "101").values(password="x")
        )
    found = await directory.home_of_phone("101")
    assert found is not None
    account, number = found
    assert account.id == OURS
    assert number == VirtualNumber(5, "74993720692", "second")
    assert await directory.home_of_phone("102") is None


async def test_a_registered_phone_calls_under_its_own_number(directory: StoredDirectory) -> None:
    async def home(account: int, own: str, *, active: bool = True) -> str:
        async with writing(directory.database) as connection:
            await connection.execute(
                update(employee_phones)
                .where(employee_phones.c.number == "101")
                .values(password="x", virtual_number=own)
            )
            await connection.execute(delete(virtual_numbers).where(virtual_numbers.c.id == 77))
            await connection.execute(
                insert(virtual_numbers).values(
                    id=77, account_id=account, number="74993720777", active=active
                )
            )
        found = await directory.home_of_phone("101")
        assert found is not None
        return found[1].number

    assert await home(OURS, "74993720777") == "74993720777"
    assert await home(OURS, "74993720777", active=False) == "74993720692"
    assert await home(THEIRS, "74993720777") == "74993720692"
    assert await home(OURS, "74993729999") == "74993720692", "it is gone"


async def test_the_numbers_of_all_accounts_tell_the_countries(directory: StoredDirectory) -> None:
    ours = await directory.virtual_numbers(OURS)
    theirs = await directory.virtual_numbers(THEIRS)
    assert ours
    assert theirs
    assert set(await directory.own_numbers()) == {one.number for one in (*ours, *theirs)}


async def test_an_employee_has_all_phones_in_ringing_order(directory: StoredDirectory) -> None:
    assert await directory.employee(OURS, EmployeeId(25)) == ANNA
    assert await directory.employee(OURS, EmployeeId(26)) == SILENT


@pytest.mark.parametrize("employee", [28, 29])
async def test_the_inactive_and_the_unknown_are_not_there(
    directory: StoredDirectory, employee: int
) -> None:
    assert await directory.employee(OURS, EmployeeId(employee)) is None


async def test_an_employee_of_another_account_is_not_there(directory: StoredDirectory) -> None:
    assert await directory.employee(THEIRS, EmployeeId(25)) is None


@pytest.mark.parametrize(
    ("number", "employee"),
    [
        ("0054321", CLARA),
        pytest.param("0012345", None, id="inactive"),
        pytest.param("101", ANNA, id="extension"),
        pytest.param("79260000001", ANNA, id="e164"),
        pytest.param("1", None, id="unknown"),
    ],
)
async def test_an_employee_is_found_by_the_number_of_any_active_phone(
    directory: StoredDirectory, number: str, employee: Employee | None
) -> None:
    assert await directory.employee_by_number(OURS, number) == employee
    assert await directory.employee_by_number(THEIRS, number) is None


async def test_an_inactive_employee_is_not_found_by_number(
    directory: StoredDirectory, database: AsyncEngine
) -> None:
    async with writing(database) as connection:
        await connection.execute(update(employees).where(employees.c.id == 27).values(active=False))
    assert await directory.employee_by_number(OURS, "0054321") is None


async def test_media_files_are_the_accounts_or_the_systems(directory: StoredDirectory) -> None:
    own = MediaFile(MediaFileId(2701), "waiting", False, 2.5, MEDIA / "2701.wav")
    system = MediaFile(MediaFileId(1), "dialing_music", True, 2.5, MEDIA / "1.wav")
    assert await directory.media_file(OURS, MediaFileId(2701)) == own
    assert await directory.media_file(THEIRS, MediaFileId(2701)) is None
    assert await directory.media_file(OURS, MediaFileId(1)) == system
    assert await directory.system_media_file("dialing_music") == system
    assert await directory.system_media_file("waiting") is None


async def test_the_blacklist_is_the_accounts_own(directory: StoredDirectory) -> None:
    assert await directory.blacklisted(OURS, "79990000000") is True
    assert await directory.blacklisted(THEIRS, "79990000000") is False


async def test_active_trunks_come_in_the_order_of_the_file(directory: StoredDirectory) -> None:
    assert await directory.trunks() == [
        Trunk("first", "pbx.example", 5080, "u", "geheim", "pai"),
        Trunk("second", "192.0.2.2", 5080, "u", "geheim", "pai"),
    ]


async def test_a_trunk_has_what_carries_sip_to_it(
    directory: StoredDirectory, database: AsyncEngine
) -> None:
    async with writing(database) as connection:
        values = {"port": 0, "transport": "tls", "tls_verify": False, "tls_ca": "/etc/ca.pem"}
        values |= {"from_user": "6001", "from_domain": "ims.example", "symmetric_rtp": False}
        await connection.execute(update(trunks).where(trunks.c.name == "first").values(**values))
    trunk = (await directory.trunks())[0]
    assert (trunk.port, trunk.transport, trunk.tls_verify) == (None, "tls", False)
    assert trunk.tls_ca == Path("/etc/ca.pem")
    assert (trunk.from_user, trunk.from_domain) == ("6001", "ims.example")
    assert (trunk.symmetric_rtp, Trunk("default", "192.0.2.1").symmetric_rtp) == (False, True)


async def test_a_trunks_password_is_not_in_its_repr(directory: StoredDirectory) -> None:
    assert "geheim" not in repr(await directory.trunks())


async def test_the_revision_is_what_the_table_says(
    directory: StoredDirectory, database: AsyncEngine
) -> None:
    assert await directory.revision() == 0
    async with writing(database) as connection:
        await connection.execute(update(directory_revision).values(revision=41))
    assert await directory.revision() == 41
