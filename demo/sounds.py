"""The sounds of the demo, made when it runs: its media files, and what its phones say."""

import shutil
from pathlib import Path

import anyio
import numpy as np

from callwright.config import SpeechSettings
from callwright.speech.music import write_dialing_music
from callwright.speech.service import SpeechService
from demo.sound import Heard

VOICE_RATE = 8000
VOICE_LENGTH = 60
"Seconds; longer than the demo's call."

EMPLOYEE_MESSAGE = "Звонок с сайта. Соединяем вас с клиентом."


async def make_sounds(folder: Path) -> None:
    """Write ``music.wav`` and ``message.wav``, which demo/directory.toml names.

    Raises OSError and `callwright.calls.plan.MessageUnavailable`.
    """
    await anyio.Path(folder).mkdir(parents=True, exist_ok=True)
    await anyio.to_thread.run_sync(write_dialing_music, folder / "music.wav")
    speech = SpeechService(folder / "speech", SpeechSettings())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(speech.run)
        spoken = await speech.prepare(EMPLOYEE_MESSAGE).audio()
        shutil.copyfile(spoken.path, folder / "message.wav")
        tasks.cancel_scope.cancel()


def make_voice(file: Path, frequency: int) -> None:
    """Write what a phone says: notes of ``frequency`` Hz, swelling and fading, a second each."""
    time = np.arange(VOICE_LENGTH * VOICE_RATE) / VOICE_RATE
    swell = np.sin(np.pi * (time % 1.0)) ** 2
    notes = 0.3 * swell * np.sin(2 * np.pi * frequency * time)
    file.write_bytes(Heard(notes.astype(np.float32), VOICE_RATE, 0.0).as_wav())
