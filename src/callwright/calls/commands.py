"""Commands: what a client may ask of a live session, and in which of its states.

A command that moves the call along waits in the session's inbox until the script takes it; one that
leaves the call where it is, is carried out at once. The table refuses all others.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from callwright.calls.plan import Message, Target
from callwright.calls.state import LIVE, State
from callwright.engines.port import CoachMode, LegId

if TYPE_CHECKING:
    from callwright.calls.party import Party
    from callwright.calls.plan import Conversation
    from callwright.calls.scenario_plan import PreparedScenario


@dataclass(frozen=True, slots=True)
class Hold:
    message: Message | None
    "Heard by the contact once, before the music."


@dataclass(frozen=True, slots=True)
class Unhold:
    pass


@dataclass(frozen=True, slots=True)
class MakeCall:
    """Ring a third party while the contact is held."""

    third: Sequence[Target]
    message: Message | None
    "Played to the third party before the employee is joined with it."


@dataclass(frozen=True, slots=True)
class TransferTalk:
    """Join the contact with the third party; the employee leaves."""


@dataclass(frozen=True, slots=True)
class RestoreTalk:
    """Join the contact with the employee again; the third party is dropped."""


@dataclass(frozen=True, slots=True)
class TransferCall:
    """Blind transfer: the employee leaves at once, the contact waits for the third party."""

    third: Sequence[Target]


@dataclass(frozen=True, slots=True)
class PhoneTransfer:
    """The employee's phone asks for a transfer, and keeps its call until the third party answers.

    No client can ask for it.
    """

    third: Sequence[Target]


@dataclass(frozen=True, slots=True)
class AttendedTransfer:
    """The employee's phone joins the contact with whom it talks in another call, and leaves.

    No client can ask for it.
    """

    take_over: "Callable[[], Party | None]"
    "Brings the other over, as the third party; None if nobody is there any more."


@dataclass(frozen=True, slots=True)
class RunScenario:
    """The employee leaves, a scenario leads the contact on."""

    scenario: "PreparedScenario"
    conversation: "Conversation"
    "What holds in its talks, unless it knows better who talks."


@dataclass(frozen=True, slots=True)
class AddCoach:
    coach: Sequence[Target]
    "Rung one after another."
    mode: CoachMode


@dataclass(frozen=True, slots=True)
class SetCoachMode:
    mode: CoachMode


@dataclass(frozen=True, slots=True)
class RecordTalk:
    on: bool


@dataclass(frozen=True, slots=True)
class Mute:
    leg: LegId
    muted: bool


@dataclass(frozen=True, slots=True)
class SendKey:
    key: str
    "One of ``0-9 * #``; the contact gets it."


@dataclass(frozen=True, slots=True)
class SetTag:
    tag: int
    name: str


@dataclass(frozen=True, slots=True)
class RemoveTag:
    tag: int


@dataclass(frozen=True, slots=True)
class DisconnectLeg:
    leg: LegId


Moving = (
    Hold
    | Unhold
    | MakeCall
    | TransferTalk
    | RestoreTalk
    | TransferCall
    | PhoneTransfer
    | AttendedTransfer
    | RunScenario
)
"Commands that the script takes."

Staying = AddCoach | SetCoachMode | RecordTalk | Mute | SendKey | SetTag | RemoveTag | DisconnectLeg
"Commands that leave the call where it is."

Command = Moving | Staying

ALLOWED: Mapping[type[Command], frozenset[State]] = {
    Hold: frozenset({State.TALK}),
    Unhold: frozenset({State.HOLD}),
    MakeCall: frozenset({State.HOLD}),
    TransferTalk: frozenset({State.DIALING, State.OPERATOR_TALK}),
    RestoreTalk: frozenset({State.DIALING, State.OPERATOR_TALK}),
    TransferCall: frozenset({State.TALK}),
    PhoneTransfer: frozenset({State.TALK, State.HOLD}),
    AttendedTransfer: frozenset({State.TALK, State.HOLD}),
    RunScenario: frozenset({State.TALK}),
    AddCoach: frozenset({State.TALK}),
    SetCoachMode: frozenset({State.TALK}),
    RecordTalk: frozenset({State.TALK}),
    Mute: LIVE,
    SendKey: LIVE,  # and the contact must have answered
    SetTag: LIVE,
    RemoveTag: LIVE,
    DisconnectLeg: LIVE,
}


class CommandRefused(Exception):
    """The command cannot be carried out; which of its kinds says why."""

    reason: ClassVar[str]
    "What ``option.failed`` says of it: the name of its kind, unless that has a word of its own."

    def __init_subclass__(cls, reason: str = "") -> None:
        cls.reason = reason or cls.__name__


class WrongState(CommandRefused):
    """It is not allowed in the session's state, or has come too late."""


class LegUnknown(CommandRefused):
    """The session has no live leg of that id."""


class NoCoach(CommandRefused):
    """Nobody coaches in this session."""


class AlreadyRecording(CommandRefused):
    pass


class NotRecording(CommandRefused):
    pass


class RecordingForced(CommandRefused):
    """The employee's calls are always recorded; a client cannot turn that off."""


class TagAlreadySet(CommandRefused, reason="DuplicateTag"):
    """The session has the tag already."""


class NoSuchTag(CommandRefused):
    """The session does not have the tag."""
