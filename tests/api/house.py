"""A whole service in the test's process: real HTTP, a real database, simulated phones."""

import hashlib
import itertools
import json
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio.from_thread
import httpx

from callwright.app import service
from callwright.calls.events import SessionEvent, SessionFinished
from callwright.calls.manager import CallManager
from callwright.config import Settings
from callwright.directory.media import take_in
from callwright.engines.port import LegId
from callwright.engines.simulated.engine import SimulatedEngine
from callwright.engines.simulated.far_end import FarEnd
from callwright.engines.trail import FRESH, Trail
from callwright.provisioning.administration import initialise
from callwright.provisioning.apply import apply_directory
from callwright.provisioning.file import read_directory_file
from callwright.speech.music import write_dialing_music
from callwright.storage.database import migrate, open_database
from tests.databases import StoredIn
from tests.waiting import WITHIN

TOKEN = "2fRN4g217ca0b4224a67988aff3e584f91964a692045415f36fa66146f5a3c1ae1f6093d"
STRANGER = "9" * 64
"Token of another account."

DIRECTORY = f"""
[account]
name = "House"
[[users]]
login = "crm"
[[tokens]]
user = "crm"
sha256 = "{hashlib.sha256(TOKEN.encode()).hexdigest()}"
[[trunks]]
name = "carrier"
host = "192.0.2.1"
[[virtual_numbers]]
number = "74993720692"
scenario = 1
[[virtual_numbers]]
number = "74993720693"
[[virtual_numbers]]
number = "74993720694"
active = false
[[employees]]
id = 25
full_name = "Анна Орлова"
[[employees.phones]]
number = "79260000001"
kind = "e164"
[[employees.phones]]
number = "79260000002"
kind = "e164"
active = false
[[employees.phones]]
number = "2501"
kind = "sip"
contact = "sip:2501@192.0.2.7"
[[employees.phones]]
number = "2502"
kind = "sip"
password = "geheim-2502"
[[employees]]
id = 26
full_name = "Без телефонов"
[[employees.phones]]
number = "79260000003"
kind = "e164"
active = false
[[employees]]
id = 27
full_name = "Уволен"
active = false
[[media_files]]
id = 2701
name = "music"
file = "music.wav"
[[media_files]]
id = 2561
name = "hello"
file = "music.wav"
[[employees]]
id = 28
full_name = "Пётр Громов"
coach = 29
call_recording = "all"
[[employees.phones]]
number = "79260000028"
kind = "e164"
[[employees]]
id = 29
full_name = "Тренер"
[[employees.phones]]
number = "2901"
kind = "extension"
contact = "sip:2901@192.0.2.7"
[[blacklist]]
number = "79269999999"
[[groups]]
name = "sales"
employees = [26, 28, 27]
[[scenarios]]
id = 1
name = "Reception"
[[scenarios.operations]]
do = "menu"
message = 2561
keys = {{ 1 = "sales", 2 = "answers", 3 = "voicemail" }}
timeout = 1
repeats = 0
otherwise = "voicemail"
[[scenarios.branches.sales]]
do = "ring"
group = "sales"
message = "Звонок с сайта"
then = "rate"
[[scenarios.branches.answers]]
do = "ask"
url = "http://127.0.0.1:1/route"
otherwise = "rate"
[[scenarios.branches.rate]]
do = "play"
message = "Оцените разговор"
[[scenarios.branches.voicemail]]
do = "voicemail"
at_most = 5
[[scenarios]]
id = 2
name = "Straight"
[[scenarios.operations]]
do = "ring"
employees = [25]
[[tags]]
id = 7
name = "Лид"
[[talk_options]]
button = "*1"
mnemonic = "tag_call"
name = "Лид"
value = "7"
[[talk_options]]
button = "*2"
mnemonic = "record_talk"
name = "Запись"
[[talk_options]]
button = "*3"
mnemonic = "transfer_call"
name = "На склад"
value = "79261111111"
[[talk_options]]
button = "*4"
mnemonic = "call_coach"
name = "Тренер"
[[talk_options]]
button = "*5"
mnemonic = "receive_fax"
name = "Факс"
[[talk_options]]
button = "*6"
mnemonic = "run_scenario"
name = "Ещё раз"
value = "2"
[[talk_options]]
button = "*"
mnemonic = "save_numa"
name = "Сохранить"
[[talk_options]]
button = "#"
mnemonic = "finish_conversation"
name = "Завершить"
[[schedules]]
id = 6
name = "Рабочее время"
[[schedules.periods]]
activity_days = {{ type = "days_of_week", days = [1, 2, 3, 4, 5] }}
activity_time = [{{ time_from = "09:00", time_till = "18:00" }}]
[[contact_groups]]
id = 3
name = "VIP"
[[contact_organizations]]
id = 5
name = "Рога и копыта"
[[contacts]]
id = 41
last_name = "Седов"
first_name = "Олег"
phone_numbers = ["79260000041", "79260000042"]
emails = ["sedov@example.com"]
personal_manager = 28
organization = 5
groups = [3]
"""

