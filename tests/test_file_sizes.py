"""No file of the service is longer than a reader takes in at once."""

from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "callwright"

LINES_AT_MOST = 400


def too_long(folder: Path) -> dict[str, int]:
    """How many lines each file has that has too many."""
    lengths = {
        str(file.relative_to(folder)): len(file.read_text("utf-8").splitlines())
        for file in folder.rglob("*.py")
    }
    return {file: lines for file, lines in lengths.items() if lines > LINES_AT_MOST}


def test_no_file_gives_more_answers_than_one() -> None:
    assert too_long(SOURCE) == {}


@pytest.mark.parametrize(("lines", "found"), [(400, {}), (401, {"deep/long.py": 401})])
def test_a_file_that_has_grown_is_found(tmp_path: Path, lines: int, found: dict[str, int]) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "long.py").write_text("pass\n" * lines, "utf-8")
    assert too_long(tmp_path) == found
