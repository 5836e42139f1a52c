"""Call plans: what the client asked for, checked and frozen."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NewType, Protocol

from callwright.engines.port import Address, Media

if TYPE_CHECKING:
    from callwright.calls.options import Options

SessionId = NewType("SessionId", int)

SOURCES = {
    "start.employee_call": "callapi_management_call",
    "start.simple_call": "callapi_management_call",
    "start.multi_call": "callapi_management_call",
    "start.vnumber_call": "callapi_scenario_call",
    "start.scenario_call": "callapi_scenario_call",
    "start.informer_call": "callapi_informer_call",
    "inbound": "va",
    "phone": "sip",
}
"""Sources of sessions by method; ``va``: somebody has called a virtual number, ``sip``: an employee
has called from a phone that registers."""


class Role(StrEnum):
    """What a party is in a session."""

    CONTACT = "contact"
    EMPLOYEE = "employee"
    "Or an operator: whoever talks with the contact first."
    THIRD = "third"
    "Somebody the employee consults, or hands the contact over to."
    COACH = "coach"


class Direction(StrEnum):
    IN = "in"
    OUT = "out"


class MessageUnavailable(Exception):
    """A message cannot be played; the text says why."""


class Message(Protocol):
    """Something to be played. Made when the request is accepted, so that no phone waits for it."""

    @property
    def label(self) -> str:
        """For the timeline: ``media 2561``, ``tts``."""

    @property
    def is_tts(self) -> bool:
        """True for spoken text, over which ``switch_at_once`` has no power (choreography 1.4)."""

    @property
    def is_ready(self) -> bool:
        """Whether `audio` need not wait."""

    async def audio(self) -> Media:
        """Return the audio, waiting if it is still being made. Raises `MessageUnavailable`."""


@dataclass(frozen=True, slots=True)
class RecordedMessage:
    """A message or music from a media file."""

    media: Media
    label: str
    is_tts: bool = False
    is_ready: bool = True

    async def audio(self) -> Media:
        return self.media


@dataclass(frozen=True, slots=True)
class EmployeeRef:
    id: int
    full_name: str


@dataclass(frozen=True, slots=True)
class GroupRef:
    """A group of employees because of which a phone is rung."""

    id: int
    name: str
    channels: int
    "Calls it may be in at once."


@dataclass(frozen=True, slots=True)
class ContactRef:
    """Somebody outside whom the account knows."""

    id: int
    full_name: str
    groups: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ScenarioRef:
    """The scenario that a call begins with, as it was called then."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A key that takes the call: whoever answers is asked for it, so that no voicemail wins."""

    keys: frozenset[str]
    "Any of these will do; others are passed over. None: whoever hears the messages out has it."
    prompt: Message | None
    "Played once while a key is waited for."
    within: float
    """Seconds from the answer, the last key sent to the phone or the end of the messages, whichever
    is last; then the phone is given up."""
    messages: Sequence[Message] = ()
    "Played one after another before that. A key that is pressed meanwhile cuts them, and counts."


@dataclass(frozen=True, slots=True)
class TimedKey:
    """One DTMF key and when it is due."""

    key: str
    after: float
    "Seconds from the answer."


AdmittedAddress = NewType("AdmittedAddress", Address)
"""An address that may be rung. Only the admission of dialled numbers makes one; nothing else can be
rung, so that no way to ring somebody can leave the check out."""


@dataclass(frozen=True, slots=True)
class Target:
    """One phone to ring."""

    address: AdmittedAddress
    caller_id: str
    "Number the phone is shown."
    within: float
    "Seconds it is rung."
    employee: EmployeeRef | None = None
    "Whose phone it is, if it is an employee's."
    confirmation: Confirmation | None = None
    "What it takes the call by; None: by answering."
    conversation: "Conversation | None" = None
    "What holds if it is this phone that talks; None: what holds for the whole call."
    channels: int | None = None
    "Calls it may be in at once; None: any number, as far as we know."
    group: GroupRef | None = None
    keys: Sequence[TimedKey] = ()
    "Sent to this phone, such as those of an extension behind it. Only a confirmation waits for it."


@dataclass(frozen=True, slots=True)
class RingGroup:
    """Phones of which several ring at once; the first that takes the call wins."""

    targets: Sequence[Target]
    "In the order they are rung."
    lines_start: int = 1
    "Phones that ring at once from the start; one that fails leaves its line to the next phone."
    lines_limit: int = 1
    "To how many lines the group grows."
    increment: int = 1
    "Lines added with each wave."
    wave_after: float = 10.0
    "Seconds from one wave to the next."


@dataclass(frozen=True, slots=True)
class Caption:
    """What marks a session in lists, events and reports; has no effect on the line."""

    account: int
    method: str
    direction: Direction
    virtual_number: str
    contact_number: str
    external_id: str | None
    dtmf_string: str
    "As the client gave it; empty if it gave none."
    employee: EmployeeRef | None
    "Whom the call was asked for."
    contact: ContactRef | None = None
    "Who the contact is, if the account knows its number."
    scenario: ScenarioRef | None = None
    "What it runs, if it runs one from its beginning."

    def name_of(self, number: str) -> str:
        """The name of whoever has a number, as far as it is known; empty: it is not."""
        return self.contact.full_name if self.contact and number == self.contact_number else ""

    @property
    def source(self) -> str:
        """What has brought the session about, in the words of the published API."""
        return SOURCES.get(self.method, "callapi")


@dataclass(frozen=True, slots=True)
class Conversation:
    """What holds once two parties talk, whichever way they came together."""

    waiting_music: Message
    ringback: Message
    "What the employee hears while a third party is rung."
    at_most: float
    "Seconds the parties may be together, holds and transfers included."
    recorded: bool = False
    "The employee's calls are always recorded; no client can turn that off."
    options: "Options" = field(default_factory=dict)
    "What the employee can do by keys during the talk."


@dataclass(frozen=True, slots=True)
class EmployeeCall:
    """Ring an employee, or operator, and a contact, one after the other, and join them."""

    caption: Caption
    first: Role
    contact: Target
    employee: Sequence[RingGroup]
    "Rung one after another until somebody takes the call; an employee's phones are one group."
    switch_at_once: bool
    early_switching: bool
    contact_message: Message | None
    employee_message: Message | None
    keys: Sequence[TimedKey]
    "Sent to the contact, counted from the contact's answer."
    conversation: Conversation

    @property
    def joins_on_answer(self) -> bool:
        """Whether the two talk as soon as both have answered, without the contact's message."""
        if self.contact_message and self.contact_message.is_tts:
            return False
        return self.switch_at_once


@dataclass(frozen=True, slots=True)
class InformerCall:
    """Ring a contact, play a message, and hang up."""

    caption: Caption
    contact: Target
    message: Message
    keys: Sequence[TimedKey]
    "Sent to the contact, counted from the answer; those due after the message are not sent."
    waiting_music: Message | None = None
    "Heard if the message is still being made into speech."


Plan = EmployeeCall | InformerCall
