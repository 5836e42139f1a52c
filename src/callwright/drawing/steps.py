"""Steps of a call, for its ladder: who told whom what, in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum

from callwright.drawing.call import PHONES, Call, Entry, Who
from callwright.texts import N_, Say


class Kind(StrEnum):
    """What sort of step it is, for colours."""

    SIGNAL = "signal"
    SOUND = "sound"
    KEY = "key"
    TALK = "talk"
    END = "end"


@dataclass(frozen=True, slots=True)
class Step:
    """One rung of the ladder. ``source`` and ``to`` are the same where nothing is sent."""

    offset: float
    source: Who
    to: Who
    kind: Kind
    text: str
    both_ways: bool = False


class Way(Enum):
    """Which way a step goes."""

    OUT = "from us to the phone"
    IN = "from the phone to us"
    OWN = "it is ours alone"


# How a phone that was not reached, or that left, is spoken of, by the leg's cause.
LEAVING = {
    "hung_up": N_("hangs up"),
    "busy": N_("is busy"),
    "no_answer": N_("does not answer"),
    "rejected": N_("declines"),
    "wrong_number": N_("no such number"),
    "unreachable": N_("cannot be reached"),
    "media_lost": N_("has gone silent"),
    "channels_busy": N_("is in a call already"),
    "not_confirmed": N_("does not take the call"),
}

STEPS: Mapping[str, tuple[Way, Kind, str]] = {
    "session_started": (Way.OWN, Kind.SIGNAL, N_("request accepted")),
    "leg_started": (Way.OUT, Kind.SIGNAL, N_("call from {entry.calling_number}")),
    "leg_rang": (Way.IN, Kind.SIGNAL, N_("rings")),
    "early_media_heard": (Way.IN, Kind.SOUND, N_("early media")),
    "leg_answered": (Way.IN, Kind.SIGNAL, N_("answers")),
    "message_started": (Way.OUT, Kind.SOUND, N_("message: {entry.label}")),
    "message_finished": (Way.OUT, Kind.SOUND, N_("message ends")),
    "message_failed": (Way.OUT, Kind.END, N_("message left out")),
    "music_started": (Way.OUT, Kind.SOUND, N_("music: {entry.label}")),
    "music_stopped": (Way.OUT, Kind.SOUND, N_("music stops")),
    "early_media_joined": (Way.OUT, Kind.SOUND, N_("hears early media")),
    "key_sent": (Way.OUT, Kind.KEY, N_("key {entry.key}")),
    "key_received": (Way.IN, Kind.KEY, N_("key {entry.key}")),
    "keys_failed": (Way.OUT, Kind.END, N_("keys do not get there")),
    "leg_ended": (Way.OUT, Kind.END, N_("is hung up")),
    "hold_started": (Way.OUT, Kind.SOUND, N_("is held")),
    "hold_finished": (Way.OUT, Kind.SOUND, N_("is held no more")),
    "transfer_finished": (Way.IN, Kind.END, N_("has handed over")),
    "coach_joined": (Way.OWN, Kind.TALK, N_("a coach is there")),
    "coach_mode_changed": (Way.OWN, Kind.TALK, N_("a coach is there")),
    "leg_muted": (Way.OUT, Kind.SOUND, N_("is muted or heard again")),
    "recording_started": (Way.OWN, Kind.SOUND, N_("recording begins")),
    "recording_ready": (Way.OWN, Kind.SOUND, N_("recording is ready")),
    "recording_failed": (Way.OWN, Kind.END, N_("recording failed")),
    "option_failed": (Way.OWN, Kind.END, N_("talk option failed")),
    "tag_set": (Way.OWN, Kind.SIGNAL, N_("tag {entry.name}")),
    "tag_removed": (Way.OWN, Kind.SIGNAL, N_("tag {entry.name} is taken off")),
    "contact_saved": (Way.OWN, Kind.SIGNAL, N_("the number is to be kept")),
    "contact_blocked": (Way.OWN, Kind.SIGNAL, N_("the number is blacklisted")),
    "operation_started": (Way.OWN, Kind.SIGNAL, N_("next step of the scenario")),
    "queue_entered": (Way.OWN, Kind.SOUND, N_("waits in a queue")),
    "queue_left": (Way.OWN, Kind.SOUND, N_("leaves the queue")),
    "route_answered": (Way.OWN, Kind.SIGNAL, N_("the customer's server has answered")),
    "route_failed": (Way.OWN, Kind.END, N_("the customer's server has not answered")),
    "call_lost": (Way.OWN, Kind.END, N_("the call is lost")),
}
SILENT = {"state_entered", "option_run"}
"What these mean for the phones is told by other events."


# What is otherwise where the phone has called in: the call began with it, and we answer.
STEPS_OF_CALLERS: Mapping[str, tuple[Way, Kind, str]] = {
    "session_started": (Way.OWN, Kind.SIGNAL, N_("a call comes in")),
    "leg_started": (Way.IN, Kind.SIGNAL, N_("calls {entry.called_number}")),
    "leg_answered": (Way.OUT, Kind.SIGNAL, N_("is answered")),
}


def steps(call: Call, say: Say = str) -> list[Step]:
    """The ladder of the call so far; ``say`` translates its words."""
    roles, callers = call.roles, call.callers
    came_in = bool(callers) and callers[0] == next(iter(roles), None)
    rungs = (
        _step(entry, roles, say, entry.leg in callers if entry.leg is not None else came_in)
        for entry in call.timeline
    )
    return [rung for rung in rungs if rung]


def _step(entry: Entry, roles: Mapping[int, Who], say: Say, of_caller: bool) -> Step | None:
    us = Who.CALLWRIGHT
    phone = roles.get(entry.leg or 0, us)
    match entry.event:
        case "talk_started" | "talk_finished":
            return _talk(entry, roles, say)
        case "leg_ended" if entry.cause in LEAVING:
            return Step(entry.offset, phone, us, Kind.END, say(LEAVING[entry.cause]))
        case "message_finished" if not entry.whole:
            return Step(entry.offset, us, phone, Kind.SOUND, say(N_("message is cut")))
        case "session_finished":
            return Step(entry.offset, us, us, Kind.END, entry.finish_reason)
        case name if name in SILENT:
            return None
    if entry.event not in STEPS:
        return Step(entry.offset, us, us, Kind.SIGNAL, entry.event.replace("_", " "))
    usual = STEPS[entry.event]
    way, kind, words = STEPS_OF_CALLERS.get(entry.event, usual) if of_caller else usual
    source, to = {Way.OUT: (us, phone), Way.IN: (phone, us), Way.OWN: (us, us)}[way]
    return Step(entry.offset, source, to, kind, say(words).format(entry=entry))


def _talk(entry: Entry, roles: Mapping[int, Who], say: Say) -> Step:
    one, other = _pair(entry, roles)
    words = N_("they talk") if entry.event == "talk_started" else N_("they talked {seconds} s")
    text = say(words).format(seconds=f"{entry.duration:.1f}")
    return Step(entry.offset, one, other, Kind.TALK, text, both_ways=True)


def _pair(entry: Entry, roles: Mapping[int, Who]) -> tuple[Who, Who]:
    """Who talks, from left to right."""
    there = {roles[leg] for leg in entry.legs if leg in roles}
    match [who for who in Who if who in there]:
        case [one, other]:
            return one, other
    return PHONES
