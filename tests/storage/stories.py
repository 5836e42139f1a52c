"""Stories of sessions, as calls tell them, for the tests of what keeps them."""

from datetime import UTC, datetime, timedelta

from callwright.calls.events import (
    KeySent,
    LegAnswered,
    LegEnded,
    LegRang,
    LegStarted,
    SessionEvent,
    SessionFinished,
    SessionStarted,
    TalkFinished,
    TalkStarted,
)
from callwright.calls.plan import Caption, Direction, EmployeeRef, Role, SessionId
from callwright.engines.port import LegId
from callwright.engines.quality import Quality

BEGAN = datetime(2026, 5, 1, 12, 0, 0, 250_000, tzinfo=UTC)

CAPTION = Caption(
    account=1,
    method="start.employee_call",
    direction=Direction.IN,
    virtual_number="74993720692",
    contact_number="79260000000",
    external_id="334otr01",
    dtmf_string=".1.2.3",
    employee=EmployeeRef(25, "Anna Ivanova"),
)


def at(offset: float) -> datetime:
    return BEGAN + timedelta(seconds=offset)


def started(session: int, caption: Caption = CAPTION) -> SessionStarted:
    return SessionStarted(
        session=SessionId(session), sequence=1, time=BEGAN, offset=0.0, caption=caption
    )


def later(session: int) -> list[SessionEvent]:
    """Everything after the beginning: two legs ring, answer, talk and end."""
    one, other = LegId(session * 10 + 1), LegId(session * 10 + 2)
    session = SessionId(session)
    return [
        LegStarted(
            session=session,
            sequence=2,
            time=at(0.5),
            offset=0.5,
            leg=one,
            role=Role.EMPLOYEE,
            calling_number="79260000000",
            called_number="79260000001",
            employee_id=25,
            employee_full_name="Anna Ivanova",
        ),
        LegRang(session=session, sequence=3, time=at(1), offset=1.0, leg=one),
        LegAnswered(session=session, sequence=4, time=at(4), offset=4.0, leg=one),
        LegStarted(
            session=session,
            sequence=5,
            time=at(4.5),
            offset=4.5,
            leg=other,
            role=Role.CONTACT,
            calling_number="74993720692",
            called_number="79260000000",
            employee_id=None,
            employee_full_name=None,
        ),
        LegAnswered(session=session, sequence=6, time=at(9), offset=9.0, leg=other),
        KeySent(
            session=session, sequence=7, time=at(10), offset=10.0, leg=other, key="1", pending="."
        ),
        TalkStarted(session=session, sequence=8, time=at(10.5), offset=10.5, legs=(one, other)),
        TalkFinished(
            session=session,
            sequence=9,
            time=at(20.5),
            offset=20.5,
            legs=(one, other),
            duration=10.0,
        ),
        LegEnded(
            session=session,
            sequence=10,
            time=at(20.5),
            offset=20.5,
            leg=other,
            finish_reason="subscriber_disconnects",
            cause="hung_up",
            raw="BYE",
            talk_duration=11.5,
            total_duration=16.0,
            quality=Quality(575, 570, 5, 0, 0.002, 0.03, 4.3),
        ),
        LegEnded(
            session=session,
            sequence=11,
            time=at(20.6),
            offset=20.6,
            leg=one,
            finish_reason="subscriber_disconnects",
            cause="released",
            raw="",
            talk_duration=16.6,
            total_duration=20.1,
        ),
        SessionFinished(
            session=session,
            sequence=12,
            time=at(20.7),
            offset=20.7,
            finish_reason="subscriber_disconnects",
            ended_by="contact",
            fault="nobody",
            detail="",
            wait_duration=10.5,
            talk_duration=10.0,
            total_duration=20.7,
        ),
    ]
