"""Sessions: how their events become rows, and rows events again."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import cache

from pydantic import JsonValue
from sqlalchemy import (
    Connection,
    Delete,
    Insert,
    Table,
    Update,
    bindparam,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from callwright.calls.events import (
    LegAnswered,
    LegEnded,
    LegRang,
    LegStarted,
    SessionEvent,
    SessionFinished,
    SessionStarted,
    TagRemoved,
)
from callwright.calls.plan import SessionId
from callwright.engines.quality import Quality
from callwright.storage.history.event_codec import decode, encode
from callwright.storage.history.projection import latest_of_tags, rows_of, updates_of
from callwright.storage.tables import call_events, call_legs, call_sessions

_Values = dict[str, JsonValue | datetime]


def _of_leg(*columns: str) -> Update:
    return (
        update(call_legs)
        .where(call_legs.c.id == bindparam("leg"))
        .values({column: bindparam(column) for column in columns})
    )


_RANG = _of_leg("rang_at")
_ANSWERED = _of_leg("answered_at")
_QUALITY = ("loss", "far_loss", "jitter", "round_trip", "mos")
_ENDED = _of_leg(
    "ended_at",
    "finish_reason",
    "cause",
    "raw",
    "talk_duration",
    "total_duration",
    *_QUALITY,
)
_VERDICT = (
    "finish_reason",
    "ended_by",
    "fault",
    "detail",
    "wait_duration",
    "talk_duration",
    "total_duration",
)
_FINISHED = (
    update(call_sessions)
    .where(call_sessions.c.id == bindparam("session"))
    .values({column: bindparam(column) for column in ("finished_at", *_VERDICT)})
)


# The account of a leg is its session's, which no event but the first says.
_ACCOUNT = (
    select(call_sessions.c.account_id)
    .where(call_sessions.c.id == bindparam("session"))
    .scalar_subquery()
)


def insert_session(
    connection: Connection, started: SessionStarted, position: int | None = None
) -> None:
    """Write the session's row and its first event, at its position in the log."""
    kind, data = encode(started)
    caption = started.caption
    # Values for the row are taken from the encoded event: it holds only what can be stored.
    stored = data["caption"]
    assert isinstance(stored, dict)
    employee = stored["employee"]
    connection.execute(
        insert(call_sessions),
        {
            "id": started.session,
            "account_id": caption.account,
            "method": stored["method"],
            "direction": stored["direction"],
            "virtual_number": stored["virtual_number"],
            "contact_number": stored["contact_number"],
            "external_id": stored["external_id"],
            "employee_id": employee["id"] if isinstance(employee, dict) else None,
            "employee_full_name": employee["full_name"] if isinstance(employee, dict) else None,
            "started_at": started.time,
            "source": caption.source,
        },
    )
    connection.execute(
        insert(call_events),
        {
            "session_id": started.session,
            "sequence": started.sequence,
            "kind": kind,
            "data": data,
            "position": position,
        },
    )


