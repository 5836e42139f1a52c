"""What a command loads: nothing heavy that it has no use for, since whoever types it waits.

pydantic is no part of it: typer reads the command line by it.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import WITHIN

DATABASE = {"sqlalchemy", "phonenumbers"}
LOOP = {"anyio", "aiosqlite", "sqlalchemy.ext.asyncio", "sqlalchemy.orm"}
DIRECTORY_FILE = {"callwright.directory.entries", "callwright.provisioning.apply"}
SERVICE = {
    "alembic",
    "argon2",
    "av",
    "callwright.app",
    "callwright.calls",
    "callwright.engines.media",
    "callwright.engines.sip",
    "callwright.notify",
    "callwright.rpc",
    "callwright.sandbox.service",
    "callwright.speech",
    "callwright.wiring",
    "certifi",
    "espeakng_loader",
    "starlette",
    "uvicorn",
    "websockets",
}
ALL = DATABASE | LOOP | DIRECTORY_FILE | SERVICE

_LOADED = """
import json, sys
from callwright.cli import main
sys.argv = ["callwright", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    code = end.code
print()
print(json.dumps([code or 0, sorted(sys.modules)]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("initialised")
    loaded(made, "init")
    return made


def loaded(folder: Path, *words: str) -> set[str]:
    """Type a command in a process of its own; return what modules it had loaded at its end."""
    done = subprocess.run(
        [sys.executable, "-c", _LOADED, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=WITHIN,
        check=True,
    )
    code, modules = json.loads(done.stdout.splitlines()[-1])
    assert code == 0, done.stderr
    return set(modules)


@pytest.mark.parametrize(
    ("words", "spared"),
    [
        (("--version",), ALL),
        (("--help",), ALL),
        (("serve", "--help"), ALL),
        (("user", "--help"), ALL),
        (("webhook", "log", "--help"), ALL),
        (("sandbox", "--numbers"), ALL - {"anyio"}),
        (("user", "list"), ALL),
        (("token", "list"), ALL),
        (("token", "create", "--user", "admin"), ALL),
        (("media", "list"), ALL),
        (("token", "block", "1"), ALL),
        (("trunk", "list"), ALL),
        (("scenario", "list"), ALL),
        (("webhook", "list"), ALL),
        # Entries of the directory file know numbering plans.
        (("user", "add", "crm"), {"sqlalchemy", "callwright.provisioning.apply"} | LOOP | SERVICE),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, tuple) else "",
)
def test_a_command_loads_nothing_that_it_has_no_use_for(
    folder: Path, words: tuple[str, ...], spared: set[str]
) -> None:
    assert loaded(folder, *words) & spared == set()


_WITH_MEDIA_WORKERS = """
from callwright.config import Settings
from callwright.wiring.environment import Environment
settings = Settings.model_validate({"data": ".", "media": {"workers": 2}})
engine = Environment().engine(settings, lambda: 0)
"""


def loaded_by(script: str, folder: Path) -> set[str]:
    """Run a script in a folder, in a process of its own; return what modules it had loaded."""
    told = "import json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", f"{script}\n{told}"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=WITHIN,
        check=True,
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("script", "spared"),
    [
        pytest.param(
            "import callwright.app",
            {"sqlalchemy.dialects.postgresql", "sqlalchemy.dialects.mysql", "alembic"},
            id="dialects that its database does not speak",
        ),
        pytest.param(
            "import callwright.sandbox.service",
            {"callwright.engines.sip.engine", "callwright.engines.media.engine"}
            | {"callwright.speech.service", "av", "pylibsrtp"},
            id="SIP and media, in a sandbox",
        ),
        pytest.param(
            _WITH_MEDIA_WORKERS,
            {"callwright.engines.media.engine", "av", "pylibsrtp"},
            id="what media workers do for it",
        ),
    ],
)
def test_the_service_does_not_load(tmp_path: Path, script: str, spared: set[str]) -> None:
    assert loaded_by(script, tmp_path) & spared == set()
