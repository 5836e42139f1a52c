"""Immediate commands: those that leave a call where it is, carried out at once."""

from typing import assert_never

from callwright.calls import events
from callwright.calls.commands import (
    ALLOWED,
    AddCoach,
    DisconnectLeg,
    LegUnknown,
    Mute,
    NoSuchTag,
    RecordTalk,
    RemoveTag,
    SendKey,
    SetCoachMode,
    SetTag,
    Staying,
    TagAlreadySet,
    WrongState,
)
from callwright.calls.ending import RELEASED
from callwright.calls.leg import Leg
from callwright.calls.session import Session
from callwright.engines.port import Cause, LegGone, LegId


def carry_out(session: Session, command: Staying) -> None:
    """Do what is asked, at once; what the phones make of it is told by events.

    Raises the `CommandRefused` that says why not.
    """
    if session.record.state not in ALLOWED[type(command)]:
        raise WrongState
    match command:
        case AddCoach():
            if session.bridges.talkers is None:
                raise WrongState
            session.coaches.add(command, coached=session.bridges.talkers[1])
        case SetCoachMode(mode=mode):
            session.coaches.set_mode(mode)
        case RecordTalk(on=on):
            session.recorder.turn(on=on)
        case Mute(leg=leg_id, muted=muted):
            _mute(session, _live_leg(session, leg_id), muted=muted)
        case SendKey(key=key):
            _send_key(session, key)
        case SetTag(tag=tag, name=name):
            if tag in session.record.tags:
                raise TagAlreadySet
            session.tell(events.TagSet, tag=tag, name=name)
        case RemoveTag(tag=tag):
            if tag not in session.record.tags:
                raise NoSuchTag
            session.tell(events.TagRemoved, tag=tag, name=session.record.tags[tag])
        case DisconnectLeg(leg=leg_id):
            leg = _live_leg(session, leg_id)
            leg.finish_reason = RELEASED.finish_reason
            session.give_up(leg, Cause.RELEASED)
        case _:
            assert_never(command)


def _live_leg(session: Session, leg_id: LegId) -> Leg:
    leg = session.legs.get(leg_id)
    if leg is None or leg.ended is not None:
        raise LegUnknown
    return leg


def _mute(session: Session, leg: Leg, *, muted: bool) -> None:
    if not leg.is_up:
        raise WrongState
    try:
        session.engine.mute(leg.id, muted=muted)
    except LegGone:
        raise LegUnknown from None
    session.tell(events.LegMuted, leg=leg.id, muted=muted)


def _send_key(session: Session, key: str) -> None:
    leg = session.contact_leg
    if leg is None or not leg.is_up:
        raise WrongState
    try:
        session.keys.send(leg, key, planned=False)
    except LegGone:
        raise WrongState from None
