"""The speech cache: what has been spoken before need not be synthesised again.

Files are named by a hash of the text, so the folder does not tell what was said. The index is kept
in memory, in the order of use; the files' times carry that order over a restart.
"""

import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

PART = ".part"
WAV = ".wav"


class SpeechCache:
    """WAV files by key, the least recently used of which make room. Used by one event loop."""

    def __init__(self, folder: Path, *, files_at_most: int, bytes_at_most: int) -> None:
        self._folder = folder
        self._files_at_most = files_at_most
        self._bytes_at_most = bytes_at_most
        self._sizes: dict[str, int] = {}
        "Key to bytes; least recently used first."

    def open(self) -> None:
        """Make the folder and read what is in it; a half-written file goes. Raises `OSError`."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for part in self._folder.glob(f"*{PART}"):
            part.unlink(missing_ok=True)
        facts = [(file.stat(), file.stem) for file in self._folder.glob(f"*{WAV}")]
        facts.sort(key=lambda fact: fact[0].st_mtime)
        self._sizes = {key: fact.st_size for fact, key in facts}

    def find(self, key: str) -> Path | None:
        """Return the file of ``key``, which counts as used now."""
        if key not in self._sizes:
            return None
        path = self._path(key)
        try:
            os.utime(path)
        except OSError:
            # Somebody tidied up the folder under us.
            del self._sizes[key]
            return None
        self._sizes[key] = self._sizes.pop(key)
        return path

    def write(self, wav: bytes) -> Path:
        """Put ``wav`` on disk under a name of its own, for `add`. Blocks. Raises `OSError`."""
        part = self._folder / f"{uuid4().hex}{PART}"
        try:
            with part.open("xb") as file:
                file.write(wav)
                file.flush()
                # Else a crash of the machine may leave a good name with nothing behind it.
                os.fsync(file.fileno())
        except OSError:
            part.unlink(missing_ok=True)
            raise
        return part

    def add(self, key: str, part: Path, *, in_use: Callable[[str], bool]) -> Path:
        """Give ``part`` its name, and make room for it among files that are not ``in_use``."""
        path = self._path(key)
        self._sizes.pop(key, None)
        self._sizes[key] = part.stat().st_size
        os.replace(part, path)
        self._make_room(in_use)
        return path

    def _make_room(self, in_use: Callable[[str], bool]) -> None:
        total = sum(self._sizes.values())
        # The newest is what all this is for.
        for key in list(self._sizes)[:-1]:
            if len(self._sizes) <= self._files_at_most and total <= self._bytes_at_most:
                return
            if not in_use(key):
                total -= self._sizes.pop(key)
                self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{WAV}"
