"""Sessions: how their events become rows, and rows events again."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import JsonValue
from sqlalchemy import Connection, Insert, bindparam, insert, select, update
from sqlalchemy.dialects import sqlite
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
from callwright.directory.prices import PriceList, direction_type
from callwright.engines.quality import Quality
from callwright.storage.history.event_codec import decode, encode
from callwright.storage.history.projection import latest_of_tags, rows_of, updates_of
from callwright.storage.history.verdicts import ENDED, FINISHED, QUALITY
from callwright.storage.prepared_writes import PreparedWrite, postgresql_insert
from callwright.storage.synchronous_reads import PreparedStatement, RowsAtHand
from callwright.storage.tables import call_events, call_legs, call_sessions

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

_Values = dict[str, JsonValue | datetime]
FREE = PriceList()


def _of_leg(*columns: str) -> PreparedWrite:
    return PreparedWrite(
        update(call_legs)
        .where(call_legs.c.id == bindparam("leg"))
        .values({column: bindparam(column) for column in columns})
    )


_RANG = _of_leg("rang_at")
_ANSWERED = _of_leg("answered_at")


# The account of a leg is its session's, which no event but the first says.
_ACCOUNT = (
    select(call_sessions.c.account_id)
    .where(call_sessions.c.id == bindparam("session"))
    .scalar_subquery()
)

_SESSION = (
    "id",
    "account_id",
    "method",
    "direction",
    "virtual_number",
    "contact_number",
    "external_id",
    "employee_id",
    "employee_full_name",
    "started_at",
    "source",
    "contact_id",
    "contact_full_name",
    "scenario_id",
    "scenario_name",
)
_LEG = (
    "id",
    "session_id",
    "role",
    "calling_number",
    "called_number",
    "employee_id",
    "employee_full_name",
    "started_at",
    "offered",
    "group_id",
    "group_name",
    "direction_type",
    "per_minute",
    "charge_step",
)
_EVENT = ("session_id", "sequence", "kind", "data", "position")

_NEW_SESSION = PreparedWrite(insert(call_sessions), _SESSION)
_FIRST_EVENT = PreparedWrite(insert(call_events), _EVENT)


def _newest_position(insertion: "sqlite.Insert | postgresql.Insert") -> Insert:
    """An INSERT of events; those that are there already are given their new position."""
    return insertion.on_conflict_do_update(
        index_elements=list(call_events.primary_key.columns),
        set_={"position": insertion.excluded.position},
    )


_EVENTS = PreparedWrite(
    _newest_position(sqlite.insert(call_events)),
    _EVENT,
    elsewhere=lambda: _newest_position(postgresql_insert(call_events)),
)
# A leg that is there already is left alone.
_LEGS = PreparedWrite(
    sqlite.insert(call_legs).values(account_id=_ACCOUNT).on_conflict_do_nothing(),
    _LEG,
    elsewhere=lambda: (
        postgresql_insert(call_legs).values(account_id=_ACCOUNT).on_conflict_do_nothing()
    ),
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
    employee, contact, scenario = stored["employee"], stored["contact"], stored["scenario"]
    row: _Values = {
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
        "contact_id": contact["id"] if isinstance(contact, dict) else None,
        "contact_full_name": contact["full_name"] if isinstance(contact, dict) else None,
        "scenario_id": scenario["id"] if isinstance(scenario, dict) else None,
        "scenario_name": scenario["name"] if isinstance(scenario, dict) else None,
    }
    _NEW_SESSION.carry_out(connection, [row])
    event: _Values = {
        "session_id": started.session,
        "sequence": started.sequence,
        "kind": kind,
        "data": data,
        "position": position,
    }
    _FIRST_EVENT.carry_out(connection, [event])


def write_events(
    connection: Connection,
    events: Sequence[SessionEvent],
    positions: Sequence[int | None],
    prices: PriceList = FREE,
) -> None:
    """Write events in the order given, and what they say of legs and sessions.

    ``positions``: of each in the log. Writing an event again changes its position alone: after a
    commit whose success was not heard of, the same events come once more. ``prices``: what legs
    are charged by.
    """
    rows: list[_Values] = []
    legs: list[_Values] = []
    finished: list[_Values] = []
    # One statement to a kind, for all of its rows. A leg is inserted before it is updated, and
    # kinds do not share columns, so the order among kinds is of no consequence.
    added: defaultdict[PreparedWrite, list[_Values]] = defaultdict(list)
    changed: defaultdict[PreparedWrite, list[_Values]] = defaultdict(list)
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
                        "group_id": event.group_id,
                        "group_name": data["group_name"],
                        **_charge(event, prices),
                    }
                )
            case LegRang():
                changed[_RANG].append({"leg": event.leg, "rang_at": event.time})
            case LegAnswered():
                changed[_ANSWERED].append({"leg": event.leg, "answered_at": event.time})
            case LegEnded():
                changed[ENDED].append({**data, **_quality(event.quality), "ended_at": event.time})
            case SessionFinished():
                finished.append({**data, "session": event.session, "finished_at": event.time})
            case TagRemoved() if of_tags[event.session, event.tag] is not event:
                pass  # It is set again, and rows are added before others are removed.
            case _:
                for insertion, row in rows_of(event, data):
                    added[insertion].append(row)
                for change, values in updates_of(event, data):
                    changed[change].append(values)
    _EVENTS.carry_out(connection, rows)
    if legs:
        _LEGS.carry_out(connection, legs)
    for statements in (added, changed):
        for statement, of_statement in statements.items():
            statement.carry_out(connection, of_statement)
    if finished:  # Now that their legs say all.
        FINISHED.carry_out(connection, finished)


_STORY = PreparedStatement(
    select(call_events.c.sequence, call_events.c.kind, call_events.c.data)
    .where(call_events.c.session_id == bindparam("of_session"))
    .order_by(call_events.c.sequence)
)


async def read_events(connection: AsyncConnection, session: SessionId) -> list[SessionEvent]:
    """Return a session's events in order, without those this version cannot understand."""
    result = await connection.execute(
        select(call_events.c.sequence, call_events.c.kind, call_events.c.data)
        .where(call_events.c.session_id == session)
        .order_by(call_events.c.sequence)
    )
    events = (decode(session, row.sequence, row.kind, row.data) for row in result)
    return [event for event in events if event is not None]


async def read_events_at_hand(rows: RowsAtHand, session: SessionId) -> list[SessionEvent]:
    """The same as `read_events`, without a thread."""
    found = await rows.read(_STORY, {"of_session": session})
    events = (decode(session, row.sequence, row.kind, row.data) for row in found)
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


def _charge(started: LegStarted, prices: PriceList) -> _Values:
    """By what a leg is charged: what it costs is known once it has ended."""
    far, near = started.called_number, started.calling_number
    if started.offered:
        far, near = near, far
    kind = direction_type(far, near)
    price = prices.price_of("in" if started.offered else "out", far) if kind else None
    return {
        "direction_type": kind,
        "per_minute": price.per_minute if price else None,
        "charge_step": price.step if price else None,
    }


def _quality(measured: Quality | None) -> dict[str, JsonValue | datetime]:
    """The figures of a leg's audio that are kept in columns of their own; losses as shares."""
    if measured is None:
        return dict.fromkeys(QUALITY)
    due = measured.received + measured.lost
    return {
        "loss": round(measured.lost / due, 4) if due else None,
        "far_loss": round(measured.far_lost / measured.sent, 4) if measured.sent else None,
        "jitter": measured.jitter if due else None,
        "round_trip": measured.round_trip,
        "mos": measured.mos,
    }
