"""Where independent programs are: installed, or unpacked into .peers of the checkout."""

import os
import shutil
from pathlib import Path

UNPACKED = Path(__file__).parents[1] / ".peers" / "bin"


def program_of_peer(name: str) -> str | None:
    """Return the path of a program; None where it is not to be had."""
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{UNPACKED}")
