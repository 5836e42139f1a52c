"""File modes: which files with secrets every user of the machine may read."""

import stat
from collections.abc import Iterable, Sequence
from pathlib import Path


def exposed(files: Iterable[Path]) -> Sequence[Path]:
    """Those of the files that others than their owner and group may read.

    One in a folder that others may not enter is safe whatever its own mode is. What is not there,
    or cannot be looked at, is left out.
    """
    return [file for file in files if _is_exposed(file)]


def warning_of(files: Sequence[Path]) -> str:
    """What to say of files that are exposed, be it one or several."""
    names = ", ".join(map(str, files))
    return f"others may read what is secret: {names} (chmod o= would end that)"


def _is_exposed(file: Path) -> bool:
    try:
        path = file.resolve(strict=True)
        return bool(path.stat().st_mode & stat.S_IROTH) and all(
            parent.stat().st_mode & stat.S_IXOTH for parent in path.parents
        )
    except OSError:
        return False
