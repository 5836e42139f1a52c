"""docs/api.md and docs/errors.md are what the definitions say."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.waiting import WITHIN

SCRIPT = Path(__file__).parents[2] / "scripts" / "generate_docs.py"
MADE_IN_PART = ("sandbox.md", "webhooks.md")
"Only their tables are made."


def test_the_generated_docs_are_up_to_date() -> None:
    result = subprocess.run(
        [sys.executable, str(SCRIPT), "--check"], capture_output=True, text=True, timeout=WITHIN
    )
    assert result.returncode == 0, result.stderr


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The script, whose docs are in ``tmp_path``; loaded here, as it takes seconds to start."""
    monkeypatch.syspath_prepend(SCRIPT.parent)
    spec = importlib.util.spec_from_file_location("generate_docs", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in MADE_IN_PART:
        (tmp_path / name).write_text((module.DOCS / name).read_text("utf-8"), "utf-8")
    monkeypatch.setattr(module, "DOCS", tmp_path)
    return module


def test_a_stale_file_is_found_and_mended(
    script: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def generate(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", [str(SCRIPT), *arguments])
        return script.main(), capsys.readouterr().err

    status, said = generate("--check")
    assert status == 1
    assert "docs/api.md is stale" in said
    assert "docs/errors.md is stale" in said

    assert generate() == (0, "")
    assert generate("--check") == (0, "")

    (tmp_path / "errors.md").write_text("other", "utf-8")
    status, said = generate("--check")
    assert status == 1
    assert said.count("is stale") == 1
