"""Fold of a call's events into the public events it is told by."""

from collections.abc import Container, Iterable
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import cache
from typing import Any

from pydantic import JsonValue

from callwright.calls import events
from callwright.calls.durations import whole_seconds
from callwright.calls.events import SessionEvent
from callwright.calls.plan import Role, SessionId
from callwright.directory.model import AccountId
from callwright.engines.port import LegId, RecordingId
from callwright.public_events import leg_payloads, payloads
from callwright.public_events.catalogue import TYPES
from callwright.public_events.notice import Notice, iso
from callwright.public_events.payloads import Payload
from callwright.public_events.recent_notices import RecentNotices

_Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Leg:
    role: Role
    calling: str
    called: str
    employee: int | None
    name: str | None
    offered: bool

    @property
    def phone(self) -> str:
        """The number of whoever is at it."""
        return self.calling if self.offered else self.called


_UNKNOWN = _Leg(Role.CONTACT, "", "", None, None, offered=False)
"A leg whose beginning could not be kept."


class EventFold:
    """Tells one session's events to the outside. Give it every event, in order, from the first.

    What it tells of an event depends on that event and those before it alone, so telling a story
    again, from the database, gives the very same notices.
    """

    def __init__(self, started: events.SessionStarted) -> None:
        self._caption = started.caption
        self._start_time = iso(started.time)
        self._legs: dict[LegId, _Leg] = {}
        self._recordings: dict[RecordingId, events.RecordingStarted] = {}
        self._tags: dict[int, str] = {}
        self._operator: _Leg | None = None
        "Who talks with the contact, or has talked with it last."
        self._transferred = False
        self._lost = False

    @property
    def account(self) -> AccountId:
        return AccountId(self._caption.account)

    def tell(self, event: SessionEvent) -> Notice | None:
        """Take the next event; return what the outside is told of it, if anything."""
        self.take(event)
        payload = self._payload(event)
        if payload is None:
            return None
        return Notice(
            event_id=f"{event.session}-{event.sequence}",
            type=payload.type,
            account=self.account,
            session=event.session,
            sequence=event.sequence,
            time=event.time,
            external_id=self._caption.external_id,
            data=_data_of(payload),
        )

    def take(self, event: SessionEvent) -> None:
        """Take the next event, which nobody outside asks for."""
        match event:
            case events.LegStarted():
                self._legs[event.leg] = _Leg(
                    event.role,
                    event.calling_number,
                    event.called_number,
                    event.employee_id,
                    event.employee_full_name,
                    event.offered,
                )
            case events.TalkStarted(legs=ids):
                both = [self._leg(leg) for leg in ids]
                operators = [leg for leg in both if leg.role is not Role.CONTACT]
                if len(operators) == 1:
                    [self._operator] = operators
            case events.RecordingStarted():
                self._recordings[event.recording] = event
            case events.TagSet():
                self._tags[event.tag] = event.name
            case events.TagRemoved():
                self._tags.pop(event.tag, None)
            case events.TransferFinished():
                self._transferred = True
            case events.CallLost():
                self._lost = True
            case _:
                pass

    def _payload(self, event: SessionEvent) -> Payload | None:
        """Name the type of an event, and its own facts."""
        match event:
            case events.SessionStarted():
                return payloads.SessionStartedPayload(**self._call())
            case events.StateEntered(state=state):
                return payloads.StateEnteredPayload(**self._call(), state=state.value)
            case events.LegStarted(leg=leg, offered=offered):
                return leg_payloads.LegStartedPayload(**self.facts_of_leg(leg), offered=offered)
            case events.LegRang(leg=leg):
                return leg_payloads.LegRangPayload(**self.facts_of_leg(leg))
            case events.LegAnswered(leg=leg):
                return leg_payloads.LegAnsweredPayload(**self.facts_of_leg(leg))
            case events.LegMuted(leg=leg, muted=True):
                return leg_payloads.LegMutedPayload(**self.facts_of_leg(leg))
            case events.LegMuted(leg=leg):
                return leg_payloads.LegUnmutedPayload(**self.facts_of_leg(leg))
            case events.LegEnded(leg=leg):
                return leg_payloads.LegEndedPayload(
                    **self.facts_of_leg(leg),
                    finish_reason=event.finish_reason,
                    cause=event.cause,
                    raw=event.raw,
                    talk_time_duration=whole_seconds(event.talk_duration),
                    total_time_duration=whole_seconds(event.total_duration),
                    quality=event.quality,
                )
            case events.TalkStarted(legs=legs):
                return payloads.TalkStartedPayload(**self._call(), leg_ids=legs)
            case events.TalkFinished(legs=legs, duration=lasted):
                return payloads.TalkFinishedPayload(
                    **self._call(), leg_ids=legs, talk_time_duration=whole_seconds(lasted)
                )
            case events.HoldStarted(leg=leg):
                return leg_payloads.HoldStartedPayload(**self.facts_of_leg(leg))
            case events.HoldFinished(leg=leg, duration=lasted):
                return leg_payloads.HoldFinishedPayload(
                    **self.facts_of_leg(leg), hold_time_duration=whole_seconds(lasted)
                )
            case events.TransferFinished(leg=leg, to=to):
                other = self._leg(to)
                return leg_payloads.TransferFinishedPayload(
                    **self.facts_of_leg(leg),
                    to_leg_id=to,
                    to_employee_id=other.employee,
                    to_employee_full_name=other.name,
                    to_employee_phone_number=other.phone,
                )
            case events.TagSet(tag=tag, name=name):
                return payloads.TagSetPayload(**self._call(), tag_id=tag, tag_name=name)
            case events.TagRemoved(tag=tag, name=name):
                return payloads.TagRemovedPayload(**self._call(), tag_id=tag, tag_name=name)
            case events.RecordingStarted(recording=recording):
                return payloads.RecordingStartedPayload(
                    **self._call(),
                    **self._of_recording(recording),
                    file_name=event.file_name,
                )
            case events.RecordingReady(recording=recording):
                return payloads.RecordingReadyPayload(
                    **self._call(),
                    **self._marks(),
                    **self._of_recording(recording),
                    file_name=event.file_name,
                    file_duration=whole_seconds(event.duration),
                    file_fault=event.fault or None,
                )
            case events.RecordingFailed(recording=recording):
                return payloads.RecordingFailedPayload(
                    **self._call(),
                    **self._of_recording(recording),
                    file_name=event.file_name,
                    reason=event.reason,
                )
            case events.CallLost():
                return payloads.CallLostPayload(
                    **self._call(),
                    lost_reason=event.finish_reason,
                    wait_time_duration=whole_seconds(event.wait_duration),
                    employee_ids=self._rung(),
                )
            case events.SessionFinished():
                return payloads.SessionFinishedPayload(
                    **self._call(),
                    **self._marks(),
                    finish_reason=event.finish_reason,
                    ended_by=event.ended_by,
                    fault=event.fault,
                    detail=event.detail,
                    wait_time_duration=whole_seconds(event.wait_duration),
                    talk_time_duration=whole_seconds(event.talk_duration),
                    total_time_duration=whole_seconds(event.total_duration),
                    is_lost=self._lost,
                    is_transfer=self._transferred,
                    last_talked_employee_id=self._operator.employee if self._operator else None,
                    employee_ids=self._rung(),
                )
            case _:
                return self._detail(event)

    def _detail(self, event: SessionEvent) -> Payload | None:
        """The same for what fewer listen to; None for what only the timeline shows."""
        match event:
            case events.MessageStarted(leg=leg, label=label):
                return leg_payloads.MessageStartedPayload(**self.facts_of_leg(leg), label=label)
            case events.MessageFinished(leg=leg, label=label, whole=whole):
                return leg_payloads.MessageFinishedPayload(
                    **self.facts_of_leg(leg), label=label, whole=whole
                )
            case events.MessageFailed(leg=leg, label=label, reason=reason):
                return leg_payloads.MessageFailedPayload(
                    **self.facts_of_leg(leg), label=label, reason=reason
                )
            case events.CoachJoined(leg=leg, coached=coached, mode=mode):
                return leg_payloads.CoachJoinedPayload(
                    **self.facts_of_leg(leg), coached_leg_id=coached, mode=mode
                )
            case events.CoachModeChanged(leg=leg, mode=mode):
                return leg_payloads.CoachModeChangedPayload(**self.facts_of_leg(leg), mode=mode)
            case events.KeyReceived(leg=leg, key=key):
                return leg_payloads.KeysReceivedPayload(**self.facts_of_leg(leg), keys=key)
            case events.KeySent(leg=leg, key=key, pending=pending):
                return leg_payloads.KeySentPayload(
                    **self.facts_of_leg(leg), key=key, pending=pending
                )
            case events.KeysFailed(leg=leg, keys=keys, reason=reason):
                return leg_payloads.KeysFailedPayload(
                    **self.facts_of_leg(leg), keys=keys, reason=reason
                )
            case events.OptionRun(button=button):
                return payloads.OptionUsedPayload(**self._call(), button=button)
            case events.OptionFailed(button=button, reason=reason):
                return payloads.OptionFailedPayload(**self._call(), button=button, reason=reason)
            case events.ContactSaved(number=number):
                return payloads.ContactSavedPayload(**self._call(), phone_number=number)
            case events.ContactBlocked(number=number):
                return payloads.ContactBlockedPayload(**self._call(), phone_number=number)
            case events.OperationStarted(operation=operation, branch=branch, number=place):
                return payloads.OperationStartedPayload(
                    **self._call(), operation=operation, branch=branch, number=place
                )
            case events.QueueEntered(leg=leg, queue=queue, position=position):
                return leg_payloads.QueueEnteredPayload(
                    **self.facts_of_leg(leg), queue=queue, position=position
                )
            case events.QueueLeft(leg=leg, queue=queue, waited=waited, reached=reached):
                return leg_payloads.QueueLeftPayload(
                    **self.facts_of_leg(leg),
                    queue=queue,
                    wait_time_duration=whole_seconds(waited),
                    reached=reached,
                )
            case events.RouteAnswered(codes=codes, phones=phones):
                return payloads.RouteAnsweredPayload(**self._call(), codes=codes, phones=phones)
            case events.RouteFailed(reason=reason):
                return payloads.RouteFailedPayload(**self._call(), reason=reason)
            case _:
                return None

    def _call(self, about: _Leg | None = None) -> _Facts:
        """What every event tells; ``about``: the leg it is about."""
        caption = self._caption
        operator = about if about and about.role is not Role.CONTACT else self._operator
        asked, contact = caption.employee, caption.contact
        return {
            "direction": caption.direction.value,
            "method": caption.method,
            "start_time": self._start_time,
            "virtual_phone_number": caption.virtual_number,
            "contact_phone_number": caption.contact_number,
            "contact_id": contact.id if contact else None,
            "contact_full_name": contact.full_name if contact else None,
            "contact_group_ids": contact.groups if contact else (),
            "employee_id": operator.employee if operator else asked.id if asked else None,
            "employee_full_name": operator.name if operator else asked.full_name if asked else None,
            "employee_phone_number": operator.phone if operator else self._phone_of_asked(),
        }

    def facts_of_leg(self, leg: LegId) -> _Facts:
        """What every event of a leg tells."""
        about = self._leg(leg)
        return {
            **self._call(about),
            "leg_id": leg,
            "role": about.role.value,
            "calling_phone_number": about.calling,
            "called_phone_number": about.called,
        }

    def _of_recording(self, recording: RecordingId) -> _Facts:
        begun = self._recordings.get(recording)
        record, legs = (begun.record, begun.legs) if begun else ("", ())
        return {"recording_id": recording, "record_id": record, "leg_ids": legs}

    def _leg(self, leg: LegId) -> _Leg:
        return self._legs.get(leg, _UNKNOWN)

    def _marks(self) -> _Facts:
        return {"tag_ids": tuple(self._tags), "tag_names": tuple(self._tags.values())}

    def _phone_of_asked(self) -> str | None:
        """The phone rung last of the employee the call was asked for."""
        asked = self._caption.employee
        phones = [leg.phone for leg in self._legs.values() if asked and leg.employee == asked.id]
        return phones[-1] if phones else None

    def _rung(self) -> tuple[int, ...]:
        """The employees that were rung, in that order."""
        rung = (leg for leg in self._legs.values() if leg.role is not Role.CONTACT)
        return tuple(dict.fromkeys(leg.employee for leg in rung if leg.employee is not None))


