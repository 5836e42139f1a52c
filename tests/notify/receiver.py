"""A program that webhooks are sent to: a real HTTP server, in a thread, that does as it is told."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.waiting import WITHIN


@dataclass(frozen=True, slots=True)
class Taken:
    """One request."""

    verb: str
    path: str
    headers: dict[str, str]
    "By their names in lower case."
    body: bytes

    @property
    def query(self) -> str:
        return self.path.partition("?")[2]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def place(self) -> tuple[int, int]:
        """Session and sequence number of the event."""
        told = self.json
        return told["call_session_id"], told["sequence"]


Behaviour = Callable[[Taken], int | bytes]
"What it does with a request: the status it answers, or the very bytes."


class Receiver:
    def __init__(self, behaviour: Behaviour = lambda _: 204) -> None:
        self.behaviour = behaviour
        self.headers: dict[str, str] = {}
        "Sent with every answer."
        self.asked: list[Taken] = []
        "Every request, whatever was answered."
        self.taken: list[Taken] = []
        "Those that were answered 2xx."
        self.port = 0
        self._more = threading.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def places(self) -> list[tuple[int, int]]:
        return [one.place for one in self.taken]

    def wait_for(self, told: Callable[["Receiver"], bool]) -> None:
        with self._more:
            assert self._more.wait_for(lambda: told(self), WITHIN), (
                f"not so within {WITHIN} s; {len(self.asked)} asked, {len(self.taken)} taken"
            )

    def receive(self, one: Taken) -> int | bytes:
        with self._more:
            self.asked.append(one)
            self._more.notify_all()
        answer = self.behaviour(one)
        if isinstance(answer, int) and 200 <= answer < 300:
            with self._more:
                self.taken.append(one)
                self._more.notify_all()
        return answer


@contextmanager
def receiving(receiver: Receiver, port: int = 0) -> Iterator[Receiver]:
    """Listen on 127.0.0.1 while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            length = int(self.headers.get("content-length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(length)
            if len(body) < length:  # whoever sent it was killed
                self.close_connection = True
                return
            answer = receiver.receive(Taken(self.command, self.path, headers, body))
            if isinstance(answer, bytes):
                self.wfile.write(answer)
                self.close_connection = True
                return
            self.send_response(answer)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            text = b"" if answer == 204 else b"noted"
            if answer != 204:
                self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = handle_one

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A service that was killed leaves its connections in the middle."""

    with Server(("127.0.0.1", port), Handler) as server:
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
