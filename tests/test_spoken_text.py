"""Texts to be spoken: what has a word in it, and what has none."""

import pytest

from callwright.spoken_text import says_something


@pytest.mark.parametrize(
    "text",
    [
        "", "  ", "\t\n", "...", "…", "—", "?!", "«»", "+", "№ %", "😀👍", "\u200b\u2060", "\ufeff",
        "<speak></speak>", "<speak><break time='1s'/> ... </speak>", "<p>—</p>", "<!-- none -->",
        "&nbsp;", "&#160;", "</speak>",
    ],
)  # fmt: skip
def test_there_is_nothing_to_say(text: str) -> None:
    assert not says_something(text)


@pytest.mark.parametrize(
    "text",
    [
        "а", "5", "... да", "<speak>да</speak>", "<да>", "2 < 3 > 1", "中文", "हि", "1️⃣", "R&D;",
    ],
)  # fmt: skip
def test_there_is_something_to_say(text: str) -> None:
    assert says_something(text)
