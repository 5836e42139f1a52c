"""Leg payloads: the types of public events that are about one leg.

What holds of all payloads is said in `callwright.public_events.payloads`, where those of the whole
call are.
"""

from dataclasses import dataclass

from callwright.engines.quality import Quality
from callwright.public_events.payloads import LegPayload


@dataclass(frozen=True, slots=True, kw_only=True)
class LegStartedPayload(LegPayload):
    """A phone has been told to ring, or has called in."""

    type = "leg.started"
    offered: bool
    "It has called in."


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRangPayload(LegPayload):
    """The phone says that it rings."""

    type = "leg.rang"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegAnsweredPayload(LegPayload):
    """The leg was answered."""

    type = "leg.answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegMutedPayload(LegPayload):
    """Nobody hears the leg any more."""

    type = "leg.muted"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegUnmutedPayload(LegPayload):
    """The leg is heard again."""

    type = "leg.unmuted"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegEndedPayload(LegPayload):
    """The leg is gone. Every leg that started ends, once."""

    type = "leg.ended"
    finish_reason: str
    "The leg's own; see [endings](choreography.md#7-endings)."
    cause: str
    """Why, in the words of the engine: `hung_up`, `busy`, `no_answer`, `rejected`, `wrong_number`,
    `unreachable`, `media_lost`, `not_confirmed`, `channels_busy`, `released`, `no_resources`,
    `loop`, `engine_lost`."""
    raw: str
    "What the far end said: `486 Busy Here`. Empty if it said nothing."
    talk_time_duration: int
    "From its answer to its end; 0 if it was never answered."
    total_time_duration: int
    quality: Quality | None
    "How its audio came over; null if there was none."


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageStartedPayload(LegPayload):
    """A party begins to hear a message."""

    type = "message.started"
    label: str
    "`tts`, or `media` and the id of the file."


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFinishedPayload(LegPayload):
    """A message is over."""

    type = "message.finished"
    label: str
    whole: bool
    "False: it was cut."


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFailedPayload(LegPayload):
    """A message could not be played; the call went on without it."""

    type = "message.failed"
    label: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldStartedPayload(LegPayload):
    """A party is held."""

    type = "hold.started"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldFinishedPayload(LegPayload):
    """A party is not held any more."""

    type = "hold.finished"
    hold_time_duration: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferFinishedPayload(LegPayload):
    """An operator, whose leg it is, has handed the contact over to another."""

    type = "transfer.finished"
    to_leg_id: int
    to_employee_id: int | None
    to_employee_full_name: str | None
    to_employee_phone_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CoachJoinedPayload(LegPayload):
    """A coach hears the talk."""

    type = "coach.joined"
    coached_leg_id: int
    mode: str
    "`listen`, `whisper` or `barge`."


@dataclass(frozen=True, slots=True, kw_only=True)
class CoachModeChangedPayload(LegPayload):
    """Who hears a coach has changed."""

    type = "coach.mode_changed"
    mode: str
    "`listen`, `whisper` or `barge`."


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysReceivedPayload(LegPayload):
    """A party has pressed keys; at most 500 are told of one session."""

    type = "keys.received"
    keys: str
    "`0-9 * # A-D`; one, as phones send them."


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySentPayload(LegPayload):
    """A key was sent to a party."""

    type = "key.sent"
    key: str
    pending: str
    "What is still to be sent of the request's `dtmf_string`."


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysFailedPayload(LegPayload):
    """Keys have not reached a party: they could not be sent, or its phone has refused them."""

    type = "keys.failed"
    keys: str
    "As in a `dtmf_string`; what was still to be sent of it, if the party has gone."
    reason: str
    "For people: `415 Unsupported Media Type to INFO`, `its leg has ended`."


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEnteredPayload(LegPayload):
    """The contact waits in a queue, or was not let in."""

    type = "queue.entered"
    queue: str
    position: int
    "From 1; 0: the queue is full, and the contact does not wait."


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLeftPayload(LegPayload):
    """The contact does not wait in the queue any more."""

    type = "queue.left"
    queue: str
    wait_time_duration: int
    reached: bool
    "Whether somebody has taken the call."
