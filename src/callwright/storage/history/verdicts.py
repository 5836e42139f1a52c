"""Verdicts: what is written of a session and of a leg once it is over, for reports to go by.

What reports filter and sort by stands in columns of the row itself. It follows from other rows, or
from several columns, and to find it out row by row takes a million sessions some seconds.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    Numeric,
    Select,
    and_,
    bindparam,
    case,
    cast,
    func,
    select,
    tuple_,
    update,
)

from callwright.storage.prepared_writes import PreparedWrite
from callwright.storage.tables import call_legs, call_sessions

_session, _leg = call_sessions.c, call_legs.c
rung = call_legs.alias("rung")
"The legs of a session, beside it."
OPERATORS = rung.c.role != "contact"
EMPLOYEES = and_(OPERATORS, rung.c.employee_id.is_not(None))

QUALITY = ("loss", "far_loss", "jitter", "round_trip", "mos")
"Figures of a leg's audio."


def _first(
    told: tuple[str, ...], by: str, *, last: bool, condition: ColumnElement[bool]
) -> Select[Any]:
    """What is told of a session's leg to which something has happened first, or last."""
    at, id = rung.c[by], rung.c.id
    return (
        select(*(rung.c[name] for name in told))
        .where(rung.c.session_id == _session.id, at.is_not(None), condition)
        .order_by(*((at.desc(), id.desc()) if last else (at, id)))
        .limit(1)
        .correlate(call_sessions)
    )


_EMPLOYEE = ("employee_id", "employee_full_name")


def _found() -> Iterator[tuple[tuple[str, ...], Select[Any]]]:
    """Names of facts, and what finds them out together."""
    for what in ("answered", "talked"):
        for which in ("first", "last"):
            names = tuple(f"{which}_{what}_{fact}" for fact in _EMPLOYEE)
            at = f"{what}_at"
            yield names, _first(_EMPLOYEE, at, last=which == "last", condition=EMPLOYEES)
    number = _first(("called_number",), "talked_at", last=True, condition=OPERATORS)
    yield ("operator_number",), number


_FOUND = tuple(_found())

FOUND_OUT = {
    name: found.with_only_columns(found.selected_columns[at]).scalar_subquery()
    for names, found in _FOUND
    for at, name in enumerate(names)
}
"""Who answered and who talked, first and last, as a session's legs say: while it lives. Then its
columns of the same names say it."""


def _written() -> dict[Any, Any]:
    return {
        tuple_(*(_session[name] for name in names)) if len(names) > 1 else _session[names[0]]: (
            found.scalar_subquery()
        )
        for names, found in _FOUND
    }


def _given(*columns: str) -> dict[Any, Any]:
    return {column: bindparam(column) for column in columns}


_VERDICT = (
    "finished_at",
    "finish_reason",
    "ended_by",
    "fault",
    "detail",
    "wait_duration",
    "talk_duration",
    "total_duration",
)
FINISHED = PreparedWrite(
    update(call_sessions)
    .where(_session.id == bindparam("session"))
    .values({_session[name]: bindparam(name) for name in _VERDICT} | _written())
)
"Of a session. Its legs have to be written before."

_talked = cast(bindparam("talk_duration", type_=Float()), Float)
# Begun steps count. Of a talk of no whole second there is nothing to charge.
_CHARGEABLE = case(
    (_leg.charge_step.is_(None), 0),
    else_=(cast(func.round(_talked), Integer) + _leg.charge_step - 1)
    // _leg.charge_step
    * _leg.charge_step,
)
# PostgreSQL rounds to places only what is numeric.
_CHARGE = cast(
    func.round(cast(_CHARGEABLE * func.coalesce(_leg.per_minute, 0.0) / 60, Numeric(18, 6)), 4),
    Float,
)
_ENDED_AS = (
    "ended_at",
    "finish_reason",
    "cause",
    "raw",
    "talk_duration",
    "total_duration",
    *QUALITY,
)
ENDED = PreparedWrite(
    update(call_legs)
    .where(_leg.id == bindparam("leg"))
    .values(
        {
            **{name: bindparam(name) for name in _ENDED_AS},
            "chargeable_duration": _CHARGEABLE,
            "total_charge": _CHARGE,
        }
    )
)
"Of a leg."
