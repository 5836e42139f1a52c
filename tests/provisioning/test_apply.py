from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from callwright.directory.media import StoredMedia
from callwright.directory.model import AccountId, EmployeeId, MediaFileId
from callwright.provisioning.apply import apply_directory
from callwright.provisioning.diff import Change, ChangeKind, FieldChange
from callwright.provisioning.file import DirectoryFaults, read_directory_file
from callwright.storage.access import StoredAccess
from callwright.storage.database import open_database, writing
from callwright.storage.directory import StoredDirectory
from callwright.storage.tables import (
    employee_phones,
    media_files,
    tokens,
    trunks,
    users,
    virtual_numbers,
)

pytestmark = pytest.mark.anyio

OURS = AccountId(1)
HASH = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$"

TEXT = f"""\
[account]
name = "Horns and Hooves"

[[users]]
login = "crm"
password_hash = "{HASH}b25l"

[[tokens]]
user = "crm"
sha256 = "{"a" * 64}"
hint = "aaaa"

[[trunks]]
name = "first"
host = "192.0.2.1"
user = "user"
password = "geheim"

[[trunks]]
name = "second"
host = "192.0.2.2"

[[virtual_numbers]]
number = "74993720692"
trunk = "second"

[[employees]]
id = 25
full_name = "Anna Ivanova"
[[employees.phones]]
number = "79260000001"
kind = "e164"
[[employees.phones]]
number = "101"
kind = "sip"

[[employees]]
id = 26
full_name = "Boris"

[[media_files]]
id = 2561
name = "greeting"
file = "greeting.wav"
[[media_files]]
id = 2701
name = "waiting"
file = "waiting.wav"

[[blacklist]]
number = "79990000000"
comment = "asked not to be called"
"""

MEDIA = {
    2561: StoredMedia("1" * 64, "1.wav", 2.5, 80044),
    2701: StoredMedia("2" * 64, "2.wav", 12.0, 384044),
    1: StoredMedia("1" * 64, "1.wav", 2.5, 80044),
    9: StoredMedia("9" * 64, "9.wav", 1.0, 32044),
}


class Applying:
    """Applies texts to a database, one after another."""

    def __init__(self, database: AsyncEngine, path: Path) -> None:
        self.database = database
        self.path = path
        self.directory = StoredDirectory(database, Path("/media"))

    async def __call__(
        self,
        text: str,
        media: Mapping[int, StoredMedia] = MEDIA,
        *,
        dry_run: bool = False,
    ) -> list[Change]:
        self.path.write_text(text)
        file = read_directory_file(self.path)
        return await apply_directory(self.database, file, media, dry_run=dry_run)

    async def faults(self, text: str) -> list[str]:
        with pytest.raises(DirectoryFaults) as raised:
            await self(text)
        return [str(fault).removeprefix(f"{self.path}:") for fault in raised.value.faults]


@pytest.fixture
def apply(database: AsyncEngine, tmp_path: Path) -> Applying:
    return Applying(database, tmp_path / "directory.toml")


async def test_what_the_file_says_is_there(apply: Applying) -> None:
    changes = await apply(TEXT)
    assert [change.what for change in changes] == [
        "trunk first",
        "trunk second",
        "user crm",
        "token aaaa",
        "employee 25",
        "employee 26",
        "phone 79260000001",
        "phone 101",
        "virtual number 74993720692",
        "media file 2561",
        "media file 2701",
        "blacklisted number 79990000000",
    ]
    assert {change.kind for change in changes} == {ChangeKind.ADDED}

    directory = apply.directory
    anna = await directory.employee(OURS, EmployeeId(25))
    assert anna is not None
    assert [phone.number for phone in anna.phones] == ["79260000001", "101"]
    assert [trunk.name for trunk in await directory.trunks()] == ["first", "second"]
    number = await directory.virtual_number(OURS, "74993720692")
    assert number is not None
    assert number.trunk == "second"
    file = await directory.media_file(OURS, MediaFileId(2701))
    assert file is not None
    assert (file.name, file.path) == ("waiting", Path("/media/2.wav"))
    assert await directory.blacklisted(OURS, "79990000000")
    found = await StoredAccess(apply.database).token("a" * 64)
    assert found is not None
    assert found[1].login == "crm"


async def test_applying_again_changes_nothing(apply: Applying) -> None:
    await apply(TEXT)
    revision = await apply.directory.revision()
    assert await apply(TEXT) == []
    assert await apply.directory.revision() == revision == 1


