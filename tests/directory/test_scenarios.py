"""Scenarios in the directory file: what is taken, and every fault by its line."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from callwright.directory.diagram import in_words, mermaid
from callwright.directory.scenario import (
    BRANCHES,
    START,
    AskOperation,
    HangUpOperation,
    MenuOperation,
    Operation,
    PlayOperation,
    QueueOperation,
    RingOperation,
    Scenario,
    ScenarioId,
    ScheduleOperation,
    VoicemailOperation,
    goes_on,
)
from callwright.provisioning.file import DirectoryFaults, read_directory_file

DOCS = Path(__file__).parents[2] / "docs" / "scenarios.md"

BEFORE = """\
[account]
name = "House"
[[employees]]
id = 25
full_name = "Anna"
[[groups]]
name = "sales"
employees = [25]
[[scenarios]]
id = 1
name = "Reception"
"""
HANGUP = '[[scenarios.operations]]\ndo = "hangup"\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "directory.toml"


def faults(path: Path, text: str, before: str = BEFORE) -> list[str]:
    """Write a file; return its faults, each from its line on, counted behind ``before``."""
    path.write_text(before + text, "utf-8")
    with pytest.raises(DirectoryFaults) as raised:
        read_directory_file(path)
    above = before.count("\n")
    return [
        f"{fault.line - above}: {fault.path.removeprefix('scenarios[0].')}: {fault.reason}"
        for fault in raised.value.faults
    ]


def test_every_operation_is_read(path: Path) -> None:
    path.write_text(
        BEFORE
        + """\
