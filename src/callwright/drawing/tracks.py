"""Tracks of a call as SVG: what was heard over time, as bands and waveforms on one time axis."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Protocol

from callwright.drawing.call import Call, Entry, Sound, Span, Who, spans
from callwright.drawing.svg import SECONDS, WIDTH, css_of, svg
from callwright.texts import N_, Say

LEFT, RIGHT = 12, 12
TRACK = 176
BAND = 26
WAVE = 44
"Half the height of a waveform; where there is no sound at all, there is no room for it."


class Waveform(Protocol):
    """Sound of one phone."""

    @property
    def start(self) -> float:
        """When its first sample was, in seconds since the session began."""

    @property
    def end(self) -> float: ...

    def envelope(
        self, start: float, end: float, columns: int
    ) -> Sequence[tuple[float, float] | None]:
        """Lowest and highest sample of each of ``columns`` equal stretches, -1 to 1."""


@dataclass(frozen=True, slots=True)
class Track:
    who: Who
    caption: str
    "Stands beside the role: a number, a program."
    heard: Sequence[Waveform] = ()
    "Nothing: no sound was kept."


def tracks(call: Call, shown: Sequence[Track], say: Say = str) -> str:
    """A track for each phone: bands for what it was to hear, the waveform of its sound.

    ``say`` translates what is written.
    """
    until = max([call.duration, *(heard.end for track in shown for heard in track.heard)]) or 1.0
    scale = (WIDTH - LEFT - RIGHT) / until
    wave = WAVE if any(track.heard for track in shown) else 0
    each = TRACK - 2 * (WAVE - wave)
    height = each * len(shown) + 30
    body = _seconds(until, scale, height, say)
    for n, track in enumerate(shown):
        body += _track(call, track, n * each, wave, scale, until, say)
    return svg(height, say(N_("Waveforms of the phones, on one time axis")), body)


def _track(
    call: Call, track: Track, top: int, wave: int, scale: float, until: float, say: Say
) -> str:
    middle = top + 34 + BAND + wave + 6
    expected = spans(call, track.who)
    parts = [
        (
            f'<text class="name" x="{LEFT}" y="{top + 20}">{escape(say(track.who.value))} '
            f'<tspan class="soft plain">{escape(track.caption)}</tspan></text>'
        ),
        f'<line class="grid" x1="{LEFT}" y1="{middle}" x2="{WIDTH - RIGHT}" y2="{middle}"/>',
    ]
    parts += [_band(span, top + 32, scale, say) for span in expected]
    for heard in track.heard:
        parts.append(_wave("", heard, 0.0, until, middle, scale))
        parts += [
            _wave(f" on {css_of(s.sound)}", heard, s.start, s.end, middle, scale)
            for s in expected
            if s.sound is not Sound.RINGING
        ]
    parts += [_mark(e, top, middle + wave, scale, say) for e in _moments(call, track.who)]
    return "".join(parts)


def _band(span: Span, y: int, scale: float, say: Say) -> str:
    x, width = LEFT + span.start * scale, max(1.0, span.length * scale)
    css, sound = css_of(span.sound), say(span.sound.value)
    words = f"{sound}: {span.label}" if span.label else sound
    # A word is shown where it fits, at some 7.2 units a letter; the title is always there.
    fitting = next((w for w in (words, sound) if len(w) * 7.2 + 14 <= width), "")
    title = f"{escape(words)}, {span.start:.2f}–{span.end:.2f} {say(SECONDS)}"
    return (
        f'<g class="{css}"><title>{title}</title><rect class="band {css}" x="{x:.1f}" y="{y}" '
        f'width="{width:.1f}" height="{BAND - 4}" rx="4"/>'
        f'<text class="tag" x="{x + 7:.1f}" y="{y + 15}">{escape(fitting)}</text></g>'
    )


def _wave(css: str, heard: Waveform, start: float, end: float, middle: int, scale: float) -> str:
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


def _mark(entry: Entry, top: int, bottom: int, scale: float, say: Say) -> str:
    x = LEFT + entry.offset * scale
    if entry.event == "key_sent":
        return (
            f'<g class="key"><title>{_key(entry, say)}, {entry.offset:.2f} {say(SECONDS)}</title>'
            f'<line class="dotted" x1="{x:.1f}" y1="{top + 32 + BAND}" x2="{x:.1f}" y2="{bottom}"/>'
            f'<circle class="dot" cx="{x:.1f}" cy="{bottom + 6}" r="9"/>'
            f'<text class="pressed" x="{x:.1f}" y="{bottom + 10}" '
            f'text-anchor="middle">{escape(entry.key)}</text></g>'
        )
    answered = entry.event == "leg_answered"
    css, words = ("signal", say(N_("answers"))) if answered else ("end", say(N_("ends")))
    return (
        f'<g class="{css}"><title>{escape(words)}, {_at(entry, say)}</title>'
        f'<line class="dotted" x1="{x:.1f}" y1="{top + 28}" x2="{x:.1f}" y2="{bottom}"/></g>'
    )


def _at(entry: Entry, say: Say) -> str:
    return f"{entry.offset:.2f} {say(SECONDS)}"


def _key(entry: Entry, say: Say) -> str:
    return escape(say(N_("key {entry.key}")).format(entry=entry))


def _seconds(until: float, scale: float, height: int, say: Say) -> str:
    """Vertical lines and their seconds, ten to twenty of them."""
    step = next(s for s in (1, 2, 5, 10, 30, 60, 300, 3600) if until / s <= 20 or s == 3600)
    return "".join(
        f'<line class="grid" x1="{x:.1f}" y1="28" x2="{x:.1f}" y2="{height - 22}" opacity=".6"/>'
        f'<text class="soft" x="{x:.1f}" y="{height - 6}" text-anchor="middle">{second}'
        f"{' ' + say(SECONDS) if second == 0 else ''}</text>"
        for second in range(0, int(until) + 1, step)
        for x in [LEFT + second * scale]
    )
