"""Commands as an administrator types them, from an empty folder on."""

import asyncio
import io
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import wave
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import argon2
import pytest

from callwright.cli import main
from callwright.directory.tokens import hash_of_token
from callwright.storage.access import StoredAccess
from callwright.storage.database import open_database
from tests.waiting import WITHIN

EXAMPLES = Path(__file__).parents[2] / "examples"


class Terminal:
    """A folder, and commands typed in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str, stdin: str = "", **environment: str) -> tuple[int, str, str]:
        """Return exit code, what was printed, and what was complained of."""
        done = subprocess.run(
            [Path(sys.executable).parent / "callwright", *words],
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=WITHIN,
            check=False,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **environment},
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    def succeeds(self, *words: str, stdin: str = "") -> str:
        code, printed, complained = self(*words, stdin=stdin)
        assert (code, complained) == (0, "")
        return printed

    def fails(self, *words: str, stdin: str = "") -> str:
        code, _, complained = self(*words, stdin=stdin)
        assert code == 1
        return complained


class QuickTerminal(Terminal):
    """Types commands into this very process, which spares the second a new one takes to start."""

    def __init__(
        self, folder: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]
    ) -> None:
        super().__init__(folder)
        self._patch = patch
        self._capture = capture

    def __call__(self, *words: str, stdin: str = "", **environment: str) -> tuple[int, str, str]:
        self._capture.readouterr()
        mask = os.umask(0o022)
        with self._patch.context() as patch:
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", ["callwright", *words])
            patch.setattr(sys, "stdin", io.StringIO(stdin))
            patch.delenv("CALLWRIGHT_CONFIG", raising=False)
            for name, value in environment.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main()
        os.umask(mask)
        printed, complained = self._capture.readouterr()
        return int(ended.value.code or 0), printed, complained


@pytest.fixture(scope="module")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> tuple[Terminal, str]:
    """A folder in which `callwright init` has been typed, and what it printed."""
    terminal = Terminal(tmp_path_factory.mktemp("initialised"))
    return terminal, terminal.succeeds("init", "--account", 'Horns "and" Hooves')


@pytest.fixture
def empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> QuickTerminal:
    """A folder with nothing in it."""
    return QuickTerminal(tmp_path, monkeypatch, capsys)


@pytest.fixture
def terminal(initialised: tuple[Terminal, str], empty: QuickTerminal) -> QuickTerminal:
    """An initialised folder of the test's own."""
    shutil.copytree(initialised[0].folder, empty.folder, dirs_exist_ok=True)
    return empty


def write_wav(path: Path, *, seconds: int = 1) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\x00\x10\x00\xf0" * 4000 * seconds)


def owner_of_token(folder: Path, token: str) -> str | None:
    async def look() -> str | None:
        database = open_database(f"sqlite+aiosqlite:///{folder / 'callwright-data/callwright.db'}")
        found = await StoredAccess(database).token(hash_of_token(token))
        await database.dispose()
        return found[1].login if found else None

    return asyncio.run(look())


def test_the_version_is_told(empty: Terminal) -> None:
    assert empty.succeeds("--version").startswith("callwright 0.")


def test_help_names_every_command(empty: Terminal) -> None:
    told = empty.succeeds("--help")
    for command in ("init", "apply", "migrate", "serve", "media", "token", "user", "trunk"):
        assert f" {command} " in told


def test_init_makes_everything_for_its_owner_alone(initialised: tuple[Terminal, str]) -> None:
    folder = initialised[0].folder
    data = folder / "callwright-data"
    assert data.stat().st_mode & 0o777 == 0o700
    for file in (data / "callwright.db", folder / "callwright.toml", folder / "directory.toml"):
        assert file.stat().st_mode & 0o777 == 0o600
    [music] = (data / "media").iterdir()
    with wave.open(str(music)) as audio:
        assert (audio.getnchannels(), audio.getframerate()) == (1, 16000)


def test_init_shows_a_token_that_opens_the_api_and_stores_its_hash_only(
    initialised: tuple[Terminal, str],
) -> None:
    terminal, printed = initialised
    [token] = [line for line in printed.splitlines() if len(line) == 64]
    assert owner_of_token(terminal.folder, token) == "admin"
    for file in terminal.folder.rglob("*"):
        assert file.is_dir() or token.encode() not in file.read_bytes()


def test_init_refuses_where_a_database_is(terminal: Terminal) -> None:
    before = (terminal.folder / "callwright-data/callwright.db").read_bytes()
    told = terminal.fails("init")
    assert "there is a database already: callwright-data/callwright.db" in told
    assert (terminal.folder / "callwright-data/callwright.db").read_bytes() == before


