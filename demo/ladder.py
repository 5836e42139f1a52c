"""The ladder of a call: who told whom what, step by step, and how a terminal shows it."""

from dataclasses import dataclass
from enum import StrEnum

from rich.text import Text

from demo.call import PHONES, Call, Entry, Sound, Who, spans


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


# How a phone that was not reached, or that left, is spoken of, by the leg's cause.
LEAVING = {
    "hung_up": "hangs up",
    "busy": "is busy",
    "no_answer": "does not answer",
    "rejected": "declines",
    "wrong_number": "no such number",
    "unreachable": "cannot be reached",
    "media_lost": "has gone silent",
}


def steps(call: Call) -> list[Step]:
    """The ladder of the call so far."""
    roles = call.roles
    rungs = (_step(entry, roles.get(entry.leg or 0)) for entry in call.timeline)
    return [rung for rung in rungs if rung]


def _step(entry: Entry, phone: Who | None) -> Step | None:
    us = Who.CALLWRIGHT

    def told(kind: Kind, text: str) -> Step:
        """A step from callwright to the phone."""
        return Step(entry.offset, us, phone or us, kind, text)

    def tells(kind: Kind, text: str) -> Step:
        """A step from the phone to callwright."""
        return Step(entry.offset, phone or us, us, kind, text)

    match entry.event:
        case "session_started":
            return Step(entry.offset, us, us, Kind.SIGNAL, "request accepted")
        case "leg_started":
            return told(Kind.SIGNAL, f"call from {entry.calling_number}")
        case "leg_rang":
            return tells(Kind.SIGNAL, "rings")
        case "early_media_heard":
            return tells(Kind.SOUND, "early media")
        case "leg_answered":
            return tells(Kind.SIGNAL, "answers")
        case "message_started":
            return told(Kind.SOUND, f"message: {entry.label}")
        case "message_finished":
            return told(Kind.SOUND, "message ends" if entry.whole else "message is cut")
        case "message_failed":
            return told(Kind.END, "message left out")
        case "music_started":
            return told(Kind.SOUND, f"music: {entry.label}")
        case "music_stopped":
            return told(Kind.SOUND, "music stops")
        case "early_media_joined":
            return told(Kind.SOUND, "hears early media")
        case "key_sent":
            return told(Kind.KEY, f"key {entry.key}")
        case "key_received":
            return tells(Kind.KEY, f"key {entry.key}")
        case "talk_started":
            return Step(entry.offset, *PHONES, Kind.TALK, "they talk", both_ways=True)
        case "talk_finished":
            text = f"they talked {entry.duration:.1f} s"
            return Step(entry.offset, *PHONES, Kind.TALK, text, both_ways=True)
        case "leg_ended" if entry.cause in LEAVING:
            return tells(Kind.END, LEAVING[entry.cause])
        case "leg_ended":
            return told(Kind.END, "is hung up")
        case "state_entered" | "option_run":
            return None  # What it means for the phones is told by other events.
        case "hold_started":
            return told(Kind.SOUND, "is held")
        case "hold_finished":
            return told(Kind.SOUND, "is held no more")
        case "transfer_finished":
            return tells(Kind.END, "has handed over")
        case "coach_joined" | "coach_mode_changed":
            return Step(entry.offset, us, us, Kind.TALK, "a coach is there")
        case "leg_muted":
            return told(Kind.SOUND, "is muted or heard again")
        case "recording_started":
            return Step(entry.offset, us, us, Kind.SOUND, "recording begins")
        case "recording_ready":
            return Step(entry.offset, us, us, Kind.SOUND, "recording is ready")
        case "recording_failed":
            return Step(entry.offset, us, us, Kind.END, "recording failed")
        case "option_failed":
            return Step(entry.offset, us, us, Kind.END, "talk option failed")
        case "session_finished":
            return Step(entry.offset, us, us, Kind.END, entry.finish_reason)
        case name:
            return Step(entry.offset, us, us, Kind.SIGNAL, name.replace("_", " "))


