"""The lock files: whatever pyproject.toml asks for is in them, in a version it allows."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
NEEDED: list[str] = PROJECT["project"]["dependencies"]
FOR_DEVELOPERS: list[str] = [
    line for line in PROJECT["dependency-groups"]["dev"] if isinstance(line, str)
]


def locked(file: str) -> dict[str, set[str]]:
    versions: dict[str, set[str]] = {}
    for name, version in re.findall(
        r"(?m)^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", (ROOT / file).read_text()
    ):
        versions.setdefault(canonicalize_name(name), set()).add(version)
    return versions


@pytest.mark.parametrize(
    ("file", "lines"),
    [
        ("requirements.lock", NEEDED),
        ("requirements-dev.lock", NEEDED + FOR_DEVELOPERS),
    ],
)
def test_what_is_asked_for_is_locked(file: str, lines: list[str]) -> None:
    versions = locked(file)
    for line in lines:
        wanted = Requirement(line)
        found = versions.get(canonicalize_name(wanted.name), set())
        assert found, f"{wanted.name} is not in {file}: run `make lock`"
        assert all(map(wanted.specifier.contains, found)), f"{line}: {file} has {found}"


def test_every_locked_package_has_its_hashes() -> None:
    for file in ("requirements.lock", "requirements-dev.lock"):
        entries = re.split(r"(?m)^(?=[\w.-]+(?:\[[\w,-]+\])?==)", (ROOT / file).read_text())[1:]
        assert entries
        assert all("--hash=sha256:" in entry for entry in entries)
