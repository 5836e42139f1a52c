"""A real service that is killed while it delivers: nothing is lost, all of it is in order."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx
from sqlalchemy import select
from standardwebhooks import Webhook as Verifier

from callwright.calls.plan import SessionId
from callwright.public_events.event_fold import notices
from callwright.storage.database import open_database
from callwright.storage.history.sessions import read_events
from callwright.storage.tables import call_sessions
from tests.notify.receiver import Receiver, Taken, receiving
from tests.waiting import WITHIN

Events = dict[int, list[dict[str, Any]]]
"As JSON, by the session."

CALLWRIGHT = str(Path(sys.executable).with_name("callwright"))
TOKEN = "k" * 64
SECRET = "whsec_" + "C" * 43 + "="

SETTINGS = """\
data = "data"
engine = "simulated"
[http]
port = 0
[calls]
drain_within = 0
[webhooks]
allow_private = true
"""

DIRECTORY = f"""\
account.name = "Killed"
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
[[employees]]
id = 25
full_name = "Анна Орлова"
[[employees.phones]]
number = "79260000001"
kind = "e164"
channels = 100
"""

WEBHOOK = """\
[[webhooks]]
name = "{name}"
url = "{url}"
secret = "{secret}"
"""


class Sticking:
    """Takes so many requests, then hangs over the next ones until it is let go."""

    def __init__(self, takes: int) -> None:
        self._takes = takes
        self._free = threading.Event()
        self._stuck = threading.Event()
        self._lock = threading.Lock()

    def __call__(self, _: Taken) -> int:
        with self._lock:
            self._takes -= 1
            sticks = self._takes < 0
        if sticks and not self._free.is_set():
            self._stuck.set()
            # It has it, and its answer comes too late for whoever was killed.
            self._free.wait(WITHIN)
        return 200

    def wait_until_stuck(self) -> None:
        assert self._stuck.wait(WITHIN)

    def let_go(self) -> None:
        self._free.set()


@dataclass(frozen=True, slots=True)
class Running:
    process: subprocess.Popen[str]
    url: str

    def start(self, contact: str) -> int:
        params = {
            "access_token": TOKEN,
            "first_call": "employee",
            "virtual_phone_number": "74993720692",
            "contact": contact,
            "employee": {"id": 25, "phone_number": "79260000001"},
        }
        body = {"jsonrpc": "2.0", "id": 1, "method": "start.employee_call", "params": params}
        answer = httpx.post(f"{self.url}/v4.0", json=body, timeout=WITHIN).json()
        return int(answer["result"]["data"]["call_session_id"])


@contextmanager
def serving(folder: Path) -> Iterator[Running]:
    """Run the service while the block runs, and kill it at its end without a word."""
    with subprocess.Popen(
        [CALLWRIGHT, "serve"], cwd=folder, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr
            url = None
            for line in process.stderr:
                if found := re.search(r"the API is at (http\S+)/v4\.0", line):
                    url = found[1]
                    break
            assert url, "the service has not started"
            # So that it never waits for somebody to read.
            drain = threading.Thread(target=process.stderr.read, daemon=True)
            drain.start()
            yield Running(process, url)
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            drain.join()


def told(folder: Path) -> Events:
    """What the database says is to be told of every session, in order."""

    async def read() -> Events:
        database = open_database(f"sqlite+aiosqlite:///{folder / 'data/callwright.db'}")
        async with database.connect() as connection:
            ids = (await connection.scalars(select(call_sessions.c.id))).all()
            stories = {
                one: [
                    dict(notice.as_json())
                    for notice in notices(await read_events(connection, SessionId(one)))
                ]
                for one in ids
            }
        await database.dispose()
        return stories

    return anyio.run(read)


def arrived(receiver: Receiver) -> Events:
    """What a receiver has been sent of every session, each event once, in the order it came."""
    sessions: defaultdict[int, dict[str, dict[str, Any]]] = defaultdict(dict)
    for one in receiver.asked:
        event = Verifier(SECRET).verify(one.body, one.headers)
        assert event.pop("delivery_id") == one.headers["webhook-id"]
        sessions[event["call_session_id"]].setdefault(event["event_id"], event)
    return {session: list(events.values()) for session, events in sessions.items()}


def finished(receiver: Receiver) -> set[int]:
    return {
        one.json["call_session_id"]
        for one in receiver.taken
        if one.json["type"] == "session.finished"
    }


def test_every_event_of_every_session_arrives_although_the_service_is_killed(
    tmp_path: Path,
) -> None:
    (tmp_path / "callwright.toml").write_text(SETTINGS, "utf-8")
    subprocess.run([CALLWRIGHT, "init"], cwd=tmp_path, check=True, capture_output=True)
    with receiving(Receiver()) as first, receiving(Receiver()) as second:
        text = DIRECTORY + "".join(
            WEBHOOK.format(name=name, url=receiver.url, secret=SECRET)
            for name, receiver in (("first", first), ("second", second))
        )
        (tmp_path / "directory.toml").write_text(text, "utf-8")
        subprocess.run([CALLWRIGHT, "apply"], cwd=tmp_path, check=True, capture_output=True)

        begun: set[int] = set()
        for takes in (3, 17):
            stuck = Sticking(takes)
            first.behaviour = stuck
            with serving(tmp_path) as service:
                begun |= {service.start(f"7926000010{n}") for n in range(4)}
                stuck.wait_until_stuck()
            # Killed: somebody had been sent something and not answered yet.
            stuck.let_go()
        first.behaviour = lambda _: 200
        with serving(tmp_path):
            for receiver in (first, second):
                receiver.wait_for(lambda one: finished(one) >= begun)
        expected = told(tmp_path)
    assert set(expected) == begun
    assert len(begun) == 8
    for receiver in (first, second):
        got = arrived(receiver)
        assert got == expected
    # It was killed in the middle, or this would prove nothing.
    assert len(first.asked) > sum(map(len, expected.values()))
    assert json.loads(first.asked[0].body)["type"] == "session.started"
