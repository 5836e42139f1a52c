"""Events as JSON: how a session's facts are kept, and read back as the very same facts.

An event is stored under the name of its class, its other fields under their own names. Those names
are therefore kept for ever; a field that is added later needs a default for the events before it.
"""

import logging
import re
from typing import Any, get_args

from pydantic import JsonValue, TypeAdapter, ValidationError

from callwright.calls.events import SessionEvent
from callwright.calls.plan import SessionId

log = logging.getLogger(__name__)

_CODECS: dict[str, TypeAdapter[Any]] = {
    kind.__name__: TypeAdapter(kind) for kind in get_args(SessionEvent)
}

# A reason phrase or an external id may hold halves of UTF-16 pairs, which no database takes, and
# NUL, which PostgreSQL does not.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


_STORABLE = (int, float, bool, type(None))
"What can be stored as it is, and needs no look."


def encode(event: SessionEvent) -> tuple[str, dict[str, JsonValue]]:
    """Return the event's kind and its fields but for session and sequence, fit to be stored."""
    kind = type(event).__name__
    fields: dict[str, JsonValue] = _CODECS[kind].dump_python(
        event, mode="json", exclude={"session", "sequence"}
    )
    for name, value in fields.items():
        if type(value) not in _STORABLE:
            fields[name] = _storable(value)
    return kind, fields


def decode(
    session: SessionId, sequence: int, kind: str, fields: dict[str, JsonValue]
) -> SessionEvent | None:
    """Return the event, or None, with a warning, for one this version does not understand."""
    codec = _CODECS.get(kind)
    if codec is None:
        log.warning("%s: event %s is of the unknown kind %r", session, sequence, kind)
        return None
    try:
        event: SessionEvent = codec.validate_python(
            {**fields, "session": session, "sequence": sequence}
        )
    except ValidationError as fault:
        log.warning("%s: event %s, %s, cannot be read: %s", session, sequence, kind, fault)
        return None
    return event


def _storable(value: JsonValue) -> JsonValue:
    match value:
        case str():
            return _UNSTORABLE.sub("\ufffd", value)
        case dict():
            return {name: _storable(inner) for name, inner in value.items()}
        case list():
            return [_storable(inner) for inner in value]
        case _:
            return value
