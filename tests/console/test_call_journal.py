"""Page *Journal*: what is asked for is what is shown, page by page, and as CSV."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import date

import pytest

from callwright.calls.events import TalkStarted
from callwright.console import call_journal
from callwright.console.call_journal import Wanted
from callwright.engines.simulated.far_end import answers, busy
from tests.api.house import House
from tests.console.rooms import OUTSIDER, Session, open_house, signed_in

CONTACT, OPERATOR, BUSY = "79260000041", "79260000028", "79261110001"
TODAY = date(2026, 5, 20)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    far_ends = {CONTACT: answers(after=0.0), OPERATOR: answers(after=0.0), BUSY: busy()}
    with open_house(tmp_path_factory.mktemp("console") / "house", far_ends) as built:
        yield built


@pytest.fixture(scope="module")
def calls(home: House) -> list[int]:
    """A talk with a tag, and three calls to somebody who is busy; the oldest first."""
    talk = home.start_simple_call(CONTACT, OPERATOR, external_id="=HYPERLINK(1)")
    home.wait_for(talk, TalkStarted)
    home.succeeds("tag.call", {"call_session_id": talk, "tag_id": 7})
    home.succeeds("release.call", {"call_session_id": talk})
    started = [talk]
    home.until_finished(talk)
    for _ in range(3):
        started.append(home.start_simple_call(BUSY, OPERATOR))
        home.until_finished(started[-1])
    return started


@pytest.fixture
def session(home: House) -> Iterator[Session]:
    with signed_in(home) as one:
        yield one


def shown(page: str) -> list[int]:
    """The calls of a page, in its order."""
    return [int(one) for one in re.findall(r'href="/console/calls/([0-9]+)"', page)]


def test_all_calls_of_these_days_stand_there_the_newest_first(
    session: Session, calls: list[int]
) -> None:
    page = session.get("/journal").text
    assert shown(page) == calls[::-1]
    assert "The contact was busy." in page
    assert "Седов Олег" in page
    assert "Older" not in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("number=1110", [3, 2, 1]),
        ("number=%2B7926000-0041", [0]),
        ("number=693", []),
        ("tag=7", [0]),
        ("reason=subscriber_busy", [3, 2, 1]),
        ("reason=api_release&number=041", [0]),
        ("employee=25", []),
        ("till=2020-01-01", []),
        ("from=2999-01-01&till=2020-13-45&reason=x&tag=x&employee=-1&before=x", [3, 2, 1, 0]),
    ],
)
def test_what_is_asked_for_is_what_is_shown(
    session: Session, calls: list[int], query: str, found: list[int]
) -> None:
    answer = session.get(f"/journal?{query}")
    assert answer.status_code == 200
    assert shown(answer.text) == [calls[n] for n in found]
    assert ("No calls" in answer.text) == (not found)


def test_a_page_goes_on_behind_the_one_before(
    session: Session, calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_journal, "ROWS", 3)
    first = session.get("/journal").text
    assert shown(first) == calls[:0:-1]
    [older] = re.findall(r'href="/console(/journal\?[^"]*before=[^"]*)"', first)
    second = session.get(older.replace("&amp;", "&")).text
    assert shown(second) == calls[:1]
    assert "Newest" in second
    assert "before=" not in second


def test_as_csv_it_is_what_is_asked_for_and_no_formula(
    session: Session, calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_journal, "CSV_ROWS", 2)
    answer = session.get("/journal.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="calls-')
    assert answer.content.startswith("\ufeff".encode())
    rows = [*csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))]
    assert [int(row["id"]) for row in rows] == calls[::-1]
    assert rows[-1]["call_api_external_id"] == "'=HYPERLINK(1)"
    assert rows[0]["finish_reason"] == "subscriber_busy"
    narrow = session.get("/journal.csv?number=041").text
    assert narrow.count("\n") == 2


def test_without_the_right_to_reports_there_is_no_journal(home: House) -> None:
    with signed_in(home, OUTSIDER) as session:
        for path in ("/journal", "/journal.csv", "/health"):
            answer = session.get(path)
            assert answer.status_code == (200 if path == "/health" else 403)
            assert "Requests that were refused" not in answer.text


def test_health_tells_what_was_refused(session: Session, home: House, calls: list[int]) -> None:
    home.call("hold.call", {"call_session_id": 1})
    page = session.get("/health").text
    assert "All is well" in page
    assert "carrier" in page
    assert "486 Busy Here" in page
    assert "required_parameter_missed" in page
    assert "live calls of all accounts" in page


def test_figures_of_all_accounts_are_for_those_who_may_see_metrics(session: Session) -> None:
    # As a proxy that nobody has told us of would have it.
    page = session.get("/health", **{"X-Forwarded-For": "203.0.113.5"}).text
    assert "live calls of all accounts" not in page
    assert "Python" not in page


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        ({}, Wanted(date(2026, 5, 14), TODAY)),
        ({"till": "2026-05-10"}, Wanted(date(2026, 5, 4), date(2026, 5, 10))),
        ({"from": "2020-01-01"}, Wanted(date(2026, 2, 21), TODAY)),
        ({"from": "2026-06-01"}, Wanted(TODAY, TODAY)),
        ({"number": "+7 (926) %_'\""}, Wanted(date(2026, 5, 14), TODAY, number="7926")),
        ({"employee": "9" * 17, "tag": "٣"}, Wanted(date(2026, 5, 14), TODAY)),
        (
            {"before": "2026-05-19 10:00:00/17"},
            Wanted(date(2026, 5, 14), TODAY, before=("2026-05-19 10:00:00", 17)),
        ),
        ({"before": "2026-99-19 10:00:00/17"}, Wanted(date(2026, 5, 14), TODAY)),
    ],
)
def test_whatever_cannot_be_asked_is_left_out(sent: dict[str, str], wanted: Wanted) -> None:
    assert Wanted.of(sent, TODAY) == wanted
