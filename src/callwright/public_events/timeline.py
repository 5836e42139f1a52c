"""Timeline of a session: everything that has happened in it, in the words of the public events."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields

from pydantic import JsonValue

from callwright.calls import events
from callwright.calls.events import SessionEvent
from callwright.public_events.event_fold import EventFold
from callwright.public_events.notice import RecordingLink, iso, linked
from callwright.public_events.payloads import LegPayload, Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyMediaHeardPayload(LegPayload):
    """The phone sends audio before it has answered."""

    type = "early_media.heard"


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyMediaJoinedPayload(LegPayload):
    """A party hears the early media of another (`early_switching`)."""

    type = "early_media.joined"
    heard_leg_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MusicStartedPayload(LegPayload):
    """A party begins to hear music, or ringback."""

    type = "music.started"
    label: str
    "`media` and the id of the file, or what is played."


@dataclass(frozen=True, slots=True, kw_only=True)
class MusicStoppedPayload(LegPayload):
    """The music is over, for something else is to be heard or the party has left."""

    type = "music.stopped"
    label: str


TIMELINE_ONLY: tuple[type[Payload], ...] = (
    EarlyMediaHeardPayload,
    EarlyMediaJoinedPayload,
    MusicStartedPayload,
    MusicStoppedPayload,
)
"What is shown of a session and told to nobody: there is too much of it."

_OF_THE_CALL = frozenset(one.name for one in fields(Payload))
"They stand in the call itself."


def timeline(
    story: Iterable[SessionEvent], link: RecordingLink
) -> Iterator[Mapping[str, JsonValue]]:
    """Show a story, event by event; raises ValueError if it does not begin with SessionStarted."""
    fold: EventFold | None = None
    for event in story:
        if fold is None:
            if not isinstance(event, events.SessionStarted):
                raise ValueError("a session's story begins with SessionStarted")
            fold = EventFold(event)
        if notice := fold.tell(event):
            kind, facts = notice.type, linked(notice, link).data
        else:
            payload = _shown_only(event, fold)
            kind, facts = payload.type, asdict(payload)
        yield {
            "type": kind,
            "sequence": event.sequence,
            "time": iso(event.time),
            "offset": event.offset,
            **{name: fact for name, fact in facts.items() if name not in _OF_THE_CALL},
        }


def _shown_only(event: SessionEvent, fold: EventFold) -> Payload:
    match event:
        case events.EarlyMediaHeard(leg=leg):
            return EarlyMediaHeardPayload(**fold.facts_of_leg(leg))
        case events.EarlyMediaJoined(leg=leg, heard=heard):
            return EarlyMediaJoinedPayload(**fold.facts_of_leg(leg), heard_leg_id=heard)
        case events.MusicStarted(leg=leg, label=label):
            return MusicStartedPayload(**fold.facts_of_leg(leg), label=label)
        case events.MusicStopped(leg=leg, label=label):
            return MusicStoppedPayload(**fold.facts_of_leg(leg), label=label)
    raise AssertionError(f"{type(event).__name__} has no type")
