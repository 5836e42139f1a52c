"""What a client asks of the stream of events: the query of ``GET /events``, checked."""

import re
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from callwright.calls.plan import SessionId
from callwright.notify.stream import Filter
from callwright.public_events.catalogue import TYPES
from callwright.rpc.auth import ACCESS_TOKEN

SESSION, WHICH, LAST_ID = "session", "types", "last_event_id"
NAMES = (ACCESS_TOKEN, SESSION, WHICH, LAST_ID)

_NO_EVENT = -1
"In place of an id that is none: nothing has it."


class BadQuery(Exception):
    """The query cannot be served; the text says why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


@dataclass(frozen=True, slots=True)
class EventQuery:
    token: str | None
    "``access_token``, for browsers, whose EventSource and WebSocket send no headers of ours."
    which: Filter
    after: int | None
    "The id of the event behind which to begin; None: from now on."


def read_query(request: HTTPConnection) -> EventQuery:
    """Read the query, and the header Last-Event-ID. Raises `BadQuery`."""
    query: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in NAMES:
            raise BadQuery(name, f"there is no parameter {name!r}; there are {', '.join(NAMES)}")
        if name in query:
            raise BadQuery(name, f"{name} is there twice")
        query[name] = value
    # The header is the newer one: a browser connects again with the URL it had at first.
    last_id = request.headers.get("last-event-id") or query.get(LAST_ID)
    return EventQuery(
        query.get(ACCESS_TOKEN),
        Filter(_session(query.get(SESSION)), _types(query.get(WHICH))),
        _position(last_id),
    )


def _session(text: str | None) -> SessionId | None:
    if text is None:
        return None
    if not re.fullmatch("[0-9]{1,16}", text):
        raise BadQuery(SESSION, f"{SESSION} is a call_session_id: digits")
    return SessionId(int(text))


def _types(text: str | None) -> frozenset[str] | None:
    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in TYPES:
            raise BadQuery(WHICH, f"there is no type {name!r}; docs/events.md has them all")
    return frozenset(names)


def _position(text: str | None) -> int | None:
    if not text:
        return None
    return int(text) if re.fullmatch("[0-9]{1,16}", text) else _NO_EVENT