[[scenarios.operations]]
do = "play"
message = 5
[[scenarios.operations]]
do = "menu"
message = "Press"
keys = { 1 = "sales", "*" = "url" }
timeout = 3
[[scenarios.branches.sales]]
do = "ring"
employees = [25]
numbers = ["74951234567"]
strategy = "at_once"
dial_time = 15.5
[[scenarios.branches.sales]]
do = "queue"
name = "line"
group = "sales"
announcement = "Number {position}"
[[scenarios.branches.url]]
do = "ask"
url = "https://crm.example.com/route?x=1"
returned = { vip = "sales" }
[[scenarios.branches.url]]
do = "voicemail"
[[scenarios.branches.url]]
do = "hangup"
""",
        "utf-8",
    )
    [scenario] = read_directory_file(path).content.scenarios
    assert list(scenario.operations) == [
        PlayOperation(message=5),
        MenuOperation(message="Press", keys={"1": "sales", "*": "url"}, timeout=3),
    ]
    assert {label: list(operations) for label, operations in scenario.branches.items()} == {
        "sales": [
            RingOperation(
                employees=(25,),
                numbers=("74951234567",),
                strategy="at_once",
                dial_time=15.5,
            ),
            QueueOperation(name="line", group="sales", announcement="Number {position}"),
        ],
        "url": [
            AskOperation(url="https://crm.example.com/route?x=1", returned={"vip": "sales"}),
            VoicemailOperation(),
            HangUpOperation(),
        ],
    }
    branches = {START: scenario.operations, **scenario.branches}
    stored = BRANCHES.dump_python(branches, mode="json")
    assert BRANCHES.validate_python(stored) == branches, "what is stored is read again"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Shape.
        (
            '[[scenarios.operations]]\ndo = "sing"\n',
            (
                "1: operations[0]: do is one of "
                "play, menu, ring, queue, ask, voicemail, schedule, hangup"
            ),
        ),
        (
            "[[scenarios.operations]]\nmessage = 5\n",
            (
                "1: operations[0]: do is missing: "
                "one of play, menu, ring, queue, ask, voicemail, schedule, hangup"
            ),
        ),
        ('operations = ["play"]\n', "1: operations[0]: a table is needed"),
        ("operations = []\n", "1: operations: 1 to 100 operations are needed"),
        ("", "-2: operations: missing"),
        (
            '[[scenarios.operations]]\ndo = "hangup"\nloud = true\n',
            "3: operations[0].loud: there is no such setting here",
        ),
        (
            '[[scenarios.operations]]\ndo = "play"\n',
            "1: operations[0].message: missing",
        ),
        *[
            (
                f'[[scenarios.operations]]\ndo = "play"\nmessage = {message}\n',
                (
                    "3: operations[0].message: the id of a media file is needed, "
                    "or a text of at most 500 characters"
                ),
            )
            for message in ("true", "0", '" "', f'"{"x" * 501}"', "[5]", "1.5")
        ],
        (
            '[[scenarios.operations]]\ndo = "menu"\nmessage = "x"\nkeys = { 1 = "Sales" }\n',
            (
                "4: operations[0].keys.1: a label is small letters, digits, _ and -, "
                "and begins with a letter"
            ),
        ),
        (
            HANGUP + '[[scenarios.branches.Sales]]\ndo = "hangup"\n',
            (
                "3: branches.Sales: a label is small letters, digits, _ and -, "
                "and begins with a letter"
            ),
        ),
        (
            '[[scenarios.operations]]\ndo = "ring"\nemployees = ["25"]\n',
            "3: operations[0].employees[0]: a whole number is needed, without quotes",
        ),
        (
            '[[scenarios.operations]]\ndo = "ring"\nemployees = 25\n',
            ("3: operations[0].employees: a list is needed: [ … ], or [[ … ]] before each table"),
        ),
        (
            '[[scenarios.operations]]\ndo = "ring"\nnumbers = ["+7495"]\n',
            "3: operations[0].numbers[0]: a number is digits, in quotes and without +",
        ),
        (
            '[[scenarios.operations]]\ndo = "ring"\nemployees = [25]\ndial_time = "5"\n',
            "4: operations[0].dial_time: a number is needed, without quotes",
        ),
        (
            '[[scenarios.operations]]\ndo = "ask"\nurl = "ftp://x"\n',
            ("3: operations[0].url: an address like https://crm.example.com/route is needed"),
        ),
        (
            (
                '[[scenarios.operations]]\ndo = "queue"\nname = "x"\nemployees = [25]\n'
                'announcement = "You wait"\n'
            ),
            "5: operations[0].announcement: a text with {position} in it is needed",
        ),
        # What goes together.
        (
            '[[scenarios.operations]]\ndo = "menu"\nmessage = "x"\nkeys = {}\n',
            "4: operations[0].keys: a menu needs a key at least",
        ),
        (
            '[[scenarios.operations]]\ndo = "menu"\nmessage = "x"\nkeys = { 1 = "sales" }\n',
            (
                "4: operations[0].keys.1: there is no branch 'sales' in this scenario; "
                "there are: none"
            ),
        ),
        (
            (
                '[[scenarios.operations]]\ndo = "ring"\nemployees = [25]\nthen = "rat"\n'
                '[[scenarios.operations]]\ndo = "ring"\nemployees = [25]\nthen = "rate"\n'
                '[[scenarios.branches.rate]]\ndo = "hangup"\n'
            ),
            "4: operations[0].then: there is no branch 'rat' in this scenario; there are: rate",
        ),
        (
            HANGUP + '[[scenarios.branches.lost]]\ndo = "hangup"\n',
            "3: branches.lost: no operation leads to this branch",
        ),
        (
            HANGUP + HANGUP,
            "3: operations[1]: no call comes here: hangup before it goes elsewhere",
        ),
        (
            (
                '[[scenarios.operations]]\ndo = "menu"\nmessage = "x"\nkeys = { 1 = "a" }\n'
                f'otherwise = "a"\n{HANGUP}[[scenarios.branches.a]]\ndo = "hangup"\n'
            ),
            "6: operations[1]: no call comes here: menu before it goes elsewhere",
        ),
        # Only from a branch that no call comes to.
        (
            (
                HANGUP
                + '[[scenarios.branches.one]]\ndo = "ask"\nurl = "http://x"\notherwise = "one"\n'
            ),
            "3: branches.one: no operation leads to this branch",
        ),
        (
            '[[scenarios.operations]]\ndo = "play"\nmessage = "..."\n',
            ("3: operations[0].message: there is nothing to say in this text: no letter, no digit"),
        ),
        (
            '[[scenarios.operations]]\ndo = "ring"\n',
            "1: operations[0]: nobody is named: employees, numbers or group are needed",
        ),
        (
            '[[scenarios.operations]]\ndo = "ring"\nemployees = [25, 26]\n',
            "3: operations[0].employees[1]: there is no employee 26 in this file",
        ),
        (
            '[[scenarios.operations]]\ndo = "ring"\ngroup = "support"\n',
            "3: operations[0].group: there is no group 'support' in this file; there are: sales",
        ),
        (
            HANGUP + f'[[scenarios]]\nid = 1\nname = "Other"\n{HANGUP}',
            "4: scenarios[1].id: 1 stands in line 10 already",
        ),
        (
            HANGUP + f'[[scenarios]]\nid = 2\nname = "Reception"\n{HANGUP}',
            "5: scenarios[1].name: Reception stands in line 11 already",
        ),
        (
            HANGUP + '[[groups]]\nname = "sales"\nemployees = [25, 99]\n',
            "4: groups[1].name: sales stands in line 7 already",
        ),
        (
            HANGUP + '[[groups]]\nname = "others"\nemployees = [25, 99]\n',
            "5: groups[1].employees[1]: there is no employee 99 in this file",
        ),
        (
            HANGUP + '[[virtual_numbers]]\nnumber = "74993720692"\nscenario = 2\n',
            "5: virtual_numbers[0].scenario: there is no scenario 2 in this file",
        ),
    ],
)
def test_a_fault_is_told_with_its_line(path: Path, text: str, expected: str) -> None:
    assert expected in faults(path, text)


def test_one_fault_is_told_once(path: Path) -> None:
    """A fault inside an operation says nothing of the list around it."""
    text = '[[scenarios.operations]]\ndo = "play"\n'
    assert faults(path, text) == ["1: operations[0].message: missing"]


def test_scenarios_may_go_in_circles(path: Path) -> None:
    """A contact may hear a menu again; whether it waits in between is seen when it runs."""
    path.write_text(
        BEFORE
        + """\