async def test_a_change_counts_the_revision_up(apply: Applying) -> None:
    await apply(TEXT)
    await apply(TEXT.replace("192.0.2.1", "192.0.2.9"))
    assert await apply.directory.revision() == 2


async def test_a_dry_run_tells_all_and_changes_nothing(apply: Applying) -> None:
    planned = await apply(TEXT, dry_run=True)
    assert await apply.directory.trunks() == []
    assert await apply.directory.revision() == 0
    assert await apply(TEXT) == planned


async def test_changes_name_fields_and_mask_secrets(apply: Applying) -> None:
    await apply(TEXT)
    changed = (
        TEXT.replace("geheim", "noch geheimer")
        .replace("192.0.2.1", "192.0.2.9")
        .replace("b25l", "dHdv")
        .replace('kind = "sip"', 'kind = "sip"\ndial_time = 12')
        .replace('number = "74993720692"\ntrunk = "second"', 'number = "74993720692"')
        .replace('full_name = "Boris"', 'full_name = "Boris"\nactive = false')
    )
    changes = await apply(changed)
    assert changes == [
        Change(
            ChangeKind.CHANGED,
            "trunk first",
            (
                FieldChange("host", "192.0.2.1", "192.0.2.9"),
                FieldChange("password", "(secret)", "(secret)"),
            ),
        ),
        Change(
            ChangeKind.CHANGED, "user crm", (FieldChange("password_hash", "(secret)", "(secret)"),)
        ),
        Change(ChangeKind.CHANGED, "employee 26", (FieldChange("active", "true", "false"),)),
        Change(ChangeKind.CHANGED, "phone 101", (FieldChange("dial_time", "30", "12"),)),
        Change(
            ChangeKind.CHANGED,
            "virtual number 74993720692",
            (FieldChange("trunk", "second", "(none)"),),
        ),
    ]
    first = (await apply.directory.trunks())[0]
    assert (first.host, first.password) == ("192.0.2.9", "noch geheimer")


async def test_what_the_file_no_longer_names_is_removed(apply: Applying) -> None:
    await apply(TEXT)
    changes = await apply('[account]\nname = "Horns and Hooves"\n')
    assert len(changes) == 12
    assert {change.kind for change in changes} == {ChangeKind.REMOVED}
    async with apply.database.connect() as connection:
        for table in (users, tokens, trunks, virtual_numbers, employee_phones, media_files):
            assert (await connection.execute(select(table))).all() == []


async def test_rows_that_stay_keep_their_ids(apply: Applying) -> None:
    await apply(TEXT)

    async def ids() -> list[int]:
        async with apply.database.connect() as connection:
            query = select(employee_phones.c.id).order_by(employee_phones.c.number)
            return list(await connection.scalars(query))

    before = await ids()
    await apply(TEXT.replace('kind = "sip"', 'kind = "extension"'))
    assert await ids() == before


async def test_a_number_goes_from_one_employee_to_another(apply: Applying) -> None:
    await apply(TEXT)
    phone = '[[employees.phones]]\nnumber = "101"\nkind = "sip"\n'
    boris = 'full_name = "Boris"\n'
    [change] = await apply(TEXT.replace(phone, "").replace(boris, boris + phone))
    assert change.what == "phone 101"
    assert change.fields[0] == FieldChange("employee_id", "25", "26")
    found = await apply.directory.employee_by_number(OURS, "101")
    assert found is not None
    assert found.id == 26


async def test_two_media_files_swap_their_names(apply: Applying) -> None:
    await apply(TEXT)
    one, other = 'name = "greeting"', 'name = "waiting"'
    changes = await apply(TEXT.replace(one, "?").replace(other, one).replace("?", other))
    assert [change.what for change in changes] == ["media file 2561", "media file 2701"]
    file = await apply.directory.media_file(OURS, MediaFileId(2561))
    assert file is not None
    assert file.name == "waiting"


async def test_a_trunk_is_replaced_by_another_with_its_numbers(apply: Applying) -> None:
    await apply(TEXT)
    await apply(TEXT.replace('"second"', '"third"'))
    number = await apply.directory.virtual_number(OURS, "74993720692")
    assert number is not None
    assert number.trunk == "third"


async def test_a_file_may_make_an_account_of_its_own(apply: Applying) -> None:
    await apply(TEXT)
    changes = await apply('[account]\nid = 3\nname = "Third"\n')
    assert changes == [Change(ChangeKind.ADDED, "account 3")]
    [changed] = await apply('[account]\nid = 3\nname = "3rd"\nactive = false\n')
    assert changed.fields == (
        FieldChange("name", "Third", "3rd"),
        FieldChange("active", "true", "false"),
    )
    assert len(await apply.directory.trunks()) == 2


