"""Tones of ours, as files of the data folder that are made once."""

from pathlib import Path

from callwright.calls.plan import RecordedMessage
from callwright.engines.port import Media
from callwright.speech.music import write_beep, write_ringback


def ringback_of(folder: Path) -> RecordedMessage:
    """What an employee hears while a third party is rung. Blocks."""
    path = folder / "ringback.wav"
    if not path.exists():
        write_ringback(path)
    return RecordedMessage(Media(path), "ringback")


def beep_of(folder: Path) -> RecordedMessage:
    """What is heard before a voicemail. Blocks."""
    path = folder / "beep.wav"
    if not path.exists():
        write_beep(path)
    return RecordedMessage(Media(path), "beep")
