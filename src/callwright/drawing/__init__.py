"""Drawings of calls as SVG: the ladder, and what was heard over time."""

from pathlib import Path

STYLE = Path(__file__).with_name("drawing.css")
"Colours and lines of the drawings, for light and dark."