def write_events(
    connection: Connection, events: Sequence[SessionEvent], positions: Sequence[int | None]
) -> None:
    """Write events in the order given, and what they say of legs and sessions.

    ``positions``: of each in the log. Writing an event again changes its position alone: after a
    commit whose success was not heard of, the same events come once more.
    """
    rows: list[_Values] = []
    legs: list[_Values] = []
    added: defaultdict[Table, list[_Values]] = defaultdict(list)
    # One statement to a kind, for all of its rows. A leg is inserted before it is updated, and
    # kinds do not share columns, so the order among kinds is of no consequence.
    updates: defaultdict[Update | Delete, list[_Values]] = defaultdict(list)
    of_tags = latest_of_tags(events)
    for event, position in zip(events, positions, strict=True):
        kind, data = encode(event)
        rows.append(
            {
                "session_id": event.session,
                "sequence": event.sequence,
                "kind": kind,
                "data": data,
                "position": position,
            }
        )
        match event:
            case LegStarted():
                legs.append(
                    {
                        "id": event.leg,
                        "session_id": event.session,
                        "session": event.session,
                        "role": data["role"],
                        "calling_number": data["calling_number"],
                        "called_number": data["called_number"],
                        "employee_id": data["employee_id"],
                        "employee_full_name": data["employee_full_name"],
                        "started_at": event.time,
                        "offered": event.offered,
                    }
                )
            case LegRang():
                updates[_RANG].append({"leg": event.leg, "rang_at": event.time})
            case LegAnswered():
                updates[_ANSWERED].append({"leg": event.leg, "answered_at": event.time})
            case LegEnded():
                updates[_ENDED].append({**data, **_quality(event.quality), "ended_at": event.time})
            case SessionFinished():
                updates[_FINISHED].append(
                    {**data, "session": event.session, "finished_at": event.time}
                )
            case TagRemoved() if of_tags[event.session, event.tag] is not event:
                pass  # It is set again, and rows are added before others are removed.
            case _:
                for table, row in rows_of(event, data):
                    added[table].append(row)
                for change, changed in updates_of(event, data):
                    updates[change].append(changed)
    dialect = connection.dialect.name
    connection.execute(_newest_position(dialect), rows)
    if legs:
        connection.execute(_once(call_legs, dialect), legs)
    for table, new in added.items():
        connection.execute(_once(table, dialect), new)
    for statement, values in updates.items():
        connection.execute(statement, values)


async def read_events(connection: AsyncConnection, session: SessionId) -> list[SessionEvent]:
    """Return a session's events in order, without those this version cannot understand."""
    result = await connection.execute(
        select(call_events.c.sequence, call_events.c.kind, call_events.c.data)
        .where(call_events.c.session_id == session)
        .order_by(call_events.c.sequence)
    )
    events = (decode(session, row.sequence, row.kind, row.data) for row in result)
    return [event for event in events if event is not None]


async def is_of_account(connection: AsyncConnection, session: SessionId, account: int) -> bool:
    """Whether there is such a session, and it is this account's."""
    result = await connection.execute(
        select(call_sessions.c.id).where(
            call_sessions.c.id == session, call_sessions.c.account_id == account
        )
    )
    return result.first() is not None


async def unfinished(connection: AsyncConnection) -> list[tuple[SessionId, datetime]]:
    """Return the sessions that have no verdict, and when they began."""
    result = await connection.execute(
        select(call_sessions.c.id, call_sessions.c.started_at)
        .where(call_sessions.c.finished_at.is_(None))
        .order_by(call_sessions.c.id)
    )
    return [(SessionId(row.id), row.started_at) for row in result]


def _quality(measured: Quality | None) -> dict[str, JsonValue | datetime]:
    """The figures of a leg's audio that are kept in columns of their own; losses as shares."""
    if measured is None:
        return dict.fromkeys(_QUALITY)
    due = measured.received + measured.lost
    return {
        "loss": round(measured.lost / due, 4) if due else None,
        "far_loss": round(measured.far_lost / measured.sent, 4) if measured.sent else None,
        "jitter": measured.jitter if due else None,
        "round_trip": measured.round_trip,
        "mos": measured.mos,
    }


# What these two return costs more to put together than to carry out.


@cache
def _newest_position(dialect: str) -> Insert:
    """An INSERT of events; those that are there already are given their new position."""
    if dialect == "postgresql":
        into = postgresql.insert(call_events)
        return into.on_conflict_do_update(
            constraint=call_events.primary_key, set_={"position": into.excluded.position}
        )
    insertion = sqlite.insert(call_events)
    return insertion.on_conflict_do_update(
        index_elements=list(call_events.primary_key.columns),
        set_={"position": insertion.excluded.position},
    )


@cache
def _once(table: Table, dialect: str) -> Insert:
    """An INSERT that leaves rows alone which are there already; a leg's takes its account."""
    account = {"account_id": _ACCOUNT} if table is call_legs else {}
    if dialect == "postgresql":
        return postgresql.insert(table).values(account).on_conflict_do_nothing()
    return (
        sqlite.insert(table)
        .values(account)
        .on_conflict_do_nothing(index_elements=list(table.primary_key.columns))
    )
