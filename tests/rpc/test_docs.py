"""docs/api.md and docs/errors.md are what the definitions say."""

import subprocess
import sys
from pathlib import Path

from tests.compat.documented import TABLE
from tests.waiting import WITHIN

SCRIPT = Path(__file__).parents[2] / "scripts" / "generate_docs.py"


def generate(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(script), *arguments], capture_output=True, text=True, timeout=WITHIN
    )


def test_the_generated_docs_are_up_to_date() -> None:
    result = generate(SCRIPT, "--check")
    assert result.returncode == 0, result.stderr


def test_a_stale_file_is_found_and_mended(tmp_path: Path) -> None:
    script = tmp_path / "scripts" / SCRIPT.name
    script.parent.mkdir()
    for part in (SCRIPT, *map(SCRIPT.with_name, ("sip_state_docs.py", "compatibility_docs.py"))):
        (script.parent / part.name).write_text(part.read_text("utf-8"), "utf-8")
    table = tmp_path / "tests" / "compat" / TABLE.name
    table.parent.mkdir(parents=True)
    table.write_text(TABLE.read_text("utf-8"), "utf-8")
    # Only its tables are made.
    docs = tmp_path / "docs"
    docs.mkdir()
    for name in ("sandbox.md", "webhooks.md"):
        written = SCRIPT.parents[1] / "docs" / name
        (docs / name).write_text(written.read_text("utf-8"), "utf-8")

    missing = generate(script, "--check")
    assert missing.returncode == 1
    assert "docs/api.md is stale" in missing.stderr
    assert "docs/errors.md is stale" in missing.stderr

    assert generate(script).returncode == 0
    assert generate(script, "--check").returncode == 0

    (docs / "errors.md").write_text("other", "utf-8")
    stale = generate(script, "--check")
    assert stale.returncode == 1
    assert stale.stderr.count("is stale") == 1
