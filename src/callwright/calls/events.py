"""What has happened in a session: the facts that storage, notifications and clients are told.

Every event has the session's id, a sequence number without gaps from 1, and its time. The events
of a session are its record: `callwright.calls.record` folds them into what ``get.call`` shows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from callwright.calls.plan import Caption, Role, SessionId
from callwright.calls.state import State
from callwright.engines.port import LegId, RecordingId
from callwright.engines.quality import Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    session: SessionId
    sequence: int
    time: datetime
    "UTC, aware."
    offset: float
    "Seconds since the session began, by a clock that is never set back."


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted(Event):
    caption: Caption


@dataclass(frozen=True, slots=True, kw_only=True)
class LegStarted(Event):
    """A phone has been told to ring, or has called in."""

    leg: LegId
    role: Role
    calling_number: str
    called_number: str
    employee_id: int | None
    employee_full_name: str | None
    offered: bool = False
    "It has called in."


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRang(Event):
    leg: LegId


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyMediaHeard(Event):
    leg: LegId


@dataclass(frozen=True, slots=True, kw_only=True)
class LegAnswered(Event):
    leg: LegId


@dataclass(frozen=True, slots=True, kw_only=True)
class LegEnded(Event):
    leg: LegId
    finish_reason: str
    "In the API's words."
    cause: str
    "In the engine port's words."
    raw: str
    "What the far end said: ``486 Busy Here``."
    talk_duration: float
    "Seconds from answer to end; 0 if it was never answered."
    total_duration: float
    quality: Quality | None = None
    "How its audio came over; None if there was none."


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageStarted(Event):
    leg: LegId
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFinished(Event):
    leg: LegId
    label: str
    whole: bool
    "False: it was cut."


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFailed(Event):
    """A message could not be played; the call went on without it."""

    leg: LegId
    label: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MusicStarted(Event):
    leg: LegId
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MusicStopped(Event):
    leg: LegId
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySent(Event):
    leg: LegId
    key: str
    pending: str
    "What is still to be sent of the request's ``dtmf_string``."


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysFailed(Event):
    """Keys have not reached a party."""

    leg: LegId
    keys: str
    "In the form of a ``dtmf_string``."
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyReceived(Event):
    leg: LegId
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyMediaJoined(Event):
    """One party hears the early media of another (early switching)."""

    leg: LegId
    "The leg that hears."
    heard: LegId


@dataclass(frozen=True, slots=True, kw_only=True)
class StateEntered(Event):
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkStarted(Event):
    """Two legs hear each other: the contact's and an operator's, or two operators'."""

    legs: tuple[LegId, LegId]


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkFinished(Event):
    legs: tuple[LegId, LegId]
    duration: float
    "Seconds."


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldStarted(Event):
    leg: LegId
    "The one that is held."


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldFinished(Event):
    leg: LegId
    duration: float
    "Seconds."


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferFinished(Event):
    """One operator has handed the contact over to another."""

    leg: LegId
    "Of the one that left."
    to: LegId


@dataclass(frozen=True, slots=True, kw_only=True)
class CoachJoined(Event):
    leg: LegId
    coached: LegId
    mode: str
    "``listen``, ``whisper`` or ``barge``."


@dataclass(frozen=True, slots=True, kw_only=True)
class CoachModeChanged(Event):
    leg: LegId
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegMuted(Event):
    leg: LegId
    muted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingStarted(Event):
    recording: RecordingId
    legs: tuple[LegId, ...]
    "Left channel, right channel; a single one for a voicemail."
    file_name: str
    record: str = ""
    "The id clients know it by, which nobody can guess; older stories were given theirs."


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingReady(Event):
    """The file is complete, or as complete as it will ever be."""

    recording: RecordingId
    file_name: str
    duration: float
    fault: str = ""
    "Why there is no more of it; empty: it is whole."


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingFailed(Event):
    """There is nothing in the file, or no file."""

    recording: RecordingId
    file_name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TagSet(Event):
    tag: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRemoved(Event):
    """A tag has been taken off the session again."""

    tag: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionRun(Event):
    """An employee has used a talk option by its keys."""

    button: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionFailed(Event):
    button: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactSaved(Event):
    """The employee asks for the contact's number to be kept."""

    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactBlocked(Event):
    """The contact's number has come onto the account's blacklist."""

    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationStarted(Event):
    """The contact has come to an operation of its scenario."""

    operation: str
    "``play``, ``menu``, ``ring``, ``queue``, ``ask``, ``voicemail`` or ``hangup``."
    branch: str
    "Label of the list it stands in; empty for the scenario's own operations."
    number: int
    "Its place in the list, from 1."


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEntered(Event):
    leg: LegId
    queue: str
    position: int
    "From 1; 0: the queue is full, and the contact does not wait."


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLeft(Event):
    leg: LegId
    queue: str
    waited: float
    "Seconds."
    reached: bool
    "Whether somebody has taken the call."


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteAnswered(Event):
    """A customer's URL has said where the call goes."""

    codes: tuple[str, ...]
    phones: int
    "How many it gave."


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteFailed(Event):
    """A customer's URL has not said where the call goes; it takes the fallback branch."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLost(Event):
    """A call that had come in is over, and nobody has talked with the contact.

    Not where nobody was to: a caller on the blacklist, a number that no scenario serves, a call of
    ours that has come back.
    The last event before the verdict.
    """

    finish_reason: str
    "The verdict's."
    wait_duration: float
    "Seconds the contact has waited."


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFinished(Event):
    """The session's one verdict. Its last event, exactly once."""

    finish_reason: str
    ended_by: str
    "``contact``, ``employee``, ``third``, ``client`` or ``service``."
    fault: str
    "``nobody``, ``contact``, ``employee``, ``third``, ``network`` or ``service``."
    detail: str
    "For people; may be empty."
    wait_duration: float
    "Seconds until the talk began, or until the end if there was none."
    talk_duration: float
    "Seconds the contact has talked; holds are not counted, nor what is said meanwhile."
    total_duration: float


SessionEvent = (
    SessionStarted
    | LegStarted
    | LegRang
    | EarlyMediaHeard
    | LegAnswered
    | LegEnded
    | MessageStarted
    | MessageFinished
    | MessageFailed
    | MusicStarted
    | MusicStopped
    | KeySent
    | KeysFailed
    | KeyReceived
    | EarlyMediaJoined
    | StateEntered
    | TalkStarted
    | TalkFinished
    | HoldStarted
    | HoldFinished
    | TransferFinished
    | CoachJoined
    | CoachModeChanged
    | LegMuted
    | RecordingStarted
    | RecordingReady
    | RecordingFailed
    | TagSet
    | TagRemoved
    | OptionRun
    | OptionFailed
    | ContactSaved
    | ContactBlocked
    | OperationStarted
    | QueueEntered
    | QueueLeft
    | RouteAnswered
    | RouteFailed
    | CallLost
    | SessionFinished
)

Listener = Callable[[SessionEvent], None]
"Called at once, in order, for every event; must neither wait nor raise."
