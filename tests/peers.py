"""Where independent programs are: installed, unpacked into .peers of the checkout, or npm's."""

import os
import shutil
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
UNPACKED = CHECKOUT / ".peers" / "bin"
AXE = CHECKOUT / "scripts" / "vendor" / "node_modules" / "axe-core" / "axe.min.js"
"What finds faults of accessibility in a page: a script for browsers."
OF_NPM = CHECKOUT / "examples" / "typescript" / "node_modules" / ".bin"


def program_of_peer(name: str) -> str | None:
    """Return the path of a program; None where it is not to be had."""
    if name == "axe":
        return str(AXE) if AXE.exists() else None
    places = os.environ.get("PATH", os.defpath), str(UNPACKED), str(OF_NPM)
    return shutil.which(name, path=os.pathsep.join(places))
