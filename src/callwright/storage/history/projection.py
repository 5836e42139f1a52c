"""Projection: what the events of a talk say of legs, recordings and tags, for reports.

Only such events cost a statement of their own; those of every call's setting up are written with
the session (see `sessions`).
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import Table, bindparam, delete, func, true, update
from sqlalchemy.dialects import sqlite

from callwright.calls.events import (
    CallLost,
    RecordingFailed,
    RecordingReady,
    RecordingStarted,
    SessionEvent,
    TagRemoved,
    TagSet,
    TalkStarted,
    TransferFinished,
)
from callwright.storage.prepared_writes import PreparedWrite, postgresql_insert
from callwright.storage.tables import call_legs, call_recordings, call_sessions, call_tags

Values = dict[str, JsonValue | datetime]

TALK, VOICEMAIL = "talk", "voicemail"
"Kinds of recordings."
BY_HAND = "manual"
"Kind of the tags that somebody has set, rather than the service."

_TALKED = PreparedWrite(
    update(call_legs)
    .where(call_legs.c.id == bindparam("leg"))
    .values(
        talked_at=func.coalesce(
            call_legs.c.talked_at, bindparam("time", type_=call_legs.c.talked_at.type)
        )
    )
)
_LEFT = PreparedWrite(
    update(call_legs).where(call_legs.c.id == bindparam("leg")).values(is_transferred=true())
)
_TRANSFERRED = PreparedWrite(
    update(call_sessions)
    .where(call_sessions.c.id == bindparam("session"))
    .values(is_transfer=true())
)
_LOST = PreparedWrite(
    update(call_sessions).where(call_sessions.c.id == bindparam("session")).values(is_lost=true())
)
_READY = PreparedWrite(
    update(call_recordings)
    .where(call_recordings.c.id == bindparam("recording"))
    .values(duration=bindparam("duration"), fault=bindparam("fault"))
)
_FAILED = PreparedWrite(
    update(call_recordings)
    .where(call_recordings.c.id == bindparam("recording"))
    .values(fault=bindparam("reason"))
)

_UNTAGGED = PreparedWrite(
    delete(call_tags).where(
        call_tags.c.session_id == bindparam("session"), call_tags.c.tag_id == bindparam("tag")
    )
)


def _once(table: Table, *columns: str) -> PreparedWrite:
    """An INSERT that leaves rows alone which are there already."""
    return PreparedWrite(
        sqlite.insert(table).on_conflict_do_nothing(),
        columns,
        elsewhere=lambda: postgresql_insert(table).on_conflict_do_nothing(),
    )


_RECORDED = _once(
    call_recordings, "id", "session_id", "kind", "legs", "file_name", "record", "started_at"
)
_TAGGED = _once(call_tags, "session_id", "tag_id", "tag_name", "tag_type", "set_at")


def latest_of_tags(events: Iterable[SessionEvent]) -> Mapping[tuple[int, int], SessionEvent]:
    """What has happened to each tag last; by session and tag."""
    return {
        (event.session, event.tag): event
        for event in events
        if isinstance(event, TagSet | TagRemoved)
    }


def rows_of(
    event: SessionEvent, data: dict[str, JsonValue]
) -> Iterator[tuple[PreparedWrite, Values]]:
    """What an event adds. ``data``: the event as it is stored."""
    match event:
        case RecordingStarted():
            yield (
                _RECORDED,
                {
                    "id": event.recording,
                    "session_id": event.session,
                    "kind": TALK if len(event.legs) > 1 else VOICEMAIL,
                    "legs": data["legs"],
                    "file_name": data["file_name"],
                    "record": data["record"] or None,
                    "started_at": event.time,
                },
            )
        case TagSet():
            yield (
                _TAGGED,
                {
                    "session_id": event.session,
                    "tag_id": event.tag,
                    "tag_name": data["name"],
                    "tag_type": BY_HAND,
                    "set_at": event.time,
                },
            )
        case _:
            pass


def updates_of(
    event: SessionEvent, data: dict[str, JsonValue]
) -> Iterator[tuple[PreparedWrite, Values]]:
    """What an event changes of rows there are. ``data``: the event as it is stored."""
    match event:
        case TalkStarted(legs=legs):
            for leg in legs:
                yield _TALKED, {"leg": leg, "time": event.time}
        case TransferFinished():
            yield _LEFT, {"leg": event.leg}
            yield _TRANSFERRED, {"session": event.session}
        case CallLost():
            yield _LOST, {"session": event.session}
        case TagRemoved(tag=tag):
            yield _UNTAGGED, {"session": event.session, "tag": tag}
        case RecordingReady():
            facts = {"duration": event.duration, "fault": data["fault"] or None}
            yield _READY, {"recording": event.recording, **facts}
        case RecordingFailed():
            yield _FAILED, {"recording": event.recording, "reason": data["reason"]}
        case _:
            pass
