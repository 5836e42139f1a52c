"""Texts of ours that are translated where they are shown."""

from collections.abc import Callable
from typing import TypeAlias

Say: TypeAlias = Callable[[str], str]
"Translates such a text."


def N_(text: str) -> str:
    """Mark a text for translation, and leave it as it is."""
    return text
