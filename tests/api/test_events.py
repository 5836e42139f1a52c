"""The stream of events of a whole service: what is told, to whom, and what a break leaves out."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from callwright.calls.events import LegRang
from callwright.engines.simulated.far_end import FarEnd, HangsUp, answers, busy, never_answers
from tests.api.house import ANOTHER, STRANGER, TOKEN, House, house, reopened
from tests.api.listener import BOTH, by_lines, by_socket, until
from tests.databases import StoredIn
from tests.waiting import WITHIN

CONTACT, BUSY, SILENT, OPERATOR = "79260000000", "79261110001", "79261110002", "79260000028"
FAR_ENDS: dict[str, FarEnd] = {
    CONTACT: answers(after=0.05, then=[(0.2, HangsUp())]),
    BUSY: busy(),
    SILENT: never_answers(),
    OPERATOR: answers(after=0.05),
}
BEARER = {"Authorization": f"Bearer {TOKEN}"}
both = pytest.mark.parametrize("listening", BOTH)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, stored_in: StoredIn) -> Iterator[House]:
    trusting = {"port": 0, "trusted_proxies": ["127.0.0.1"]}
    with house(tmp_path_factory.mktemp("house"), FAR_ENDS, stored_in, http=trusting) as built:
        yield built


def start(home: House, contact: str = CONTACT, **more: object) -> int:
    return home.start_simple_call(contact, OPERATOR, **more)


def until_told(home: House, session: int) -> None:
    """Wait until all of a session is on disk, so that it is not told to whoever listens later."""
    with by_lines(home.url, {"session": str(session), "types": "session.finished"}, "0") as read:
        assert [read()["type"], read()["type"]] == ["stream.opened", "session.finished"]


def socket_url(home: House) -> str:
    return f"{home.url.replace('http', 'ws', 1)}/events"


def refusal(response: httpx.Response) -> tuple[int, str, str | None]:
    error = response.json()["error"]
    return response.status_code, error["mnemonic"], error["field"]


def ask(home: House, query: str = "", **headers: str) -> httpx.Response:
    return home.client.get(f"{home.url}/events{query}", headers=headers)


@both
def test_a_whole_call_is_told(home: House, listening: Any) -> None:
    with listening(home.url) as read:
        opened = read()
        assert opened["type"] == "stream.opened"
        session = start(home, external_id="334otr01")
        told = until(read, "session.finished")
    kinds = [event["type"] for event in told]
    assert kinds[0] == "session.started"
    assert [kinds.count(kind) for kind in ("leg.started", "leg.answered", "leg.ended")] == [2, 2, 2]
    assert kinds.index("talk.started") < kinds.index("talk.finished")
    assert {event["call_session_id"] for event in told} == {session}
    assert {event["external_id"] for event in told} == {"334otr01"}
    assert [event["event_id"] for event in told] == [
        f"{session}-{event['sequence']}" for event in told
    ]
    ids = [int(opened["id"]), *(int(event["id"]) for event in told)]
    assert ids == sorted(set(ids))
    verdict = told[-1]["data"]
    assert verdict["finish_reason"] == "subscriber_disconnects"
    assert type(verdict["talk_time_duration"]) is int
    assert verdict["employee_phone_number"] == OPERATOR
    assert verdict["contact_phone_number"] == CONTACT


@both
@pytest.mark.parametrize("read_before", [1, 4, 9])
def test_who_comes_back_has_missed_nothing(home: House, listening: Any, read_before: int) -> None:
    with ExitStack() as whole:
        read_all = whole.enter_context(by_lines(home.url))
        read_all()
        with listening(home.url) as read:
            read()
            session = start(home)
            before = [read() for _ in range(read_before)]
        expected = until(read_all, "session.finished", session)
    with listening(home.url, after=before[-1]["id"]) as read:
        opened = read()
        assert opened == {"type": "stream.opened"}
        after = until(read, "session.finished", session)
        # And it goes on with what comes.
        another = start(home, BUSY)
        told = until(read, "session.finished")
        assert {event["call_session_id"] for event in told} == {another}
    assert before + after == expected


@both
def test_who_has_read_nothing_yet_comes_back_with_the_id_of_the_opening(
    home: House, listening: Any
) -> None:
    with listening(home.url) as read:
        place = read()["id"]
    session = start(home)
    until_told(home, session)
    with listening(home.url, after=place) as read:
        read()
        told = until(read, "session.finished")
    assert told[0]["type"] == "session.started"
    assert {event["call_session_id"] for event in told} == {session}


@both
def test_who_comes_back_after_a_restart_has_missed_nothing(tmp_path: Path, listening: Any) -> None:
    """Also not the ends of calls that the stop has cut off."""
    settings = {"calls": {"drain_within": 0}}
    with house(tmp_path, FAR_ENDS, **settings) as home, listening(home.url) as read:
        read()
        first = start(home)
        seen = until(read, "session.finished", first)
        second = start(home, SILENT)
        home.wait_for(second, LegRang)
        seen += until(read, "leg.started", second)
    with reopened(tmp_path, FAR_ENDS, **settings) as home:
        with listening(home.url, after=seen[-1]["id"]) as read:
            read()
            rest = until(read, "session.finished", second)
            third = start(home, BUSY)
            more = until(read, "session.finished", third)
        with listening(home.url, after="0") as read:
            read()
            everything = until(read, "session.finished", third)
    assert seen + rest + more == everything
    assert rest[-1]["data"]["finish_reason"] == "internal_error"
    assert len({event["event_id"] for event in everything}) == len(everything)


@both
def test_only_what_is_asked_for_is_told(home: House, listening: Any) -> None:
    with listening(home.url, {"types": "leg.answered,session.finished"}) as read:
        read()
        session = start(home)
        told = until(read, "session.finished", session)
    assert [event["type"] for event in told] == ["leg.answered", "leg.answered", "session.finished"]

    other = start(home)
    until_told(home, other)
    with listening(home.url, {"session": str(session)}, "0") as read:
        read()
        assert {event["call_session_id"] for event in until(read, "session.finished")} == {session}
    with listening(home.url, {"session": str(other), "types": "session.finished"}, "0") as read:
        read()
        assert read()["call_session_id"] == other


@both
def test_strangers_are_told_nothing(home: House, listening: Any) -> None:
    session = start(home)
    until_told(home, session)
    home.apply(f'{ANOTHER}[[virtual_numbers]]\nnumber = "74950000002"\n')
    with (
        listening(home.url, {"session": str(session)}, "0", STRANGER) as of_session,
        listening(home.url, None, "0", STRANGER) as of_all,
    ):
        assert of_session()["type"] == of_all()["type"] == "stream.opened"
        until_told(home, start(home))
        # The first they are told of is a call of their own.
        home.calls_in(caller="79261110009", called="74950000002", trunk="t")
        told = until(of_all, "session.finished")
    assert {event["data"]["virtual_phone_number"] for event in told} == {"74950000002"}
    assert "session.started" in [event["type"] for event in told]


@both
@pytest.mark.parametrize("bad", ["77", "nonsense", "9999999999999999"])
def test_an_id_that_no_event_has_is_a_gap(home: House, listening: Any, bad: str) -> None:
    with listening(home.url, after=bad) as read:
        assert read() == {"type": "stream.opened"}
        gap = read()
        assert (gap["type"], gap["reason"]) == ("stream.gap", "unknown_id")
        session = start(home)
        told = until(read, "session.finished")
        assert {event["call_session_id"] for event in told} == {session}
    with listening(home.url, after=gap["id"]) as read:
        read()
        assert until(read, "session.finished") == told


def test_an_id_of_before_a_backup_was_put_in_place_is_a_gap(tmp_path: Path) -> None:
    """The next start counts from where the one after the backup had begun."""
    for folder in ("lost", "backup"):  # two copies of the same
        with house(tmp_path / folder, FAR_ENDS) as home:
            session = start(home)
            until_told(home, session)
            if folder == "lost":
                with by_lines(home.url, {"session": str(session)}, "0") as read:
                    read()
                    ids = [event["id"] for event in until(read, "session.finished")]
                continue
            for last in ids:
                with by_lines(home.url, after=last) as read:
                    assert [read()["type"], read()["type"]] == ["stream.opened", "stream.gap"]


def test_the_id_of_the_header_is_newer_than_that_of_the_query(home: House) -> None:
    """A browser comes back with the URL it had at first."""
    session = start(home)
    until_told(home, session)
    with by_lines(home.url, {"session": str(session)}, "0") as read:
        read()
        told = until(read, "session.finished")
    with by_lines(home.url, {"last_event_id": "0"}, told[-2]["id"]) as read:
        read()
        assert read() == told[-1]


@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        ("types=leg.answered,phone.exploded", "types", "'phone.exploded'"),
        ("types=", "types", "''"),
        ("session=7a", "session", "digits"),
        ("session=12345678901234567", "session", "digits"),
        ("type=leg.answered", "type", "'type'"),
        ("session=1&session=2", "session", "twice"),
    ],
)
def test_a_bad_query_is_refused(home: House, query: str, field: str, said: str) -> None:
    response = ask(home, f"?{query}", **BEARER)
    assert refusal(response) == (400, "invalid_parameter_value", field)
    assert said in response.json()["error"]["message"]
    with pytest.raises(InvalidStatus) as refused:
        connect(f"{socket_url(home)}?{query}", additional_headers=BEARER, proxy=None)
    assert refused.value.response.status_code == 400


@pytest.mark.parametrize(
    ("query", "headers", "status", "mnemonic"),
    [
        ("", {}, 401, "required_parameter_missed"),
        ("", {"Authorization": "Bearer nobody"}, 401, "access_token_invalid"),
        ("?access_token=nobody", {}, 401, "access_token_invalid"),
        (
            f"?access_token={TOKEN}",
            {"Authorization": f"Bearer {STRANGER}"},
            401,
            "access_token_invalid",
        ),
        (f"?access_token={TOKEN}", {"X-Forwarded-For": "203.0.113.9"}, 403, "ip_not_whitelisted"),
    ],
)
def test_who_may_not_listen(
    home: House, query: str, headers: dict[str, str], status: int, mnemonic: str
) -> None:
    assert refusal(ask(home, query, **headers))[:2] == (status, mnemonic)
    with pytest.raises(InvalidStatus) as refused:
        connect(f"{socket_url(home)}{query}", additional_headers=headers, proxy=None)
    assert refused.value.response.status_code == status


def test_a_token_in_the_query_opens_the_stream_and_is_in_no_log(
    home: House, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        url = f"{home.url}/events?access_token={TOKEN}"
        with home.client.stream("GET", url) as response:
            assert "stream.opened" in next(response.iter_text())
            assert response.headers["access-control-allow-origin"] == "*"
            assert response.headers["cache-control"] == "no-store"
        with connect(url.replace("http", "ws", 1), proxy=None) as socket:
            assert "stream.opened" in str(socket.recv(timeout=WITHIN))
    ours = [
        record
        for record in caplog.records
        if not record.name.startswith(("httpx", "httpcore", "websockets"))
    ]
    assert any("listens to events" in record.getMessage() for record in ours)
    assert not [record for record in ours if TOKEN in record.getMessage()]


def test_there_are_only_so_many_streams(tmp_path: Path) -> None:
    with (
        house(tmp_path, {}, api={"streams_at_most": 2}) as home,
        by_lines(home.url),
        by_socket(home.url),
        by_lines(home.url, token=STRANGER) as read,
    ):
        assert read()["type"] == "stream.opened"
        response = ask(home, **BEARER)
        assert refusal(response)[:2] == (429, "too_many_streams")
        with pytest.raises(InvalidStatus) as refused, by_socket(home.url):
            pass
        assert refused.value.response.status_code == 429


def test_a_stop_ends_the_streams_in_order(tmp_path: Path) -> None:
    with ExitStack() as listeners:
        with house(tmp_path, {}) as home:
            by_line = listeners.enter_context(by_lines(home.url))
            by_frame = listeners.enter_context(by_socket(home.url))
            assert by_line()["type"] == by_frame()["type"] == "stream.opened"
        closed = by_line()
        assert (closed["type"], closed["code"]) == ("stream.closed", 1012)
        with pytest.raises(StopIteration):
            by_line()
        with pytest.raises(ConnectionClosed) as end:
            by_frame()
        assert end.value.rcvd
        assert end.value.rcvd.code == 1012


@pytest.mark.parametrize("path", ["/", "/v4.0", "/health", "/events/"])
def test_there_is_a_socket_at_one_place_only(home: House, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        connect(socket_url(home).replace("/events", path), proxy=None)
    assert refused.value.response.status_code == 403


def test_only_get(home: House) -> None:
    for verb in ("HEAD", "POST"):
        assert home.client.request(verb, f"{home.url}/events").status_code == 405


def test_what_a_listener_says_changes_nothing(home: House) -> None:
    with connect(socket_url(home), additional_headers=BEARER, proxy=None) as socket:
        for word in ("hello", b"\x00\xff", "{}"):
            socket.send(word)
        assert "stream.opened" in str(socket.recv(timeout=WITHIN))
        session = start(home)
        assert str(session) in str(socket.recv(timeout=WITHIN))
        socket.send("x" * 5000)
        with pytest.raises(ConnectionClosed) as end:
            _read_to_the_end(socket)
    assert end.value.rcvd
    assert end.value.rcvd.code == 1009


def _read_to_the_end(socket: ClientConnection) -> None:
    while True:
        socket.recv(timeout=WITHIN)
