"""The TypeScript client, made from the API's description of itself by tools of OpenRPC's and npm's.

What the description says is held against OpenRPC's own schema, turned into types, and used.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from callwright.sandbox.client import Sandbox, running
from tests.waiting import WITHIN

EXAMPLE = Path(__file__).parents[2] / "examples/typescript"

pytestmark = pytest.mark.peer("node", "tsc")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running("--clock", "stepped") as up:
        yield up


@pytest.fixture(scope="module")
def project(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, with a client that is made from what the sandbox says."""
    project = tmp_path_factory.mktemp("typescript") / "project"
    made = shutil.ignore_patterns("node_modules", "out", "methods.ts")
    shutil.copytree(EXAMPLE, project, ignore=made)
    (project / "node_modules").symlink_to(EXAMPLE / "node_modules")
    node(project, "generate.mjs", f"{sandbox.url}/openrpc.json")
    return project


def node(project: Path, *words: str, code: int = 0) -> str:
    done = subprocess.run(
        ["node", *words], cwd=project, capture_output=True, text=True, timeout=WITHIN, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def tsc(project: Path, code: int = 0) -> str:
    return node(project, "node_modules/typescript/bin/tsc", code=code)


def test_a_client_is_made_compiled_and_used(sandbox: Sandbox, project: Path) -> None:
    sandbox.reset()
    tsc(project)
    told = node(project, "out/first_call.js", f"{sandbox.url}/v4.0", sandbox.token)
    assert told == "1 leg is rung: 10003\ncall_session_not_found: call_session_id\n"


def test_what_no_method_takes_or_gives_is_not_compiled(project: Path) -> None:
    wrong = project / "src/wrong.ts"
    wrong.write_text("""\
import { Callwright } from "./client.js";
const api = new Callwright("", "");
await api.call("start.employe_call", {});
await api.call("release.call", { call_session_id: "1" });
await api.call("release.call", {});
await api.call("release.call", { call_session_id: 1, reason: "" });
const { session } = await api.call("login.user", { login: "a", password: "b" });
""")
    try:
        told = re.findall(r"^src/wrong.ts\((\d+),", tsc(project, code=2), re.MULTILINE)
    finally:
        wrong.unlink()
    assert set(told) == {"3", "4", "5", "6", "7"}


def test_the_data_api_is_described_as_well(sandbox: Sandbox, project: Path) -> None:
    # The description is checked before anything is made of it.
    node(project, "generate.mjs", f"{sandbox.url}/v2.0/openrpc.json", "data")
    assert '"get.employees"' in (project / "data/methods.ts").read_text()
