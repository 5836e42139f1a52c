"""Webhooks as an administrator sees them, with a real receiver."""

import json
import re
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook as Verifier

from tests.cli.test_commands import QuickTerminal, empty, initialised, terminal
from tests.notify.receiver import Receiver, receiving

__all__ = ["empty", "initialised", "terminal"]


@pytest.fixture
def private(terminal: QuickTerminal) -> QuickTerminal:
    """A terminal whose settings allow webhooks on this machine."""
    with (terminal.folder / "callwright.toml").open("a") as file:
        file.write("\n[webhooks]\nallow_private = true\n")
    return terminal


def add(terminal: QuickTerminal, url: str, *words: str, name: str = "crm") -> str:
    """Make a webhook; return its secret."""
    printed = terminal.succeeds("webhook", "add", name, url, *words)
    return printed.splitlines()[-1]


def test_a_webhook_is_made_tried_and_removed(private: QuickTerminal) -> None:
    with receiving(Receiver(lambda _: 200)) as receiver:
        secret = add(private, receiver.url)
        assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret)
        listed = private.succeeds("webhook", "list")
        assert "crm" in listed
        assert secret not in listed

        printed = private.succeeds("webhook", "test", "crm")
        assert "session.finished: taken (200)" in printed
        assert "< noted" in printed
        private.succeeds("webhook", "test", "1", "--event", "leg.answered")
    first, second = receiver.taken
    told = Verifier(secret).verify(first.body, first.headers)
    assert (told["type"], told["call_session_id"]) == ("session.finished", 1)
    assert second.json["type"] == "leg.answered"
    # Each is another: a receiver that drops what it has seen sees both.
    assert first.headers["webhook-id"] != second.headers["webhook-id"]

    logged = private.succeeds("webhook", "log", "crm")
    assert "leg.answered" in logged
    assert "removed" in private.succeeds("webhook", "remove", "crm")
    assert "there is no webhook crm" in private.fails("webhook", "test", "crm")
    assert "session.finished" in private.succeeds("webhook", "log")


def test_what_was_not_taken_is_sent_again_by_hand(private: QuickTerminal) -> None:
    answers = iter([500])
    with receiving(Receiver(lambda _: next(answers, 200))) as receiver:
        secret = add(private, receiver.url)
        code, printed, _ = private("webhook", "test", "crm")
        assert code == 1
        assert "not taken: it answered 500" in printed
        [number] = re.findall(r"^([0-9]+) .*not taken", private.succeeds("webhook", "log"), re.M)
        assert "taken (200)" in private.succeeds("webhook", "resend", number)
    one, again = receiver.asked
    assert one.body == again.body
    assert one.headers["webhook-id"] == again.headers["webhook-id"]
    Verifier(secret).verify(again.body, again.headers)
    shown = private.succeeds("webhook", "log", "--body")
    assert json.loads(re.findall(r"^> (\{.*)$", shown, re.M)[0])["type"] == "session.finished"
    assert "there is no entry 99" in private.fails("webhook", "resend", "99")


def test_a_template_is_checked_and_used(private: QuickTerminal) -> None:
    file = private.folder / "template.json"
    with receiving(Receiver()) as receiver:
        file.write_text('{"who": {{visitor_planet}}}', "utf-8")
        complained = private.fails("webhook", "add", "crm", receiver.url, "--template", str(file))
        assert "there is no parameter {{visitor_planet}}" in complained
        file.write_text('{"кто": {{employee_full_name}}, "when": {{finish_time}}}', "utf-8")
        add(private, receiver.url, "--template", str(file), "--event", "talk.started")
        private.succeeds("webhook", "test", "crm")
        assert "there is no event 'talk'" in private.fails(
            "webhook", "add", "other", receiver.url, "--event", "talk"
        )
    [one] = receiver.taken
    assert one.json == {"кто": "Анна Орлова", "when": None}


def test_a_secret_is_replaced(private: QuickTerminal) -> None:
    with receiving(Receiver()) as receiver:
        old = add(private, receiver.url)
        new = private.succeeds("webhook", "rotate", "crm").splitlines()[1]
        private.succeeds("webhook", "test", "crm")
    [one] = receiver.taken
    assert new != old
    for secret in (old, new):
        Verifier(secret).verify(one.body, one.headers)


def test_private_networks_are_refused_by_default(terminal: QuickTerminal) -> None:
    with receiving(Receiver()) as receiver:
        add(terminal, receiver.url)
        code, printed, _ = terminal("webhook", "test", "crm")
    assert code == 1
    assert "not taken: 127.0.0.1 is in a private network" in printed
    assert receiver.asked == []


def test_what_others_answer_does_not_steer_the_terminal(private: QuickTerminal) -> None:
    body = b"\x1b[2Jgone"
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    with receiving(Receiver(lambda _: answer)) as receiver:
        add(private, receiver.url)
        printed = private.succeeds("webhook", "test", "crm")
    assert "\x1b" not in printed
    assert "[2Jgone" in printed