[[scenarios.operations]]
do = "menu"
message = "x"
keys = { 1 = "again" }
[[scenarios.branches.again]]
do = "menu"
message = "x"
keys = { 1 = "again" }
""",
        "utf-8",
    )
    assert len(read_directory_file(path).content.scenarios) == 1


@pytest.mark.parametrize(
    "kind",
    [
        PlayOperation,
        MenuOperation,
        RingOperation,
        QueueOperation,
        AskOperation,
        VoicemailOperation,
        HangUpOperation,
    ],
)
def test_every_setting_of_an_operation_is_described(kind: type) -> None:
    do = next(field.default for field in fields(kind) if field.name == "do")
    [chapter] = re.findall(rf"^### {do}$\n(.*?)(?=^##|\Z)", DOCS.read_text("utf-8"), re.S | re.M)
    rows = re.findall(r"^\| (`[^|]*`) \|", chapter, re.M)
    described = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    if kind is AskOperation:  # and the keys of the answer
        described -= {"returned_code", "phones", "message_name", "text"}
        described -= {"operator_media", "operator_text"}
    assert described == {field.name for field in fields(kind)} - {"do"}


RECEPTION = Scenario(
    ScenarioId(1),
    'The "Reception"',
    {
        START: [
            PlayOperation(message="Hello & <welcome>"),
            MenuOperation(message=5, keys={"1": "sales", "#": "url"}, otherwise="sales"),
        ],
        "sales": [
            RingOperation(
                employees=(25,), group="night", numbers=("101",), strategy="at_once", then="url"
            ),
            QueueOperation(name="line", employees=(25, 26)),
            HangUpOperation(),
        ],
        "url": [
            AskOperation(url="http://x", returned={"vip": "sales"}),
            VoicemailOperation(at_most=60),
        ],
    },
)


def test_a_scenario_as_a_flowchart() -> None:
    assert (
        mermaid(RECEPTION)
        == """\
flowchart TD
    call(["The #quot;Reception#quot;"]) --> b0_1
    b0_1["play “Hello #amp; #lt;welcome#gt;”"]
    b0_1 --> b0_2
    b0_2{{"menu media 5"}}
    b0_2 -->|"key 1"| b1_1
    b0_2 -->|"key #35;"| b2_1
    b0_2 -->|"no key"| b1_1
    b1_1["ring at once: employee 25, group night, 101"]
    b1_1 -->|"after the talk"| b2_1
    b1_1 --> b1_2
    b1_2["queue line, 600 s at most: employees 25, 26"]
    b1_2 --> b1_3
    b1_3(["hangup"])
    b2_1{{"ask POST http://x"}}
    b2_1 -->|"returned vip"| b1_1
    b2_1 --> b2_2
    b2_2["voicemail, 60 s at most"]
    b2_2 --> over
    over(["the call ends"])"""
    )


def test_the_flowchart_of_the_documents_is_that_of_their_scenario(path: Path) -> None:
    text = DOCS.read_text("utf-8")
    toml, by_time = re.findall(r"```toml\n(.*?)```", text, re.S)
    [drawn] = re.findall(r"```mermaid\n(.*?)\n```", text, re.S)
    people = "".join(f'[[employees]]\nid = {id}\nfull_name = "x"\n' for id in (25, 26))
    path.write_text(f'[account]\nname = "x"\n{people}{toml}', "utf-8")
    [entry] = read_directory_file(path).content.scenarios
    sales = '[[groups]]\nname = "sales"\nemployees = [25]\n'
    path.write_text(f'[account]\nname = "x"\n{people}{sales}{by_time}', "utf-8")
    assert len(read_directory_file(path).content.schedules) == 2
    branches = {START: entry.operations, **entry.branches}
    assert mermaid(Scenario(ScenarioId(entry.id), entry.name, branches)) == drawn


def test_a_choice_by_time_is_drawn() -> None:
    choice = ScheduleOperation(schedule=6, during="open", otherwise="shut")
    hangup = (HangUpOperation(),)
    branches: dict[str, tuple[Operation, ...]] = {
        START: (choice,),
        "open": hangup,
        "shut": hangup,
    }
    drawn = mermaid(Scenario(ScenarioId(1), "x", branches)).splitlines()
    assert '    b0_1{{"schedule 6"}}' in drawn
    assert '    b0_1 -->|"during the schedule"| b1_1' in drawn
    assert '    b0_1 -->|"at other times"| b2_1' in drawn
    assert not any(line.startswith("    b0_1 --> ") for line in drawn), "nothing else follows"


def test_long_texts_are_cut_in_words() -> None:
    assert len(in_words(PlayOperation(message="word " * 50))) < 60


def test_after_what_no_operation_follows() -> None:
    assert not goes_on(HangUpOperation())
    assert not goes_on(MenuOperation(message=1, keys={"1": "a"}, otherwise="a"))
    assert goes_on(MenuOperation(message=1, keys={"1": "a"}))