def test_init_with_a_settings_file_elsewhere(empty: Terminal) -> None:
    tmp_path = empty.folder
    (tmp_path / "etc").mkdir()
    empty.succeeds("init", "--config", "etc/my.toml")
    assert (tmp_path / "etc/callwright-data/callwright.db").exists()
    assert (tmp_path / "etc/my.toml").exists()
    assert (tmp_path / "etc/directory.toml").exists()
    assert not (tmp_path / "callwright-data").exists()


def test_init_checks_the_names_it_is_given(empty: Terminal) -> None:
    assert "login: " in empty.fails("init", "--login", "two words")
    assert "name: " in empty.fails("init", "--account", "two\nlines")
    assert list(empty.folder.iterdir()) == []


def test_the_first_directory_file_has_nothing_to_do(terminal: Terminal) -> None:
    assert terminal.succeeds("apply") == "Nothing to do: everything is as the file says.\n"


def test_apply_shows_then_does_then_has_nothing_to_do(terminal: Terminal) -> None:
    write_wav(terminal.folder / "greeting.wav")
    (terminal.folder / "directory.toml").write_text(
        """\
[account]
name = "Horns and Hooves"
[[trunks]]
name = "carrier"
host = "192.0.2.1"
user = "me"
password = "geheim"
[[employees]]
id = 25
full_name = "Anna [bold]Ivanova"
[[employees.phones]]
number = "79260000001"
kind = "e164"
[[media_files]]
id = 2561
name = "greeting"
file = "greeting.wav"
"""
    )
    shown = [
        '~ account 1: name Horns "and" Hooves → Horns and Hooves',
        "+ trunk carrier",
        "+ employee 25",
        "+ phone 79260000001",
        "+ media file 2561",
    ]
    dry = terminal.succeeds("apply", "--dry-run").splitlines()
    assert dry == [*shown, "Would be 4 added, 1 changed. Dry run: nothing was changed."]
    assert "carrier" not in terminal.succeeds("trunk", "list")
    assert len(list((terminal.folder / "callwright-data/media").iterdir())) == 1

    done = terminal.succeeds("apply").splitlines()
    assert done == [*shown, "Done: 4 added, 1 changed."]
    assert terminal.succeeds("apply").startswith("Nothing to do")
    assert len(list((terminal.folder / "callwright-data/media").iterdir())) == 2

    trunks = terminal.succeeds("trunk", "list")
    assert "192.0.2.1" in trunks
    assert "geheim" not in trunks
    text = (terminal.folder / "directory.toml").read_text()
    (terminal.folder / "directory.toml").write_text(text.replace("geheim", "neu"))
    assert terminal.succeeds("apply").splitlines() == [
        "~ trunk carrier: password (secret) → (secret)",
        "Done: 1 changed.",
    ]


def test_how_it_stands_with_trunks_is_shown_while_the_service_runs(terminal: Terminal) -> None:
    (terminal.folder / "directory.toml").write_text(
        '[account]\nname = "X"\n[[trunks]]\nname = "carrier"\nhost = "192.0.2.1"\n'
        '[[trunks]]\nname = "pbx"\nhost = "192.0.2.2"\n'
        '[[trunks]]\nname = "shy"\nhost = "192.0.2.3"\n'
    )
    terminal.succeeds("apply")
    assert "registered" not in terminal.succeeds("trunk", "list")
    now = datetime.now(UTC)
    rows = [
        ("carrier", "registered", now + timedelta(seconds=200), True, 0.0124, "", now, "", ""),
        ("pbx", "refused", None, None, None, "403 Forbidden", now, "", ""),
        ("shy", "off", None, True, 0.0051, "", now, "404 No", "403 No"),
        ("gone", "trying", None, None, None, "", now, "", ""),
    ]
    with closing(sqlite3.connect(terminal.folder / "callwright-data/callwright.db")) as database:
        database.executemany(
            "INSERT INTO trunk_states VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                [one.isoformat(" ")[:26] if isinstance(one, datetime) else one for one in row]
                for row in rows
            ],
        )
        database.commit()
    # A process of its own: how wide the terminal is, is found out once.
    _, printed, _ = Terminal(terminal.folder)("trunk", "list", COLUMNS="140")
    carrier, pbx, shy = printed.splitlines()[1:]
    assert re.search(r"registered, (200|1[5-9]\d) s +in 12 ms$", carrier.rstrip())
    assert "refused (403 Forbidden)" in pbx
    shown = r"active +in 5 ms \(404 No\) +refused \(403 No\)$"
    assert re.search(shown, shy.rstrip())


