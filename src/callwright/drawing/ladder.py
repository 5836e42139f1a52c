"""Ladder of a call as SVG: a sequence diagram of its steps."""

from collections.abc import Iterator, Mapping
from html import escape

from callwright.drawing.call import Call, Who, own_number, spans
from callwright.drawing.steps import Kind, Step, steps
from callwright.drawing.svg import SECONDS, css_of, svg
from callwright.texts import N_, Say

LEFT, RIGHT = 170, 910
"Where the outermost lifelines are."
ROW = 30
HEAD = 58
LONGEST = 44
"Letters of a step that are shown; others may have given its words."

Lanes = Mapping[Who, int]
"Where each lifeline is."


def ladder(call: Call, say: Say = str) -> str:
    """The steps as a sequence diagram; each phone's lifeline has the colour of what it hears.

    ``say`` translates what is written.
    """
    rungs, lanes = steps(call, say), _lanes(call)
    height = HEAD + ROW * len(rungs) + 14
    body = "".join(
        [
            *_lifelines(call, rungs, lanes, height, say),
            *(_rung(step, lanes, HEAD + ROW * n + ROW // 2, say) for n, step in enumerate(rungs)),
        ]
    )
    title = N_("Ladder of the call between employee, callwright and contact, step by step")
    return svg(height, say(title), body)


def _lanes(call: Call) -> Lanes:
    there = [who for who in Who if who is Who.CALLWRIGHT or who in call.phones]
    apart = (RIGHT - LEFT) // (len(there) - 1)
    return {who: LEFT + n * apart for n, who in enumerate(there)}


def _lifelines(call: Call, rungs: list[Step], lanes: Lanes, height: int, say: Say) -> Iterator[str]:
    numbers = {e.role: own_number(e) for e in call.timeline if e.role and e.event == "leg_started"}
    numbers[Who.CALLWRIGHT] = call.virtual_phone_number
    for who, x in lanes.items():
        yield (
            f'<text class="name" x="{x}" y="20" text-anchor="middle">'
            f"{escape(say(who.value))}</text>"
            f'<text class="soft" x="{x}" y="38" text-anchor="middle">'
            f"{escape(numbers.get(who, '')[:LONGEST])}</text>"
            f'<line class="life" x1="{x}" y1="{HEAD - 10}" x2="{x}" y2="{height - 4}"/>'
        )
    for who in call.phones:
        for span in spans(call, who):
            top, bottom = (_height_of(at, rungs) for at in (span.start, span.end))
            if bottom > top:
                yield (
                    f'<rect class="band {css_of(span.sound)}" x="{lanes[who] - 5}" y="{top}" '
                    f'width="10" height="{bottom - top}" rx="3"/>'
                )


def _height_of(offset: float, rungs: list[Step]) -> int:
    """Where a moment lies: at the last step that is not after it."""
    passed = sum(step.offset <= offset for step in rungs)
    return HEAD + ROW * passed - ROW // 2


def _rung(step: Step, lanes: Lanes, y: int, say: Say) -> str:
    time = f'<text class="soft" x="8" y="{y + 4}">{step.offset:.2f} {say(SECONDS)}</text>'
    start, end = lanes[step.source], lanes[step.to]
    if start == end:
        return (
            f'<g class="{step.kind}">{time}<circle class="dot" cx="{start}" cy="{y}" r="5"/>'
            f"{_said(step.text, start + 14 + _length(step.text[:LONGEST]) // 2, y)}</g>"
        )
    towards = 1 if end > start else -1
    tip, tail = end - 8 * towards, start + 8 * towards
    heads = _head(tip, y, towards) + (_head(tail, y, -towards) if step.both_ways else "")
    thick = ' stroke-width="3"' if step.kind is Kind.TALK else ""
    return (
        f'<g class="{step.kind}">{time}<path class="arrow"{thick} d="M{tail} {y}H{tip}"/>{heads}'
        f"{_said(step.text, (start + end) // 2, y)}</g>"
    )


def _said(text: str, x: int, y: int) -> str:
    """Words over a line, on a ground that interrupts it."""
    text = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    width = _length(text)
    return (
        f'<rect class="ground" x="{x - width // 2}" y="{y - 9}" width="{width}" height="18"/>'
        f'<text class="said" x="{x}" y="{y + 4}">{escape(text)}</text>'
    )


def _length(text: str) -> int:
    """About how wide words are, whatever the font."""
    return round(len(text) * 7.3) + 12


def _head(x: int, y: int, towards: int) -> str:
    back = x - 9 * towards
    return f'<path class="head" d="M{x} {y}L{back} {y - 4.5}V{y + 4.5}Z"/>'
