#!/usr/bin/env python
"""Take what others have written for browsers into the console: ``make vendor``.

npm brings the versions that ``scripts/vendor/package-lock.json`` names; of them the files below are
copied, and listed with version, licence and SHA-256 in ``static/vendored.toml``.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).with_name("vendor")
STATIC = HERE.parents[1] / "src" / "callwright" / "console" / "static"

FILES = {
    "htmx.min.js": ("htmx.org", "dist/htmx.min.js"),
    "hx-sse.min.js": ("htmx.org", "dist/ext/hx-sse.min.js"),
}
"The name a file has here; its package, and where it is in that."
LICENCES = {"BSD-0-Clause": "0BSD"}
"Names of SPDX for those that packages give."


def entries() -> Iterator[str]:
    """The manifest, piece by piece; the files are copied on the way."""
    yield "# Made by scripts/vendor.py (make vendor).\n"
    for name, (package, path) in FILES.items():
        folder = HERE / "node_modules" / package
        facts = json.loads((folder / "package.json").read_text("utf-8"))
        shutil.copyfile(folder / path, STATIC / name)
        digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()
        licence = LICENCES.get(facts["license"], facts["license"])
        yield (
            f'\n["{name}"]\npackage = "{package}"\nversion = "{facts["version"]}"\n'
            f'path = "{path}"\nlicence = "{licence}"\nsha256 = "{digest}"\n'
        )


def main() -> int:
    npm = ["npm", "ci", "--prefix", str(HERE), "--silent", "--no-audit", "--no-fund"]
    subprocess.run(npm, check=True)
    (STATIC / "vendored.toml").write_text("".join(entries()), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