def notices(story: Iterable[SessionEvent], *, after: int = 0) -> list[Notice]:
    """Tell a whole story, or what of it comes ``after`` a sequence number.

    Raises ValueError if it does not begin with SessionStarted.
    """
    told, fold = [], None
    for event in story:
        if fold is None:
            if not isinstance(event, events.SessionStarted):
                raise ValueError("a session's story begins with SessionStarted")
            fold = EventFold(event)
        if event.sequence <= after:
            fold.take(event)
        elif notice := fold.tell(event):
            told.append(notice)
    return told


class EventFolds:
    """A `EventFold` for each live session, so that many sessions' events can be told as they come.

    A session whose beginning was not heard is not told of. At most so many are kept as are live.
    ``recent``: hears what is told, too.
    """

    def __init__(self, recent: RecentNotices | None = None) -> None:
        self._live: dict[SessionId, EventFold] = {}
        self._recent = recent or RecentNotices()

    def tell(self, event: SessionEvent, *, to: Container[AccountId] | None = None) -> Notice | None:
        """Like `EventFold.tell`; ``to``: the accounts where somebody listens, None: all of them.

        What nobody listens to may be told as well, for webhooks.
        """
        if isinstance(event, events.SessionStarted):
            self._live[event.session] = EventFold(event)
        fold = self._live.get(event.session)
        if isinstance(event, events.SessionFinished):
            self._live.pop(event.session, None)
        if fold is None:
            return None
        if to is None or fold.account in to or fold.account in self._recent:
            notice = fold.tell(event)
            self._recent.hear(event, fold.account, notice)
            return notice
        fold.take(event)
        return None


def _data_of(payload: Payload) -> dict[str, JsonValue]:
    data = {name: getattr(payload, name) for name in _names(payload.type)}
    for name, value in data.items():
        if type(value) not in _PLAIN:
            data[name] = _json(value)
    return data


_PLAIN = (str, int, type(None), float, bool)


@cache
def _names(kind: str) -> tuple[str, ...]:
    """The names of the facts of a type."""
    return tuple(one.name for one in fields(TYPES[kind]))


def _json(value: object) -> JsonValue:
    match value:
        case tuple():
            return [_json(one) for one in value]
        case None | bool() | int() | float() | str():
            return value
    assert is_dataclass(value)
    assert not isinstance(value, type)
    return asdict(value)
