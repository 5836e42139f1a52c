"""A call as ``get.call`` tells it: the border between the API's JSON and what is drawn of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from callwright.texts import N_


class Who(StrEnum):
    """Those who act in a call; a phone's value is the role the API gives it."""

    COACH = N_("coach")
    THIRD = N_("third")
    EMPLOYEE = N_("employee")
    CALLWRIGHT = "callwright"
    CONTACT = N_("contact")


PHONES = (Who.EMPLOYEE, Who.CONTACT)
"Those of nearly every call."


def _known(role: object) -> object:
    return role if role in set(Who) else None


def _text(value: object) -> object:
    return "" if value is None else value


Text = Annotated[str, BeforeValidator(_text)]
"Null is an empty text."


class Entry(BaseModel):
    """One event of the timeline. Only the fields its kind of event has are filled."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    time: datetime
    offset: float
    "Seconds since the session began."
    event: str
    leg: int | None = None
    legs: tuple[int, ...] = ()
    role: Annotated[Who | None, BeforeValidator(_known)] = None
    "None: it is nobody's event."
    calling_number: Text = ""
    called_number: Text = ""
    label: str = ""
    whole: bool = True
    reason: str = ""
    key: str = ""
    muted: bool = False
    offered: bool = False
    "The phone has called in."
    recording: int | None = None
    name: str = ""
    "Of a tag."
    cause: str = ""
    raw: str = ""
    finish_reason: str = ""
    ended_by: str = ""
    fault: str = ""
    detail: str = ""
    duration: float = 0.0
    wait_duration: float = 0.0
    talk_duration: float = 0.0
    total_duration: float = 0.0


def own_number(started: Entry) -> str:
    """The number of a phone, by the beginning of its leg."""
    return started.calling_number if started.offered else started.called_number


class Call(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    call_session_id: int
    state: str
    direction: str
    virtual_phone_number: str
    contact_phone_number: Text
    external_id: str | None
    finish_reason: str | None
    timeline: tuple[Entry, ...]

    @property
    def roles(self) -> Mapping[int, Who]:
        """Whose leg each is."""
        return {e.leg: e.role for e in self.timeline if e.leg is not None and e.role is not None}

    @property
    def callers(self) -> tuple[int, ...]:
        """The legs that have called in, in their order."""
        return tuple(e.leg for e in self.timeline if e.leg is not None and e.offered)

    @property
    def phones(self) -> tuple[Who, ...]:
        """Those who have a phone in it, in the order they are drawn; the usual two in any case."""
        there = {*PHONES, *self.roles.values()} - {Who.CALLWRIGHT}
        return tuple(who for who in Who if who in there)

    @property
    def verdict(self) -> Entry | None:
        """The session's last event, once there is one."""
        return self.first("session_finished")

    @property
    def duration(self) -> float:
        """Seconds from the session's beginning to its latest event."""
        return self.timeline[-1].offset if self.timeline else 0.0

    def first(self, event: str, who: Who | None = None) -> Entry | None:
        """The first event of that kind, of that party if ``who`` is given."""
        roles = self.roles
        for entry in self.timeline:
            if entry.event == event and (who is None or roles.get(entry.leg or 0) is who):
                return entry
        return None


class Sound(StrEnum):
    """What a phone hears in a span of time; the value is what people are shown."""

    RINGING = N_("rings")
    MESSAGE = N_("message")
    MUSIC = N_("music")
    EARLY_MEDIA = N_("early media")
    TALK = N_("talk")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time during which one phone hears one thing."""

    sound: Sound
    start: float
    end: float
    "Seconds since the session began; of a span that still lasts, the latest event's."
    label: str = ""
    open: bool = False
    "It still lasts."

    @property
    def length(self) -> float:
        return self.end - self.start


# Which events begin a sound on a leg, and which end what it hears.
BEGINS = {
    "leg_started": Sound.RINGING,
    "message_started": Sound.MESSAGE,
    "music_started": Sound.MUSIC,
    "early_media_joined": Sound.EARLY_MEDIA,
    "talk_started": Sound.TALK,
}
ENDS = {
    "leg_answered",
    "message_finished",
    "message_failed",
    "music_stopped",
    "talk_finished",
    "leg_ended",
}


def spans(call: Call, who: Who) -> list[Span]:
    """What one phone heard, in order of time. A new sound takes the place of the one before."""
    heard: list[Span] = []

    def close(at: float) -> None:
        if heard and heard[-1].open:
            heard[-1] = replace(heard[-1], end=at, open=False)

    roles = call.roles
    for entry in call.timeline:
        legs = entry.legs or ((entry.leg,) if entry.leg is not None else ())
        if who not in (roles.get(leg) for leg in legs):
            continue
        if entry.event in ENDS:
            close(entry.offset)
        elif sound := BEGINS.get(entry.event):
            close(entry.offset)
            heard.append(Span(sound, entry.offset, entry.offset, entry.label, open=True))
    if heard and heard[-1].open:
        heard[-1] = replace(heard[-1], end=call.duration)
    return heard