def test_scenarios_are_listed_and_drawn(terminal: Terminal) -> None:
    with (terminal.folder / "directory.toml").open("a", encoding="utf-8") as file:
        file.write("""
[[employees]]
id = 25
full_name = "Anna"
[[virtual_numbers]]
number = "74993720692"
scenario = 7
[[scenarios]]
id = 7
name = "Reception [day]"
[[scenarios.operations]]
do = "ring"
employees = [25]
then = "bye"
[[scenarios.branches.bye]]
do = "hangup"
""")
    terminal.succeeds("apply")
    assert "7   Reception [day]  74993720692" in terminal.succeeds("scenario", "list")
    for name in ("7", "Reception [day]"):
        assert terminal.succeeds("scenario", "show", name) == (
            "Reception [day] (7)\n"
            "├── begins\n"
            "│   ├── 1 ring: employee 25\n"
            "│   │   └── after the talk → bye\n"
            "│   └── the call ends\n"
            "└── branch bye\n"
            "    └── 1 hangup\n"
        )
    drawn = terminal.succeeds("scenario", "show", "7", "--format", "mermaid")
    assert drawn.startswith('flowchart TD\n    call(["Reception [day]"]) --> b0_1\n')
    assert "there is no scenario 8" in terminal.fails("scenario", "show", "8")


def test_apply_refuses_media_that_scenarios_play_and_nobody_has_made(terminal: Terminal) -> None:
    path = terminal.folder / "directory.toml"
    before = path.read_text("utf-8").count("\n")
    with path.open("a", encoding="utf-8") as file:
        file.write("""
[[scenarios]]
id = 7
name = "Reception"
[[scenarios.operations]]
do = "play"
message = 1
[[scenarios.operations]]
do = "play"
message = 404
""")
    said = terminal.fails("apply")
    # The system's own music, 1, is there.
    assert f"directory.toml:{before + 10}: scenarios[0].operations[1].message: " in said
    assert "there is no media file 404" in said
    assert said.count("there is no media file") == 1


def test_apply_tells_every_fault_with_its_line(terminal: Terminal) -> None:
    (terminal.folder / "wrong.toml").write_text(
        '[account]\nname = "X"\n[[virtual_numbers]]\nnumber = "+7"\n[[employees]]\nid = 0\n'
    )
    assert terminal.fails("apply", "wrong.toml").splitlines() == [
        "wrong.toml:4: virtual_numbers[0].number: write the number without the +",
        "wrong.toml:5: employees[0].full_name: missing",
        "wrong.toml:6: employees[0].id: at least 1 is needed",
        "callwright: nothing was changed",
    ]


@pytest.mark.parametrize("words", [("apply", "m.toml"), ("apply", "m.toml", "--dry-run")])
def test_apply_tells_media_faults_with_their_lines(
    terminal: Terminal, words: tuple[str, ...]
) -> None:
    (terminal.folder / "letter.wav").write_text("Dear Sir or Madam")
    (terminal.folder / "m.toml").write_text(
        '[account]\nname = "X"\n'
        '[[media_files]]\nid = 7\nname = "a"\nfile = "none.wav"\n'
        '[[media_files]]\nid = 8\nname = "b"\nfile = "letter.wav"\n'
    )
    assert terminal.fails(*words).splitlines() == [
        "m.toml:6: media_files[0].file: none.wav: No such file or directory",
        "m.toml:10: media_files[1].file: letter.wav: it is a text file, not audio",
        "callwright: nothing was changed",
    ]


def test_a_locked_database_is_told(terminal: Terminal) -> None:
    file = terminal.folder / "callwright-data/callwright.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        told = terminal.fails("token", "create")
    assert told == "callwright: the database cannot be used: it is locked by another program\n"


@pytest.mark.parametrize(
    "words", [("apply",), ("token", "list"), ("media", "list"), ("trunk", "list"), ("migrate",)]
)
def test_without_a_database_init_is_advised(empty: Terminal, words: tuple[str, ...]) -> None:
    (empty.folder / "directory.toml").write_text('[account]\nname = "X"\n')
    assert "run `callwright init`" in empty.fails(*words)
    assert not (empty.folder / "callwright-data").exists()


def test_migrate_brings_tables_into_an_empty_database(empty: Terminal) -> None:
    (empty.folder / "callwright-data").mkdir()
    (empty.folder / "callwright-data/callwright.db").touch()
    assert "run `callwright migrate`" in empty.fails("token", "list")
    empty.succeeds("migrate")
    empty.succeeds("migrate")
    empty.succeeds("token", "list")


