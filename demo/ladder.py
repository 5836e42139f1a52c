"""The ladder of a call on a terminal: three lifelines in 80 columns, and its steps in words."""

from rich.text import Text

from callwright.drawing.call import PHONES, Call, Sound, Who, spans
from callwright.drawing.steps import Kind, Step

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

    source, to = (COLUMN.get(one, COLUMN[Who.CALLWRIGHT]) for one in (step.source, step.to))
    style, left, right = STYLE[step.kind], *sorted((source, to))
    if left == right:
        return _written(row, left - len(step.text) // 2 - 1, f" {step.text} ", style)
    shaft = "═" if step.kind in (Kind.SOUND, Kind.TALK) else "─"
    arrow = f" {step.text} ".center(right - left - 3, shaft)
    to_the_left = step.both_ways or to == left
    to_the_right = step.both_ways or to == right
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
