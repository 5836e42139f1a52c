"""Synthesisers: what turns a text into sound, whichever program it is."""

from pathlib import Path
from typing import Protocol


class CannotSpeak(Exception):
    """The synthesiser has no sound for this text. The message says why; trying again is no use."""


class Synthesiser(Protocol):
    def speak(self, text: str, voice: str, target: Path) -> None:
        """Write ``text`` to ``target``, spoken: an audio file of any format, not yet normalised.

        Blocks while it works, and may hang or take its process with it: it is called in the
        worker's process only. Raises `CannotSpeak`.
        """
