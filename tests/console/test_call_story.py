"""The page of one call: what it says of how it went, and of whose calls it says nothing."""

import ast
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from callwright.calls import ending
from callwright.calls.events import TalkStarted
from callwright.console.call_story import legs_shown
from callwright.console.finish_reasons import FINISH_REASONS
from callwright.engines.simulated.far_end import HangsUp, answers, busy
from tests.api.house import STRANGER, House
from tests.console.rooms import Session, open_house, signed_in
from tests.waiting import WITHIN

SOURCE = Path(__file__).parents[2] / "src" / "callwright"
CONTACT, OPERATOR, BUSY = "79260000041", "79260000028", "79261110001"
HOSTILE_ANSWER = b"<script>alert(1)</script>"


@contextmanager
def receiver() -> Iterator[tuple[str, threading.Event]]:
    """A customer's server: its URL, and what is set when a call's last event has come."""
    last = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(HOSTILE_ANSWER)
            if b"session.finished" in body:
                last.set()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}/hook", last
        server.shutdown()
        serving.join()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    far_ends = {
        CONTACT: answers(after=0.05, then=[(0.5, HangsUp())]),
        OPERATOR: answers(after=0.05),
        BUSY: busy(),
    }
    folder = tmp_path_factory.mktemp("console") / "house"
    with open_house(folder, far_ends, webhooks={"allow_private": True}) as built:
        yield built


@pytest.fixture
def session(home: House) -> Iterator[Session]:
    with signed_in(home) as one:
        yield one


def test_a_call_is_told_from_its_beginning_to_its_end(session: Session, home: House) -> None:
    started = home.start_simple_call(CONTACT, OPERATOR, external_id="order-17")
    home.wait_for(started, TalkStarted)
    assert "The call goes on." in session.get(f"/calls/{started}").text
    home.until_finished(started)
    page = session.get(f"/calls/{started}").text
    assert "The contact hung up." in page
    assert "subscriber_disconnects" in page
    assert "order-17" in page
    assert "Седов Олег" in page
    assert ">they talk<" in page
    assert page.count("<svg viewBox") == 3  # the mark, the ladder and the tracks


def test_what_went_wrong_is_said_in_words(session: Session, home: House) -> None:
    started = home.start_simple_call(BUSY, OPERATOR)
    home.until_finished(started)
    page = session.get(f"/calls/{started}").text
    assert '<p class="verdict bad">The contact was busy.</p>' in page
    assert "486 Busy Here" in page
    session.post("/preferences", {"language": "ru"})
    page = session.get(f"/calls/{started}").text
    assert "Абонент был занят." in page
    assert ">занято<" in page


def test_who_was_told_of_it_and_what_came_back(session: Session, home: House) -> None:
    with receiver() as (url, last):
        made = home.data("create.webhooks", {"name": "CRM <b>", "url": url})["result"]["data"]
        started = home.start_simple_call(BUSY, OPERATOR)
        home.until_finished(started)
        assert last.wait(WITHIN)
        rows = home.data("get.webhook_log", {"filter": OF_LAST | {"value": started}})
        while not any(row["event_mnemonic"] == "session.finished" for row in found(rows)):
            rows = home.data("get.webhook_log", {"filter": OF_LAST | {"value": started}})
        page = session.get(f"/calls/{started}").text
        home.data("delete.webhooks", {"id": made["id"]})
    assert "session.finished" in page
    assert url in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


OF_LAST = {"field": "communication_id", "operator": "="}


def found(answer: dict[str, dict[str, list[dict[str, str]]]]) -> list[dict[str, str]]:
    return answer["result"]["data"]


def test_calls_of_other_accounts_are_not_there(session: Session, home: House) -> None:
    started = home.start_simple_call(BUSY, OPERATOR)
    home.until_finished(started)
    refused = home.call("get.call", {"call_session_id": started}, STRANGER)
    assert refused["error"]["data"]["mnemonic"] == "call_session_not_found"
    for other in ("1", f"{started + 999}", "9" * 18, "0"):
        answer = session.get(f"/calls/{other}")
        assert answer.status_code == 404
        assert "There is no such page." in answer.text
    for path in ("/calls/x", "/calls/-1", f"/calls/{'9' * 400}", "/calls/", "/calls/1/../2x"):
        assert session.get(path).status_code == 404


def reasons_in_code() -> set[str]:
    """Every word the code makes an ending of."""
    known = {
        str(node.args[0].value)
        for file in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Ending"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    known |= {word for causes in ending.REASONS.values() for word, _ in causes.values()}
    known |= {*ending.LEG_WORDS.values(), *ending.RELEASED_WORDS.values()}
    return known | {ending.TRANSFERRED, ending.ANOTHER_ANSWERED}


def test_every_finish_reason_has_its_words() -> None:
    assert len(reasons_in_code()) > 20
    assert reasons_in_code() - {*FINISH_REASONS} == set()


def test_quality_is_told_as_shares_and_judged() -> None:
    started = {
        "event": "leg_started",
        "leg": 1,
        "role": "contact",
        "calling_number": "7499",
        "called_number": "7926",
        "employee_full_name": None,
    }
    quality = {"sent": 100, "received": 90, "lost": 10, "far_lost": 25, "mos": 3.5}
    ended = {
        "event": "leg_ended",
        "leg": 1,
        "cause": "busy",
        "raw": "486 Busy Here",
        "talk_duration": 4.0,
        "quality": quality,
    }
    [leg] = legs_shown([started, ended])
    assert leg.losses == (0.1, 0.25)
    assert (leg.judged, leg.ending, leg.number) == ("waiting", "is busy", "7926")
    [leg] = legs_shown([{**started, "offered": True}])
    assert (leg.number, leg.judged, leg.losses, leg.lasted) == ("7499", "", (None, None), None)
