"""A small client for the examples: the standard library and nothing else.

Reads CALLWRIGHT_URL (default http://127.0.0.1:8080) and CALLWRIGHT_TOKEN from the environment.
"""

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, NoReturn


class Refused(Exception):
    """The API has answered with an error; ``mnemonic`` is what to branch on."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['message']} ({error['data'].get('field') or 'request'})")
        self.mnemonic = error["data"]["mnemonic"]


class CallOver(Exception):
    """The call has ended before what was waited for; the text says how."""


def run(main: Callable[[], int]) -> NoReturn:
    """Run a program; what goes wrong with its call is said in one line."""
    try:
        raise SystemExit(main())
    except (Refused, CallOver, TimeoutError) as fault:
        raise SystemExit(str(fault)) from None
    except urllib.error.URLError as fault:
        raise SystemExit(f"No answer from {_url()}: {fault.reason}") from None


def call(method: str, **params: object) -> Any:
    """Call one method; give what its answer holds in ``result.data``. Raises `Refused`."""
    token = os.environ.get("CALLWRIGHT_TOKEN")
    if not token:
        raise SystemExit("Put your access token into the environment as CALLWRIGHT_TOKEN")
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    request = urllib.request.Request(
        f"{_url()}/v4.0",
        data=json.dumps(body).encode(),
        headers={
            "Content-Type": "application/json",
            "Authorization": f"Bearer {token}",
        },
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        answer = json.load(response)
    if "error" in answer:
        raise Refused(answer["error"])
    return answer["result"]["data"]


def _url() -> str:
    return os.environ.get("CALLWRIGHT_URL", "http://127.0.0.1:8080")


def wait_until(session: int, *, event: str, within: float = 120.0) -> dict[str, Any]:
    """Look at a session until its timeline has an ``event``; give the session as it is then.

    Raises TimeoutError, and CallOver if the session ends without it.
    """
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        shown: dict[str, Any] = call("get.call", call_session_id=session)
        if any(entry["type"] == event for entry in shown["timeline"]):
            return shown
        if shown["state"] == "finished":
            raise CallOver(f"The call is over: {shown['finish_reason']}")
        time.sleep(0.2)
    raise TimeoutError(f"No {event} within {within:.0f} s")


def wait_while(session: int, *, state: str, within: float = 120.0) -> str:
    """Look at a session while it is in ``state``; give the state it comes to."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        now = str(call("get.call", call_session_id=session)["state"])
        if now != state:
            return now
        time.sleep(0.2)
    raise TimeoutError(f"Still {state} after {within:.0f} s")