@pytest.mark.parametrize(
    "url", ["ftp://x.example/", "crm.example.com", "https://u:p@x.example/", "http://x/#a"]
)
def test_urls_that_are_none(terminal: QuickTerminal, url: str) -> None:
    assert "an address" in terminal.fails("webhook", "add", "crm", url)


DIRECTORY = """\
[account]
name = "Horns"
[[webhooks]]
name = "crm"
url = "https://crm.example.com/hook"
event_types = ["talk.started", "session.finished"]
[[webhooks]]
name = "old"
url = "https://old.example.com/hook?key=5"
method = "GET"
template = "id={{call_session_id}}"
active = false
"""


def apply(terminal: QuickTerminal, text: str) -> str:
    path = terminal.folder / "directory.toml"
    path.write_text(text, "utf-8")
    return terminal.succeeds("apply")


def test_the_directory_file_says_webhooks(terminal: QuickTerminal) -> None:
    add(terminal, "https://own.example.com/", name="by hand")
    printed = apply(terminal, DIRECTORY)
    assert "+ webhook crm" in printed
    assert "+ webhook old" in printed
    assert "Nothing to do" in apply(terminal, DIRECTORY)
    # The order of types is no change.
    turned = DIRECTORY.replace(
        '"talk.started", "session.finished"', '"session.finished", "talk.started"'
    )
    assert "Nothing to do" in apply(terminal, turned)
    changed = DIRECTORY.replace("active = false", "active = true")
    assert "~ webhook old: active false → true" in apply(terminal, changed)
    printed = apply(terminal, '[account]\nname = "Horns"\n')
    assert "- webhook crm" in printed
    # What a command has made stays.
    assert "by hand" in terminal.succeeds("webhook", "list")


def test_a_secret_in_the_file_replaces_the_one_before(private: QuickTerminal) -> None:
    old, new = "whsec_" + "A" * 43 + "=", "whsec_" + "B" * 43 + "="
    with receiving(Receiver()) as receiver:
        text = DIRECTORY.replace("https://crm.example.com/hook", receiver.url)
        apply(private, text.replace('url = "http:', f'secret = "{old}"\nurl = "http:', 1))
        printed = apply(private, text.replace('url = "http:', f'secret = "{new}"\nurl = "http:', 1))
        assert "~ webhook crm: secret (secret) → (secret)" in printed
        # Left out, it stays.
        assert "Nothing to do" in apply(private, text)
        private.succeeds("webhook", "test", "crm")
    [one] = receiver.taken
    for secret in (old, new):
        Verifier(secret).verify(one.body, one.headers)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('event_types = ["talk.started", "talk"]', "event_types[1]: there is no event 'talk'"),
        ("template = '{\"a\": {{site}}}'", "template: there is no parameter {{site}}"),
        ('template = "{"', "template: it is no JSON"),
        (f'template = "{"[" * 5000}"', "template: its JSON is nested more than 32 deep"),
        ('method = "PUT"', 'method: one of these is needed: "POST", "GET"'),
        ('secret = "geheim"', "secret: a secret is whsec_ and 24 to 64 bytes in base64"),
        ("url = 5", "url: a text is needed"),
        ('name = "old"', "name: old stands in line 3 already"),
        ("channel = 5", "channel: there is no such setting here"),
    ],
)
def test_faults_of_the_file_are_told_with_their_line(
    terminal: QuickTerminal, line: str, told: str
) -> None:
    text = '[account]\nname = "Horns"\n'
    name = line.partition(" ")[0]
    table = {"name": '"crm"', "url": '"https://crm.example.com/"'}
    if name == "name":
        text = '[account]\n[[webhooks]]\nname = "old"\nurl = "https://a.b/"\n'.replace(
            "[account]", 'account.name = "Horns"'
        )
    text += "[[webhooks]]\n"
    lines = [f"{key} = {value}" for key, value in table.items() if key != name]
    text += "\n".join([*lines, line]) + "\n"
    path = terminal.folder / "directory.toml"
    path.write_text(text, "utf-8")
    complained = terminal.fails("apply")
    number = text[: text.rindex(line)].count("\n") + 1
    assert f"directory.toml:{number}: webhooks[" in complained
    assert told in complained
    assert "geheim" not in complained


def test_the_log_shows_times_and_durations(private: QuickTerminal) -> None:
    with receiving(Receiver()) as receiver:
        add(private, receiver.url)
        private.succeeds("webhook", "test", "crm")
    logged = private.succeeds("webhook", "log")
    assert re.fullmatch(
        rf"1 {datetime.now(UTC):%Y-%m-}.* crm session.finished test-[0-9a-f]{{16}}: "
        r"taken \(204\), [0-9]\.[0-9]{3} s\n",
        logged,
    )


def test_a_running_number_is_not_given_twice(terminal: QuickTerminal) -> None:
    add(terminal, "https://a.example.com/", name="a")
    terminal.succeeds("webhook", "remove", "a")
    add(terminal, "https://b.example.com/", name="b")
    assert re.search(r"^2 +b ", terminal.succeeds("webhook", "list"), re.M)
