"""The console's frame: who gets in, what every answer bears, what other sites cannot do."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from callwright.methods.backoff import FREE
from tests.api.house import TOKEN, House, house
from tests.console.rooms import LOGIN, OUTSIDER, PASSWORD, Session, open_house, signed_in
from tests.waiting import WITHIN

STATIC = re.compile(r"(?:src|href)=\"/console(/static/[^\"]+)\"")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("console") / "house", {}) as built:
        yield built


@pytest.fixture
def stranger(home: House) -> Iterator[Session]:
    session = Session(home)
    with session.client:
        yield session


@pytest.fixture
def session(home: House) -> Iterator[Session]:
    with signed_in(home) as one:
        yield one


def policy(answer: httpx.Response) -> dict[str, str]:
    """The directives of its Content-Security-Policy."""
    parts = answer.headers["content-security-policy"].split("; ")
    return {name: sources for name, _, sources in (part.partition(" ") for part in parts)}


def test_it_is_closed_unless_it_is_opened(tmp_path: Path) -> None:
    with house(tmp_path / "closed", {}) as closed:
        for path in ("/console", "/console/", "/console/now", "/console/sign-in"):
            assert closed.client.get(f"{closed.url}{path}").status_code == 404


def test_a_stranger_is_led_to_sign_in_and_then_to_what_was_asked_for(stranger: Session) -> None:
    assert stranger.get("").headers["location"] == "/console/now"
    led = stranger.get("/now")
    assert (led.status_code, led.headers["location"]) == (
        303,
        "/console/sign-in?next=/console/now",
    )
    page = stranger.get("/sign-in?next=/console/now")
    assert 'name="next" value="/console/now"' in page.text
    form = {"login": LOGIN, "password": PASSWORD, "next": "/console/now"}
    assert stranger.post("/sign-in", form).headers["location"] == "/console/now"
    assert stranger.get("/now").status_code == 200


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "/console/../v4.0", "/console//evil", "/v4.0", ""],
)
def test_signing_in_leads_nowhere_else(stranger: Session, elsewhere: str) -> None:
    form = {"login": LOGIN, "password": PASSWORD, "next": elsewhere}
    assert stranger.post("/sign-in", form).headers["location"] == "/console/now"


def test_a_session_is_a_cookie_that_no_script_reads_and_no_other_site_sends(
    stranger: Session,
) -> None:
    cookie = stranger.sign_in().headers["set-cookie"]
    name, *attributes = cookie.split("; ")
    assert re.fullmatch(r"callwright_console=[0-9a-f]{64}", name)
    assert {"HttpOnly", "SameSite=strict", "Path=/console"} <= {*attributes}
    assert "Secure" not in attributes
    [lasts] = [one for one in attributes if one.startswith("Max-Age=")]
    assert 3500 < int(lasts.removeprefix("Max-Age=")) <= 3600


def test_behind_tls_the_cookie_goes_over_tls_alone(tmp_path: Path) -> None:
    settings = {"http": {"port": 0, "public_url": "https://calls.example/phone"}}
    with open_house(tmp_path / "house", {}, **settings) as home, httpx.Client() as client:
        form = {"login": LOGIN, "password": PASSWORD}
        headers = {"Origin": "https://calls.example", "Host": "calls.example"}
        answer = client.post(f"{home.url}/console/sign-in", data=form, headers=headers)
        assert answer.headers["location"] == "/phone/console/now"
        assert {"Secure", "Path=/phone/console"} <= {*answer.headers["set-cookie"].split("; ")}


def test_every_answer_bears_the_headers_that_keep_others_out(
    stranger: Session, session: Session
) -> None:
    answers = [
        stranger.get("/sign-in"),
        stranger.get("/now"),
        stranger.get("/nowhere"),
        stranger.get("/static/0000/console.css"),
        session.get("/now"),
    ]
    for answer in answers:
        allowed = policy(answer)
        assert allowed["default-src"] == "'none'"
        assert allowed["script-src"] == allowed["style-src"] == "'self'"
        assert allowed["frame-ancestors"] == allowed["base-uri"] == "'none'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


def test_pages_have_no_script_and_no_style_of_their_own(session: Session) -> None:
    for path in ("/now", "/sign-in"):
        text = session.get(path).text
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))


def test_static_files_are_kept_for_good_and_found_by_hash_and_name_alone(
    session: Session,
) -> None:
    files = STATIC.findall(session.get("/now").text)
    assert len(files) >= 5
    for path in files:
        answer = session.get(path)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] == "gzip"
    digest = files[0].split("/")[2]
    for trick in (
        "/static/../now.py",
        f"/static/{digest}/../../now.py",
        f"/static/{digest}/..%2f..%2fnow.py",
        f"/static/{digest}/%2e%2e%2fconsole.css",
        f"/static/{digest}/vendored.toml",
        f"/static/{digest}/console.css%00",
        "/static//etc/passwd",
    ):
        assert session.client.get(session.url(trick)).status_code == 404


def test_signing_out_ends_the_session_and_not_only_the_cookie(session: Session) -> None:
    stolen = session.client.cookies["callwright_console"]
    answer = session.post("/sign-out", {"csrf": session.csrf})
    assert answer.headers["location"] == "/console/sign-in"
    assert "callwright_console" not in session.client.cookies
    session.client.cookies.set("callwright_console", stolen, path="/console")
    led = session.get("/now")
    assert led.headers["location"].startswith("/console/sign-in")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {},
    ],
)
def test_forms_of_other_sites_are_refused(
    session: Session, stranger: Session, headers: dict[str, str]
) -> None:
    form = {"csrf": session.csrf}
    for path in ("/sign-out", "/now/1/release.call", "/preferences"):
        answer = session.client.post(session.url(path), data=form, headers=headers)
        assert answer.status_code == 403, path
    answer = stranger.client.post(
        stranger.url("/sign-in"), data={"login": LOGIN, "password": PASSWORD}, headers=headers
    )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert session.get("/now").status_code == 200


@pytest.mark.parametrize("csrf", ["", "0" * 64, "é", "f" * 10_000])
def test_forms_without_the_sessions_own_token_are_refused(session: Session, csrf: str) -> None:
    assert session.post("/sign-out", {"csrf": csrf}).status_code == 403
    assert session.get("/now").status_code == 200


def test_a_form_of_one_session_is_none_of_another(home: House, session: Session) -> None:
    with signed_in(home) as other:
        assert session.post("/sign-out", {"csrf": other.csrf}).status_code == 403


def test_a_form_has_bounds(session: Session) -> None:
    long = {"csrf": session.csrf, "more": "x" * 20_000}
    assert session.post("/sign-out", long).status_code == 403
    many = {"csrf": session.csrf, **{f"f{n}": "" for n in range(60)}}
    assert session.post("/sign-out", many).status_code == 403
    assert session.get("/now").status_code == 200


def test_the_apis_own_token_opens_no_page_by_its_header(stranger: Session) -> None:
    led = stranger.get("/now", Authorization=f"Bearer {TOKEN}")
    assert led.headers["location"].startswith("/console/sign-in")


def test_who_may_not_see_calls_is_told_so(home: House) -> None:
    with signed_in(home, OUTSIDER) as session:
        answer = session.get("/now")
        assert answer.status_code == 403
        assert "no right" in answer.text
        assert session.get("/now/events").status_code == 403


def test_a_piece_of_a_page_leads_the_whole_page_to_sign_in(stranger: Session) -> None:
    answer = stranger.get("/now/events", **{"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"][:16]) == (204, "/console/sign-in")


def test_language_and_colours_are_the_readers_choice(stranger: Session) -> None:
    assert '<html lang="en" data-theme="auto">' in stranger.get("/sign-in").text
    asked = stranger.get("/sign-in", **{"Accept-Language": "de, ru-RU;q=0.9, en;q=0.5"})
    assert '<html lang="ru"' in asked.text
    assert "Вход в консоль" in asked.text
    stranger.post("/preferences", {"language": "ru"})
    stranger.post("/preferences", {"theme": "dark"})
    stranger.post("/preferences", {"theme": "../../x", "language": "xx"})
    assert '<html lang="ru" data-theme="dark">' in stranger.get("/sign-in").text


def test_what_is_not_there_is_told_in_a_page(session: Session) -> None:
    answer = session.get("/nowhere")
    assert answer.status_code == 404
    assert "There is no such page." in answer.text
    assert session.client.post(session.url("/now")).status_code == 405


def test_guesses_at_passwords_are_held_up_as_the_apis_and_together_with_them(
    tmp_path: Path,
) -> None:
    with open_house(tmp_path / "house", {}) as home, httpx.Client(timeout=WITHIN) as client:
        session = Session(home, client)
        for _ in range(FREE - 1):
            wrong = session.sign_in(password="wrong")
            assert wrong.status_code == 401
            assert "set-cookie" not in wrong.headers
        guess = {"login": LOGIN, "password": "wrong"}
        body = {"jsonrpc": "2.0", "id": 1, "method": "login.user", "params": guess}
        client.post(f"{home.url}/v4.0", json=body)
        # The right one now, but too early.
        refused = session.sign_in()
        assert refused.status_code == 401
        assert "Login or password is wrong" in refused.text
        assert PASSWORD not in refused.text.replace('value="sandbox"', "")


@pytest.mark.parametrize("login", ["<script>alert(1)</script>", '"><img src=x>', "х" * 300, "\0"])
def test_a_login_that_is_none_is_shown_as_text(stranger: Session, login: str) -> None:
    answer = stranger.post("/sign-in", {"login": login, "password": "x"})
    assert answer.status_code == 401
    assert "<script>" not in answer.text
    assert "<img" not in answer.text
