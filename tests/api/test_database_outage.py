"""PostgreSQL goes away, at once or without a word, and comes back: no call notices.

The server is a real one, of the module's own.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from callwright.calls.events import HoldFinished, HoldStarted, LegAnswered, TalkStarted
from callwright.engines.simulated.far_end import answers
from tests.api.house import House, house
from tests.databases import PostgresqlServer, StoredIn
from tests.postgresql import RunningServer, name_for, own_server

CONTACT, EMPLOYEE = "79260000000", "79260000001"
FAR_ENDS = {CONTACT: answers(after=0.0), EMPLOYEE: answers(after=0.0)}
START = {
    "first_call": "operator",
    "switch_at_once": True,
    "virtual_phone_number": "74993720692",
    "contact": CONTACT,
    "operator": EMPLOYEE,
}


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    # What is promised to a client outlives a crash of the server.
    with own_server(fsync="on", synchronous_commit="on", full_page_writes="on") as running:
        yield running


@pytest.fixture
def home(server: RunningServer, tmp_path: Path) -> Iterator[House]:
    stored_in = StoredIn(PostgresqlServer(server.server))
    with house(tmp_path / "house", FAR_ENDS, stored_in) as built:
        yield built


def rows(server: RunningServer, folder: Path, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(server.server.url(name_for(folder / "house"))) as connection:
        return connection.execute(statement.encode()).fetchall()


def talking(home: House) -> int:
    session = home.start_simple_call(CONTACT, EMPLOYEE)
    home.wait_for(session, TalkStarted)
    return session


def end(home: House, session: int) -> None:
    home.succeeds("release.call", {"call_session_id": session})
    assert home.until_finished(session)["finish_reason"] == "api_release"


def refused(home: House, **headers: str) -> None:
    answer = home.call("start.simple_call", START, headers=headers)
    assert answer["error"]["data"]["mnemonic"] == "internal_error", answer


def until_listed(home: House) -> None:
    """Wait until requests are answered again; each that is not yet fails at once."""
    while "error" in home.call("list.calls", {}):
        pass


@pytest.mark.parametrize("is_silent", [False, True], ids=["it crashes", "it is stopped"])
def test_an_outage_ends_no_call_and_begins_none_and_all_is_written_once(
    home: House, server: RunningServer, tmp_path: Path, is_silent: bool
) -> None:
    live = talking(home)
    legs = [event.leg for event in home.news.all if isinstance(event, LegAnswered)]
    if is_silent:
        server.freeze()
    else:
        server.stop()
    try:
        # Whoever asks is told of it; nobody is rung.
        refused(home, **{"Idempotency-Key": "once"})
        assert not [
            event
            for event in home.news.all
            if isinstance(event, LegAnswered) and event.leg not in legs
        ]
        assert len(home.manager.live(1)) == 1
    finally:
        if is_silent:
            server.thaw()
        else:
            server.start()
    until_listed(home)
    hold = {"call_session_id": live, "contact_message": {"type": "media", "value": "2561"}}
    home.succeeds("hold.call", hold)
    home.wait_for(live, HoldStarted)
    home.succeeds("unhold.call", {"call_session_id": live})
    home.wait_for(live, HoldFinished)

    end(home, live)

    # The key that began nothing begins a call now, and one only.
    begun = home.call("start.simple_call", START, headers={"Idempotency-Key": "once"})
    again = home.call("start.simple_call", START, headers={"Idempotency-Key": "once"})
    assert begun["result"]["data"] == again["result"]["data"]
    other = begun["result"]["data"]["call_session_id"]
    home.wait_for(other, TalkStarted)
    end(home, other)

    # Nothing is on record but these two, whole, and each event stands there once.
    told = {
        session: [event.sequence for event in home.news.all if event.session == session]
        for session in (live, other)
    }

    def written() -> bool:
        query = "SELECT id, finished_at IS NOT NULL FROM call_sessions ORDER BY id"
        return rows(server, tmp_path, query) == [(live, True), (other, True)]

    while not written():
        home.succeeds("list.calls", {})
    for session, sequences in told.items():
        stored = rows(
            server,
            tmp_path,
            f"SELECT sequence FROM call_events WHERE session_id = {session} ORDER BY sequence",
        )
        assert [sequence for (sequence,) in stored] == sequences


def test_the_health_tells_of_an_outage_until_it_is_over(home: House, server: RunningServer) -> None:
    def health() -> dict[str, Any]:
        told: dict[str, Any] = home.client.get(f"{home.url}/health").json()
        return told

    server.stop()
    try:
        while (told := health())["status"] == "ok":
            pass
        assert (told["status"], told["fault"]) == ("failing", "the database does not answer")
    finally:
        server.start()
    while health()["status"] != "ok":
        pass
    until_listed(home)
