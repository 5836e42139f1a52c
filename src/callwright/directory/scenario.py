"""Scenarios as an account declares them: operations one after another, and branches by label.

The classes are at once what the directory file is checked against, what the database keeps as JSON,
and what the rest of the program reads: frozen values.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Literal, NewType

from pydantic import AfterValidator, ConfigDict, Field, PlainValidator, TypeAdapter, WithJsonSchema

ScenarioId = NewType("ScenarioId", int)

LABEL_PATTERN = r"^[a-z][a-z0-9_-]{0,31}$"
KEY_PATTERN = r"^[0-9*#]$"
NUMBER_PATTERN = r"^[0-9]{1,20}$"

Label = Annotated[str, Field(pattern=LABEL_PATTERN)]
START = ""
"Label of the scenario's own list of operations, which no operation can name."

POSITION = "{position}"
"Stands for the contact's place in an announcement."

# Not strict as a whole: a strict dataclass is taken from its own instances only, not from tables.
_CLOSED = ConfigDict(extra="forbid", strict=False)


def _said(value: object) -> int | str:
    """Take the id of a media file, or a text to be spoken."""
    match value:
        case bool():
            pass
        case int() if 1 <= value < 1 << 53:
            return value
        case str() if value.strip() and len(value) <= 500 and value.isprintable():
            return value
        case _:
            pass
    raise ValueError("the id of a media file is needed, or a text of at most 500 characters")


def _url(text: str) -> str:
    if not re.fullmatch(r"https?://[!-~]{1,2000}", text):
        raise ValueError("an address like https://crm.example.com/route is needed")
    return text


def _announcement(text: str) -> str:
    if POSITION not in text or not text.isprintable():
        raise ValueError(f"a text with {POSITION} in it is needed")
    return text


Said = Annotated[int | str, PlainValidator(_said), WithJsonSchema({"type": ["integer", "string"]})]
"A media file by its id, or a text to be spoken."

Key = Annotated[str, Field(pattern=KEY_PATTERN)]
Code = Annotated[str, Field(min_length=1, max_length=32)]
Number = Annotated[str, Field(pattern=NUMBER_PATTERN)]
GroupName = Annotated[str, Field(min_length=1, max_length=64)]
Id = Annotated[int, Field(ge=1, lt=1 << 53, strict=True)]


def _seconds(least: float, most: float) -> object:
    return Field(ge=least, le=most, strict=True)


Ids = Annotated[tuple[Id, ...], Field(max_length=50, strict=False)]
Numbers = Annotated[tuple[Number, ...], Field(max_length=50, strict=False)]
Shown = Literal["virtual", "contact"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayOperation:
    """The contact hears a message to its end."""

    __pydantic_config__ = _CLOSED

    do: Literal["play"] = "play"
    message: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuOperation:
    """The contact chooses a branch by a key."""

    __pydantic_config__ = _CLOSED

    do: Literal["menu"] = "menu"
    message: Said
    keys: Mapping[Key, Label]
    timeout: Annotated[float, _seconds(1, 60)] = 5.0
    "Seconds after the message in which a key counts."
    repeats: Annotated[int, Field(ge=0, le=9, strict=True)] = 2
    "How often the message is repeated."
    otherwise: Label | None = None
    "Branch without a right key; None: the next operation."


@dataclass(frozen=True, slots=True, kw_only=True)
class RingOperation:
    """People are rung; who is not reached is followed by the next operation."""

    __pydantic_config__ = _CLOSED

    do: Literal["ring"] = "ring"
    employees: Ids = ()
    numbers: Numbers = ()
    group: GroupName | None = None
    strategy: Literal["in_order", "at_once"] = "in_order"
    dial_time: Annotated[float, _seconds(1, 120)] | None = None
    "Seconds each phone is rung; None: the phone's own dial time."
    shown: Shown | None = None
    "What they are shown; None: the contact of an inbound call, else what the request says."
    message: Said | None = None
    "Heard by whoever answers, before the talk."
    then: Label | None = None
    "Branch after the talk when the other has left; None: the call ends."


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOperation:
    """The contact waits until one of several people is free and answers."""

    __pydantic_config__ = _CLOSED

    do: Literal["queue"] = "queue"
    name: Annotated[str, Field(min_length=1, max_length=64)]
    "Operations of one account that name the same queue share it."
    employees: Ids = ()
    numbers: Numbers = ()
    group: GroupName | None = None
    places: Annotated[int, Field(ge=1, le=1000, strict=True)] = 20
    "How many wait at most; one more goes on with the next operation."
    at_most: Annotated[float, _seconds(1, 7200)] = 600.0
    "Seconds the contact waits; then it goes on with the next operation."
    pause: Annotated[float, _seconds(1, 600)] = 10.0
    "Seconds somebody who did not answer is not rung again by the queue."
    announcement: Annotated[str, Field(max_length=500), AfterValidator(_announcement)] | None = None
    "Text with `{position}`, spoken at the beginning and then again and again."
    announce_every: Annotated[float, _seconds(10, 600)] = 30.0
    music: Id | None = None
    "Media file; None: the system's waiting music."
    dial_time: Annotated[float, _seconds(1, 120)] | None = None
    shown: Shown | None = None
    message: Said | None = None
    then: Label | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskOperation:
    """A customer's URL says where the call goes."""

    __pydantic_config__ = _CLOSED

    do: Literal["ask"] = "ask"
    url: Annotated[str, AfterValidator(_url)]
    method: Literal["GET", "POST"] = "POST"
    timeout: Annotated[float, _seconds(1, 30)] = 5.0
    "Seconds the answer may take."
    message: Said | None = None
    digits: Annotated[int, Field(ge=0, le=20, strict=True)] = 0
    "Keys the contact may type before."
    returned: Mapping[Code, Label] = Field(default_factory=dict)
    "Branches by the code that is returned."
    otherwise: Label | None = None
    "Branch when the URL gives no answer; None: the next operation."
    dial_time: Annotated[float, _seconds(1, 120)] | None = None
    shown: Shown | None = None
    then: Label | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicemailOperation:
    """The contact leaves a message."""

    __pydantic_config__ = _CLOSED

    do: Literal["voicemail"] = "voicemail"
    message: Said | None = None
    at_most: Annotated[float, _seconds(5, 600)] = 120.0
    "Seconds."
    beep: Annotated[bool, Field(strict=True)] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleOperation:
    """The time says which branch follows."""

    __pydantic_config__ = _CLOSED

    do: Literal["schedule"] = "schedule"
    schedule: Id
    during: Label | None = None
    "Branch while the schedule is active; None: the next operation."
    otherwise: Label | None = None
    "Branch at other times; None: the next operation."


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUpOperation:
    __pydantic_config__ = _CLOSED

    do: Literal["hangup"] = "hangup"