def test_a_token_is_made_listed_and_blocked(terminal: Terminal) -> None:
    token = terminal.succeeds("token", "create", "--expires", "90d").splitlines()[-1]
    assert owner_of_token(terminal.folder, token) == "admin"
    listed = terminal.succeeds("token", "list")
    assert f"…{token[-4:]}" in listed
    assert token not in listed

    terminal.succeeds("token", "block", "2")
    states = [line.split()[-1] for line in terminal.succeeds("token", "list").splitlines()]
    assert states == ["State", "valid", "blocked"]
    assert "there is no token 7" in terminal.fails("token", "block", "7")


@pytest.mark.parametrize("expires", ["soon", "2001-01-01", "0d", "10 d"])
def test_a_moment_that_is_none_is_refused(terminal: Terminal, expires: str) -> None:
    assert "expires: " in terminal.fails("token", "create", "--expires", expires)
    assert len(terminal.succeeds("token", "list").splitlines()) == 2


def test_users_are_added_and_given_passwords(terminal: Terminal) -> None:
    terminal.succeeds("user", "add", "crm", "--network", "192.0.2.0/24")
    assert "there is a user crm already" in terminal.fails("user", "add", "crm")
    assert "networks" in terminal.fails("user", "add", "x", "--network", "192.0.2.1/24")
    told = terminal.fails("token", "create")
    assert "there are several users, say whose: admin, crm" in told
    token = terminal.succeeds("token", "create", "--user", "crm").splitlines()[-1]
    assert owner_of_token(terminal.folder, token) == "crm"
    assert "there is no user nobody" in terminal.fails("token", "create", "--user", "nobody")

    password = "correct horse battery staple"
    terminal.succeeds("user", "password", "crm", "--stdin", stdin=password + "\n")
    with closing(sqlite3.connect(terminal.folder / "callwright-data/callwright.db")) as database:
        query = "SELECT password_hash, networks FROM users WHERE login = 'crm'"
        [(hashed, networks)] = database.execute(query).fetchall()
    assert argon2.PasswordHasher().verify(hashed, password)
    assert networks == '["192.0.2.0/24"]'
    told = terminal.fails("user", "password", "crm", "--stdin", stdin="short\n")
    assert "at least 10 characters" in told
    told = terminal.fails("user", "password", "nobody", "--stdin", stdin=password + "\n")
    assert "there is no user nobody" in told


def test_users_are_listed_and_removed_with_their_tokens(terminal: Terminal) -> None:
    terminal.succeeds("user", "add", "crm", "--network", "192.0.2.0/24")
    token = terminal.succeeds("token", "create", "--user", "crm").splitlines()[-1]
    assert [line.split() for line in terminal.succeeds("user", "list").splitlines()] == [
        ["Login", "Made", "by", "Networks", "Password", "Tokens", "State"],
        ["admin", "command", "127.0.0.0/8,", "::1/128", "no", "1", "active"],
        ["crm", "command", "192.0.2.0/24", "no", "1", "active"],
    ]
    told = terminal.succeeds("user", "remove", "crm")
    assert told == "User crm is removed, with its 1 permanent tokens.\n"
    assert owner_of_token(terminal.folder, token) is None
    assert "crm" not in terminal.succeeds("user", "list")
    told = terminal.fails("user", "remove", "crm")
    assert told == "callwright: there is no user crm; see `callwright user list`\n"


def test_what_the_directory_file_says_no_command_removes(terminal: Terminal) -> None:
    write_wav(terminal.folder / "greeting.wav")
    with (terminal.folder / "directory.toml").open("a", encoding="utf-8") as file:
        file.write(
            '[[users]]\nlogin = "crm"\n'
            '[[media_files]]\nid = 7\nname = "greeting"\nfile = "greeting.wav"\n'
        )
    terminal.succeeds("apply")
    for words in (("user", "remove", "crm"), ("media", "remove", "7")):
        assert "stands in the directory file: take it out there" in terminal.fails(*words)
    assert terminal.succeeds("apply").startswith("Nothing to do")


