"""What the console ships of others is what its manifest says; it is loaded only where it is on."""

import hashlib
import subprocess
import sys
import tomllib
from pathlib import Path

import translations
from callwright.console import static_files

MANIFEST = static_files.FOLDER / "vendored.toml"
OURS = {"console.css", "console.js", "mark.svg"}


def test_every_vendored_file_is_the_one_of_the_manifest() -> None:
    listed = tomllib.loads(MANIFEST.read_text("utf-8"))
    there = {file.name for file in static_files.FOLDER.iterdir()}
    assert there == {*listed, *OURS, MANIFEST.name}
    for name, entry in listed.items():
        content = (static_files.FOLDER / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"], name
        assert entry["licence"] in {"0BSD", "MIT", "BSD-3-Clause"}
        assert entry["version"] in (
            Path(__file__).parents[2] / "scripts" / "vendor" / "package-lock.json"
        ).read_text("utf-8")


def test_nothing_that_is_shown_lacks_its_translation() -> None:
    catalogue = translations.updated()
    assert len(catalogue) > 50
    assert translations.missing(catalogue) == []
    for file, content in translations.files(catalogue).items():
        assert file.read_bytes() == content, f"{file.name}: run scripts/translations.py"


def test_a_text_without_a_translation_is_found() -> None:
    catalogue = translations.updated()
    catalogue.add("A text that nobody has translated")
    catalogue.add(("{n} call", "{n} calls"), ("{n} звонок", "", ""))
    assert translations.missing(catalogue) == [
        "A text that nobody has translated",
        "('{n} call', '{n} calls')",
    ]


def test_a_service_without_the_console_does_not_load_it() -> None:
    program = (
        "import sys, callwright.app, callwright.wiring.service; "
        "print(*(name for name in sys.modules if name.split('.')[0] == 'jinja2' "
        "or name.startswith(('callwright.console', 'callwright.drawing'))))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.split() == []
