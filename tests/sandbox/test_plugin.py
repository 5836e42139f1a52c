"""The pytest plugin, as a project has it that Callwright is installed for."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.waiting import WITHIN

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder outside the tree, with our entry points in force, installed or not."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    installed = tmp_path / "site" / "callwright_here-0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: callwright-here\nVersion: 0\n"
    )
    points = declared["entry-points"]["pytest11"]
    lines = [f"{name} = {target}" for name, target in points.items()]
    (installed / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines]) + "\n")
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def run(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    paths = [str(project.parent / "site"), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", *words],
        cwd=project,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        timeout=WITHIN,
    )


def test_the_tests_of_the_example_crm_and_of_the_documentation_pass(project: Path) -> None:
    shutil.copytree(ROOT / "examples" / "crm_test", project, dirs_exist_ok=True)
    text = (ROOT / "docs" / "sandbox.md").read_text("utf-8")
    _, _, rest = text.partition("```python\n")
    (project / "test_first.py").write_text(rest.partition("```")[0], "utf-8")
    done = run(project, "-q")
    assert "8 passed" in done.stdout, done.stdout + done.stderr


def test_a_refused_request_says_what_is_wrong(project: Path) -> None:
    (project / "test_it.py").write_text(
        """
def test_it(callwright_sandbox):
    callwright_sandbox.script("79261234567", {"do": "answer"}, {"do": "press", "key": "A"})
"""
    )
    done = run(project, "-q")
    assert "1 failed" in done.stdout
    assert (
        "SandboxError: sandbox.script: invalid_parameter_value: Invalid parameter value "
        "(steps.1.key = A)" in done.stdout
    )


def test_a_project_that_does_not_use_it_imports_nothing_of_it(project: Path) -> None:
    (project / "test_it.py").write_text(
        """
import sys

def test_it(request):
    assert request.config.pluginmanager.hasplugin("callwright")
    ours = {name for name in sys.modules if name.startswith("callwright.")}
    assert ours == {"callwright.pytest_plugin"}
    assert not {"sqlalchemy", "anyio", "pydantic"} & sys.modules.keys()
"""
    )
    done = run(project, "-q", "-p", "no:anyio")
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_a_sandbox_that_cannot_start_says_so(project: Path) -> None:
    (project / "conftest.py").write_text(
        """
import pytest

@pytest.fixture(scope="session")
def callwright_sandbox_options():
    return ("--clock", "sundial")
"""
    )
    (project / "test_it.py").write_text("def test_it(callwright_sandbox):\n    pass\n")
    done = run(project, "-q")
    assert "SandboxError: callwright sandbox: it has not started" in done.stdout
