"""Report sources: where in the database reports of sessions and legs have their rows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Integer, Row, case, cast, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from callwright.storage.history.projection import TALK, VOICEMAIL
from callwright.storage.lists.select import Detail, Part, Source
from callwright.storage.tables import (
    api_requests,
    call_legs,
    call_recordings,
    call_sessions,
    call_tags,
)


def _seconds(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Whole seconds, as clients of the published API take durations."""
    return cast(func.round(column), Integer)


def _recordings_of(kind: str) -> Detail:
    async def bring(connection: AsyncConnection, sessions: Sequence[int]) -> Mapping[int, object]:
        found: defaultdict[int, list[int]] = defaultdict(list)
        for row in await _ready(connection, sessions):
            if row.kind == kind:
                found[row.session_id].append(row.id)
        return found

    return bring


async def _full_recording(
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
        found[row.session_id].append(
            {
                "tag_id": row.tag_id,
                "tag_name": row.tag_name,
                "tag_type": row.tag_type,
                "tag_change_time": row.set_at,
                "tag_user_id": row.user_id,
                "tag_user_login": row.user_login,
            }
        )
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
        "operator_phone_number": talked[-1].called_number if talked else None,
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
    found: defaultdict[int, list[int]] = defaultdict(list)
    for row in await _ready(connection, sessions):
        for leg in row.legs:
            found[leg].append(row.id)
    return found


async def _ready(
    connection: AsyncConnection, sessions: Sequence[int]
) -> Sequence[Row[*tuple[Any, ...]]]:
    """The recordings of sessions whose files are complete, in the order they were made."""
    recordings = call_recordings.c
    query = (
        select(recordings.session_id, recordings.id, recordings.kind, recordings.legs)
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


_EMPLOYEES = (
    "employees",
    "operator_phone_number",
    *(
        f"{which}_{what}_employee_{fact}"
        for what in ("answered", "talked")
        for which in ("first", "last")
        for fact in ("id", "full_name")
    ),
)

_session = call_sessions.c
CALLS = Source(
    call_sessions,
    account=_session.account_id,
    key=_session.id,
    order=(_session.started_at,),
    finer={
        "wait_duration": _session.wait_duration,
        "total_wait_duration": _session.wait_duration,
        "talk_duration": _session.talk_duration,
        "clean_talk_duration": _session.talk_duration,
        "total_duration": _session.total_duration,
    },
    is_large=True,
    columns={
        "id": _session.id,
        "start_time": _session.started_at,
        "finish_time": _session.finished_at,
        "finish_reason": _session.finish_reason,
        "direction": _session.direction,
        "source": _session.source,
        "is_lost": _session.is_lost,
        "contact_phone_number": _session.contact_number,
        "communication_id": _session.id,
        "communication_type": literal("call"),
        "wait_duration": _seconds(_session.wait_duration),
        "total_wait_duration": _seconds(_session.wait_duration),
        "talk_duration": _seconds(_session.talk_duration),
        "clean_talk_duration": _seconds(_session.talk_duration),
        "total_duration": _seconds(_session.total_duration),
        "virtual_phone_number": _session.virtual_number,
        "is_transfer": _session.is_transfer,
        "employee_id": _session.employee_id,
        "employee_full_name": _session.employee_full_name,
        "call_api_external_id": _session.external_id,
        "ended_by": _session.ended_by,
        "fault": _session.fault,
    },
    details={
        "call_records": _recordings_of(TALK),
        "wav_call_records": _recordings_of(TALK),
        "voice_mail_records": _recordings_of(VOICEMAIL),
        "full_record_file_link": _full_recording,
        "tags": _tags,
        "call_api_request_id": _requests,
        **{name: Part(_employees, name) for name in _EMPLOYEES},
    },
)

_leg = call_legs.c
LEGS = Source(
    call_legs,
    joined=call_legs.outerjoin(call_sessions),
    borrowed=frozenset({"virtual_phone_number", "contact_phone_number"}),
    account=_leg.account_id,
    key=_leg.id,
    order=(_leg.started_at,),
    # Of a leg that has not ended nothing can be reported yet.
    condition=_leg.finish_reason.is_not(None),
    is_large=True,
    columns={
        "id": _leg.id,
        "call_session_id": _leg.session_id,
        "start_time": _leg.started_at,
        "connect_time": _leg.answered_at,
        "finish_time": _leg.ended_at,
        "duration": _seconds(_leg.talk_duration),
        "total_duration": _seconds(_leg.total_duration),
        "finish_reason": _leg.finish_reason,
        "finish_reason_description": _leg.raw,
        "virtual_phone_number": _session.virtual_number,
        "contact_phone_number": _session.contact_number,
        "calling_phone_number": _leg.calling_number,
        "called_phone_number": _leg.called_number,
        "direction": case((_leg.offered, literal("in")), else_=literal("out")),
        "is_transfered": _leg.is_transferred,
        "is_operator": _leg.role != "contact",
        "is_coach": _leg.role == "coach",
        "is_failed": _leg.answered_at.is_(None),
        "is_talked": _leg.talked_at.is_not(None),
        "employee_id": _leg.employee_id,
        "employee_full_name": _leg.employee_full_name,
        "employee_phone_number": case(
            (_leg.employee_id.is_(None), None),
            (_leg.offered, _leg.calling_number),
            else_=_leg.called_number,
        ),
        "cause": _leg.cause,
        "loss": _leg.loss,
        "far_loss": _leg.far_loss,
        "jitter": _leg.jitter,
        "round_trip": _leg.round_trip,
        "mos": _leg.mos,
    },
    details={"call_records": _recordings_of_legs},
)

_request = api_requests.c
REQUESTS = Source(
    api_requests,
    account=_request.account_id,
    key=_request.id,
    order=(_request.time,),
    is_large=True,
    columns={
        "id": _request.id,
        "date_time": _request.time,
        "api_version": _request.api,
        "method": _request.method,
        "ip": _request.ip,
        "user_id": _request.user_id,
        "user_login": _request.user_login,
        "error_mnemonic": _request.mnemonic,
        "duration": _request.duration,
        "call_session_id": _request.session_id,
    },
)
