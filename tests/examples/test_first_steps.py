"""The first steps of the README: what it says to write is taken, and what it says to send rings."""

import json
import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from callwright.calls.events import TalkStarted
from callwright.engines.simulated.far_end import answers
from tests.api.house import DIRECTORY, TOKEN, House, house, reopened
from tests.waiting import WITHIN

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
STEPS = README.partition("## With your own trunk")[2].partition("\n## ")[0]
TOML, REQUEST = (
    textwrap.dedent("".join(re.findall(pattern, STEPS, re.DOTALL)))
    for pattern in (r"```toml\n(.*?)```", r"```sh\n(.*?)```")
)
# The account, and the hash of the token, which `callwright init` has made.
INITIAL = DIRECTORY.partition("[[trunks]]")[0]


@contextmanager
def home_with(folder: Path, directory: str) -> Iterator[House]:
    """A service that begins with this directory: `callwright apply`, then `callwright serve`."""
    with house(folder / "house", {}) as home:
        home.apply(INITIAL + directory.replace("…", "a secret of its own"))
    ends = {number: answers(after=0.05) for number in ("101", "102", "79260000000")}
    with reopened(folder / "house", ends) as home:
        yield home


def first_call(home: House, contact: str) -> None:
    """Send the README's request; wait until they talk."""
    [body] = re.findall(r"'(\{.*\})'", REQUEST, re.DOTALL)
    request = json.loads(body.replace("…", TOKEN))
    request["params"]["contact"] = contact
    answer = home.answer(json.dumps(request))
    assert "result" in answer, answer
    session = answer["result"]["data"]["call_session_id"]
    home.news.wait_for(
        lambda event: isinstance(event, TalkStarted) and event.session == session, within=WITHIN
    )


def test_what_is_written_and_sent_as_told_rings_two_phones(tmp_path: Path) -> None:
    with home_with(tmp_path, TOML) as home:
        first_call(home, "79260000000")


def test_without_a_trunk_a_second_phone_is_the_contact(tmp_path: Path) -> None:
    without = re.sub(r"\[\[trunks\]\].*?(?=\[\[)", "", TOML, flags=re.DOTALL)
    without = re.sub(r"(?m)^trunk = .*\n", "", without)
    another = '[[employees]]\nid = 26\nfull_name = "B"\n[[employees.phones]]\nnumber = "102"\n'
    another += 'kind = "sip"\npassword = "…"\n'
    with home_with(tmp_path, without + another) as home:
        first_call(home, "102")
