"""Protocol between service and media worker: commands and events of the media as lines.

A line is a name and its arguments as JSON. The tables are read off `MediaEngine` and `MediaEvent`:
what is added there is known here. What comes in is validated against the types it is declared with;
a media worker handles bytes of strangers, and whoever talks to it need not believe it blindly.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import Parameter, isfunction, signature
from typing import Any, TypeVar, get_args, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import to_json

from callwright import logs
from callwright.engines.media.media import MediaEngine, MediaEvent
from callwright.engines.port import LegId
from callwright.engines.quality import Quality

Value = TypeVar("Value")

# What stands in a line may be a key: it is not to be read in the message of an error.
_BYTES = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64", hide_input_in_errors=True)


class BadLine(Exception):
    """A line that says nothing this side knows."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker is told first."""

    lost_after: float
    "Seconds; see `callwright.engines.media.media.MediaLost`."
    log_level: int
    "Of Python's logging."
    log_format: logs.Format = "text"
    kernel_relay: bool = False
    "Whether the kernel is to relay talks."


Qualities = list[tuple[LegId, Quality]]
"How the audio of legs has come over so far; a worker tells it once a second."


Sending = tuple[int, int]
"How many packets were sent in their slots, and how many of them late; told as often."


Relayed = int
"How many streams the kernel relays for a worker; told as often."


class _Command:
    """A method of `MediaEngine`, with the types of its arguments."""

    def __init__(self, method: Any) -> None:
        hints = get_type_hints(method)
        parameters = list(signature(method).parameters.values())[1:]
        kinds: Any = tuple(hints[each.name] for each in parameters)
        self._arguments: TypeAdapter[tuple[Any, ...]] = TypeAdapter(tuple[kinds], config=_BYTES)
        self._words = [p.name for p in parameters if p.kind is Parameter.KEYWORD_ONLY]

    def give(self, method: Any, arguments: bytes) -> None:
        values = self._arguments.validate_json(arguments)
        plain = len(values) - len(self._words)
        method(*values[:plain], **dict(zip(self._words, values[plain:], strict=True)))


_NOT_GIVEN = ("run", "open", "keep_time")
"``open`` goes with two sockets, and has a place of its own; a worker's loop is all its own."
_COMMANDS: Mapping[str, _Command] = {
    name: _Command(method)
    for name, method in vars(MediaEngine).items()
    if isfunction(method) and not name.startswith("_") and name not in _NOT_GIVEN
}
_EVENTS: Mapping[str, TypeAdapter[MediaEvent]] = {
    kind.__name__: TypeAdapter(kind) for kind in get_args(MediaEvent)
}
_QUALITIES: TypeAdapter[Qualities] = TypeAdapter(Qualities)
_SENDING: TypeAdapter[Sending] = TypeAdapter(Sending)
_RELAYED: TypeAdapter[Relayed] = TypeAdapter(Relayed)
_SETUP: TypeAdapter[Setup] = TypeAdapter(Setup)
_LEG: TypeAdapter[LegId] = TypeAdapter(LegId)


def line(name: str, value: object) -> bytes:
    return b"%s %s" % (name.encode(), to_json(value, bytes_mode="base64"))


def event_line(event: MediaEvent) -> bytes:
    return line(type(event).__name__, event)


def read_setup(said: bytes) -> Setup:
    """Raises `BadLine`."""
    return _read(_SETUP, said)


def read_qualities(said: bytes) -> Qualities:
    """Raises `BadLine`."""
    return _read(_QUALITIES, said)


def read_sending(said: bytes) -> Sending:
    """Raises `BadLine`."""
    return _read(_SENDING, said)


def read_relayed(said: bytes) -> Relayed:
    """Raises `BadLine`."""
    return _read(_RELAYED, said)


def read_leg(said: bytes) -> LegId:
    """Raises `BadLine`."""
    return _read(_LEG, said)


def read_event(name: bytes, said: bytes) -> MediaEvent:
    """Raises `BadLine`."""
    kind = _EVENTS.get(name.decode(errors="replace"))
    if kind is None:
        raise BadLine(f"no event is called {name[:40]!r}")
    return _read(kind, said)


def carry_out(engine: MediaEngine, name: bytes, said: bytes) -> None:
    """Give a command to the engine. Raises `BadLine`, and what the engine raises."""
    called = name.decode(errors="replace")
    command = _COMMANDS.get(called)
    if command is None:
        raise BadLine(f"no command is called {name[:40]!r}")
    try:
        command.give(getattr(engine, called), said)
    except ValidationError as fault:
        raise BadLine(str(fault)) from fault


def _read(kind: TypeAdapter[Value], said: bytes) -> Value:
    try:
        return kind.validate_json(said)
    except ValidationError as fault:
        raise BadLine(str(fault)) from fault
