import random
import re
from pathlib import Path

import pytest

from callwright.directory.model import PhoneKind
from callwright.provisioning.file import DirectoryFaults, read_directory_file

WHOLE = """\
[account]
name = "Horns and Hooves"

[[users]]
login = "crm"
password_hash = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$aGFzaGhhc2g"
networks = ["192.0.2.0/24", "::1/128"]
disabled_components = ["Call API Informer calls"]

[[tokens]]
user = "crm"
sha256 = "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"
hint = "093d"
expires = 2030-01-01T00:00:00+03:00

[[trunks]]
name = "carrier"
host = "sip.example.net"
user = "74993720692"
password = "geheim"
caller_id_header = "pai"

[[virtual_numbers]]
number = "74993720692"
trunk = "carrier"

[[employees]]
id = 25
full_name = "Anna Ivanova"

[[employees.phones]]
number = "79260000001"
kind = "e164"

[[employees.phones]]
number = "101"
kind = "extension"
contact = "sip:101@192.0.2.7:5070"
dial_time = 12

[[media_files]]
id = 2701
name = "waiting"
file = "media/waiting.wav"

[[blacklist]]
number = "79990000000"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "directory.toml"


def faults(path: Path, text: str) -> list[str]:
    path.write_text(text)
    with pytest.raises(DirectoryFaults) as raised:
        read_directory_file(path)
    return [str(fault).removeprefix(f"{path}:") for fault in raised.value.faults]


def test_a_whole_file_is_read(path: Path) -> None:
    path.write_text(WHOLE)
    content = read_directory_file(path).content
    assert content.account.id == 1
    assert content.users[0].networks == ["192.0.2.0/24", "::1/128"]
    assert (content.trunks[0].port, content.trunks[0].transport) == (None, "udp")
    one, other = content.employees[0].phones
    assert (one.kind, one.contact, one.dial_time) == (PhoneKind.E164, None, 30.0)
    assert (other.kind, other.dial_time) == (PhoneKind.EXTENSION, 12.0)


def test_secrets_are_not_in_the_repr(path: Path) -> None:
    path.write_text(WHOLE)
    shown = repr(read_directory_file(path))
    assert "geheim" not in shown
    assert "argon2" not in shown


def test_an_account_is_enough(path: Path) -> None:
    path.write_text('[account]\nname = "Nobody yet"\n')
    content = read_directory_file(path).content
    assert not content.employees
    assert not content.trunks


SHA256_NEEDED = "the SHA-256 of the token is needed, as 64 hexadecimal digits in lower case"
HINT_NEEDED = "the token's last characters are needed, at most four letters and digits"
A_COMPONENT = (
    'one of these is needed: "Call API Basic set", "Call API Call management", '
    '"Call API Informer calls", "Call API Call scenario", "Data API"'
)
DIGITS = "digits with the country's code: "
PHONE_NUMBER = "a phone's number is 1 to 32 letters, digits and . _ -, without +"
APART = "a port is written apart: port = 5060"
VALUES = "a text in quotes, a number, true, false or a list"
NO_NUMBER = "a number is 7 to 15 digits, the country's code first, as in 79261234567"
NO_CONTACT = "only phones of kind sip or extension are rung at a contact"
NO_HASH = "not an argon2id hash; `callwright user password` can set a password"

PASSWORD = "employees[0].phones[0].password"

# What is replaced, by what, and what is told: line, path and reason.
WRONG = [
    ('name = "Horns and Hooves"', "", "1: account.name: missing"),
    (
        'number = "74993720692"\ntrunk',
        "number = 74993720692\ntrunk",
        '24: virtual_numbers[0].number: a text is needed, in quotes: "…"',
    ),
    (
        'number = "74993720692"\ntrunk',
        'number = "+74993720692"\ntrunk',
        "24: virtual_numbers[0].number: write the number without the +",
    ),
    (
        'number = "74993720692"\ntrunk',
        'number = "123"\ntrunk',
        "24: virtual_numbers[0].number: " + NO_NUMBER,
    ),
    (
        'trunk = "carrier"',
        'trunk = "carier"',
        "25: virtual_numbers[0].trunk: there is no trunk 'carier' in this file; there are: carrier",
    ),
    (
        'kind = "e164"',
        'kind = "fax"',
        '33: employees[0].phones[0].kind: one of these is needed: "sip", "extension", "e164"',
    ),
    (
        'kind = "e164"',
        'kind = "e164"\ncontact = "sip:1@192.0.2.7"',
        "34: employees[0].phones[0].contact: " + NO_CONTACT,
    ),
    (
        'number = "101"',
        'number = "79260000001"',
        "36: employees[0].phones[1].number: 79260000001 stands in line 32 already",
    ),
    (
        'number = "101"\nkind = "extension"\ncontact = "sip:101@192.0.2.7:5070"',
        'number = "101"\nkind = "e164"',
        "36: employees[0].phones[1].number: not e164: " + NO_NUMBER,
    ),
    (
        'number = "101"',
        'number = "10 1"',
        "36: employees[0].phones[1].number: " + PHONE_NUMBER,
    ),
    (
        'number = "101"',
        'number = "+101"',
        "36: employees[0].phones[1].number: write the number without the +",
    ),
    (
        "sip:101@192.0.2.7:5070",
        "101@192.0.2.7",
        "38: employees[0].phones[1].contact: write it like sip:25@192.0.2.7:5060",
    ),
    (
        "sip:101@192.0.2.7:5070",
        "sips:101@192.0.2.7",
        "38: employees[0].phones[1].contact: write it like sip:25@192.0.2.7:5060",
    ),
    (
        "sip:101@192.0.2.7:5070",
        "sip:101@192.0.2.7;transport=sctp",
        "38: employees[0].phones[1].contact: write it like sip:25@192.0.2.7:5060",
    ),
    (
        "sip:101@192.0.2.7:5070",
        "sip:101@[2001:db8::g]",
        "38: employees[0].phones[1].contact: write it like sip:25@192.0.2.7:5060",
    ),
    (
        "sip:101@192.0.2.7:5070",
        "sip:101:secret@192.0.2.7",
        "38: employees[0].phones[1].contact: write it like sip:25@192.0.2.7:5060",
    ),
    (
        "sip:101@192.0.2.7:5070",
        "sip:101@192.0.2.7:70000",
        "38: employees[0].phones[1].contact: a port is 1 to 65535",
    ),
    (
        "sip:101@192.0.2.7:5070",
        "sip:101@192.0.2.777",
        "38: employees[0].phones[1].contact: this is no IP address; " + APART,
    ),
    (
        "sip:101@192.0.2.7:5070",
        "sip:101@h\\r\\nVia: x",
        "38: employees[0].phones[1].contact: write it like sip:25@192.0.2.7:5060",
    ),
    (
        "dial_time = 12",
        "dial_time = 0.5",
        "39: employees[0].phones[1].dial_time: at least 1 is needed",
    ),
    (
        "dial_time = 12",
        "dial_time = 101",
        "39: employees[0].phones[1].dial_time: at most 100 is allowed",
    ),
    ("id = 25", 'id = "25"', "28: employees[0].id: a whole number is needed, without quotes"),
    (
        "id = 25",
        "id = 9007199254740992",
        "28: employees[0].id: less than 9007199254740992 is needed",
    ),
    ('full_name = "Anna Ivanova"', 'fullname = "Anna"', "27: employees[0].full_name: missing"),
    ("[[blacklist]]", "[[blocklist]]", "46: blocklist: there is no such setting here"),
    (
        'number = "79990000000"',
        'number = "79990000000"\n[[blacklist]]\nnumber = "79990000000"',
        "49: blacklist[1].number: 79990000000 stands in line 47 already",
    ),
    (
        '"192.0.2.0/24"',
        '"192.0.2.1/24"',
        "7: users[0].networks[0]: this is an address in a network; the network is 192.0.2.0/24",
    ),
    (
        '"Call API Informer calls"',
        '"Informer"',
        "8: users[0].disabled_components[0]: " + A_COMPONENT,
    ),
    ("$argon2id$v=19$", "hunter2", "6: users[0].password_hash: " + NO_HASH),
    ('sha256 = "0f', 'sha256 = "0F', "12: tokens[0].sha256: " + SHA256_NEEDED),
    ('hint = "093d"', 'hint = "c3a1ae1f6093d"', "13: tokens[0].hint: " + HINT_NEEDED),
    (
        "2030-01-01T00:00:00+03:00",
        "2030-01-01T00:00:00",
        "14: tokens[0].expires: the offset is missing: write it like 2027-01-01T00:00:00Z",
    ),
    (
        "2030-01-01T00:00:00+03:00",
        '"next year"',
        "14: tokens[0].expires: a moment is needed, without quotes: 2027-01-01T00:00:00Z",
    ),
    (
        "sip.example.net",
        "sip example",
        "18: trunks[0].host: neither a host name nor an address",
    ),
    ('user = "74993720692"\n', "", "19: trunks[0].password: a password needs a user beside it"),
    (
        'user = "74993720692"\npassword = "geheim"\n',
        "register = true\n",
        "19: trunks[0].register: to register, a user is needed beside it",
    ),
    (
        'kind = "e164"',
        'kind = "e164"\npassword = "long enough"',
        f"34: {PASSWORD}: only phones of kind sip or extension register with a password",
    ),
    (
        'kind = "e164"',
        'kind = "sip"\ncontact = "sip:25@192.0.2.7"\npassword = "long enough"',
        f"35: {PASSWORD}: a phone is rung at its contact or where it registers, not at both",
    ),
    (
        'kind = "e164"',
        'kind = "sip"\npassword = "short"',
        f"34: {PASSWORD}: at least 8 characters are needed",
    ),
    (
        '"pai"',
        '"rpid"',
        '21: trunks[0].caller_id_header: one of these is needed: "from", "pai", "ppi"',
    ),
    (
        'caller_id_header = "pai"',
        'from_user = "sip:6001"',
        "21: trunks[0].from_user: write the user alone, without sip: and @: 74993720692",
    ),
    (
        'caller_id_header = "pai"',
        'from_user = "6001@pbx.example"',
        "21: trunks[0].from_user: write the user alone, without sip: and @: 74993720692",
    ),
    (
        'caller_id_header = "pai"',
        'from_domain = "sip:pbx.example"',
        "21: trunks[0].from_domain: write the host alone, without sip: and without a port",
    ),
    ("[[users]]", "[users]", "4: users: a list is needed: [ … ], or [[ … ]] before each table"),
    (
        'name = "waiting"',
        'name = "wai\\nting"',
        "43: media_files[0].name: it holds a character that cannot be shown",
    ),
    ("[account]", "[account", "1: not TOML: a ] is missing at the end of the table's name"),
    ("id = 25", "id 25", "28: not TOML: a line is a name, =, and a value"),
    ("id = 25", "id =", "28: not TOML: a value is missing: " + VALUES),
    ('"Anna Ivanova"', "Anna Ivanova", "29: not TOML: a value is missing: " + VALUES),
    ('"Anna Ivanova"', '"Anna Ivanova', "29: not TOML: the quote that ends a text is missing, or "),
    ("id = 25", "id = 25 26", "28: not TOML: there is more in the line than one value"),
    ("id = 25", "id = 25\nid = 26", "29: not TOML: this stands in the file twice"),
]


@pytest.mark.parametrize(
    "contact",
    [
        "sip:101@192.0.2.7",
        "sip:101@pbx-1.example:5070;transport=tcp",
        "sip:101@[2001:db8::7]:5070;transport=tls",
        "sip:+7%2095@192.0.2.7;transport=udp",
    ],
)
def test_contacts_of_phones(path: Path, contact: str) -> None:
    path.write_text(WHOLE.replace("sip:101@192.0.2.7:5070", contact))
    assert read_directory_file(path).content.employees[0].phones[1].contact == contact


def test_what_carries_sip_to_a_trunk(path: Path) -> None:
    lines = 'host = "2001:db8::1"\ntransport = "tls"\ntls_verify = false\ntls_ca = "/etc/ca.pem"'
    path.write_text(re.sub(r'host = "[^"]+"', lines, WHOLE, count=1))
    trunk = read_directory_file(path).content.trunks[0]
    assert (trunk.host, trunk.transport, trunk.tls_verify) == ("2001:db8::1", "tls", False)
    assert trunk.tls_ca == "/etc/ca.pem"


def test_as_whom_a_trunk_knows_us(path: Path) -> None:
    lines = 'from_user = "6001"\nfrom_domain = "ims.example"\ncaller_id_header = "ppi"'
    lines += "\nsymmetric_rtp = false"
    path.write_text(WHOLE.replace('caller_id_header = "pai"', lines))
    trunk = read_directory_file(path).content.trunks[0]
    assert (trunk.from_user, trunk.from_domain) == ("6001", "ims.example")
    assert (trunk.caller_id_header, trunk.symmetric_rtp) == ("ppi", False)


@pytest.mark.parametrize(("right", "wrong", "told"), WRONG, ids=[told for *_, told in WRONG])
def test_a_fault_is_told_with_its_line(path: Path, right: str, wrong: str, told: str) -> None:
    assert WHOLE.count(right) == 1
    assert any(fault.startswith(told) for fault in faults(path, WHOLE.replace(right, wrong)))


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ("users", "login"),
        ("tokens", "sha256"),
        ("trunks", "name"),
        ("virtual_numbers", "number"),
        ("employees", "id"),
        ("media_files", "id"),
        ("media_files", "name"),
        ("blacklist", "number"),
    ],
)
def test_a_repetition_is_told_with_both_lines(path: Path, section: str, key: str) -> None:
    table = WHOLE[WHOLE.index(f"[[{section}]]") :].split("\n\n")[0]
    first = WHOLE[: WHOLE.index(f"{key} =", WHOLE.index(f"[[{section}]]"))].count("\n") + 1
    last = [told for told in faults(path, WHOLE + table) if f"{section}[1].{key}: " in told]
    assert len(last) == 1
    assert f"stands in line {first} already" in last[0]
    assert "0f" * 32 not in last[0]


def test_one_number_at_two_employees_is_a_fault(path: Path) -> None:
    other = """\
