"""The house: what a sandbox begins with, made once and copied for every new beginning."""

from pathlib import Path

from callwright.directory.file import read_directory_file
from callwright.directory.media import put_in
from callwright.directory.tokens import hash_of_token
from callwright.sandbox.speech import write_silence
from callwright.storage.administration import initialise
from callwright.storage.apply import apply_directory
from callwright.storage.database import migrate, open_database

TOKEN = "callwright-sandbox-token"
"The token of every sandbox that is not told another; no secret, and good for nothing else."

VIRTUAL_NUMBER = "74990000004"
"A virtual number without a scenario."

_DIRECTORY = Path(__file__).with_name("directory.toml")
# Whole seconds: durations are rounded to milliseconds, and come out the same every time.
_MEDIA = {"greeting": (2, 3.0), "music": (3, 10.0)}
_DIALING_MUSIC = 12.0
_TONES = {"ringback.wav": 5.0, "beep.wav": 0.5}


async def furnish(folder: Path, database_url: str, token: str) -> None:
    """Make a data folder with a database, an account and what it owns. Raises `OSError`."""
    media = folder / "media"
    stored = {}
    for name, (number, seconds) in _MEDIA.items():
        stored[number] = put_in(_silence(folder / f"{name}.wav", seconds), media)
    music = put_in(_silence(folder / "dialing_music.wav", _DIALING_MUSIC), media)
    for name, seconds in _TONES.items():
        write_silence(folder / name, seconds)
    directory = folder / "directory.toml"
    text = _DIRECTORY.read_text("utf-8").replace("@TOKEN@", hash_of_token(token))
    directory.write_text(text, "utf-8")
    database = open_database(database_url)
    try:
        await migrate(database)
        await initialise(database, account="Sandbox", login="first", music=music)
        await apply_directory(database, read_directory_file(directory), stored)
    finally:
        await database.dispose()


def _silence(path: Path, seconds: float) -> Path:
    write_silence(path, seconds)
    return path
