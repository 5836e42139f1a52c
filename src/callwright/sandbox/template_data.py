"""Template data: what a sandbox begins with, made once and copied for every new beginning."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from callwright.directory.media import put_in
from callwright.directory.tokens import hash_of_token
from callwright.downloads.links import KEY_FILE
from callwright.provisioning.administration import initialise
from callwright.provisioning.apply import apply_directory
from callwright.provisioning.file import read_directory_file
from callwright.sandbox.speech import write_silence
from callwright.storage.database import close_database, migrate, open_database

TOKEN = "callwright-sandbox-token"
"The token of every sandbox that is not told another; no secret, and good for nothing else."

WEBHOOK_SECRET = "whsec_Y2FsbHdyaWdodC1zYW5kYm94LXNlY3JldA=="
"By which what is sent to webhooks of every sandbox is signed; no secret either."

_DIRECTORY = Path(__file__).with_name("directory.toml")
# Whole seconds: durations are rounded to milliseconds, and come out the same every time.
_MEDIA = {"greeting": (2, 3.0), "music": (3, 10.0)}
_DIALING_MUSIC = 12.0
_TONES = {"ringback.wav": 5.0, "beep.wav": 0.5}


async def furnish(folder: Path, database_url: str, token: str, webhooks: Sequence[str]) -> None:
    """Make a data folder with a database, an account and what it owns.

    ``webhooks``: URLs that every event is sent to. Raises `OSError` and `DirectoryFaults`.
    """
    media = folder / "media"
    stored = {}
    for name, (number, seconds) in _MEDIA.items():
        stored[number] = put_in(_silence(folder / f"{name}.wav", seconds), media)
    music = put_in(_silence(folder / "dialing_music.wav", _DIALING_MUSIC), media)
    for name, seconds in _TONES.items():
        write_silence(folder / name, seconds)
    directory = folder / "directory.toml"
    text = _DIRECTORY.read_text("utf-8").replace("@TOKEN@", hash_of_token(token))
    text += "".join(
        f'[[webhooks]]\nname = "webhook {number}"\nurl = {json.dumps(url)}\n'
        f'secret = "{WEBHOOK_SECRET}"\n'
        for number, url in enumerate(webhooks, start=1)
    )
    directory.write_text(text, "utf-8")
    # Links are the same in every sandbox of the token, as everything else that is told is; whoever
    # knows it may have the recordings anyway.
    (folder / KEY_FILE).write_bytes(hashlib.sha256(f"links of {token}".encode()).digest())
    database = open_database(database_url)
    try:
        await migrate(database)
        await initialise(database, account="Sandbox", login="first", music=music)
        await apply_directory(database, read_directory_file(directory), stored)
    finally:
        await close_database(database)


def _silence(path: Path, seconds: float) -> Path:
    write_silence(path, seconds)
    return path
