"""A deployed receiver of webhooks: it drops what it has seen, by the first id that it finds.

It looks for ``delivery_id``, then ``event_id``, then ``notification_id``, and takes the body for
JSON whatever its type is. Deliveries are tried again and again, so each of these ids has to stay.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from callwright.sandbox.client import Sandbox, running

OURS, CONTACT = "74990000004", "79000011010"


class Crm:
    """Takes notifications, and fails on every other request after it has taken it."""

    def __init__(self) -> None:
        self.url = ""
        self.asked = 0
        self.taken: dict[str, dict[str, Any]] = {}
        "By the id that was found."

    def take(self, told: dict[str, Any]) -> int:
        self.asked += 1
        id = told.get("delivery_id") or told.get("event_id") or told.get("notification_id")
        assert id
        self.taken.setdefault(str(id), told)
        # It has been taken, and is sent once more all the same.
        return 500 if self.asked % 2 else 200


@contextmanager
def crm() -> Iterator[Crm]:
    found = Crm()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self._answer(found.take(json.loads(body)))

        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            self._answer(found.take({name: values[0] for name, values in query.items()}))

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}/hook"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()


def call(sandbox: Sandbox) -> int:
    session: int = sandbox.rpc(
        "start.employee_call",
        first_call="employee",
        employee={"id": 1},
        contact=CONTACT,
        virtual_phone_number=OURS,
        external_id="334otr01",
    )["call_session_id"]
    return session


@pytest.fixture(scope="module")
def process() -> Iterator[Sandbox]:
    with running("--clock", "stepped") as up:
        yield up


WEBHOOKS: dict[str, dict[str, object]] = {
    "the event as it is": {},
    "the event as it is, by GET": {"method": "GET"},
    "event_id alone": {
        "template": (
            '{"event_id": {{event_id}}, "name": {{notification_mnemonic}},'
            ' "session": {{call_session_id}}, "ours": {{external_id}}, "tags": {{tag_names}}}'
        )
    },
    "notification_id alone": {
        "template": '{"notification_id": {{delivery_id}}, "seconds": {{talk_time_duration}}}'
    },
}


@pytest.mark.parametrize("form", WEBHOOKS)
def test_each_event_is_taken_once(process: Sandbox, form: str) -> None:
    process.reset()
    with crm() as receiver:
        webhook = {"name": "crm", "url": receiver.url, **WEBHOOKS[form]}
        process.rpc("create.webhooks", data_api=True, **webhook)
        session = call(process)
        process.advance(3600)
        told = process.events(session=session)
        assert told[-1].type == "session.finished"
        assert receiver.asked == 2 * len(told), "each is sent twice"
        assert len(receiver.taken) == len(told), "and taken once"
