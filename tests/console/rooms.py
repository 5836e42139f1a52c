"""A house with the console open, its users, and a browser's session without a browser."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from callwright.engines.simulated.far_end import FarEnd
from tests.api.house import DIRECTORY, House, house
from tests.waiting import WITHIN

LOGIN, PASSWORD = "crm", "sandbox"
OUTSIDER = "outsider"
"A user who may sign in, and neither look at calls nor at reports."

# "sandbox", and cheap to check.
HASH = (
    "$argon2id$v=19$m=8,t=1,p=1$ETa7/jAs2rMwHTWdPU67Nw$05Q1unPmV8jNDgzHeAWDjiu9ZrFG0vM6wGKDc+gMnYw"
)

WITH_PASSWORDS = DIRECTORY.replace(
    'login = "crm"', f'login = "crm"\npassword_hash = "{HASH}"', 1
) + (
    f"""
[[users]]
login = "{OUTSIDER}"
password_hash = "{HASH}"
disabled_components = ["Call API Call management", "Data API"]
"""
)


@contextmanager
def open_house(folder: Path, far_ends: Mapping[str, FarEnd], **settings: object) -> Iterator[House]:
    """A house whose console is open."""
    with house(folder, far_ends, console={"open": True}, **settings) as home:
        home.apply(WITH_PASSWORDS)
        yield home


@dataclass
class Session:
    """What a browser does, as far as it matters: cookies, and where a form comes from."""

    home: House
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=WITHIN))

    def url(self, path: str) -> str:
        return f"{self.home.url}/console{path}"

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.client.get(self.url(path), headers=headers)

    def post(
        self, path: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send a form as a page of ours does."""
        sent = {"Sec-Fetch-Site": "same-origin", **(headers or {})}
        return self.client.post(self.url(path), data=dict(form), headers=sent)

    def sign_in(self, login: str = LOGIN, password: str = PASSWORD) -> httpx.Response:
        return self.post("/sign-in", {"login": login, "password": password})

    @property
    def csrf(self) -> str:
        found = re.search(r'name="csrf" value="([0-9a-f]{64})"', self.get("/now").text)
        assert found
        return found[1]


@contextmanager
def signed_in(home: House, login: str = LOGIN) -> Iterator[Session]:
    session = Session(home)
    with session.client:
        answer = session.sign_in(login)
        assert answer.status_code == 303, answer.text
        yield session
