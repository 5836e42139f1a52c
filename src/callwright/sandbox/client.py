"""The client: a sandbox as a test sees it. It needs nothing but the standard library.

`running` starts a sandbox as a process of its own, so that nothing of it gets into the tests.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

ANSWERED_WITHIN = 600.0
STOPPED_WITHIN = 10.0
EVENTS_AT_ONCE = 10_000

# Which address serves a method: the calls' unless it is one of the Data API's.
_CALLS, _DATA = "/v4.0", "/v2.0"


class SandboxError(Exception):
    """The sandbox has refused a request, or is gone. ``str`` of it says what was asked and why."""

    def __init__(self, method: str, error: Mapping[str, Any]) -> None:
        data = error.get("data") or {}
        self.method = method
        self.code: int | None = error.get("code")
        self.mnemonic: str | None = data.get("mnemonic")
        self.field: str | None = data.get("field")
        "The parameter to blame, if one is."
        self.value: str | None = data.get("value")
        where = f" ({self.field} = {self.value})" if self.field else ""
        what = [method, self.mnemonic, f"{error.get('message')}{where}"]
        super().__init__(": ".join(part for part in what if part))


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """One event, as docs/events.md tells of it."""

    event_id: str
    type: str
    "``leg.answered``, ``session.finished``, …"
    sequence: int
    time: datetime
    "Of the sandbox's clock; UTC, aware."
    call_session_id: int
    external_id: str | None
    data: Mapping[str, Any] = field(repr=False)
    "The facts of this type."

    def as_json(self) -> dict[str, Any]:
        """The event as it is sent, to give to what handles webhooks."""
        time = self.time.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
        return {
            "event_id": self.event_id,
            "type": self.type,
            "sequence": self.sequence,
            "time": time,
            "call_session_id": self.call_session_id,
            "external_id": self.external_id,
            "data": dict(self.data),
        }


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A sandbox that is up."""

    url: str
    "Without a path: ``http://127.0.0.1:8080``."
    token: str

    def rpc(self, method: str, /, *, data_api: bool = False, **params: Any) -> Any:
        """Call a method with the sandbox's token; return ``result.data``.

        ``data_api``: at /v2.0 instead of /v4.0. Raises `SandboxError`.
        """
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = self._post(_DATA if data_api else _CALLS, method, json.dumps(request).encode())
        if "error" in answer:
            raise SandboxError(method, answer["error"])
        return answer["result"]["data"]

    def advance(self, seconds: float) -> list[ReceivedEvent]:
        """Let time go by; return what happened since the advance before, all of it delivered.

        On a clock that runs this waits. Raises `SandboxError`.
        """
        answer = self.rpc("sandbox.advance", seconds=seconds)
        events = _events(answer)
        while len(answer["notices"]) == EVENTS_AT_ONCE:
            answer = self.rpc("sandbox.advance", seconds=0)
            events += _events(answer)
        return events

    def script(self, number: str, /, *steps: Mapping[str, Any], times: int | None = None) -> None:
        """Say what the phone of a number does, for the next ``times`` calls or for all.

        Steps are those of ``sandbox.script``: ``{"do": "answer", "after": 3}``. Without any, the
        phone does again what its number says. Raises `SandboxError`, which names the field.
        """
        self.rpc(
            "sandbox.script",
            number=number,
            steps=list(steps),
            **_given(times=times),
        )

    def call_in(self, contact: str, virtual_phone_number: str) -> int:
        """Let a contact call a virtual number; return the session. Raises `SandboxError`."""
        answer = self.rpc(
            "sandbox.call_in", contact=contact, virtual_phone_number=virtual_phone_number
        )
        session: int = answer["call_session_id"]
        return session

    def events(self, type: str | None = None, *, session: int | None = None) -> list[ReceivedEvent]:
        """Everything told since the last reset; of one type, or one session."""
        answer = self.rpc("sandbox.events", limit=EVENTS_AT_ONCE)
        events = _events(answer)
        while len(answer["notices"]) == EVENTS_AT_ONCE:
            answer = self.rpc("sandbox.events", after=answer["last"], limit=EVENTS_AT_ONCE)
            events += _events(answer)
        return [
            event
            for event in events
            if type in (None, event.type) and session in (None, event.call_session_id)
        ]

    @property
    def now(self) -> datetime:
        """What time it is in the sandbox: UTC, aware."""
        return _time(self.rpc("sandbox.state")["time"])

    def reset(self) -> None:
        """Begin anew: no calls, no scripts, no events, and the directory as at the start."""
        self.rpc("sandbox.reset")

    def _post(self, path: str, method: str, body: bytes) -> Any:
        where = urlsplit(self.url)
        # One connection each: tests are started in threads, forked, and left in the middle.
        connection = HTTPConnection(where.hostname or "", where.port, timeout=ANSWERED_WITHIN)
        try:
            headers = {
                "Content-Type": "application/json",
                "Authorization": f"Bearer {self.token}",
            }
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, HTTPException) as fault:
            raise SandboxError(
                method, {"message": f"the sandbox at {self.url} does not answer: {fault}"}
            ) from fault
        finally:
            connection.close()
        if response.status != 200:
            text = content.decode(errors="replace").strip()
            raise SandboxError(method, {"message": f"HTTP {response.status} {text}"})
        return json.loads(content)


@contextmanager
def running(*options: str) -> Iterator[Sandbox]:
    """Run a sandbox on a free port while the block runs. Raises `SandboxError`.

    ``options``: of ``callwright sandbox``. It ends by itself when this process does.
    """
    command = [sys.executable, "-m", "callwright", "sandbox", "--port", "0", *options]
    process = subprocess.Popen(
        [*command, "--json", "--until-eof"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin
    assert process.stdout
    try:
        told = process.stdout.readline()
        if not told:
            raise SandboxError(
                "callwright sandbox", {"message": "it has not started; see what it wrote above"}
            )
        up = json.loads(told)
        yield Sandbox(up["url"], up["token"])
    finally:
        process.stdin.close()
        try:
            process.wait(STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def _events(answer: Mapping[str, Any]) -> list[ReceivedEvent]:
    return [
        ReceivedEvent(
            event_id=notice["event_id"],
            type=notice["type"],
            sequence=notice["sequence"],
            time=_time(notice["time"]),
            call_session_id=notice["call_session_id"],
            external_id=notice["external_id"],
            data=notice["data"],
        )
        for notice in answer["notices"]
    ]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _given(**params: Any) -> dict[str, Any]:
    """Leave out what was not given."""
    return {name: value for name, value in params.items() if value is not None}
