"""A browser that looks at the console: Debian's Chromium, driven by Playwright."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.api.house import House
from tests.console.rooms import LOGIN, PASSWORD
from tests.peers import AXE, program_of_peer
from tests.waiting import WITHIN

WATCHED = """
window.faults = [];
document.addEventListener('securitypolicyviolation',
    (event) => window.faults.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
"Remembers what Content-Security-Policy has forbidden on a page."

FINDINGS = """
async () => {
    const found = await axe.run(document, {resultTypes: ['violations']});
    return found.violations
        .filter((one) => ['serious', 'critical', 'moderate'].includes(one.impact))
        .map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(' | ')}`);
}
"""

TEXTS = """
() => {
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walk.nextNode()) found.push(walk.currentNode.textContent.trim());
    for (const one of document.querySelectorAll('[title],[aria-label],[placeholder]'))
        for (const name of ['title', 'aria-label', 'placeholder'])
            found.push(one.getAttribute(name));
    return found.filter(Boolean);
}
"""
"Every text of a page, those included that are only read out or pointed at."


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program_of_peer("chromium"), args=["--no-sandbox"]
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def reader(
    browser: Browser,
    home: House,
    language: str = "en",
    theme: str = "light",
    *,
    scripts: bool = True,
    login: str | None = LOGIN,
) -> Iterator[Page]:
    """Somebody with a browser of their own, who has signed in; ``login`` None: who has not yet."""
    context = browser.new_context(
        locale=language,
        color_scheme="dark" if theme == "dark" else "light",
        java_script_enabled=scripts,
    )
    context.set_default_timeout(WITHIN * 1000)
    if scripts:
        context.add_init_script(WATCHED)
    with closing(context) as page:
        page.goto(f"{home.url}/console")
        if login is not None:
            page.fill("[name=login]", login)
            page.fill("[name=password]", PASSWORD)
            page.click("form.fields button")
            page.wait_for_url("**/console/now")
        yield page


@contextmanager
def closing(context: BrowserContext) -> Iterator[Page]:
    try:
        yield context.new_page()
    finally:
        context.close()


def faults(page: Page) -> list[str]:
    """What the page's policy has forbidden, and the faults of accessibility that axe finds."""
    # By way of the debugger: as a script of the page it would be forbidden.
    page.evaluate(AXE.read_text("utf-8"))
    found: list[str] = page.evaluate("() => window.faults") + page.evaluate(FINDINGS)
    return found


def texts(page: Page) -> list[str]:
    found: list[str] = page.evaluate(TEXTS)
    return found