Operation = Annotated[
    PlayOperation
    | MenuOperation
    | RingOperation
    | QueueOperation
    | AskOperation
    | VoicemailOperation
    | ScheduleOperation
    | HangUpOperation,
    Field(discriminator="do"),
]
KINDS = ("play", "menu", "ring", "queue", "ask", "voicemail", "schedule", "hangup")


def _some(operations: tuple[Operation, ...]) -> tuple[Operation, ...]:
    # Not min_length, which complains beside every fault inside.
    if not 1 <= len(operations) <= 100:
        raise ValueError("1 to 100 operations are needed")
    return operations


Operations = Annotated[tuple[Operation, ...], Field(strict=False), AfterValidator(_some)]


@dataclass(frozen=True, slots=True)
class Scenario:
    id: ScenarioId
    name: str
    branches: Mapping[str, Sequence[Operation]]
    "Operations by label; those it begins with under `START`."


BRANCHES: TypeAdapter[Mapping[str, Sequence[Operation]]] = TypeAdapter(
    Mapping[str, tuple[Operation, ...]]
)
"How the operations of a scenario are told as JSON."


def ways(operation: Operation) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Where an operation may lead: the field that says so, in words when, and the label."""
    match operation:
        case MenuOperation(keys=keys, otherwise=otherwise):
            for key, label in keys.items():
                yield ("keys", key), f"key {key}", label
            if otherwise is not None:
                yield ("otherwise",), "no key", otherwise
        case ScheduleOperation(during=during, otherwise=otherwise):
            if during is not None:
                yield ("during",), "during the schedule", during
            if otherwise is not None:
                yield ("otherwise",), "at other times", otherwise
        case RingOperation(then=then) | QueueOperation(then=then):
            if then is not None:
                yield ("then",), "after the talk", then
        case AskOperation(returned=returned, otherwise=otherwise, then=then):
            for code, label in returned.items():
                yield ("returned", code), f"returned {code}", label
            if otherwise is not None:
                yield ("otherwise",), "no answer", otherwise
            if then is not None:
                yield ("then",), "after the talk", then
        case _:
            pass


def goes_on(operation: Operation) -> bool:
    """Whether the operation after this one in its list can ever be come to."""
    match operation:
        case HangUpOperation():
            return False
        case MenuOperation(otherwise=otherwise):
            return otherwise is None
        case ScheduleOperation(during=during, otherwise=otherwise):
            return during is None or otherwise is None
        case _:
            return True


def media_of(operation: Operation) -> Iterator[tuple[str, int]]:
    """The media files an operation plays, and the fields that name them."""
    for name, said in _heard(operation):
        if isinstance(said, int):
            yield name, said


def texts_of(operation: Operation) -> Iterator[tuple[str, str]]:
    """The texts an operation speaks, and the fields they stand in."""
    for name, said in _heard(operation):
        if isinstance(said, str):
            yield name, said


def _heard(operation: Operation) -> Iterator[tuple[str, object]]:
    for field in fields(operation):
        if field.name in ("message", "music"):
            yield field.name, getattr(operation, field.name)
