"""Numbers, times and words as each language writes them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

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


def test_what_is_not_ours_stays_as_it_is() -> None:
    assert language("ru").say("gehört uns nicht") == "gehört uns nicht"
    assert language("ru").say("") == ""
