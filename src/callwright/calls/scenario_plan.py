"""Scenario plans: what happens to a contact, operation by operation, ready to be carried out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from callwright.calls.ending import Ending
from callwright.calls.plan import (
    Caption,
    Conversation,
    EmployeeCall,
    Message,
    RingGroup,
    SessionId,
    Target,
)
from callwright.engines.port import Cause, LegId
from callwright.engines.trail import FRESH, Trail

Label = str
"Name of a branch, which is a list of operations; empty for the scenario's own list."

START: Label = ""

Member = Sequence[Target]
"One person to ring: the phones, in their order."


@dataclass(frozen=True, slots=True)
class Play:
    """The contact hears a message to its end."""

    message: Message


@dataclass(frozen=True, slots=True)
class Menu:
    """The contact chooses a branch by a key, also while the message is still heard."""

    message: Message | None
    keys: Mapping[str, Label]
    within: float
    "Seconds after the message in which a key counts."
    repeats: int
    "How often the message is repeated after no key or a wrong one."
    otherwise: Label | None
    "Where it goes on without a right key; None: with the next operation."


@dataclass(frozen=True, slots=True)
class Ring:
    """People are rung while the contact hears music; then they talk.

    Who is not reached is followed by the next operation.
    """

    groups: Sequence[RingGroup]
    "Rung one after another."
    message: Message | None
    "Heard by whoever answers, before the talk."
    then: Label | None
    "Where the contact goes on after the talk if the other leaves; None: nowhere, the call ends."


@dataclass(frozen=True, slots=True)
class Announcement:
    every: float
    "Seconds from one to the next; the first comes at once."
    spoken: Callable[[int], Message]
    "The message for a place in the queue, counted from 1."


@dataclass(frozen=True, slots=True)
class Queue:
    """The contact waits until one of several people is free and answers; then they talk."""

    name: str
    "Operations that name the same queue of an account share it."
    people: Sequence[Member]
    places: int
    "How many wait at most; one more goes on with the next operation."
    at_most: float
    "Seconds the contact waits; then it goes on with the next operation."
    rest: float
    "Seconds somebody who did not answer is left alone by the queue."
    music: Message
    announcement: Announcement | None
    message: Message | None
    then: Label | None


@dataclass(frozen=True, slots=True)
class Question:
    """What a customer's URL is told of a call."""

    session: SessionId
    start_time: datetime
    "UTC, aware."
    keys: str
    "What the contact has typed."
    contact: str
    virtual_number: str


@dataclass(frozen=True, slots=True)
class Route:
    """Where a customer's URL says that a call goes."""

    codes: Sequence[str] = ()
    "Branches to be followed, one after another."
    groups: Sequence[RingGroup] = ()
    message: Message | None = None
    "For the contact."
    operator_message: Message | None = None


class NoRoute(Exception):
    """The URL has not answered in time, or not with a route; the text says what was wrong."""


class Router(Protocol):
    async def route(self, question: Question) -> Route:
        """Ask where a call goes. Raises `NoRoute`."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A customer's URL says where the call goes: to a branch, or to phones, which are rung."""

    router: Router
    message: Message | None
    "Heard by the contact before, while it may type keys already."
    digits: int
    "Keys the contact may type, ended early by ``#``; 0: none."
    returned: Mapping[str, Label]
    otherwise: Label | None
    "Where it goes on without an answer; None: with the next operation."
    then: Label | None


@dataclass(frozen=True, slots=True)
class Voicemail:
    """The contact leaves a message, ended by ``#`` or by hanging up."""

    message: Message | None
    beep: Message | None
    at_most: float
    "Seconds."


@dataclass(frozen=True, slots=True)
class HangUp:
    pass


Operation = Play | Menu | Ring | Queue | Ask | Voicemail | HangUp


@dataclass(frozen=True, slots=True)
class PreparedScenario:
    branches: Mapping[Label, Sequence[Operation]]

    @property
    def operations(self) -> Sequence[Operation]:
        """The list it begins with."""
        return self.branches[START]


@dataclass(frozen=True, slots=True)
class ScenarioCall:
    """Ring a contact, and let a scenario say whom it talks with."""

    asked: EmployeeCall
    "What the request says of both; its ``employee`` is empty, the scenario knows whom to ring."
    scenario: PreparedScenario

    @property
    def caption(self) -> Caption:
        return self.asked.caption


@dataclass(frozen=True, slots=True)
class InboundCall:
    """Answer a call that has come in, and carry out the scenario of the number."""

    caption: Caption
    leg: LegId
    "The one that was offered."
    contact: Target
    "Who calls; its ``caller_id`` is the number that was called."
    scenario: PreparedScenario
    conversation: Conversation
    trail: Trail = FRESH


@dataclass(frozen=True, slots=True)
class RefusedCall:
    """Put a call that has come in on record, and refuse it."""

    caption: Caption
    leg: LegId
    contact: Target
    ending: Ending
    cause: Cause
    "What the caller is told."


@dataclass(frozen=True, slots=True)
class PhoneCall:
    """Ring whom an employee calls from its phone, answer the phone when he does, and join them."""

    caption: Caption
    leg: LegId
    "The one that was offered."
    employee: Target
    "Who calls; its ``caller_id`` is the number that was called."
    contact: Sequence[Target]
    conversation: Conversation
    trail: Trail = FRESH


OfferedCall = InboundCall | RefusedCall | PhoneCall
"Calls that come in."

ScenarioPlan = ScenarioCall | OfferedCall