async def _made_by_commands(database: AsyncEngine) -> None:
    async with writing(database) as connection:
        await connection.execute(
            insert(users).values(
                id=50,
                account_id=1,
                login="admin",
                networks=["127.0.0.0/8"],
                disabled_components=[],
                active=True,
                origin="command",
            )
        )
        crm = (await connection.execute(select(users.c.id).where(users.c.login == "crm"))).scalar()
        for user, digit in ((50, "b"), (crm, "c")):
            await connection.execute(
                insert(tokens).values(
                    user_id=user,
                    kind="permanent",
                    sha256=digit * 64,
                    hint=digit * 4,
                    blocked=False,
                    origin="command",
                    created_at=datetime.now(UTC),
                )
            )
        await connection.execute(
            insert(media_files).values(
                id=9,
                account_id=1,
                name="added",
                duration=1.0,
                size=32044,
                sha256="9" * 64,
                file_name="9.wav",
                origin="command",
            )
        )


async def test_what_commands_have_made_stays(apply: Applying) -> None:
    await apply(TEXT)
    await _made_by_commands(apply.database)
    assert await apply(TEXT) == []
    access = StoredAccess(apply.database)
    assert await access.token("b" * 64)
    assert await access.token("c" * 64)
    assert await apply.directory.media_file(OURS, MediaFileId(9))


async def test_a_token_does_not_outlive_its_user_and_the_diff_says_so(apply: Applying) -> None:
    await apply(TEXT)
    await _made_by_commands(apply.database)
    without = TEXT.replace(TEXT[TEXT.index("[[users]]") : TEXT.index("[[trunks]]")], "")
    changes = await apply(without)
    assert changes == [
        Change(ChangeKind.REMOVED, "user crm"),
        Change(ChangeKind.REMOVED, "token aaaa"),
        Change(ChangeKind.REMOVED, "token cccc"),
    ]
    access = StoredAccess(apply.database)
    assert await access.token("c" * 64) is None
    assert await access.token("b" * 64)


async def test_the_file_takes_over_what_a_command_has_made(apply: Applying) -> None:
    await apply(TEXT)
    await _made_by_commands(apply.database)
    added = '[[media_files]]\nid = 9\nname = "added"\nfile = "added.wav"\n'
    [change] = await apply(TEXT + added)
    assert change.fields == (FieldChange("origin", "command", "file"),)
    assert await apply(TEXT) == [Change(ChangeKind.REMOVED, "media file 9")]


async def test_a_password_the_file_is_silent_about_stays(apply: Applying) -> None:
    await apply(TEXT)
    assert await apply(TEXT.replace(f'password_hash = "{HASH}b25l"\n', "")) == []
    found = await StoredAccess(apply.database).user_by_login("crm")
    assert found is not None
    assert found[0].password_hash == f"{HASH}b25l"


async def test_a_blocked_token_stays_blocked(apply: Applying) -> None:
    await apply(TEXT)
    async with writing(apply.database) as connection:
        await connection.execute(update(tokens).values(blocked=True))
    await apply(TEXT.replace('hint = "aaaa"', 'hint = "bbbb"'))
    found = await StoredAccess(apply.database).token("a" * 64)
    assert found is not None
    assert (found[0].blocked, found[0].hint) == (True, "bbbb")


async def test_what_another_account_has_is_a_fault(apply: Applying) -> None:
    await apply(TEXT)
    async with writing(apply.database) as connection:
        await connection.execute(
            insert(media_files).values(
                id=1,
                account_id=None,
                name="dialing_music",
                duration=1.0,
                size=1,
                sha256="0" * 64,
                file_name="0.wav",
                origin="command",
            )
        )
    other = TEXT.replace("[account]", "[account]\nid = 2").replace("2561", "1")
    told = await apply.faults(other)
    owned = "it belongs to another account or to the system"
    assert told == [
        f"6: users[0].login: {owned}",
        f"11: tokens[0].sha256: {owned}",
        f"15: trunks[0].name: {owned}",
        f"21: trunks[1].name: {owned}",
        f"25: virtual_numbers[0].number: {owned}",
        f"29: employees[0].id: {owned}",
        f"39: employees[1].id: {owned}",
        f"43: media_files[0].id: {owned}",
        f"47: media_files[1].id: {owned}",
    ]
    assert await apply(TEXT) == []


