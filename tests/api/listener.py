"""Whoever listens to events: by server-sent events and by WebSocket, in the same words."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
from websockets.sync.client import connect

from tests.api.house import TOKEN
from tests.waiting import WITHIN

Message = dict[str, Any]
Read = Callable[[], Message]
"Gives the next message; raises StopIteration at the end of the stream."


@contextmanager
def by_lines(
    url: str, params: Mapping[str, str] | None = None, after: str | None = None, token: str = TOKEN
) -> Iterator[Read]:
    """Server-sent events; an id stands in its own line, and is the same as in the data."""
    headers = {"Authorization": f"Bearer {token}"}
    if after is not None:
        headers["Last-Event-ID"] = after
    with (
        httpx.Client(timeout=WITHIN, trust_env=False) as client,
        client.stream("GET", f"{url}/events", params=params, headers=headers) as response,
    ):
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        yield _messages(response).__next__


def _messages(response: httpx.Response) -> Iterator[Message]:
    fields: dict[str, str] = {}
    for line in response.iter_lines():
        name, _, value = line.partition(": ")
        if name:
            fields[name] = value
        elif line == "" and "data" in fields:
            message = json.loads(fields["data"])
            assert message.get("id") == fields.get("id")
            yield message
            fields = {}


@contextmanager
def by_socket(
    url: str, params: Mapping[str, str] | None = None, after: str | None = None, token: str = TOKEN
) -> Iterator[Read]:
    """A WebSocket; ``StopIteration`` has the code by which it was closed."""
    query = {**(params or {}), **({} if after is None else {"last_event_id": after})}
    address = httpx.URL(f"{url.replace('http', 'ws', 1)}/events", params=query)
    headers = {"Authorization": f"Bearer {token}"}
    with connect(str(address), additional_headers=headers, proxy=None) as socket:

        def read() -> Message:
            message = json.loads(socket.recv(timeout=WITHIN))
            assert isinstance(message, dict)
            return message

        yield read


BOTH = (by_lines, by_socket)


def until(read: Read, kind: str, session: int | None = None) -> list[Message]:
    """Read on up to and with an event of this type, of this session if one is named.

    Its last event is the last that is waited for.
    """
    told: list[Message] = []
    while not told or told[-1]["type"] != kind or session not in (None, _session(told[-1])):
        if session is not None and told and told[-1]["type"] == "session.finished":
            assert _session(told[-1]) != session, f"{session} has finished, and told of no {kind}"
        told.append(read())
    return told


def _session(message: Message) -> int | None:
    return message.get("call_session_id")
