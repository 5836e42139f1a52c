"""Silence of the right length: what is spoken in the sandbox, where nobody hears it."""

import wave
from pathlib import Path

import anyio

from callwright.calls.plan import Message, RecordedMessage
from callwright.engines.port import Media

RATE = 16_000
PACE = 15
"Characters a voice says in a second."


def write_silence(path: Path, seconds: float) -> None:
    """Write silence as the line is played it: WAV, mono, 16 bit, 16000 Hz. Raises `OSError`."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(bytes(2 * round(RATE * seconds)))


class Silence:
    """`callwright.methods.messages.Speech` that is ready at once, and the same every time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def prepare(self, text: str) -> Message:
        # Whole seconds, so that few files are made.
        seconds = max(1, round(len(text) / PACE))
        path = self._folder / f"{seconds}.wav"
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            write_silence(path, seconds)
        return RecordedMessage(Media(path), "tts", is_tts=True)

    async def run(self) -> None:
        await anyio.sleep_forever()