async def test_a_token_of_nobody_is_a_fault(apply: Applying) -> None:
    told = await apply.faults(TEXT.replace('user = "crm"', 'user = "crn"'))
    assert told == ["9: tokens[0].user: there is no user 'crn'"]
    assert await apply.directory.trunks() == []


async def test_a_token_may_be_of_a_user_made_by_a_command(apply: Applying) -> None:
    await apply(TEXT)
    await _made_by_commands(apply.database)
    changes = await apply(TEXT.replace('user = "crm"', 'user = "admin"'))
    assert changes == [
        Change(ChangeKind.CHANGED, "token aaaa", (FieldChange("user", "crm", "admin"),))
    ]


async def test_a_name_a_command_has_given_is_a_fault(apply: Applying) -> None:
    await apply(TEXT)
    await _made_by_commands(apply.database)
    told = await apply.faults(TEXT.replace('name = "waiting"', 'name = "added"'))
    reason = "media file 9, made by a command, has this name"
    assert told == [f"47: media_files[1].name: {reason}"]


async def test_readers_see_the_old_directory_or_the_new_and_never_wait(
    apply: Applying, database_path: Path
) -> None:
    """While changes are applied, calls go on being set up."""
    await apply(TEXT)
    service = open_database(f"sqlite+aiosqlite:///{database_path}")
    directory = StoredDirectory(service, Path("/media"))
    seen: set[tuple[str, ...]] = set()
    done = anyio.Event()

    async def read() -> None:
        while not done.is_set():
            trunks = tuple(trunk.host for trunk in await directory.trunks())
            seen.add(trunks)

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(read)
        for turn in range(10):
            hosts = ("192.0.2.", "198.51.100.")[turn % 2]
            await apply(TEXT.replace("192.0.2.", hosts))
        done.set()
    await service.dispose()
    assert seen <= {("192.0.2.1", "192.0.2.2"), ("198.51.100.1", "198.51.100.2")}
    assert seen


async def test_two_thousand_employees_are_applied(apply: Applying) -> None:
    crowd = "".join(
        f'[[employees]]\nid = {n}\nfull_name = "Employee {n}"\n'
        f'[[employees.phones]]\nnumber = "7926{n:07}"\nkind = "e164"\n'
        for n in range(100, 2100)
    )
    assert len(await apply(TEXT + crowd)) == 12 + 4000
    assert await apply(TEXT + crowd) == []


REGISTERED = TEXT.replace('number = "101"\nkind = "sip"', 'number = "101"\nkind = "sip"\n{}')


async def test_a_phone_that_registers(apply: Applying) -> None:
    await apply(REGISTERED.format('password = "geheim-101"'))
    [account] = await apply.directory.sip_accounts()
    assert (account.number, account.password) == ("101", "geheim-101")
    assert "geheim" not in repr(account)
    anna = await apply.directory.employee(OURS, EmployeeId(25))
    assert anna is not None
    assert [phone.registers for phone in anna.phones] == [False, True]

    changes = await apply(REGISTERED.format('password = "geheim-102"'))
    assert changes == [
        Change(ChangeKind.CHANGED, "phone 101", (FieldChange("password", "(secret)", "(secret)"),))
    ]
    for off in ('password = "geheim-102"\nactive = false', 'contact = "sip:101@192.0.2.7"'):
        await apply(REGISTERED.format(off))
        assert await apply.directory.sip_accounts() == []


async def test_a_number_registers_once_over_all_accounts(apply: Applying) -> None:
    await apply(REGISTERED.format('password = "geheim-101"'))
    other = """
[account]
id = 2
name = "Another"
[[employees]]
id = 99
full_name = "Clara"
[[employees.phones]]
number = "101"
kind = "sip"
"""
    assert await apply.faults(other + 'password = "geheim-999"') == [
        "9: employees[0].phones[0].number: a phone of another account registers under this number"
    ]
    await apply(other)
    [account] = await apply.directory.sip_accounts()
    assert account.password == "geheim-101"


async def test_how_a_trunk_is_to_be_held(apply: Applying) -> None:
    said = 'register = true\nexpires = 600\noptions_ping = 30\n\n[[trunks]]\nname = "second"'
    await apply(TEXT.replace('\n[[trunks]]\nname = "second"', said))
    first, second = await apply.directory.trunks()
    assert (first.register, first.expires, first.options_ping) == (True, 600, 30.0)
    assert (second.register, second.expires, second.options_ping) == (False, 300, None)
