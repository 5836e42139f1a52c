"""Every page in a browser: in both languages, within its policy, accessible, and light."""

import io
from collections.abc import Iterator

import pytest
from babel.messages.mofile import read_mo
from playwright.sync_api import Browser, Page

from callwright.calls.events import TalkStarted
from callwright.engines.simulated.far_end import answers
from tests.api.house import House
from tests.console.browser import chromium, faults, reader, texts
from tests.console.rooms import WITH_PASSWORDS, open_house
from translations import MO

pytestmark = pytest.mark.peer("chromium", "axe")

PAGES = ("/now", "/calls/{call}", "/journal?number=7926", "/journal?tag=1", "/health")
"Each is opened in both languages, light and dark."

CONTACT, OPERATOR = "79260000041", "79260000028"
HEAVIEST = 100_000
"Bytes of the first page over the wire, with all that belongs to it."

HOSTILE = "<img src=x onerror=window.pwned=1>\"'><script>window.pwned=1</script>{{7*7}}"
WITH_HOSTILE_NAMES = f"""{WITH_PASSWORDS}
[[employees]]
id = 666
full_name = '''{HOSTILE}'''
[[employees.phones]]
number = "79260000666"
kind = "e164"
[[contacts]]
id = 667
last_name = '''{HOSTILE[:60]}'''
phone_numbers = ["79260000667"]
[[tags]]
id = 668
name = '''{HOSTILE}'''
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    far_ends = {
        CONTACT: answers(after=0.05),
        OPERATOR: answers(after=0.05),
        "79260000666": answers(after=0.05),
        "79260000667": answers(after=0.05),
    }
    with open_house(tmp_path_factory.mktemp("console") / "house", far_ends) as built:
        built.apply(WITH_HOSTILE_NAMES)
        yield built


@pytest.fixture(scope="module")
def browser(home: House) -> Iterator[Browser]:
    # After the house: while Playwright is there, its event loop has this thread.
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def call(home: House) -> int:
    """A call whose every word is hostile, and which goes on."""
    started = home.start_simple_call("79260000667", "79260000666", external_id=HOSTILE[:50])
    home.wait_for(started, TalkStarted)
    home.succeeds("tag.call", {"call_session_id": started, "tag_id": 668})
    return started


def untranslated() -> dict[str, str]:
    """Every text that differs in Russian, and its translation."""
    return {
        message.id: str(message.string)
        for message in read_mo(io.BytesIO(MO.read_bytes()))
        if isinstance(message.id, str) and message.id != message.string
    }


def open_page(page: Page, home: House, path: str) -> None:
    page.goto(f"{home.url}/console{path}")
    page.wait_for_load_state("load")


@pytest.mark.parametrize("path", ["/sign-in", *PAGES])
@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("ru", "dark")])
def test_a_page_is_whole(
    browser: Browser, home: House, call: int, path: str, language: str, theme: str
) -> None:
    with reader(browser, home, language, theme) as page:
        open_page(page, home, path.format(call=call))
        assert page.locator("html").get_attribute("lang") == language
        assert faults(page) == []
        assert page.evaluate("() => window.pwned") is None
        assert page.locator("img[src=x]").count() == 0
        if language == "ru":
            assert {*texts(page)} & {*untranslated()} == set()
        else:
            assert {*texts(page)} & {*untranslated().values()} == set()


def test_the_first_page_is_light(browser: Browser, home: House, call: int) -> None:
    with reader(browser, home, login=None) as page:
        sizes: list[int] = []

        def finished(size: int) -> None:
            sizes.append(size)

        page.on(
            "requestfinished",
            lambda request: finished(
                request.sizes()["responseBodySize"] + request.sizes()["responseHeadersSize"]
            ),
        )
        page.fill("[name=login]", "crm")
        page.fill("[name=password]", "sandbox")
        page.click("form.fields button")
        page.wait_for_selector("#live.on")
        assert len(sizes) >= 6
        assert 0 < sum(sizes) <= HEAVIEST