ANOTHER = f"""
[account]
id = 2
name = "Another house"
[[users]]
login = "stranger"
[[tokens]]
user = "stranger"
sha256 = "{hashlib.sha256(STRANGER.encode()).hexdigest()}"
[[employees]]
id = 2
full_name = "Not yours"
"""


_offered = itertools.count(1)
"Ids of legs that come in; a service's own begin far above."


@dataclass(frozen=True, slots=True)
class House:
    url: str
    manager: CallManager
    engine: SimulatedEngine
    client: httpx.Client
    news: "News"
    apply: Callable[[str], None]
    "Apply a directory file of this content, beside the running service."
    calls_in: Callable[..., None]
    "Let a phone call in: see `SimulatedEngine.offer`."

    def answer(
        self,
        body: bytes | str,
        headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
        path: str = "/v4.0",
    ) -> Any:
        """Post a body as it is; HTTP says 200 whatever becomes of it."""
        response = self.client.post(f"{self.url}{path}", content=body, headers=headers)
        assert response.status_code == 200
        return response.json()

    def call(
        self,
        method: str,
        params: Mapping[str, object],
        token: str = TOKEN,
        headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
        path: str = "/v4.0",
    ) -> Any:
        """Call a method; give the whole answer."""
        params = {"access_token": token, **params}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        return self.answer(body, headers, path)

    def data(self, method: str, params: Mapping[str, object], token: str = TOKEN) -> Any:
        """Call a method of the Data API; give the whole answer."""
        return self.call(method, params, token, path="/v2.0")

    def succeeds(self, method: str, params: Mapping[str, object], token: str = TOKEN) -> Any:
        answer = self.call(method, params, token)
        assert set(answer) == {"jsonrpc", "id", "result"}, answer
        return answer["result"]["data"]

    def start_simple_call(self, contact: str, operator: str, **more: object) -> int:
        """Ring the operator first and join both at once; give the session."""
        params = {
            "first_call": "operator",
            "switch_at_once": True,
            "virtual_phone_number": "74993720692",
            "contact": contact,
            "operator": operator,
            **more,
        }
        session = self.succeeds("start.simple_call", params)["call_session_id"]
        assert isinstance(session, int)
        return session

    def wait_for(self, session: int, kind: type[SessionEvent], **facts: object) -> SessionEvent:
        """Wait until the session has told such an event."""
        return self.news.wait_for(
            lambda event: (
                event.session == session
                and type(event) is kind
                and all(getattr(event, name) == value for name, value in facts.items())
            )
        )

    def until_finished(self, session: int, token: str = TOKEN) -> Any:
        """Wait until a session is over; give what get.call shows of it then."""
        self.wait_for(session, SessionFinished)
        return self.succeeds("get.call", {"call_session_id": session}, token)


