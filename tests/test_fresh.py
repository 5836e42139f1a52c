"""The script that tries the README's commands on a bare Debian: what it says before it begins."""

import subprocess
from pathlib import Path

from tests.waiting import WITHIN

SCRIPT = Path(__file__).parents[1] / "scripts/fresh.sh"


def said(*words: str) -> tuple[int, str]:
    done = subprocess.run([SCRIPT, *words], capture_output=True, text=True, timeout=WITHIN)
    return done.returncode, done.stdout + done.stderr


def test_it_tells_how_it_is_used() -> None:
    status, text = said("--help")
    assert status == 0
    assert text.startswith("usage: scripts/fresh.sh [bookworm|trixie] [TARGET ...]")


def test_what_is_no_target_is_refused_before_anything_is_made() -> None:
    status, text = said("trixie", "../demo")
    assert status == 2
    assert text.startswith("fresh: no such target: ../demo")
