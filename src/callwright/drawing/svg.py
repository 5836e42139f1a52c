"""SVG: what both drawings have in common."""

from html import escape

from callwright.drawing.call import Sound
from callwright.texts import N_

WIDTH = 1080
SECONDS = N_("s")
"After a number of them; apart, for Babel finds no text in an f-string on Python 3.11."


def css_of(sound: Sound) -> str:
    """The class that gives what is heard its colour."""
    return sound.value.replace(" ", "-")


def svg(height: int, title: str, body: str) -> str:
    """A whole drawing. ``body``: elements; whatever it has of others' words is escaped."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{escape(title)}</title>{body}</svg>'
    )
