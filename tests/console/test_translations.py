"""Numbers, times and words as each language writes them."""

import ast
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import callwright
from callwright.console.translations import language, preferred


@pytest.mark.parametrize(
    ("accepted", "code"),
    [
        ("", "en"),
        ("ru", "ru"),
        ("ru-RU,ru;q=0.9,en-US;q=0.8", "ru"),
        ("de, en;q=0.5, ru;q=0.6", "ru"),
        ("de", "en"),
        ("ru;q=0", "en"),
        ("ru;q=x, en", "en"),
        ("*", "en"),
    ],
)
def test_the_language_is_the_one_the_browser_prefers(accepted: str, code: str) -> None:
    assert preferred(accepted) == code


def test_numbers_and_times_are_written_as_the_language_does() -> None:
    moment = datetime(2026, 5, 1, 21, 5, 9, tzinfo=UTC)
    english, russian = language("en"), language("ru")
    assert english.number(1234567.891, 1) == "1,234,567.9"
    assert russian.number(1234567.891, 1) == "1\xa0234\xa0567,9"
    assert english.time(moment, ZoneInfo("Europe/Moscow")) == "2 May 2026, 00:05:09"
    assert russian.time(moment, ZoneInfo("UTC")) == "1 мая 2026, 21:05:09"
    assert english.seconds(7.9) == "0:07"
    assert english.seconds(3723) == "1:02:03"
    assert [english.lasted(value) for value in (4.49, 4.5, 4.98, 59.6)] == [
        "0:04",
        "0:05",
        "0:05",
        "1:00",
    ]


def test_what_is_not_ours_stays_as_it_is() -> None:
    assert language("ru").say("gehört uns nicht") == "gehört uns nicht"
    assert language("ru").say("") == ""


def test_no_text_to_be_translated_stands_in_an_f_string() -> None:
    """Babel finds it there on Python 3.12 and later, and on 3.11 does not."""
    package = Path(callwright.__file__).parent
    for file in (*package.glob("console/**/*.py"), *package.glob("drawing/**/*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                called = {
                    one.func.id
                    for one in ast.walk(node)
                    if isinstance(one, ast.Call) and isinstance(one.func, ast.Name)
                }
                assert not called & {"_", "N_", "gettext", "ngettext"}, (file, node.lineno)
