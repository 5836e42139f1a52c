"""Webhooks in the sandbox: an advance returns when everything due has been sent, or tried."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from callwright.sandbox.client import Sandbox, running
from tests.sandbox.test_sandbox import OURS


class Receiver:
    """Takes events while its block runs; ``refused`` of them first, by a 503."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.refused = 0
        self.url = ""
        self.before: Callable[[], object] = lambda: None
        "Done before an event is taken."

    def ids(self, session: int | None = None) -> list[str]:
        """Of the events that were taken, of one session, in their order."""
        return [
            event["event_id"] for event in self.taken if session in (None, event["call_session_id"])
        ]


@contextmanager
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            found.before()
            if found.refused:
                found.refused -= 1
                self.send_response(503)
            else:
                found.taken.append(body)
                self.send_response(200)
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


def call(sandbox: Sandbox, contact: str) -> int:
    session: int = sandbox.rpc(
        "start.employee_call",
        first_call="employee",
        employee={"id": 1},
        contact=contact,
        virtual_phone_number=OURS,
    )["call_session_id"]
    return session


def test_an_advance_returns_when_webhooks_have_been_told() -> None:
    with receiver() as crm, running("--clock", "stepped", "--webhook", crm.url) as sandbox:
        sessions = [call(sandbox, f"790000110{n}") for n in range(10, 14)]
        sandbox.advance(8)
        assert set(crm.ids()) == {event.event_id for event in sandbox.events()}
        sandbox.advance(60)
        for session in sessions:
            told = [event.event_id for event in sandbox.events(session=session)]
            assert crm.ids(session) == told, "in order, and no later than the advance returns"

        # Refused for a while: retries go by the sandbox's clock, and so does the advance.
        crm.refused = 4
        session = call(sandbox, "79000012000")
        sandbox.advance(1)
        assert crm.ids(session) == []
        sandbox.advance(3600)
        assert crm.refused == 0
        told = [event.event_id for event in sandbox.events(session=session)]
        assert crm.ids(session) == told

        # One that a request has set up is told from the next call on, and forgotten by a reset.
        sandbox.reset()
        with receiver() as other:
            sandbox.rpc("create.webhooks", data_api=True, name="other", url=other.url)
            session = call(sandbox, "79000012000")
            told = [event.event_id for event in sandbox.advance(60)]
            assert other.ids(session) == told
            sandbox.reset()
            call(sandbox, "79000012000")
            sandbox.advance(60)
            assert other.ids() == told


def test_on_a_clock_that_is_sped_up_a_receiver_has_all_its_time() -> None:
    with receiver() as crm, running("--speed", "10000", "--webhook", crm.url) as sandbox:
        # A round trip of its own: at this speed more than the ten seconds that it has.
        crm.before = lambda: sandbox.rpc("list.calls")
        # Nor is any call refused since the database has not been fast enough.
        sessions = [call(sandbox, f"790000110{n}") for n in range(10, 15)]
        sandbox.advance(3600)
        for session in sessions:
            told = [event.event_id for event in sandbox.events(session=session)]
            assert crm.ids(session) == told, "each once: nothing had to be sent again"
