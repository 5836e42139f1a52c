"""Damaged directory files: one is read, or refused with `DirectoryFaults` that name its lines."""

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from callwright.provisioning.file import DirectoryFaults, read_directory_file
from fuzz.harness import main
from tests.api.house import ANOTHER, DIRECTORY


class DirectoryFiles:
    seeds = (DIRECTORY.encode(), ANOTHER.encode())

    def __init__(self, folder: Path) -> None:
        self._path = folder / "directory.toml"

    def take(self, data: bytes, chance: random.Random) -> str:
        self._path.write_bytes(data)
        try:
            read_directory_file(self._path)
        except DirectoryFaults as told:
            lines = data.count(b"\n") + 1
            wrong = [fault for fault in told.faults if not 1 <= fault.line <= lines]
            if wrong or not told.faults:
                raise AssertionError(f"of {lines} lines: {wrong}") from told
            return "refused"
        return "read"


@contextmanager
def directory_files() -> Iterator[DirectoryFiles]:
    with tempfile.TemporaryDirectory() as folder:
        yield DirectoryFiles(Path(folder))


if __name__ == "__main__":
    main(directory_files)
