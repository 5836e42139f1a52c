"""Page *Now*: calls come and go by themselves, and buttons do what they say."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from callwright.calls.events import LegMuted, SessionStarted, TalkStarted
from callwright.calls.state import State
from callwright.engines.simulated.far_end import answers
from tests.api.house import House
from tests.console.browser import chromium, reader
from tests.console.rooms import Session, open_house, signed_in

CONTACT, OPERATOR = "79260000041", "79260000028"
SLOW = "79261110001"
"Rings for as long as a test takes."
pytestmark = pytest.mark.peer("chromium")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    far_ends = {
        CONTACT: answers(after=0.05),
        OPERATOR: answers(after=0.05),
        SLOW: answers(after=3600),
    }
    with open_house(tmp_path_factory.mktemp("console") / "house", far_ends) as built:
        yield built


@pytest.fixture(scope="module")
def browser(home: House) -> Iterator[Browser]:
    # After the house: while Playwright is there, its event loop has this thread.
    with chromium() as opened:
        yield opened


@pytest.fixture
def board(browser: Browser, home: House) -> Iterator[Page]:
    with reader(browser, home) as page:
        page.wait_for_selector("#live.on")
        yield page


@pytest.fixture
def session(home: House) -> Iterator[Session]:
    with signed_in(home) as one:
        yield one


@pytest.fixture
def call(home: House) -> Iterator[int]:
    """Two who talk, until the test is over."""
    started = home.start_simple_call(CONTACT, OPERATOR)
    home.wait_for(started, TalkStarted)
    yield started
    home.call("release.call", {"call_session_id": started})
    home.until_finished(started)


def test_a_call_comes_changes_and_goes_by_itself(board: Page, home: House) -> None:
    expect(board.locator("#nothing")).to_be_visible()
    started = home.start_simple_call(CONTACT, OPERATOR)
    shown = board.locator(f"#call-{started}")
    expect(shown).to_contain_text("Седов Олег")
    expect(shown.locator(".badge.talk")).to_be_visible()
    expect(shown.locator(".legs li")).to_have_count(2)
    expect(board.locator("#figures dd").first).to_have_text("1")
    expect(board.locator("#nothing")).to_be_hidden()
    home.succeeds("release.call", {"call_session_id": started})
    expect(shown).to_have_count(0)
    expect(board.locator("#nothing")).to_be_visible()


@pytest.mark.parametrize("script", ["hx-sse.min.js", "console.js"])
def test_a_script_that_comes_late_keeps_no_board_from_being_live(board: Page, script: str) -> None:
    def late(route: Route) -> None:
        # What htmx does as soon as nothing else is to be done, it has begun by then.
        board.evaluate("() => new Promise(done => setTimeout(done, 200))")
        route.continue_()

    board.route(f"**/{script}", late)
    board.reload()
    board.wait_for_selector("#live.on")


@pytest.mark.realtime
def test_a_call_is_shown_within_a_second_of_its_event(board: Page, home: House) -> None:
    started = home.start_simple_call(SLOW, OPERATOR)
    home.wait_for(started, SessionStarted)
    told = time.monotonic()
    board.wait_for_selector(f"#call-{started}")
    assert time.monotonic() - told < 1.0
    home.succeeds("release.call", {"call_session_id": started})


def test_seconds_run(board: Page, call: int) -> None:
    shown = board.locator(f"#call-{call} running-time")
    expect(shown).to_have_text("0:02")


def test_buttons_hold_mute_and_hang_up(board: Page, home: House, call: int) -> None:
    shown = board.locator(f"#call-{call}")
    shown.get_by_role("button", name="Hold").click()
    expect(shown.locator(".badge.hold")).to_be_visible()
    shown.get_by_role("button", name="Take off hold").click()
    expect(shown.locator(".badge.talk")).to_be_visible()
    shown.get_by_role("button", name="Mute: 79260000028").click()
    expect(shown.get_by_role("button", name="Let speak")).to_be_visible()
    home.wait_for(call, LegMuted, muted=True)
    shown.get_by_role("button", name="Hang up").click()
    expect(shown).to_have_count(0)
    assert home.until_finished(call)["finish_reason"] == "api_release"


def test_the_keyboard_is_enough_and_keeps_its_place(board: Page, call: int) -> None:
    hold = board.locator(f"#call-{call}").get_by_role("button", name="Hold")
    hold.focus()
    board.keyboard.press("Enter")
    expect(board.locator(f"#call-{call} .badge.hold")).to_be_visible()
    # The row has been drawn anew, and the reader is still in it.
    expect(board.locator(f"#call-{call} :focus")).to_have_count(1)


def test_without_scripts_calls_are_read_and_ended(browser: Browser, home: House, call: int) -> None:
    with reader(browser, home, scripts=False) as page:
        shown = page.locator(f"#call-{call}")
        expect(shown).to_contain_text("talk")
        shown.get_by_role("button", name="Hang up").click()
        page.wait_for_url("**/console/now")
    assert home.until_finished(call)["finish_reason"] == "api_release"


def test_a_button_that_comes_too_late_says_so(session: Session, home: House) -> None:
    form = {"csrf": session.csrf}
    answer = session.post("/now/1/release.call", form)
    assert answer.status_code == 200
    assert "That call is over." in answer.text
    piece = session.post("/now/1/release.call", form, {"HX-Request": "true"})
    assert piece.text.startswith('<p id="said"')
    assert "That call is over." in piece.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/now/1/start.simple_call", 404),
        ("/now/1/tag.call", 404),
        ("/now/99999999999999999999/release.call", 404),
        ("/now/x/release.call", 404),
    ],
)
def test_only_the_boards_own_buttons_are_pressed(session: Session, path: str, status: int) -> None:
    assert session.post(path, {"csrf": session.csrf}).status_code == status


def test_a_button_is_a_request_of_the_api_in_its_log(
    session: Session, home: House, call: int
) -> None:
    leg = home.succeeds("get.call", {"call_session_id": call})["legs"][0]["leg_id"]
    assert session.post(f"/now/{call}/mute.leg", {"csrf": session.csrf, "leg": f"{leg}"})
    home.wait_for(call, LegMuted, leg=leg, muted=True)
    assert home.manager.live(1)[0].record.state is State.TALK
    now = datetime.now(UTC)
    asked = {
        "date_from": f"{now - timedelta(days=1):%F %T}",
        "date_till": f"{now + timedelta(days=1):%F %T}",
        "filter": {"field": "method", "operator": "=", "value": "mute.leg"},
    }
    rows = home.data("get.request_log", asked)["result"]["data"]
    assert {row["user_login"] for row in rows} == {"crm"}
