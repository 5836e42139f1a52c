"""The demo's media files: made when it runs, by callwright itself."""

import shutil
from pathlib import Path

import anyio

from callwright.config import SpeechSettings
from callwright.speech.music import write_dialing_music
from callwright.speech.service import SpeechService

EMPLOYEE_MESSAGE = "Звонок с сайта. Соединяем вас с клиентом."


async def make_sounds(folder: Path) -> None:
    """Write ``music.wav`` and ``employee.wav``, which demo/directory.toml names.

    Raises OSError and `callwright.calls.plan.MessageUnavailable`.
    """
    await anyio.Path(folder).mkdir(parents=True, exist_ok=True)
    await anyio.to_thread.run_sync(write_dialing_music, folder / "music.wav")
    speech = SpeechService(folder / "speech", SpeechSettings())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(speech.run)
        spoken = await speech.prepare(EMPLOYEE_MESSAGE).audio()
        shutil.copyfile(spoken.path, folder / "employee.wav")
        tasks.cancel_scope.cancel()
