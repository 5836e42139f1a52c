"""comagic-wrapper, another published client of the Data API, through all it can ask of us."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from callwright.calls.events import TalkStarted
from callwright.engines.simulated.far_end import answers
from callwright.methods.data.list_method import ListDeclaration
from callwright.methods.data.list_request import ReportRequest
from callwright.methods.data.registry import DATA_CATALOGUE, LISTS
from tests.api.house import DIRECTORY, House, house
from tests.compat.documented import METHODS, decode

CLIENT = Path(__file__).with_name("wrapper_client.py")
INSTALLED = Path(sys.prefix) / "comagic-wrapper"
assert INSTALLED.is_dir(), "comagic-wrapper is not there: run scripts/setup.sh"
LOGIN, PASSWORD = "wrapper", "secret"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
NOW, DAY = datetime.now(UTC), timedelta(days=1)
WINDOW = {
    "date_from": f"{NOW - DAY:%Y-%m-%d %H:%M:%S}",
    "date_till": f"{NOW + DAY:%Y-%m-%d %H:%M:%S}",
}


class Client:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.app_id = self._answer()["data"]

    def ask(self, method: str, **params: object) -> Any:
        """What it makes of the answer: the data."""
        answer = self.answer(method, **params)
        assert "data" in answer, (method, answer)
        return answer["data"]

    def answer(self, method: str, **params: object) -> dict[str, Any]:
        assert self._process.stdin
        verb, _, endpoint = method.partition(".")
        self._process.stdin.write(f"{json.dumps([endpoint, verb, params])}\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "it has died; what it said stands above"
        answer: dict[str, Any] = json.loads(line)
        return answer


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    far_ends = {number: answers(after=0.01) for number in ("79260000000", "79260000028")}
    many = {"points_per_minute": 100_000}
    with house(tmp_path_factory.mktemp("house"), far_ends, api=many) as up:
        user = f'[[users]]\nlogin = "{LOGIN}"\npassword_hash = "{QUICK.hash(PASSWORD)}"\n'
        up.apply(f"{DIRECTORY}\n{user}")
        yield up


@pytest.fixture(scope="module")
def client(home: House) -> Iterator[Client]:
    process = subprocess.Popen(
        [sys.executable, CLIENT, f"{home.url}/v2.0", f"login={LOGIN}", f"password={PASSWORD}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(INSTALLED)},
    )
    with process:
        yield Client(process)
        assert process.stdin
        process.stdin.close()
    assert process.returncode == 0


@pytest.fixture(scope="module")
def session(home: House) -> int:
    """A call that is over."""
    call = {
        "first_call": "employee",
        "employee": {"id": 28},
        "contact": "79260000000",
        "virtual_phone_number": "74993720692",
    }
    session: int = home.succeeds("start.employee_call", call)["call_session_id"]
    home.wait_for(session, TalkStarted)
    home.succeeds("release.call", {"call_session_id": session})
    home.until_finished(session)
    return session


def test_it_logs_in_and_learns_which_account_it_has(client: Client) -> None:
    assert client.app_id == 1
    assert client.ask("get.account") == [{"app_id": 1, "name": "House", "timezone": "UTC"}]


KNOWN = {
    line.strip(' ",')
    for line in (INSTALLED / "comagic" / "comagic.py").read_text().splitlines()
    if line.startswith('    "')
}
"The names of things that it knows."
CAN_READ = [one for one in LISTS if one.name.removeprefix("get.") in KNOWN]
CHANGES = [
    one.name
    for one in DATA_CATALOGUE
    if one.name.partition(".")[0] in {"create", "update", "delete", "set", "unset"}
    and one.name.partition(".")[2] in KNOWN
    and one.name in METHODS
]
"Not those of our own, which only happen to be about things it knows."


@pytest.mark.parametrize("declared", CAN_READ, ids=[one.name for one in CAN_READ])
def test_it_reads_every_list(client: Client, session: int, declared: ListDeclaration[Any]) -> None:
    asked: dict[str, object] = {"limit": 100, "user_id": 1}
    if issubclass(declared.params, ReportRequest):
        asked |= WINDOW
    if declared.name == "get.chat_messages_report":
        asked |= {"chat_id": 5}
    rows = client.ask(declared.name, **asked)
    for row in rows:
        if declared.name in METHODS:
            decode(declared.name, row, every=False)
    names = [*declared.listing.fields]
    assert all([*row] == names for row in client.ask(declared.name, **asked, fields=names))
    if declared.table in ("call_sessions", "call_legs"):
        assert session in [row.get("call_session_id", row.get("id")) for row in rows]


def test_it_changes_all_that_it_can(client: Client, session: int) -> None:
    asked = set()

    def done(method: str, **params: object) -> Any:
        asked.add(method)
        return client.ask(method, **params)

    tag = done("create.tags", name="Обёртка")["id"]
    assert done("update.tags", id=tag, name="Обёртка 2") == {}
    call = {"communication_id": session, "communication_type": "call"}
    assert done("set.tag_communications", **call, tag_id=tag) == {}
    where = {"field": "tags", "operator": "jsquery", "value": f"#.tag_id = {tag}"}
    [found] = client.ask("get.calls_report", **WINDOW, filter=where)
    assert found["id"] == session
    assert done("unset.tag_communications", **call, tag_id=tag) == {}
    assert client.ask("get.calls_report", **WINDOW, filter=where) == []
    sale = {"date_time": WINDOW["date_from"], "transaction_value": 10}
    assert done("set.tag_sales", **call, **sale)["id"] > 0
    assert done("delete.tags", id=tag) == {}

    phones = [{"phone_number": "79024256464"}]
    employee = done("create.employees", last_name="Седов", phone_numbers=phones)["id"]
    assert done("update.employees", id=employee, first_name="Олег") == {}
    line = done("create.sip_lines", employee_id=employee, virtual_phone_number="74993720692")
    assert len(done("update.sip_line_password", id=line["id"])["password"]) == 20
    of = {"employee_id": employee, "virtual_phone_number": "74993720692"}
    assert done("update.sip_lines", id=line["id"], **of, channels_count=2) == {}
    assert done("delete.sip_lines", id=line["id"]) == {}
    assert done("delete.employees", id=employee) == {}
    assert {*CHANGES} <= asked


def test_it_shows_what_is_refused(client: Client) -> None:
    error = client.answer("delete.tags", id=404)["error"]
    assert (error["code"], error["data"]["mnemonic"]) == (-32602, "entity_not_found")
