"""The report's two drawings as SVG: the ladder, and what each phone heard over time."""

from collections.abc import Iterator, Mapping
from html import escape

from demo.call import PHONES, Call, Entry, Sound, Span, Who, spans
from demo.ladder import Kind, Step, steps
from demo.sound import Heard
from demo.verdict import Phone

WIDTH = 1080

# The ladder.

LANE = {Who.EMPLOYEE: 170, Who.CALLWRIGHT: 540, Who.CONTACT: 910}
ROW = 30
HEAD = 58


def ladder(call: Call) -> str:
    """The steps as a sequence diagram; each phone's lifeline has the colour of what it hears."""
    rungs = steps(call)
    height = HEAD + ROW * len(rungs) + 14
    body = "".join(
        [
            *_lifelines(call, rungs, height),
            *(_rung(step, HEAD + ROW * n + ROW // 2) for n, step in enumerate(rungs)),
        ]
    )
    return _svg(
        height, "Ladder of the call between employee, callwright and contact, step by step", body
    )


def _lifelines(call: Call, rungs: list[Step], height: int) -> Iterator[str]:
    numbers = {e.role: e.called_number for e in call.timeline if e.role}
    numbers[Who.CALLWRIGHT] = call.virtual_phone_number
    for who, x in LANE.items():
        yield (
            f'<text class="name" x="{x}" y="20" text-anchor="middle">{who}</text>'
            f'<text class="soft" x="{x}" y="38" text-anchor="middle">'
            f"{escape(numbers.get(who, ''))}</text>"
            f'<line class="life" x1="{x}" y1="{HEAD - 10}" x2="{x}" y2="{height - 4}"/>'
        )
    for who in PHONES:
        for span in spans(call, who):
            top, bottom = (_height_of(at, rungs) for at in (span.start, span.end))
            if bottom > top:
                yield (
                    f'<rect class="band {_css(span.sound)}" x="{LANE[who] - 5}" y="{top}" '
                    f'width="10" height="{bottom - top}" rx="3"/>'
                )


def _height_of(offset: float, rungs: list[Step]) -> int:
    """Where a moment lies: at the last step that is not after it."""
    passed = sum(step.offset <= offset for step in rungs)
    return HEAD + ROW * passed - ROW // 2


def _rung(step: Step, y: int) -> str:
    time = f'<text class="soft" x="8" y="{y + 4}">{step.offset:.2f} s</text>'
    start, end = LANE[step.source], LANE[step.to]
    if start == end:
        return (
            f'<g class="{step.kind}">{time}<circle class="dot" cx="{start}" cy="{y}" r="5"/>'
            f"{_said(step.text, start + 14 + _length(step.text) // 2, y)}</g>"
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


# What each phone heard.

LEFT, RIGHT = 12, 12
TRACK = 176
BAND = 26
WAVE = 44
"Half the height of a waveform."


def tracks(call: Call, phones: Mapping[Who, Phone]) -> str:
    """A track for each phone: bands for what it was to hear, the waveform of what it heard."""
    until = max([call.duration, *(p.heard.end for p in phones.values() if p.heard)]) or 1.0
    scale = (WIDTH - LEFT - RIGHT) / until
    height = TRACK * len(PHONES) + 30
    body = _seconds(until, scale, height)
    for n, who in enumerate(PHONES):
        body += _track(call, who, phones[who], n * TRACK, scale, until)
    return _svg(height, "Waveforms of what the two phones heard, on one time axis", body)


def _track(call: Call, who: Who, phone: Phone, top: int, scale: float, until: float) -> str:
    middle = top + 34 + BAND + WAVE + 6
    heard = spans(call, who)
    parts = [
        (
            f'<text class="name" x="{LEFT}" y="{top + 20}">{who} '
            f'<tspan class="soft" font-weight="400">{escape(phone.number)}, {escape(phone.program)}'
            "</tspan></text>"
        ),
        f'<line class="grid" x1="{LEFT}" y1="{middle}" x2="{WIDTH - RIGHT}" y2="{middle}"/>',
    ]
    parts += [_band(span, top + 32, scale) for span in heard]
    if phone.heard:
        parts.append(_wave("", phone.heard, 0.0, until, middle, scale))
        parts += [
            _wave(f" on {_css(s.sound)}", phone.heard, s.start, s.end, middle, scale)
            for s in heard
            if s.sound is not Sound.RINGING
        ]
    parts += [_mark(e, top, middle, scale) for e in _moments(call, who)]
    return "".join(parts)


def _band(span: Span, y: int, scale: float) -> str:
    x, width = LEFT + span.start * scale, max(1.0, span.length * scale)
    css = _css(span.sound)
    words = f"{span.sound}: {span.label}" if span.label else str(span.sound)
    # A word is shown where it fits, at some 7.2 units a letter; the title is always there.
    fitting = next((w for w in (words, str(span.sound)) if len(w) * 7.2 + 14 <= width), "")
    title = f"{escape(words)}, {span.start:.2f} to {span.end:.2f} s"
    return (
        f'<g class="{css}"><title>{title}</title><rect class="band {css}" x="{x:.1f}" y="{y}" '
        f'width="{width:.1f}" height="{BAND - 4}" rx="4"/>'
        f'<text class="tag" x="{x + 7:.1f}" y="{y + 15}">{escape(fitting)}</text></g>'
    )


def _wave(css: str, heard: Heard, start: float, end: float, middle: int, scale: float) -> str:
    """The envelope as one filled shape, a column for each unit of width."""
    start, end = max(start, heard.start), min(end, heard.end)
    columns = int((end - start) * scale)
    if columns < 1:
        return ""
    x = LEFT + start * scale
    shape = [c or (0.0, 0.0) for c in heard.envelope(start, end, columns)]
    upper = "".join(f"L{x + n:.1f} {middle - high * WAVE:.1f}" for n, (_, high) in enumerate(shape))
    lower = "".join(
        f"L{x + n:.1f} {middle - low * WAVE + 0.6:.1f}"
        for n, (low, _) in reversed([*enumerate(shape)])
    )
    return f'<path class="wave{css}" d="M{x:.1f} {middle}{upper}{lower}Z"/>'


def _moments(call: Call, who: Who) -> Iterator[Entry]:
    """Keys the phone was sent, its answer and its end."""
    roles = call.roles
    for entry in call.timeline:
        if roles.get(entry.leg or 0) is who and entry.event in (
            "key_sent",
            "leg_answered",
            "leg_ended",
        ):
            yield entry


def _mark(entry: Entry, top: int, middle: int, scale: float) -> str:
    x, bottom = LEFT + entry.offset * scale, middle + WAVE
    if entry.event == "key_sent":
        return (
            f'<g class="key"><title>key {escape(entry.key)} at {entry.offset:.2f} s</title>'
            f'<line class="dotted" x1="{x:.1f}" y1="{top + 32 + BAND}" x2="{x:.1f}" y2="{bottom}"/>'
            f'<circle class="dot" cx="{x:.1f}" cy="{bottom + 6}" r="9"/>'
            f'<text x="{x:.1f}" y="{bottom + 10}" text-anchor="middle" '
            f'style="fill:var(--card);font-weight:700;font-size:12px">{escape(entry.key)}</text></g>'
        )
    css, words = ("signal", "answers") if entry.event == "leg_answered" else ("end", "ends")
    return (
        f'<g class="{css}"><title>{words} at {entry.offset:.2f} s</title>'
        f'<line class="dotted" x1="{x:.1f}" y1="{top + 28}" x2="{x:.1f}" y2="{bottom}"/></g>'
    )


def _seconds(until: float, scale: float, height: int) -> str:
    """Vertical lines and their seconds, ten to twenty of them."""
    step = next(s for s in (1, 2, 5, 10, 30, 60, 300, 3600) if until / s <= 20 or s == 3600)
    return "".join(
        f'<line class="grid" x1="{x:.1f}" y1="28" x2="{x:.1f}" y2="{height - 22}" opacity=".6"/>'
        f'<text class="soft" x="{x:.1f}" y="{height - 6}" text-anchor="middle">{second}'
        f"{' s' if second == 0 else ''}</text>"
        for second in range(0, int(until) + 1, step)
        for x in [LEFT + second * scale]
    )


def _css(sound: Sound) -> str:
    return sound.value.replace(" ", "-")


def _svg(height: int, title: str, body: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{escape(title)}</title>{body}</svg>'
    )