class News:
    """Every event of every session, for tests in another thread than the service's."""

    def __init__(self) -> None:
        self._events: list[SessionEvent] = []
        self._more = threading.Condition()

    @property
    def all(self) -> list[SessionEvent]:
        """What has been told so far."""
        with self._more:
            return list(self._events)

    def hear(self, event: SessionEvent) -> None:
        with self._more:
            self._events.append(event)
            self._more.notify_all()

    def wait_for(
        self, told: Callable[[SessionEvent], bool], within: float = WITHIN
    ) -> SessionEvent:
        def found() -> SessionEvent | None:
            return next((event for event in self._events if told(event)), None)

        with self._more:
            event = self._more.wait_for(found, timeout=within)
        assert event, f"it was not told within {within} seconds"
        return event


@contextmanager
def house(
    folder: Path,
    far_ends: Mapping[str, FarEnd],
    stored_in: StoredIn | None = None,
    /,
    **settings: object,
) -> Iterator[House]:
    """Build the house in ``folder`` and run it in a thread of its own while the block runs.

    It is built once for all tests of this process: the others get a copy. ``stored_in``: None, and
    its database is SQLite, in the folder too.
    """
    stored_in = stored_in or StoredIn()
    furnished = folder.parent / f"furnished-{stored_in.kind}"

    async def fill(url: str) -> None:
        await _furnish(furnished, _chosen(furnished, {"database": url}))

    folder.mkdir(exist_ok=True)
    with stored_in.copy(furnished, fill, folder) as url:
        for part in ("media", "music.wav", "directory.toml"):
            copy = shutil.copytree if (furnished / part).is_dir() else shutil.copyfile
            copy(furnished / part, folder / part)
        if stored_in.postgresql:
            settings["database"] = url
        with reopened(folder, far_ends, **settings) as up:
            yield up


@contextmanager
def reopened(folder: Path, far_ends: Mapping[str, FarEnd], **settings: object) -> Iterator[House]:
    """Run a house that was built in ``folder`` before."""
    chosen = _chosen(folder, settings)
    with anyio.from_thread.start_blocking_portal() as portal:

        def apply(text: str) -> None:
            portal.call(_apply, folder, chosen, text)

        with (
            portal.wrap_async_context_manager(service(chosen)) as up,
            httpx.Client(timeout=WITHIN) as client,
        ):
            assert isinstance(up.engine, SimulatedEngine)
            up.engine.far_ends.update(far_ends)
            news = News()
            up.manager.listeners.append(news.hear)

            def calls_in(
                *, caller: str, called: str, trunk: str | None, trail: Trail = FRESH
            ) -> None:
                assert isinstance(up.engine, SimulatedEngine)
                leg = LegId(next(_offered))
                portal.call(
                    partial(
                        up.engine.offer,
                        leg,
                        caller=caller,
                        called=called,
                        trunk=trunk,
                        trail=trail,
                    )
                )

            yield House(up.url, up.manager, up.engine, client, news, apply, calls_in)


def _chosen(folder: Path, settings: Mapping[str, object]) -> Settings:
    return Settings.model_validate(
        {"data": folder, "engine": "simulated", "http": {"port": 0}, **settings}
    )


async def _furnish(folder: Path, settings: Settings) -> None:
    music = folder / "music.wav"
    write_dialing_music(music)
    stored = take_in(music, folder / "media", at_most=60)
    database = open_database(settings.database_url)
    await migrate(database)
    await initialise(database, account="House", login="first", music=stored)
    await database.dispose()
    for text in (DIRECTORY, ANOTHER):
        await _apply(folder, settings, text)


async def _apply(folder: Path, settings: Settings, text: str) -> None:
    path = folder / "directory.toml"
    path.write_text(text, "utf-8")
    file = read_directory_file(path)
    stored = take_in(folder / "music.wav", folder / "media", at_most=60)
    database = open_database(settings.database_url)
    try:
        await apply_directory(database, file, {one.id: stored for one in file.content.media_files})
    finally:
        await database.dispose()
