"""Where independent programs are: installed, unpacked into .peers of the checkout, or npm's."""

import os
import shutil
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
UNPACKED = CHECKOUT / ".peers" / "bin"
OF_NPM = CHECKOUT / "examples" / "typescript" / "node_modules" / ".bin"


def program_of_peer(name: str) -> str | None:
    """Return the path of a program; None where it is not to be had."""
    places = os.environ.get("PATH", os.defpath), str(UNPACKED), str(OF_NPM)
    return shutil.which(name, path=os.pathsep.join(places))
