"""Whether other users of the machine may read a file."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from callwright.file_modes import exposed, warning_of


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder everybody may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def test_a_file_with_secrets_is_for_its_owner_and_group(open_folder: Path) -> None:
    modes = {"open": 0o644, "group": 0o640, "own": 0o600}
    for name, mode in modes.items():
        (open_folder / name).touch()
        (open_folder / name).chmod(mode)
    (open_folder / "link").symlink_to("open")
    names = [*modes, "link", "none"]
    found = exposed(open_folder / name for name in names)
    assert [file.name for file in found] == ["open", "link"]
    assert warning_of(found).startswith(f"others may read what is secret: {open_folder}/open, ")


def test_in_a_folder_others_may_not_enter_it_is_safe(open_folder: Path) -> None:
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    (closed / "file").touch(mode=0o644)
    (closed / "file").chmod(0o644)
    assert exposed([closed / "file"]) == []
    closed.chmod(0o701)
    assert exposed([closed / "file"]) == [closed / "file"]
