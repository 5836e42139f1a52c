"""Report sources: where reports of what has happened have their rows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callwright.calls.plan import SessionId
from callwright.query import ITSELF
from callwright.storage.history.projection import TALK, VOICEMAIL
from callwright.storage.history.sessions import read_events
from callwright.storage.history.verdicts import EMPLOYEES, FOUND_OUT, rung
from callwright.storage.lists.release_causes import DESCRIPTIONS, RELEASE_CAUSES
from callwright.storage.lists.source import Array, Detail, Implied, Part, Source
from callwright.storage.tables import (
    api_requests,
    call_legs,
    call_recordings,
    call_sessions,
    call_tags,
)


def _recordings_of(kind: str) -> Detail:
    async def bring(connection: AsyncConnection, sessions: Sequence[int]) -> Mapping[int, object]:
        found: defaultdict[int, list[str]] = defaultdict(list)
        for row in await _ready(connection, sessions):
            if row.kind == kind:
                found[row.session_id].append(row.record)
        return found

    return bring


async def _first_recording(
    connection: AsyncConnection, sessions: Sequence[int]
) -> Mapping[int, object]:
    """The first recording of a talk; None where there is none."""
    found: dict[int, object] = dict.fromkeys(sessions)
    for row in await _ready(connection, sessions):
        if row.kind == TALK and found[row.session_id] is None:
            found[row.session_id] = row.id
    return found


async def _tags(connection: AsyncConnection, sessions: Sequence[int]) -> Mapping[int, object]:
    query = (
        select(call_tags)
        .where(call_tags.c.session_id.in_(sessions))
        .order_by(call_tags.c.session_id, call_tags.c.set_at, call_tags.c.tag_id)
    )
    found: defaultdict[int, list[object]] = defaultdict(list)
    for row in await connection.execute(query):
        found[row.session_id].append(row._mapping)
    return found


async def _employees(
    connection: AsyncConnection, sessions: Sequence[int]
) -> Mapping[int, Mapping[str, object]]:
    """Who has been rung in each session, and who answered and talked first and last."""
    legs = call_legs.c
    query = (
        select(
            legs.session_id,
            legs.employee_id,
            legs.employee_full_name,
            legs.called_number,
            legs.answered_at,
            legs.talked_at,
        )
        .where(legs.session_id.in_(sessions), legs.role != "contact")
        .order_by(legs.id)
    )
    rung: defaultdict[int, list[Row[*tuple[Any, ...]]]] = defaultdict(list)
    for row in await connection.execute(query):
        rung[row.session_id].append(row)
    return {session: _told_of(rung[session]) for session in sessions}


def _told_of(rung: Sequence[Row[*tuple[Any, ...]]]) -> dict[str, object]:
    answered = sorted((row for row in rung if row.answered_at), key=lambda row: row.answered_at)
    talked = sorted((row for row in rung if row.talked_at), key=lambda row: row.talked_at)
    employees: dict[int, dict[str, object]] = {}
    for row in rung:
        if row.employee_id is None:
            continue
        known = employees.setdefault(
            row.employee_id,
            {
                "employee_id": row.employee_id,
                "employee_full_name": row.employee_full_name,
                "is_answered": False,
                "is_talked": False,
            },
        )
        known["is_answered"] = known["is_answered"] or row.answered_at is not None
        known["is_talked"] = known["is_talked"] or row.talked_at is not None
    told: dict[str, object] = {
        "employees": list(employees.values()),
        "operator_number": talked[-1].called_number if talked else None,
    }
    for what, rows in (("answered", answered), ("talked", talked)):
        of_employees = [row for row in rows if row.employee_id is not None]
        for which, at in (("first", 0), ("last", -1)):
            one = of_employees[at] if of_employees else None
            told[f"{which}_{what}_employee_id"] = one.employee_id if one else None
            told[f"{which}_{what}_employee_full_name"] = one.employee_full_name if one else None
    return told


async def _recordings_of_legs(
    connection: AsyncConnection, legs: Sequence[int]
) -> Mapping[int, object]:
    of_legs = select(call_legs.c.session_id).where(call_legs.c.id.in_(legs))
    sessions = (await connection.scalars(of_legs.distinct())).all()
    found: defaultdict[int, list[str]] = defaultdict(list)
    for row in await _ready(connection, sessions):
        for leg in row.legs:
            found[leg].append(row.record)
    return found


async def _ready(
    connection: AsyncConnection, sessions: Sequence[int]
) -> Sequence[Row[*tuple[Any, ...]]]:
    """The recordings of sessions whose files are complete, in the order they were made."""
    recordings = call_recordings.c
    query = (
        select(
            recordings.session_id,
            recordings.id,
            recordings.record,
            recordings.kind,
            recordings.legs,
        )
        .where(recordings.session_id.in_(sessions), recordings.duration.is_not(None))
        .order_by(recordings.id)
    )
    return (await connection.execute(query)).all()


async def _requests(connection: AsyncConnection, sessions: Sequence[int]) -> Mapping[int, object]:
    """The logged request that has begun each session; None where none is logged."""
    query = (
        select(api_requests.c.session_id, api_requests.c.id)
        .where(api_requests.c.session_id.in_(sessions))
        # Of those that were sent again with their Idempotency-Key, the first one.
        .order_by(api_requests.c.id.desc())
    )
    nothing: dict[int, object] = dict.fromkeys(sessions)
    return nothing | {row.session_id: row.id for row in await connection.execute(query)}


async def _stories(connection: AsyncConnection, sessions: Sequence[int]) -> Mapping[int, object]:
    """All that has happened in each session. Some milliseconds a session: ask for few."""
    found: dict[int, object] = {}
    for session in sessions:
        found[session] = await read_events(connection, SessionId(session))
    return found


_EMPLOYEES = (
    "employees",
    "operator_number",
    *(
        f"{which}_{what}_employee_{fact}"
        for what in ("answered", "talked")
        for which in ("first", "last")
        for fact in ("id", "full_name")
    ),
)

_session, _leg = call_sessions.c, call_legs.c

_EMPLOYEE_LEGS = Array(
    rung.c.session_id,
    {"employee_id": rung.c.employee_id, "employee_full_name": rung.c.employee_full_name},
    EMPLOYEES,
)
_tagged = call_tags.alias("tagged")
_asked = api_requests.alias("asked")
_REQUESTS = Array(_asked.c.session_id, {"id": _asked.c.id}, _asked.c.session_id.is_not(None))


def _elements_of(kind: str) -> Array:
    made = call_recordings.alias()
    there = and_(made.c.kind == kind, made.c.duration.is_not(None))
    return Array(made.c.session_id, {ITSELF: made.c.record}, there)


# A session's legs are asked while it lives: these are few.
_WHO = {
    name: case((_session.finish_reason.is_(None), found), else_=_session[name])
    for name, found in FOUND_OUT.items()
}

REPORT_SOURCES = (
    Source(
        call_sessions,
        facts={
            **_WHO,
            "request_id": select(func.min(_asked.c.id))
            .where(_asked.c.session_id == _session.id)
            .correlate(call_sessions)
            .scalar_subquery(),
        },
        arrays={
            "tags": Array(
                _tagged.c.session_id,
                {name: _tagged.c[name] for name in _tagged.c.keys()},  # noqa: SIM118
            ),
            "employees": _EMPLOYEE_LEGS,
            "recordings": _elements_of(TALK),
            "voicemails": _elements_of(VOICEMAIL),
        },
        implied={
            "request_id": Implied(_REQUESTS, "id"),
        },
        order=(_session.started_at,),
        ordered=frozenset({"wait_duration", "talk_duration", "total_duration"}),
        walked=frozenset({"talk_duration", "finished_at"}),
        walks_over="finish_reason",
        is_large=True,
        costly=frozenset({"story"}),
        details={
            "recordings": _recordings_of(TALK),
            "voicemails": _recordings_of(VOICEMAIL),
            "first_recording": _first_recording,
            "tags": _tags,
            "request_id": _requests,
            "story": _stories,
            **{name: Part(_employees, name) for name in _EMPLOYEES},
        },
    ),
    Source(
        call_legs,
        facts={
            "is_operator": _leg.role != "contact",
            "is_coach": _leg.role == "coach",
            "is_failed": _leg.answered_at.is_(None),
            "is_talked": _leg.talked_at.is_not(None),
            "release_cause_code": case(
                {cause.value: code for cause, code in RELEASE_CAUSES.items()}, value=_leg.cause
            ),
            "release_cause_description": case(
                {cause.value: DESCRIPTIONS[code] for cause, code in RELEASE_CAUSES.items()},
                value=_leg.cause,
            ),
            "cost_per_minute": func.coalesce(_leg.per_minute, 0.0),
            "employee_number": case(
                (_leg.employee_id.is_(None), None),
                (_leg.offered, _leg.calling_number),
                else_=_leg.called_number,
            ),
        },
        details={"recordings": _recordings_of_legs},
        joined=call_legs.outerjoin(call_sessions),
        borrowed={
            "virtual_number": _session.virtual_number,
            "contact_number": _session.contact_number,
            "contact_id": _session.contact_id,
            "contact_full_name": _session.contact_full_name,
            "scenario_id": _session.scenario_id,
            "scenario_name": _session.scenario_name,
            "source": _session.source,
        },
        # Of a leg that has not ended nothing can be reported yet.
        condition=_leg.finish_reason.is_not(None),
        order=(_leg.started_at,),
        walked=frozenset({"total_charge"}),
        is_large=True,
    ),
    Source(
        api_requests,
        facts={"outcome": case((api_requests.c.mnemonic.is_(None), "success"), else_="error")},
        order=(api_requests.c.time,),
        is_large=True,
    ),
)