def test_media_files_that_nothing_plays_are_removed(terminal: Terminal) -> None:
    write_wav(terminal.folder / "welcome.wav")
    terminal.succeeds("media", "add", "welcome.wav", "--id", "2701")
    terminal.succeeds("media", "add", "welcome.wav", "--id", "2702", "--name", "again")
    with (terminal.folder / "directory.toml").open("a", encoding="utf-8") as file:
        file.write(
            '[[scenarios]]\nid = 7\nname = "Reception"\n'
            '[[scenarios.operations]]\ndo = "play"\nmessage = 2701\n'
        )
    terminal.succeeds("apply")
    stored = terminal.folder / "callwright-data/media"
    assert len(list(stored.iterdir())) == 2, "the music, and one audio of two names"

    told = terminal.fails("media", "remove", "2701")
    assert told == "callwright: scenario 7 plays media file 2701\n"
    told = terminal.succeeds("media", "remove", "2702")
    assert told == "Media file 2702, again, is removed.\n"
    assert len(list(stored.iterdir())) == 2, "the other is still made of it"
    (terminal.folder / "directory.toml").write_text('[account]\nname = "X"\n')
    terminal.succeeds("apply")
    terminal.succeeds("media", "remove", "2701")
    assert len(list(stored.iterdir())) == 1
    told = terminal.fails("media", "remove", "2701")
    assert told == "callwright: there is no media file 2701; see `callwright media list`\n"
    assert "is the system's" in terminal.fails("media", "remove", "1")


def test_media_files_are_added_and_stay(terminal: Terminal) -> None:
    write_wav(terminal.folder / "welcome.wav")
    printed = terminal.succeeds("media", "add", "welcome.wav", "--id", "2701")
    assert printed == "Media file 2701: welcome, 1.0 s\n"
    printed = terminal.succeeds("media", "add", "welcome.wav", "--name", "again")
    assert printed == "Media file 2702: again, 1.0 s\n"
    assert "there is a media file 2701" in terminal.fails(
        "media", "add", "welcome.wav", "--name", "new", "--id", "2701"
    )
    told = terminal.fails("media", "add", "welcome.wav")
    assert "media file 2701 has the name 'welcome' already" in told
    assert terminal.succeeds("apply").startswith("Nothing to do")
    listed = [line.split()[:3] for line in terminal.succeeds("media", "list").splitlines()]
    assert listed == [
        ["Id", "Name", "Kind"],
        ["1", "dialing_music", "system"],
        ["2701", "welcome", "own"],
        ["2702", "again", "own"],
    ]


def test_what_is_no_audio_is_not_added(terminal: Terminal) -> None:
    (terminal.folder / "letter.wav").write_text("Dear Sir or Madam")
    told = terminal.fails("media", "add", "letter.wav")
    assert told == "callwright: letter.wav: it is a text file, not audio\n"
    assert "none.wav: No such file" in terminal.fails("media", "add", "none.wav")


def test_settings_are_found_by_option_environment_and_place(terminal: Terminal) -> None:
    (terminal.folder / "elsewhere").mkdir()
    settings = terminal.folder / "callwright.toml"
    terminal.folder /= "elsewhere"
    assert "run `callwright init`" in terminal.fails("token", "list")
    terminal.succeeds("token", "list", "--config", "../callwright.toml")
    code, _, _ = terminal("token", "list", CALLWRIGHT_CONFIG=str(settings))
    assert code == 0


def test_a_wrong_setting_is_told(terminal: Terminal) -> None:
    (terminal.folder / "callwright.toml").write_text("[http]\nport = 70000\n")
    told = terminal.fails("token", "list")
    assert told == "callwright: callwright.toml:2: http.port: at most 65535 is needed\n"
    code, _, told = terminal("token", "list", "--config", "none.toml")
    assert (code, told) == (1, "callwright: none.toml: No such file or directory\n")


def test_the_examples_can_be_used_as_they_are(empty: Terminal) -> None:
    settings = empty.folder / "callwright.toml"
    shutil.copy(EXAMPLES / "callwright.toml", settings)
    empty.succeeds("init")
    assert settings.read_text() == (EXAMPLES / "callwright.toml").read_text()
    done = empty.succeeds("apply", str(EXAMPLES / "directory.toml"))
    assert "+ employee 25" in done
    assert "+ media file 2701" in done


def test_the_way_from_nothing_to_a_directory_in_processes_of_their_own(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    token = next(line for line in terminal.succeeds("init").splitlines() if len(line) == 64)
    write_wav(tmp_path / "greeting.wav")
    with (tmp_path / "directory.toml").open("a") as file:
        file.write('[[media_files]]\nid = 2561\nname = "greeting"\nfile = "greeting.wav"\n')
    assert "+ media file 2561" in terminal.succeeds("apply")
    assert terminal.succeeds("apply").startswith("Nothing to do")
    with (tmp_path / "directory.toml").open("a") as file:
        file.write("[[media]]\n")
    assert "directory.toml:" in terminal.fails("apply")
    assert terminal("frobnicate")[0] == 2
    assert owner_of_token(tmp_path, token) == "admin"