[[employees]]
id = 26
full_name = "Boris"
[[employees.phones]]
number = "101"
kind = "sip"
"""
    told = faults(path, WHOLE + other)
    assert told == ["52: employees[1].phones[0].number: 101 stands in line 36 already"]


def test_a_groups_short_number_is_nobody_elses(path: Path) -> None:
    group = '[[groups]]\nname = "sales"\nemployees = [25]\nnumber = "101"\n'
    told = faults(path, WHOLE + group)
    assert told == ["51: groups[0].number: 101 stands in line 36 already"]


def test_every_fault_is_told_in_the_order_of_the_file(path: Path) -> None:
    told = faults(path, WHOLE.replace("id = ", "number = ").replace("host", "hots"))
    assert [fault.split(":")[0] for fault in told] == ["16", "18", "27", "28", "41", "42"]


def test_what_was_written_is_not_told(path: Path) -> None:
    """A password that is wrongly written must not come out on a terminal or in a log."""
    [told] = faults(path, WHOLE.replace('"geheim"', '["geheim"]'))
    assert told.startswith("20: trunks[0].password: a text is needed")
    assert "geheim" not in told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[account]\nname = '\xff'\n", "2: not UTF-8: let the editor save it as that"),
        (b"", "1: account: missing"),
        (b"[account]\nid = " + b"[" * 3000, "1: not TOML: nested too deeply"),
        (b"[account]\nname = 'x'\n" + b"#" * (16 << 20), "1: larger than 16777216 bytes"),
    ],
    ids=["latin-1", "empty", "deep", "huge"],
)
def test_a_file_that_is_none_is_a_fault(path: Path, content: bytes, told: str) -> None:
    path.write_bytes(content)
    with pytest.raises(DirectoryFaults) as raised:
        read_directory_file(path)
    assert str(raised.value) == f"{path}:{told}"


def test_no_file_is_a_fault(path: Path) -> None:
    with pytest.raises(DirectoryFaults, match=r"directory.toml:1: No such file or directory"):
        read_directory_file(path)


def test_windows_line_ends_do_not_shift_lines(path: Path) -> None:
    path.write_bytes(WHOLE.replace("id = 25", 'id = "25"').replace("\n", "\r\n").encode())
    with pytest.raises(DirectoryFaults, match=r"directory.toml:28: employees\[0\].id: "):
        read_directory_file(path)


def test_a_byte_order_mark_is_passed_over(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + WHOLE.replace("id = 25", 'id = "25"').encode())
    with pytest.raises(DirectoryFaults, match=r"directory.toml:28: employees\[0\].id: "):
        read_directory_file(path)


SCENARIO = """
[[scenarios]]
id = 7
name = "Reception"
[[scenarios.operations]]
do = "menu"
message = "Press one for sales"
keys = { 1 = "sales" }
timeout = 5
[[scenarios.branches.sales]]
do = "queue"
name = "sales"
employees = [25]
announcement = "You are number {position}"
[[scenarios.branches.sales]]
do = "ring"
numbers = ["79260000002"]
strategy = "at_once"
[[groups]]
name = "sales"
employees = [25]
[[tags]]
id = 1
name = "Lead"
[[talk_options]]
button = "*1"
mnemonic = "tag_call"
name = "Lead"
value = "1"
[[webhooks]]
name = "crm"
url = "https://crm.example.com/hook"
event_types = ["talk.started"]
method = "POST"
template = "{{call_session_id}}"
secret = "whsec_Y2FsbHdyaWdodC1zYW5kYm94LXNlY3JldA=="
"""


def test_a_media_file_that_is_named_as_a_text_is_told(path: Path) -> None:
    wrong = SCENARIO.replace('"Press one for sales"', '"2561"')
    [told] = faults(path, WHOLE + wrong)
    assert told == (
        "54: scenarios[0].operations[0].message: media file 2561 is written without quotes; "
        "a text is more than digits"
    )


# What a value may be mistaken for.
MISTAKES = (
    *('"+79260000001"', '"2561"', '""', '" "', '"\\n"', f'"{"x" * 5000}"', '"ünïcode"'),
    *("0", "-1", "1.5", "1e400", "nan", "inf", "true", "79260000001", "99999999999999999999"),
    *("[]", '["x"]', "[[1]]", "{}", "{ x = 1 }", '"10.0.0.1/8"', '"1.2.3.4:5060"'),
    *("2027-01-01", "2027-01-01T00:00:00", "12:00:00"),
)
# What pydantic, Python's ipaddress and tomllib say in words of their own.
LIBRARIES = re.compile(
    r"[Ii]nput should|should have|valid |[Ff]ield required|[Vv]alue error|expected|permitted"
    r"|does not appear|host bits|Unexpected|Unable|cannot be used|unreadable|[Ii]nvalid|dictionary"
    r"|tuple|string|integer|instance|keyword"
)


def test_whatever_is_wrong_is_told_in_our_own_words(path: Path) -> None:
    whole = WHOLE + SCENARIO
    path.write_text(whole)
    assert read_directory_file(path).content.webhooks
    lines = whole.splitlines()
    wrong: list[str] = []
    for number, line in enumerate(lines, start=1):
        name, _, value = line.partition(" = ")
        if not value:
            continue
        for mistake in MISTAKES:
            changed = [*lines]
            changed[number - 1] = f"{name} = {mistake}"
            path.write_text("\n".join(changed))
            try:
                read_directory_file(path)
            except DirectoryFaults as raised:
                for fault in raised.faults:
                    assert fault.path, "a place is named"
                    if LIBRARIES.search(fault.reason):
                        wrong.append(f"{name} = {mistake[:40]}: {fault.reason}")
    assert wrong == []


@pytest.mark.parametrize("cut", range(4))
def test_a_file_that_is_cut_or_torn_is_told_in_our_own_words(path: Path, cut: int) -> None:
    whole = WHOLE + SCENARIO
    chance = random.Random(cut)
    for _ in range(40):
        at = chance.randrange(len(whole))
        sign = chance.choice("\\\"'[]{}=.,#\n\x01")
        torn = [whole[:at], whole[:at] + whole[at + 1 :], whole[:at] + sign + whole[at:]]
        for text in torn:
            path.write_text(text)
            try:
                read_directory_file(path)
            except DirectoryFaults as raised:
                for fault in raised.faults:
                    assert not LIBRARIES.search(fault.reason), (
                        f"{fault} of {text[at - 20 : at + 20]!r}"
                    )