# The terminal: three lifelines in 80 columns.

COLUMN = {Who.EMPLOYEE: 11, Who.CALLWRIGHT: 42, Who.CONTACT: 73}
WIDTH = 80
STYLE = {
    Kind.SIGNAL: "default",
    Kind.SOUND: "yellow",
    Kind.KEY: "bold cyan",
    Kind.TALK: "bold green",
    Kind.END: "bold red",
}
LIFELINE = {
    None: ("│", "dim"),
    Sound.RINGING: ("┊", "default"),
    Sound.MESSAGE: ("┃", "yellow"),
    Sound.MUSIC: ("┃", "magenta"),
    Sound.EARLY_MEDIA: ("┃", "yellow"),
    Sound.TALK: ("┃", "green"),
}


def heading(call: Call) -> list[Text]:
    """Names and numbers over the lifelines."""
    numbers = {role: e.called_number for e in call.timeline if (role := e.role)}
    numbers |= {
        Who.CALLWRIGHT: call.virtual_phone_number,
        Who.CONTACT: call.contact_phone_number,
    }
    names, below = Text(" " * WIDTH, end=""), Text(" " * WIDTH, end="")
    for who, column in COLUMN.items():
        names = _written(names, column - len(who) // 2, who, "bold")
        number = numbers.get(who, "")
        below = _written(below, column - len(number) // 2, number, "dim")
    return [names, below]


def line(call: Call, step: Step) -> Text:
    """One rung as a line of `WIDTH` columns; lifelines show what each phone hears just then."""
    row = _written(Text(" " * WIDTH), 0, f"{step.offset:6.2f} s", "dim")
    for who, column in COLUMN.items():
        glyph, style = LIFELINE[hears(call, who, step.offset) if who in PHONES else None]
        row = _written(row, column, glyph, style)

    style, left, right = STYLE[step.kind], *sorted((COLUMN[step.source], COLUMN[step.to]))
    if left == right:
        return _written(row, left - len(step.text) // 2 - 1, f" {step.text} ", style)
    shaft = "═" if step.kind in (Kind.SOUND, Kind.TALK) else "─"
    arrow = f" {step.text} ".center(right - left - 3, shaft)
    to_the_left = step.both_ways or COLUMN[step.to] == left
    to_the_right = step.both_ways or COLUMN[step.to] == right
    arrow = ("◀" if to_the_left else shaft) + arrow + ("▶" if to_the_right else shaft)
    return _written(row, left + 1, arrow, style)


def hears(call: Call, who: Who, at: float) -> Sound | None:
    """What a phone hears at a moment; None for silence and when it is not in the call."""
    for span in spans(call, who):
        if span.start <= at < span.end or (span.open and at >= span.start):
            return span.sound
    return None


def plainly(step: Step) -> str:
    """One rung in words, for a log."""
    if step.source is step.to:
        return f"{step.offset:6.2f} s  {step.source}: {step.text}"
    arrow = "<->" if step.both_ways else "-->"
    return f"{step.offset:6.2f} s  {step.source} {arrow} {step.to}: {step.text}"


def state_line(call: Call) -> str:
    """What each phone is doing now, in one line."""
    return "   ".join(f"{who}: {_doing(call, who)}" for who in PHONES)


def _doing(call: Call, who: Who) -> str:
    if call.first("leg_ended", who):
        return "has left"
    match hears(call, who, call.duration):
        case None if call.first("leg_answered", who):
            return "hears silence"
        case None:
            return "not yet called"
        case Sound.RINGING:
            return "rings"
        case Sound.TALK:
            return "talks"
        case sound:
            return f"hears {sound}"


def _written(row: Text, column: int, text: str, style: str) -> Text:
    """``row`` with ``text`` written over what stood at ``column``."""
    before, after = row[:column], row[column + len(text) :]
    return Text.assemble(before, (text, style), after, end=row.end)
